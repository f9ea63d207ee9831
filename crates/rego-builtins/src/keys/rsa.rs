//! RSA keys. Which ones are accepted is Go's decision: its bounds on sizes and exponents, and its checks that
//! the parts of a private key belong together.

use num_bigint::BigUint;
use rego_value::Value;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
use rsa::{BoxedUint, RsaPrivateKey, RsaPublicKey};
use sha2::{Sha256, Sha384, Sha512};

use super::{Hash, Random, object, unsigned};

/// A modulus of fewer bits is not trusted.
const MIN_BITS: u64 = 1024;
/// A modulus of more bits is never used: whoever chooses it would choose how long a check takes.
const MAX_BITS: u64 = 16_384;

/// How a digest becomes a number of the size of the modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    Pkcs1,
    /// With a salt of the size of the digest.
    Pss,
    /// With a salt of any size. Only for checking.
    PssAnySalt,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Public {
    pub(crate) n: BigUint,
    pub(crate) e: i64,
}

/// A private key, checked by [`Private::new`].
#[derive(Clone)]
pub(crate) struct Private {
    pub(crate) public: Public,
    pub(crate) d: BigUint,
    pub(crate) primes: Vec<BigUint>,
    pub(crate) crt: Crt,
}

/// The values that speed up the use of a private key with two primes, and Go's `CRTValues` for further ones.
#[derive(Clone, Default)]
pub(crate) struct Crt {
    pub(crate) dp: BigUint,
    pub(crate) dq: BigUint,
    pub(crate) qinv: BigUint,
    pub(crate) further: Vec<[BigUint; 3]>,
}

fn boxed(value: &BigUint) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(&value.to_bytes_be())
}

impl Public {
    /// What is wrong with the numbers of this key, if anything.
    fn check(&self) -> Result<(), String> {
        let wrong = if !self.n.bit(0) {
            "crypto/rsa: public modulus is even"
        } else if self.e < 2 {
            "crypto/rsa: public exponent too small or negative"
        } else if self.e & 1 == 0 {
            "crypto/rsa: public exponent is even"
        } else if self.e > i64::from(i32::MAX) {
            "crypto/rsa: public exponent too large"
        } else {
            return Ok(());
        };
        Err(wrong.to_owned())
    }

    fn exponent(&self) -> BigUint {
        BigUint::from(u64::try_from(self.e).unwrap_or_default())
    }

    /// Checks a signature of a digest.
    pub(crate) fn verify(&self, padding: Padding, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        let bits = self.n.bits();
        let size = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX);
        if !(MIN_BITS..=MAX_BITS).contains(&bits) || self.check().is_err() || signature.len() != size {
            return false;
        }
        let limits = 0..=usize::try_from(MAX_BITS).unwrap_or_default();
        let Ok(key) = RsaPublicKey::new_with_size_limits(boxed(&self.n), boxed(&self.exponent()), limits)
        else {
            return false;
        };
        macro_rules! check {
            ($digest:ty) => {
                match padding {
                    Padding::Pkcs1 => key.verify(Pkcs1v15Sign::new::<$digest>(), digest, signature),
                    Padding::Pss => key.verify(Pss::<$digest>::new(), digest, signature),
                    Padding::PssAnySalt => {
                        let any = Pss::<$digest> { salt_len: None, ..Pss::new() };
                        key.verify(any, digest, signature)
                    }
                }
                .is_ok()
            };
        }
        match hash {
            Hash::Sha256 => check!(Sha256),
            Hash::Sha384 => check!(Sha384),
            Hash::Sha512 => check!(Sha512),
        }
    }
}

impl Private {
    /// Puts a key together. `crt` holds `dp`, `dq` and `qinv` where they came with the key.
    pub(crate) fn new(
        public: Public,
        d: BigUint,
        primes: Vec<BigUint>,
        crt: Option<[BigUint; 3]>,
    ) -> Result<Self, String> {
        if public.n <= BigUint::from(1u8) {
            return Err("modulus must be > 1".to_owned());
        }
        let crt = if let [p, q] = primes.as_slice() {
            two_primes(&public, &d, p, q, crt)?
        } else {
            many_primes(&public, &d, &primes)?
        };
        Ok(Self { public, d, primes, crt })
    }

    /// As Go's JSON has it.
    pub(crate) fn to_value(&self) -> Value {
        let further = self.crt.further.iter().map(|[exp, coeff, r]| {
            object([("Exp", unsigned(exp)), ("Coeff", unsigned(coeff)), ("R", unsigned(r))])
        });
        let precomputed = object([
            ("Dp", unsigned(&self.crt.dp)),
            ("Dq", unsigned(&self.crt.dq)),
            ("Qinv", unsigned(&self.crt.qinv)),
            ("CRTValues", Value::array(further)),
        ]);
        object([
            ("N", unsigned(&self.public.n)),
            ("E", Value::from(self.public.e)),
            ("D", unsigned(&self.d)),
            ("Primes", Value::array(self.primes.iter().map(unsigned))),
            ("Precomputed", precomputed),
        ])
    }

