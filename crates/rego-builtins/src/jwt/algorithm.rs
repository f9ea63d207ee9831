//! The algorithms of signatures (RFC 7518, 3.1).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::keys::rsa::Padding;
use crate::keys::{Hash, PublicKey, verify_ed25519};

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hmac(Hash),
    Rsa(Padding, Hash),
    Ecdsa(Hash),
    EdDsa,
}

impl Algorithm {
    /// The algorithm of a token's header, as far as OPA signs with it.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        let hash = match name.get(2..) {
            _ if name == "EdDSA" => return Some(Algorithm::EdDsa),
            Some("256") => Hash::Sha256,
            Some("384") => Hash::Sha384,
            Some("512") => Hash::Sha512,
            _ => return None,
        };
        match name.get(..2)? {
            "HS" => Some(Algorithm::Hmac(hash)),
            "RS" => Some(Algorithm::Rsa(Padding::Pkcs1, hash)),
            "PS" => Some(Algorithm::Rsa(Padding::Pss, hash)),
            "ES" => Some(Algorithm::Ecdsa(hash)),
            _ => None,
        }
    }

    /// The algorithm of a token's header, under the further names that OPA knows when it checks a token.
    pub(super) fn by_any_name(name: &str) -> Option<Self> {
        let usual = match name {
            "Ed25519" | "EDDSA" => "EdDSA",
            "HMAC_WITH_SHA256" => "HS256",
            "HMAC_WITH_SHA384" => "HS384",
            "HMAC_WITH_SHA512" => "HS512",
            "RSA_PKCS1v15_WITH_SHA256" => "RS256",
            "RSA_PKCS1v15_WITH_SHA384" => "RS384",
            "RSA_PKCS1v15_WITH_SHA512" => "RS512",
            "RSA_PSS_WITH_SHA256" => "PS256",
            "RSA_PSS_WITH_SHA384" => "PS384",
            "RSA_PSS_WITH_SHA512" => "PS512",
            "ECDSA_WITH_P256_AND_SHA256" => "ES256",
            "ECDSA_WITH_P384_AND_SHA384" => "ES384",
            "ECDSA_WITH_P521_AND_SHA512" => "ES512",
            other => other,
        };
        Self::by_name(usual)
    }

    /// Checks a signature with a public key; false where the key is not one of this algorithm's.
    pub(super) fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match (self, key) {
            (Algorithm::Rsa(padding, hash), PublicKey::Rsa(key)) => {
                key.verify(padding, hash, &hash.digest(message), signature)
            }
            (Algorithm::Ecdsa(hash), PublicKey::Ec(key)) => {
                let (r, s) = signature.split_at(signature.len() / 2);
                key.verify(&hash.digest(message), r, s)
            }
            (Algorithm::EdDsa, PublicKey::Ed25519(key)) => verify_ed25519(key, message, signature),
            _ => false,
        }
    }
}

fn mac<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> Option<M> {
    // Secrets of any length are good for HMAC.
    let mut mac = <M as KeyInit>::new_from_slice(secret).ok()?;
    mac.update(message);
    Some(mac)
}

/// Checks a message's authentication code in a time that does not depend on where it differs.
pub(super) fn verify_hmac(hash: Hash, secret: &[u8], message: &[u8], code: &[u8]) -> bool {
    fn verify<M: Mac + KeyInit>(secret: &[u8], message: &[u8], code: &[u8]) -> bool {
        mac::<M>(secret, message).is_some_and(|mac| mac.verify_slice(code).is_ok())
    }
    match hash {
        Hash::Sha256 => verify::<Hmac<Sha256>>(secret, message, code),
        Hash::Sha384 => verify::<Hmac<Sha384>>(secret, message, code),
        Hash::Sha512 => verify::<Hmac<Sha512>>(secret, message, code),
    }
}

pub(super) fn sign_hmac(hash: Hash, secret: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    fn sign<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        mac::<M>(secret, message).map(|mac| mac.finalize().into_bytes().to_vec())
    }
    match hash {
        Hash::Sha256 => sign::<Hmac<Sha256>>(secret, message),
        Hash::Sha384 => sign::<Hmac<Sha384>>(secret, message),
        Hash::Sha512 => sign::<Hmac<Sha512>>(secret, message),
    }
}
