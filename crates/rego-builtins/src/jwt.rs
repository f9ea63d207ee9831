//! Category tokens: JSON Web Tokens (RFC 7519) in compact serialization, signed (RFC 7515).
//!
//! What may be done with a key follows from the key: an RSA key never serves as the secret of an HMAC, whatever
//! the token's header says. Nothing of a secret is part of an error's text.

mod algorithm;
mod constraints;
mod decode_verify;
mod keys;
mod sign;
mod token;
mod verify;

pub(crate) use decode_verify::decode_verify;
pub(crate) use sign::{encode_sign, encode_sign_raw};
pub(crate) use token::decode;
pub(crate) use verify::{
    verify_eddsa, verify_es256, verify_es384, verify_es512, verify_hs256, verify_hs384, verify_hs512,
    verify_ps256, verify_ps384, verify_ps512, verify_rs256, verify_rs384, verify_rs512,
};
