//! Keys on NIST's curves, and ECDSA.

use num_bigint::BigUint;

/// A curve, by the bits of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P224,
    P256,
    P384,
    P521,
}

/// A point of a curve other than the neutral one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Public {
    pub(crate) curve: Curve,
    /// 4, then both coordinates (SEC 1, uncompressed).
    point: Vec<u8>,
}

/// A scalar below the order of the curve, and the point that belongs to it.
#[derive(Clone)]
pub(crate) struct Private {
    public: Public,
    /// As long as the order.
    scalar: Vec<u8>,
}

macro_rules! with_curve {
    ($curve:expr, $krate:ident => $body:expr) => {
        match $curve {
            Curve::P224 => {
                use p224 as $krate;
                $body
            }
            Curve::P256 => {
                use p256 as $krate;
                $body
            }
            Curve::P384 => {
                use p384 as $krate;
                $body
            }
            Curve::P521 => {
                use p521 as $krate;
                $body
            }
        }
    };
}

impl Curve {
    pub(crate) fn bits(self) -> u64 {
        match self {
            Curve::P224 => 224,
            Curve::P256 => 256,
            Curve::P384 => 384,
            Curve::P521 => 521,
        }
    }

    /// The bytes of a coordinate, and of a scalar.
    pub(crate) fn size(self) -> usize {
        match self {
            Curve::P224 => 28,
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    /// The name that JWK and Go give to it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Curve::P224 => "P-224",
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }

    /// The prime of the field (FIPS 186-4, D.1.2).
    fn prime(self) -> BigUint {
        let power = |exponent: u32| BigUint::from(1u8) << exponent;
        let one = BigUint::from(1u8);
        match self {
            Curve::P224 => power(224) - power(96) + one,
            Curve::P256 => power(256) - power(224) + power(192) + power(96) - one,
            Curve::P384 => power(384) - power(128) - power(96) + power(32) - one,
            Curve::P521 => power(521) - one,
        }
    }
}

impl Public {
    /// A point in uncompressed form; else what is wrong with it, as Go says it.
    pub(crate) fn from_uncompressed(curve: Curve, point: &[u8]) -> Result<Self, String> {
        if point.first() != Some(&4) {
            return Err("ecdsa: invalid uncompressed public key".to_owned());
        }
        let name = curve.name().replace('-', "");
        if point.len() != 1 + 2 * curve.size() {
            return Err(format!("invalid {name} point encoding"));
        }
        let on_curve = with_curve!(curve, krate => krate::PublicKey::from_sec1_bytes(point).is_ok());
        if on_curve {
            return Ok(Self { curve, point: point.to_vec() });
        }
        let candidate = Self { curve, point: point.to_vec() };
        let (x, y) = candidate.coordinates();
        let prime = curve.prime();
        Err(match curve {
            _ if x < prime && y < prime => format!("{name} point not on curve"),
            Curve::P256 => "invalid P256 element encoding".to_owned(),
            _ => format!("invalid {name}Element encoding"),
        })
    }

    /// The bytes of both coordinates, each of the curve's size.
    pub(crate) fn coordinate_bytes(&self) -> (&[u8], &[u8]) {
        let both = self.point.get(1..).unwrap_or_default();
        both.split_at_checked(self.curve.size()).unwrap_or_default()
    }

    pub(crate) fn coordinates(&self) -> (BigUint, BigUint) {
        let (x, y) = self.coordinate_bytes();
        (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y))
    }

    /// Checks a signature of a digest, whose two numbers may have any length.
    pub(crate) fn verify(&self, digest: &[u8], r: &[u8], s: &[u8]) -> bool {
        let size = self.curve.size();
        let (Some(r), Some(s)) = (padded(r, size), padded(s, size)) else { return false };
        let digest = long_enough(digest, size);
        with_curve!(self.curve, krate => {
            use krate::ecdsa::signature::hazmat::PrehashVerifier;
            let key = krate::ecdsa::VerifyingKey::from_sec1_bytes(&self.point);
            let signature = krate::ecdsa::Signature::from_slice(&[r, s].concat());
            match (key, signature) {
                (Ok(key), Ok(signature)) => key.verify_prehash(&digest, &signature).is_ok(),
                _ => false,
            }
        })
    }
}

