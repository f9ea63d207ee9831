//! Keys made anew in each run, in every container they come in.

use std::sync::OnceLock;
use test_support::{Random, setting};

use rsa::signature::hazmat::PrehashSigner;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BoxedUint, RsaPrivateKey};
use sha2::{Digest, Sha256};

use crate::der::{base64url, bits, element, integer, null, octets, oid, sequence, small};

/// The source of random numbers for RSA.
struct Source<'a>(&'a mut Random);

impl rsa::rand_core::TryRng for Source<'_> {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::try_from(self.0.bits() >> 32).unwrap())
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.bits())
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.fill_with(|| u8::try_from(self.0.bits() >> 56).unwrap());
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for Source<'_> {}

pub(crate) enum Key {
    Rsa(Box<RsaPrivateKey>),
    P224(p224::ecdsa::SigningKey),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

fn bytes(number: &BoxedUint) -> Vec<u8> {
    number.to_be_bytes().iter().copied().skip_while(|byte| *byte == 0).collect()
}

fn scalar(random: &mut Random, size: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..size).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
    bytes[0] = 0;
    bytes
}

/// Two keys of each kind, the same ones for the whole run.
pub(crate) fn keys() -> &'static [Key] {
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let mut random = Random::new(setting("SEED", 20_261_122) ^ 0x6b65_7973);
        let mut keys = Vec::new();
        for bits in [1024, 1024, 1536] {
            keys.push(Key::Rsa(Box::new(RsaPrivateKey::new(&mut Source(&mut random), bits).unwrap())));
        }
        for _ in 0..2 {
            keys.push(Key::P224(p224::ecdsa::SigningKey::from_slice(&scalar(&mut random, 28)).unwrap()));
            keys.push(Key::P256(p256::ecdsa::SigningKey::from_slice(&scalar(&mut random, 32)).unwrap()));
            keys.push(Key::P384(p384::ecdsa::SigningKey::from_slice(&scalar(&mut random, 48)).unwrap()));
            keys.push(Key::P521(p521::ecdsa::SigningKey::from_slice(&scalar(&mut random, 66)).unwrap()));
            let seed: [u8; 32] = scalar(&mut random, 32).try_into().unwrap();
            keys.push(Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed)));
        }
        keys
    })
}

macro_rules! ec {
    ($self:expr, $key:ident => $ec:expr, $rsa:ident => $rsa_body:expr, $ed:ident => $ed_body:expr) => {
        match $self {
            Key::Rsa($rsa) => $rsa_body,
            Key::P224($key) => $ec,
            Key::P256($key) => $ec,
            Key::P384($key) => $ec,
            Key::P521($key) => $ec,
            Key::Ed25519($ed) => $ed_body,
        }
    };
}

impl Key {
    /// The algorithm of this key's tokens.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "RS256",
            Key::P224(_) | Key::P256(_) => "ES256",
            Key::P384(_) => "ES384",
            Key::P521(_) => "ES512",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    fn curve(&self) -> (&'static str, &'static str) {
        match self {
            Key::P224(_) => ("P-224", "1.3.132.0.33"),
            Key::P256(_) => ("P-256", "1.2.840.10045.3.1.7"),
            Key::P384(_) => ("P-384", "1.3.132.0.34"),
            Key::P521(_) => ("P-521", "1.3.132.0.35"),
            Key::Ed25519(_) => ("Ed25519", ""),
            Key::Rsa(_) => ("", ""),
        }
    }

    fn point(&self) -> Vec<u8> {
        ec!(self, key => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            _key => Vec::new(), key => key.verifying_key().to_bytes().to_vec())
    }

    fn secret(&self) -> Vec<u8> {
        ec!(self, key => key.to_bytes().to_vec(), key => bytes(key.d()), key => key.to_bytes().to_vec())
    }

    /// AlgorithmIdentifier of the key.
    fn algorithm_identifier(&self) -> Vec<u8> {
        match self {
            Key::Rsa(_) => sequence(&[oid("1.2.840.113549.1.1.1"), null()]),
            Key::Ed25519(_) => sequence(&[oid("1.3.101.112")]),
            _ => sequence(&[oid("1.2.840.10045.2.1"), oid(self.curve().1)]),
        }
    }

    pub(crate) fn public_info(&self) -> Vec<u8> {
        let key = match self {
            Key::Rsa(key) => sequence(&[integer(&bytes(key.n())), integer(&bytes(key.e()))]),
            _ => self.point(),
        };
        sequence(&[self.algorithm_identifier(), bits(&key)])
    }