    /// Signs a digest. The evaluation's random number goes into the salt and into blinding.
    pub(crate) fn sign(
        &self,
        padding: Padding,
        hash: Hash,
        digest: &[u8],
        number: u64,
    ) -> Result<Vec<u8>, String> {
        let bits = self.public.n.bits();
        if bits < MIN_BITS {
            return Err(format!(
                "crypto/rsa: {bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)"
            ));
        }
        if bits > MAX_BITS {
            return Err(format!("crypto/rsa: {bits}-bit keys are too large"));
        }
        let primes = self.primes.iter().map(boxed).collect();
        let exponent = boxed(&self.public.exponent());
        let key = RsaPrivateKey::from_components(boxed(&self.public.n), exponent, boxed(&self.d), primes)
            .map_err(|_| "crypto/rsa: invalid private key".to_owned())?;
        let mut random = Random::new(&self.d.to_bytes_be(), digest, number);
        macro_rules! sign {
            ($digest:ty) => {
                match padding {
                    Padding::Pkcs1 => key.sign_with_rng(&mut random, Pkcs1v15Sign::new::<$digest>(), digest),
                    Padding::Pss | Padding::PssAnySalt => {
                        key.sign_with_rng(&mut random, Pss::<$digest>::new(), digest)
                    }
                }
            };
        }
        let signature = match hash {
            Hash::Sha256 => sign!(Sha256),
            Hash::Sha384 => sign!(Sha384),
            Hash::Sha512 => sign!(Sha512),
        };
        // A key for which the digest is too long; nothing of the key is told.
        signature.map_err(|_| "crypto/rsa: message too long for RSA key size".to_owned())
    }
}

/// Checks a key with two primes; without CRT values, finds them.
fn two_primes(
    public: &Public,
    d: &BigUint,
    p: &BigUint,
    q: &BigUint,
    crt: Option<[BigUint; 3]>,
) -> Result<Crt, String> {
    let one = BigUint::from(1u8);
    let wrong = |what: &str| Err(format!("crypto/rsa: {what}"));
    if p <= &one || q <= &one {
        return Err("modulus must be > 1".to_owned());
    }
    if d >= &public.n {
        return Err("input overflows the modulus".to_owned());
    }
    let (p1, q1) = (p - &one, q - &one);
    let [dp, dq, qinv] = match crt {
        Some(crt) => crt,
        None if p1 <= one || q1 <= one => return Err("modulus must be > 1".to_owned()),
        None if !p.bit(0) => return wrong("p is even"),
        // By Fermat's theorem, which is right for primes only; the check below finds out.
        None => [d % &p1, d % &q1, (q % p).modpow(&(&p1 - &one), p)],
    };
    if &qinv >= p {
        return Err("input overflows the modulus".to_owned());
    }
    public.check()?;
    if p >= &public.n || q >= &public.n {
        return wrong("invalid prime");
    }
    if (p * q) % &public.n != BigUint::ZERO {
        return wrong("p * q != n");
    }
    if p1 <= one || q1 <= one {
        return wrong("invalid prime");
    }
    let e = public.exponent();
    if dp >= p1 || (&dp * &e) % &p1 != one || dq >= q1 || (&dq * &e) % &q1 != one {
        return wrong("invalid CRT exponent");
    }
    if (q * &qinv) % p != one {
        return wrong("invalid CRT coefficient");
    }
    if d % &p1 != dp {
        return wrong("d does not match dP");
    }
    if d % &q1 != dq {
        return wrong("d does not match dQ");
    }
    if p == q {
        return wrong("p == q");
    }
    let difference = if p > q { p - q } else { q - p };
    let half = public.n.bits() / 2;
    if difference.bits() + 100 <= half {
        return wrong("|p - q| too small");
    }
    if d.bits() <= half {
        return wrong("d too small");
    }
    Ok(Crt { dp, dq, qinv, further: Vec::new() })
}

/// Keys with more primes than two are no longer made; Go checks little of them.
fn many_primes(public: &Public, d: &BigUint, primes: &[BigUint]) -> Result<Crt, String> {
    let one = BigUint::from(1u8);
    if d >= &public.n {
        return Err("input overflows the modulus".to_owned());
    }
    public.check()?;
    if primes.iter().any(|prime| prime <= &one) {
        return Err("crypto/rsa: prime factor is <= 1".to_owned());
    }
    let [p, q, further @ ..] = primes else { return Err("crypto/rsa: missing primes".to_owned()) };
    let related = || "crypto/rsa: prime factors are not relatively prime".to_owned();
    let mut crt = Crt {
        dp: d % (p - &one),
        dq: d % (q - &one),
        qinv: q.modinv(p).ok_or_else(related)?,
        further: Vec::new(),
    };
    let mut product = p * q;
    for prime in further {
        let coefficient = product.modinv(prime).ok_or_else(related)?;
        crt.further.push([d % (prime - &one), coefficient, product.clone()]);
        product *= prime;
    }
    Ok(crt)
}
