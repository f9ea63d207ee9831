//! `io.jwt.encode_sign` and `io.jwt.encode_sign_raw`.

use rego_value::Value;
use rego_value::json::{self, Escape};

use super::algorithm::{Algorithm, sign_hmac};
use crate::args::Args;
use crate::base64::URL_RAW;
use crate::context::Context;
use crate::error::BuiltinError;
use crate::gofmt::quote;
use crate::json_text::{Member, first_member};
use crate::keys::jwk::{self, Jwk, Material, Secret};
use crate::keys::{PublicKey, ec, rsa, sign_ed25519};

type Outcome = Result<Option<Value>, BuiltinError>;

/// `io.jwt.encode_sign`: header, payload and key as values.
pub(crate) fn encode_sign(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let text = |position| args.value(position).map(|value| json::to_string(value, Escape::Html));
    sign_texts(context, &text(1)?, &text(2)?, &text(3)?)
}

/// `io.jwt.encode_sign_raw`: the same as JSON texts, of which not a byte is changed.
pub(crate) fn encode_sign_raw(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let key = args.string(3)?;
    sign_texts(context, args.string(1)?, args.string(2)?, key)
}

fn sign_texts(context: &mut Context, header: &str, payload: &str, key: &str) -> Outcome {
    let keys = jwk::parse(key.as_bytes()).map_err(BuiltinError::new)?;
    let key = keys.first().ok_or_else(|| BuiltinError::new("no keys found in JWK set"))?;
    let name = header_text(header, "alg")
        .map_err(|problem| BuiltinError::new(format!("missing or invalid 'alg' header: {problem}")))?;
    let algorithm = Algorithm::by_name(&name)
        .ok_or_else(|| BuiltinError::new(format!("unknown JWS algorithm: {name}")))?;
    let kind = header_text(header, "typ");
    if kind.is_ok_and(|kind| kind != "JWT") || json::is_valid(payload.as_bytes()) {
        let signed = format!("{}.{}", URL_RAW.encode(header.as_bytes()), URL_RAW.encode(payload.as_bytes()));
        let signature = sign(context, key, algorithm, signed.as_bytes()).map_err(BuiltinError::new)?;
        return Ok(Some(format!("{signed}.{}", URL_RAW.encode(&signature)).into()));
    }
    Err(BuiltinError::new("type is JWT but payload is not JSON"))
}

/// A member of a header that must be a text; of several, the first one.
fn header_text(header: &str, name: &str) -> Result<String, String> {
    let unreadable =
        |what: String, tail: &str| format!("cannot parse JSON: {what}; unparsed tail: {}", quote(tail));
    let absent = || format!("jwsbb: header {} not found", quote(name));
    match first_member(header.as_bytes(), name) {
        Ok(Member::Text(text)) => Ok(text),
        Ok(Member::Other(kind)) => Err(format!("value doesn't contain string; it contains {kind}")),
        Ok(Member::Absent) => Err(absent()),
        // The library takes any text of such characters for a number, and a number has no members.
        Err(_) if is_nearly_a_number(header) => Err(absent()),
        Err(_) if header.trim().is_empty() => Err(unreadable("cannot parse empty string".to_owned(), "")),
        Err(error) => {
            let tail = header.get(error.offset..).unwrap_or_default();
            if error.kind == json::Error::TrailingData {
                return Err(format!("unexpected tail: {}", quote(tail)));
            }
            Err(unreadable(error.to_string(), tail))
        }
    }
}

fn is_nearly_a_number(text: &str) -> bool {
    let text = text.trim();
    !matches!(text, "" | "-" | "+")
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'))
}

fn sign(context: &mut Context, key: &Jwk, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = |wanted: &str, why: String| {
        Err(format!("jwsbb.Sign: invalid key type {}. {wanted} is required: {why}", key.type_name()))
    };
    let material = key.export();
    match (algorithm, material) {
        (Algorithm::Hmac(hash), Ok(Material::Octets(secret))) => {
            sign_hmac(hash, &secret, message).ok_or_else(|| "dsig.Sign: invalid key".to_owned())
        }
        // The library takes the bytes of this private key for a secret. It takes those of the public key as well,
        // which everybody knows: that is refused here.
        (Algorithm::Hmac(hash), Ok(Material::Private(PublicKey::Ed25519(public), Secret::Ed25519(seed)))) => {
            let secret = [seed, public].concat();
            sign_hmac(hash, &secret, message).ok_or_else(|| "dsig.Sign: invalid key".to_owned())
        }
        (Algorithm::Hmac(_), material) => {
            wrong("[]byte", not_exported(key, "keyconv: failed to produce []byte from", "*[]uint8", material))
        }
        (Algorithm::Rsa(padding, hash), Ok(Material::Private(_, Secret::Rsa(secret)))) => {
            let jwk::UncheckedRsa { public, d, primes, crt } = *secret;
            let private = rsa::Private::new(public, d, primes, crt)?;
            private.sign(padding, hash, &hash.digest(message), context.random())
        }
        (Algorithm::Rsa(..), material) => wrong(
            "*rsa.PrivateKey",
            not_exported(key, "failed to produce rsa.PrivateKey from", "*rsa.PrivateKey", material),
        ),
        (Algorithm::Ecdsa(hash), Ok(Material::Private(PublicKey::Ec(public), Secret::Ec(scalar)))) => {
            let failed = |what: &str| format!("failed to sign payload using ecdsa: {what}");
            if scalar.iter().all(|byte| *byte == 0) {
                return Err(failed("ecdsa: private key scalar is zero or negative"));
            }
            let private = ec::Private::new(public.curve, &scalar)
                .ok_or_else(|| failed("input overflows the modulus"))?;
            private.sign(&hash.digest(message)).ok_or_else(|| failed("no signature"))
        }
        (Algorithm::Ecdsa(_), material) => wrong(
            "*ecdsa.PrivateKey",
            not_exported(
                key,
                "keyconv: failed to produce ecdsa.PrivateKey from",
                "*ecdsa.PrivateKey",
                material,
            ),
        ),
        (Algorithm::EdDsa, Ok(Material::Private(_, Secret::Ed25519(seed)))) => {
            Ok(sign_ed25519(&seed, message))
        }
        (Algorithm::EdDsa, material) => wrong(
            "ed25519.PrivateKey",
            not_exported(key, "failed to produce ed25519.PrivateKey from", "*ed25519.PrivateKey", material),
        ),
    }
}

/// Why a key is none of the Go type that an algorithm wants, in the words of OPA's library.
fn not_exported(key: &Jwk, step: &str, wanted: &str, material: Result<Material, String>) -> String {
    let name = key.type_name();
    let why = match material {
        Err(problem) => problem,
        // Only keys of this kind are assigned before their type is looked at.
        Ok(Material::Public(PublicKey::Ed25519(_))) => not_assigned("ed25519.PublicKey", wanted),
        Ok(Material::Public(PublicKey::X25519)) => not_assigned("*ecdh.PublicKey", wanted),
        Ok(Material::Private(_, Secret::Ed25519(_))) => not_assigned("ed25519.PrivateKey", wanted),
        Ok(Material::Private(_, Secret::X25519)) => not_assigned("*ecdh.PrivateKey", wanted),
        Ok(_) => format!("jwk.Export: no suitable exporter found for key type '{name}'"),
    };
    format!("{step} {name}: {why}")
}

fn not_assigned(is: &str, wanted: &str) -> String {
    format!(
        "jwk.Export: failed to assign key: argument to AssignIfCompatible() must be compatible with {is} (was {wanted})"
    )
}
