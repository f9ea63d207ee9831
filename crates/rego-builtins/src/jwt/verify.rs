//! `io.jwt.verify_*`: only the signature is checked, by an algorithm that the policy names.

use rego_value::Value;

use super::algorithm::{Algorithm, verify_hmac};
use super::constraints::Header;
use super::keys::{self, any_accepts};
use super::token::Token;
use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;
use crate::keys::Hash;
use crate::keys::jwk::Material;
use crate::keys::rsa::Padding;

type Outcome = Result<Option<Value>, BuiltinError>;

fn verify_with_key(args: &[Value], algorithm: Algorithm) -> Outcome {
    let args = Args(args);
    let token = Token::split(args.string(1)?.as_bytes())?;
    let keys = keys::parse(args.string(2)?)?;
    let signature = token.signature()?;
    let header = Header::parse(&token.header()?)?;
    let signed = token.signed();
    // Only public keys count here, even if a set holds the private ones.
    let valid = any_accepts(&keys, &header.kid, &header.alg, |material| match material {
        Material::Public(key) => algorithm.verify(key, &signed, &signature),
        Material::Private(..) | Material::Octets(_) => false,
    });
    Ok(Some(valid.into()))
}

fn verify_with_secret(args: &[Value], hash: Hash) -> Outcome {
    let args = Args(args);
    let token = args.string(1)?;
    let secret = args.string(2)?;
    let token = Token::split(token.as_bytes())?;
    let signature = token.signature()?;
    Ok(Some(verify_hmac(hash, secret.as_bytes(), &token.signed(), &signature).into()))
}

macro_rules! verifiers {
    ($($name:ident: $check:ident, $with:expr;)*) => {
        $(
            #[doc = concat!("`io.jwt.", stringify!($name), "`")]
            pub(crate) fn $name(_: &mut Context, args: &[Value]) -> Outcome {
                $check(args, $with)
            }
        )*
    };
}

verifiers! {
    verify_hs256: verify_with_secret, Hash::Sha256;
    verify_hs384: verify_with_secret, Hash::Sha384;
    verify_hs512: verify_with_secret, Hash::Sha512;
    verify_rs256: verify_with_key, Algorithm::Rsa(Padding::Pkcs1, Hash::Sha256);
    verify_rs384: verify_with_key, Algorithm::Rsa(Padding::Pkcs1, Hash::Sha384);
    verify_rs512: verify_with_key, Algorithm::Rsa(Padding::Pkcs1, Hash::Sha512);
    verify_ps256: verify_with_key, Algorithm::Rsa(Padding::PssAnySalt, Hash::Sha256);
    verify_ps384: verify_with_key, Algorithm::Rsa(Padding::PssAnySalt, Hash::Sha384);
    verify_ps512: verify_with_key, Algorithm::Rsa(Padding::PssAnySalt, Hash::Sha512);
    verify_es256: verify_with_key, Algorithm::Ecdsa(Hash::Sha256);
    verify_es384: verify_with_key, Algorithm::Ecdsa(Hash::Sha384);
    verify_es512: verify_with_key, Algorithm::Ecdsa(Hash::Sha512);
    verify_eddsa: verify_with_key, Algorithm::EdDsa;
}
