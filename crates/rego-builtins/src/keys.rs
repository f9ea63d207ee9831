//! Keys: public and private, from PEM, DER and JWK, and the signatures made and checked with them.
//!
//! Arithmetic with secrets is done by RustCrypto's crates alone. What is read here, a key's container and its
//! numbers, is held to Go's rules, so that a key is accepted here if and only if OPA accepts it.

pub(crate) mod ec;
pub(crate) mod jwk;
pub(crate) mod jwk_export;
pub(crate) mod pkix;
mod random;
pub(crate) mod rsa;

use ed25519_dalek::ed25519::signature::{Signer, Verifier};
use num_bigint::{BigInt, BigUint};
use rego_value::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::base64::STANDARD;

pub(crate) use random::Random;

/// The digests that signatures are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => Sha256::digest(message).to_vec(),
            Hash::Sha384 => Sha384::digest(message).to_vec(),
            Hash::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// A key that checks signatures.
#[derive(Clone)]
pub(crate) enum PublicKey {
    Rsa(rsa::Public),
    Ec(ec::Public),
    Ed25519([u8; 32]),
    /// For key agreement: it checks nothing.
    X25519,
    /// Read, but never used: OPA checks no DSA signature.
    Dsa {
        p: BigInt,
        q: BigInt,
        g: BigInt,
        y: BigInt,
    },
}

/// A key that makes signatures. It is never part of an error's text.
#[derive(Clone)]
pub(crate) enum PrivateKey {
    Rsa(Box<rsa::Private>),
    Ec(ec::Private),
    /// The seed.
    Ed25519([u8; 32]),
    X25519([u8; 32]),
}

/// Checks an Ed25519 signature over a message, without cofactor, as Go does.
pub(crate) fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
    ed25519_dalek::VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify(message, &signature).is_ok())
}

pub(crate) fn sign_ed25519(seed: &[u8; 32], message: &[u8]) -> Vec<u8> {
    ed25519_dalek::SigningKey::from_bytes(seed).sign(message).to_bytes().to_vec()
}

/// The public key of a seed.
pub(crate) fn ed25519_public(seed: &[u8; 32]) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

/// An integer of any size as a JSON number.
pub(crate) fn number(value: impl Into<BigInt>) -> Value {
    crate::numbers::from_big(&value.into())
}

fn unsigned(value: &BigUint) -> Value {
    number(value.clone())
}

/// Members by their names.
pub(crate) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::object(members.map(|(name, value)| (Value::from(name), value)))
}

fn empty() -> Value {
    object([])
}

impl PublicKey {
    /// As Go's JSON has it.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            PublicKey::Rsa(key) => object([("N", unsigned(&key.n)), ("E", Value::from(key.e))]),
            PublicKey::Ec(key) => {
                let (x, y) = key.coordinates();
                object([("Curve", empty()), ("X", unsigned(&x)), ("Y", unsigned(&y))])
            }
            PublicKey::Ed25519(bytes) => STANDARD.encode(bytes).into(),
            PublicKey::X25519 => empty(),
            PublicKey::Dsa { p, q, g, y } => object([
                ("P", number(p.clone())),
                ("Q", number(q.clone())),
                ("G", number(g.clone())),
                ("Y", number(y.clone())),
            ]),
        }
    }
}

impl PrivateKey {
    /// As Go's JSON has it, secrets and all: that is what `crypto.parse_private_keys` is for.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            PrivateKey::Rsa(key) => key.to_value(),
            PrivateKey::Ec(key) => {
                let (x, y) = key.public().coordinates();
                object([
                    ("Curve", empty()),
                    ("X", unsigned(&x)),
                    ("Y", unsigned(&y)),
                    ("D", unsigned(&BigUint::from_bytes_be(key.scalar()))),
                ])
            }
            PrivateKey::Ed25519(seed) => STANDARD.encode(&[*seed, ed25519_public(seed)].concat()).into(),
            PrivateKey::X25519(_) => empty(),
        }
    }

    /// Whether a public key belongs to this one; `None` when they are not of the same type.
    pub(crate) fn matches(&self, public: &PublicKey) -> Option<bool> {
        match (self, public) {
            (PrivateKey::Rsa(key), PublicKey::Rsa(public)) => Some(key.public == *public),
            (PrivateKey::Ec(key), PublicKey::Ec(public)) => Some(key.public() == public),
            (PrivateKey::Ed25519(seed), PublicKey::Ed25519(public)) => Some(ed25519_public(seed) == *public),
            _ => None,
        }
    }
}
