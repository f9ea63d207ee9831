//! The algorithms of signatures on certificates.

use crate::asn1::unmarshal::{Fields, Problem};
use crate::asn1::{Der, NULL, oid, tag};
use crate::keys::pkix::Algorithm;
use crate::keys::rsa::Padding;
use crate::keys::{Hash, PublicKey, verify_ed25519};

/// By their numbers in Go's `x509.SignatureAlgorithm`, which policies see; 0 is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SignatureAlgorithm(pub(super) i64);

const UNKNOWN: SignatureAlgorithm = SignatureAlgorithm(0);
const ED25519: SignatureAlgorithm = SignatureAlgorithm(16);

impl SignatureAlgorithm {
    pub(super) fn of(algorithm: &Algorithm<'_>) -> Self {
        let number = match algorithm.oid.arcs() {
            [1, 2, 840, 113_549, 1, 1, 4] => 2,
            [1, 2, 840, 113_549, 1, 1, 5] | [1, 3, 14, 3, 2, 29] => 3,
            [1, 2, 840, 113_549, 1, 1, 11] => 4,
            [1, 2, 840, 113_549, 1, 1, 12] => 5,
            [1, 2, 840, 113_549, 1, 1, 13] => 6,
            [1, 2, 840, 10040, 4, 3] => 7,
            [2, 16, 840, 1, 101, 3, 4, 3, 2] => 8,
            [1, 2, 840, 10045, 4, 1] => 9,
            [1, 2, 840, 10045, 4, 3, 2] => 10,
            [1, 2, 840, 10045, 4, 3, 3] => 11,
            [1, 2, 840, 10045, 4, 3, 4] => 12,
            oid::ED25519 if algorithm.parameters.is_empty() => return ED25519,
            oid::RSA_PSS => return pss(algorithm.parameters).ok().flatten().unwrap_or(UNKNOWN),
            _ => 0,
        };
        Self(number)
    }

    /// Checks a signature. MD5 and SHA-1 are not trusted, so that nothing signed with them is right.
    pub(super) fn verify(self, key: &PublicKey, signed: &[u8], signature: &[u8]) -> bool {
        let (hash, padding) = match self.0 {
            4 => (Hash::Sha256, Some(Padding::Pkcs1)),
            5 => (Hash::Sha384, Some(Padding::Pkcs1)),
            6 => (Hash::Sha512, Some(Padding::Pkcs1)),
            13 => (Hash::Sha256, Some(Padding::Pss)),
            14 => (Hash::Sha384, Some(Padding::Pss)),
            15 => (Hash::Sha512, Some(Padding::Pss)),
            10 => (Hash::Sha256, None),
            11 => (Hash::Sha384, None),
            12 => (Hash::Sha512, None),
            16 => return matches!(key, PublicKey::Ed25519(key) if verify_ed25519(key, signed, signature)),
            _ => return false,
        };
        match (key, padding) {
            (PublicKey::Rsa(key), Some(padding)) => {
                key.verify(padding, hash, &hash.digest(signed), signature)
            }
            (PublicKey::Ec(key), None) => {
                ecdsa_numbers(signature).is_some_and(|(r, s)| key.verify(&hash.digest(signed), r, s))
            }
            _ => false,
        }
    }
}

/// The parameters of RSASSA-PSS, as far as Go knows them: one digest throughout, and a salt of its size.
fn pss(parameters: &[u8]) -> Result<Option<SignatureAlgorithm>, Problem> {
    let mut inside = Fields::new(parameters).sequence("pssParameters")?;
    let missing = || "no such field".to_owned();
    let hash = Algorithm::unmarshal(&mut inside.explicit(0)?.ok_or_else(missing)?)?;
    let mask = Algorithm::unmarshal(&mut inside.explicit(1)?.ok_or_else(missing)?)?;
    let salt = inside.explicit(2)?.ok_or_else(missing)?.integer()?;
    let trailer = inside.explicit(3)?.map(|mut inside| inside.integer()).transpose()?.unwrap_or(1);
    let mask_hash = Algorithm::unmarshal(&mut Fields::new(mask.parameters))?;
    let plain = |algorithm: &Algorithm<'_>| algorithm.parameters.is_empty() || algorithm.parameters == NULL;
    if !plain(&hash)
        || mask.oid.arcs() != oid::MGF1
        || mask_hash.oid != hash.oid
        || !plain(&mask_hash)
        || trailer != 1
    {
        return Ok(None);
    }
    Ok(match (hash.oid.arcs(), salt) {
        (oid::SHA256, 32) => Some(SignatureAlgorithm(13)),
        (oid::SHA384, 48) => Some(SignatureAlgorithm(14)),
        (oid::SHA512, 64) => Some(SignatureAlgorithm(15)),
        _ => None,
    })
}

/// The two numbers of an ECDSA signature in DER, neither of them negative.
fn ecdsa_numbers(signature: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Der(signature);
    let mut inside = outer.contents(tag::SEQUENCE)?;
    let numbers = (inside.unsigned_bytes()?, inside.unsigned_bytes()?);
    (outer.is_empty() && inside.is_empty()).then_some(numbers)
}
