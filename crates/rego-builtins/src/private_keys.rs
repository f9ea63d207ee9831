//! Category crypto: private keys in PEM, and pairs of a certificate and its key.

use rego_value::Value;

use crate::args::Args;
use crate::base64::STANDARD;
use crate::context::Context;
use crate::error::BuiltinError;
use crate::keys::{PrivateKey, PublicKey, jwk_export, object, pkix};
use crate::pem;
use crate::x509::Certificate;

type Outcome = Result<Option<Value>, BuiltinError>;

fn failure(message: impl std::fmt::Display) -> BuiltinError {
    BuiltinError::new(message.to_string())
}

/// `crypto.parse_private_keys`
pub(crate) fn parse_private_keys(_: &mut Context, args: &[Value]) -> Outcome {
    let text = Args(args).string(1)?;
    if text.is_empty() {
        return Ok(Some(Value::Null));
    }
    let keys = keys_of(text.as_bytes()).map_err(BuiltinError::new)?;
    Ok(Some(Value::array(keys.iter().map(PrivateKey::to_value))))
}

/// `crypto.x509.parse_rsa_private_key`: the first key, of whatever kind, as JWK.
pub(crate) fn parse_rsa_private_key(_: &mut Context, args: &[Value]) -> Outcome {
    let text = Args(args).string(1)?;
    if text.is_empty() {
        return Err(BuiltinError::new("input PEM data was empty"));
    }
    let decoded;
    let pem = if text.starts_with("-----BEGIN") {
        text.as_bytes()
    } else {
        decoded = STANDARD.decode(text.as_bytes()).map_err(failure)?;
        &decoded
    };
    match keys_of(pem).map_err(BuiltinError::new)?.first() {
        Some(key) => jwk_export::export(key).map(Some).map_err(BuiltinError::new),
        None => Ok(Some(Value::Null)),
    }
}

/// The private keys among the blocks of a text, which may be base64 of such a text.
fn keys_of(text: &[u8]) -> Result<Vec<PrivateKey>, String> {
    let decoded = STANDARD.decode(text);
    let mut rest = decoded.as_deref().unwrap_or(text);
    let mut keys = Vec::new();
    while let (Some(block), after) = pem::decode(rest) {
        match block.label {
            b"RSA PRIVATE KEY" => keys.push(pkix::parse_pkcs1(&block.bytes)?),
            b"PRIVATE KEY" => keys.push(pkix::parse_pkcs8(&block.bytes)?),
            b"EC PRIVATE KEY" => keys.push(pkix::parse_sec1(&block.bytes)?),
            _ => {}
        }
        rest = after;
    }
    Ok(keys)
}

/// `crypto.x509.parse_keypair`: a certificate (or a chain) and the private key that belongs to it.
pub(crate) fn parse_keypair(_: &mut Context, args: &[Value]) -> Outcome {
    let text = |position: usize| match Args(args).value(position)? {
        Value::String(text) => Ok(text.as_bytes()),
        // OPA counts both operands as the first.
        other => Err(crate::args::wrong_type(1, other, &["string"])),
    };
    let (certificates, key) = (text(1)?, text(2)?);
    let certificates = pem_or_der(certificates)?;
    let key = pem_or_der(key)?;
    let certificates = match certificates {
        Source::Der(der) => vec![der],
        Source::Pem(pem) => certificate_blocks(&pem)?,
    };
    let key = match key {
        Source::Der(der) => der,
        Source::Pem(pem) => key_block(&pem)?,
    };
    let leaf = Certificate::parse(certificates.first().map(Vec::as_slice).unwrap_or_default())
        .map_err(BuiltinError::new)?;
    let key = any_private_key(&key)?;
    belongs(&key, leaf.public_key.as_ref())?;
    let pair = object([
        ("Certificate", Value::array(certificates.iter().map(|der| STANDARD.encode(der).into()))),
        ("PrivateKey", key.to_value()),
        ("SupportedSignatureAlgorithms", Value::Null),
        ("OCSPStaple", Value::Null),
        ("SignedCertificateTimestamps", Value::Null),
        ("Leaf", leaf.to_value()),
    ]);
    Ok(Some(pair))
}

enum Source {
    Pem(Vec<u8>),
    Der(Vec<u8>),
}

const BEGIN: &[u8] = b"-----BEGIN ";

fn pem_or_der(text: &[u8]) -> Result<Source, BuiltinError> {
    if text.starts_with(BEGIN) {
        return Ok(Source::Pem(text.to_vec()));
    }
    let decoded = STANDARD.decode(text).map_err(failure)?;
    Ok(if decoded.starts_with(BEGIN) { Source::Pem(decoded) } else { Source::Der(decoded) })
}

/// All certificates of a text, each in DER.
fn certificate_blocks(mut text: &[u8]) -> Result<Vec<Vec<u8>>, BuiltinError> {
    let (mut certificates, mut skipped) = (Vec::new(), Vec::new());
    while let (Some(block), rest) = pem::decode(text) {
        if block.label == b"CERTIFICATE" {
            certificates.push(block.bytes);
        } else {
            skipped.push(block.label());
        }
        text = rest;
    }
    match skipped.as_slice() {
        _ if !certificates.is_empty() => Ok(certificates),
        [] => Err(failure("tls: failed to find any PEM data in certificate input")),
        [one] if one.ends_with("PRIVATE KEY") => Err(failure(
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
        )),
        several => Err(failure(format_args!(
            "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following types: [{}]",
            several.join(" ")
        ))),
    }
}

/// The first private key of a text, in DER.
fn key_block(mut text: &[u8]) -> Result<Vec<u8>, BuiltinError> {
    let mut skipped = Vec::new();
    while let (Some(block), rest) = pem::decode(text) {
        if block.label == b"PRIVATE KEY" || block.label.ends_with(b" PRIVATE KEY") {
            return Ok(block.bytes);
        }
        skipped.push(block.label());
        text = rest;
    }
    match skipped.as_slice() {
        [] => Err(failure("tls: failed to find any PEM data in key input")),
        [one] if one == "CERTIFICATE" => {
            Err(failure("tls: found a certificate rather than a key in the PEM for the private key"))
        }
        several => Err(failure(format_args!(
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of the following types: [{}]",
            several.join(" ")
        ))),
    }
}

fn any_private_key(der: &[u8]) -> Result<PrivateKey, BuiltinError> {
    if let Ok(key) = pkix::parse_pkcs1(der) {
        return Ok(key);
    }
    match pkix::parse_pkcs8(der) {
        Ok(PrivateKey::X25519(_)) => Err(failure("tls: found unknown private key type in PKCS#8 wrapping")),
        Ok(key) => Ok(key),
        Err(_) => pkix::parse_sec1(der).map_err(|_| failure("tls: failed to parse private key")),
    }
}

fn belongs(key: &PrivateKey, public: Option<&PublicKey>) -> Result<(), BuiltinError> {
    let signs = matches!(public, Some(PublicKey::Rsa(_) | PublicKey::Ec(_) | PublicKey::Ed25519(_)));
    let Some(public) = public.filter(|_| signs) else {
        return Err(failure("tls: unknown public key algorithm"));
    };
    match key.matches(public) {
        Some(true) => Ok(()),
        Some(false) => Err(failure("tls: private key does not match public key")),
        None => Err(failure("tls: private key type does not match public key type")),
    }
}