impl Private {
    /// A scalar and its point; `None` unless the scalar is within the order.
    pub(crate) fn new(curve: Curve, scalar: &[u8]) -> Option<Self> {
        let scalar = padded(scalar, curve.size())?;
        let point = with_curve!(curve, krate => {
            let key = krate::ecdsa::SigningKey::from_slice(&scalar).ok()?;
            key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
        });
        Some(Self { public: Public { curve, point }, scalar })
    }

    pub(crate) fn public(&self) -> &Public {
        &self.public
    }

    pub(crate) fn scalar(&self) -> &[u8] {
        &self.scalar
    }

    /// Signs a digest: both numbers, each of the curve's size. The nonce is made from key and digest
    /// (RFC 6979), so that no source of random numbers can give the key away.
    pub(crate) fn sign(&self, digest: &[u8]) -> Option<Vec<u8>> {
        let digest = long_enough(digest, self.public.curve.size());
        with_curve!(self.public.curve, krate => {
            use krate::ecdsa::signature::hazmat::PrehashSigner;
            let key = krate::ecdsa::SigningKey::from_slice(&self.scalar).ok()?;
            let signature: krate::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
            Some(signature.to_bytes().to_vec())
        })
    }
}

/// A number in so many bytes; `None` when it needs more.
fn padded(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..)?;
    let missing = size.checked_sub(digits.len())?;
    Some([vec![0; missing].as_slice(), digits].concat())
}

/// A digest of at least `size` bytes. Zeros in front change no number; without them the libraries refuse digests
/// of less than half the curve's size, which JWT's algorithms allow.
fn long_enough(digest: &[u8], size: usize) -> Vec<u8> {
    [vec![0; size.saturating_sub(digest.len())].as_slice(), digest].concat()
}

#[cfg(test)]
mod tests {
    use super::super::Hash;
    use super::*;

    const CURVES: [Curve; 4] = [Curve::P224, Curve::P256, Curve::P384, Curve::P521];

    #[test]
    fn every_curve_signs_every_digest() {
        for curve in CURVES {
            let key = Private::new(curve, &[7; 20]).unwrap();
            for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
                let digest = hash.digest(b"message");
                let signature = key.sign(&digest).unwrap();
                let (r, s) = signature.split_at(curve.size());
                assert!(key.public().verify(&digest, r, s), "{curve:?} {hash:?}");
                assert!(key.public().verify(&digest, &[&[0, 0], r].concat(), s));
                assert!(!key.public().verify(&hash.digest(b"other"), r, s));
                assert!(!key.public().verify(&digest, s, r));
                assert!(!key.public().verify(&digest, &[], &[]));
                assert!(!key.public().verify(&digest, &[&[1], r].concat(), s));
            }
        }
    }

    #[test]
    fn only_points_of_the_curve_are_keys() {
        for curve in CURVES {
            let key = Private::new(curve, &[5]).unwrap();
            let point = key.public().point.clone();
            assert!(Public::from_uncompressed(curve, &point).is_ok());
            let mut off = point.clone();
            *off.last_mut().unwrap() ^= 1;
            let name = curve.name().replace('-', "");
            assert_eq!(Public::from_uncompressed(curve, &off), Err(format!("{name} point not on curve")));
            let mut big = point.clone();
            big[1..=curve.size()].fill(0xff);
            assert!(Public::from_uncompressed(curve, &big).unwrap_err().ends_with("lement encoding"));
            assert!(Public::from_uncompressed(curve, &point[..9]).unwrap_err().ends_with("point encoding"));
            assert!(Private::new(curve, &vec![0xff; curve.size()]).is_none());
            assert!(Private::new(curve, &[0]).is_none());
        }
    }
}