    /// PKCS #1 or SEC 1, with the label of its PEM block.
    pub(crate) fn traditional(&self) -> Option<(&'static str, Vec<u8>)> {
        match self {
            Key::Rsa(key) => {
                let [p, q] = [&key.primes()[0], &key.primes()[1]].map(|prime| bytes(prime));
                let numbers = [bytes(key.n()), bytes(key.e()), bytes(key.d()), p, q];
                let crt = [key.dp(), key.dq()].map(|value| bytes(value.unwrap()));
                let qinv = bytes(&key.crt_coefficient().unwrap());
                let mut parts = vec![small(0)];
                parts.extend(numbers.iter().chain(&crt).chain([&qinv]).map(|number| integer(number)));
                Some(("RSA PRIVATE KEY", sequence(&parts)))
            }
            Key::Ed25519(_) => None,
            _ => Some(("EC PRIVATE KEY", self.sec1(true))),
        }
    }

    fn sec1(&self, with_curve: bool) -> Vec<u8> {
        let mut parts = vec![small(1), octets(&self.secret())];
        if with_curve {
            parts.push(element(0xa0, &oid(self.curve().1)));
        }
        parts.push(element(0xa1, &bits(&self.point())));
        sequence(&parts)
    }

    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        let inner = match self {
            Key::Rsa(_) => self.traditional().unwrap().1,
            Key::Ed25519(_) => octets(&self.secret()),
            _ => self.sec1(false),
        };
        sequence(&[small(0), self.algorithm_identifier(), octets(&inner)])
    }

    /// The members of the JWK.
    pub(crate) fn jwk(&self, private: bool) -> Vec<(&'static str, String)> {
        let mut members = Vec::new();
        match self {
            Key::Rsa(key) => {
                members.extend([("kty", "RSA".to_owned()), ("n", base64url(&bytes(key.n())))]);
                members.push(("e", base64url(&bytes(key.e()))));
                if private {
                    let numbers = [
                        ("d", bytes(key.d())),
                        ("p", bytes(&key.primes()[0])),
                        ("q", bytes(&key.primes()[1])),
                        ("dp", bytes(key.dp().unwrap())),
                        ("dq", bytes(key.dq().unwrap())),
                        ("qi", bytes(&key.crt_coefficient().unwrap())),
                    ];
                    members.extend(numbers.map(|(name, number)| (name, base64url(&number))));
                }
                return members;
            }
            Key::Ed25519(_) => {
                members.extend([("kty", "OKP".to_owned()), ("x", base64url(&self.point()))]);
            }
            _ => {
                let point = self.point();
                let (x, y) = point[1..].split_at(point.len() / 2);
                members.extend([("kty", "EC".to_owned()), ("x", base64url(x)), ("y", base64url(y))]);
            }
        }
        members.push(("crv", self.curve().0.to_owned()));
        if private {
            members.push(("d", base64url(&self.secret())));
        }
        members
    }

    /// The AlgorithmIdentifier of this key's signatures with SHA-256, and the signature of a message.
    pub(crate) fn sign_certificate(&self, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let digest = Sha256::digest(message);
        let ecdsa = || sequence(&[oid("1.2.840.10045.4.3.2")]);
        match self {
            Key::Rsa(key) => {
                let scheme = rsa::pkcs1v15::Pkcs1v15Sign::new::<Sha256>();
                let mut random = Random::new(1);
                let signature = key.sign_with_rng(&mut Source(&mut random), scheme, &digest).unwrap();
                (sequence(&[oid("1.2.840.113549.1.1.11"), null()]), signature)
            }
            Key::P224(key) => {
                let signature: p224::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                (ecdsa(), numbers(&signature.to_bytes()))
            }
            Key::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                (ecdsa(), numbers(&signature.to_bytes()))
            }
            Key::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                (ecdsa(), numbers(&signature.to_bytes()))
            }
            Key::P521(key) => {
                let digest = [[0; 34].as_slice(), &digest].concat();
                let signature: p521::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                (ecdsa(), numbers(&signature.to_bytes()))
            }
            Key::Ed25519(key) => {
                use ed25519_dalek::Signer;
                (sequence(&[oid("1.3.101.112")]), key.sign(message).to_bytes().to_vec())
            }
        }
    }
}

/// An ECDSA signature in DER.
fn numbers(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    sequence(&[integer(r), integer(s)])
}
