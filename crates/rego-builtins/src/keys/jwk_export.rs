//! Private keys as JWK (RFC 7517, 7518, 8037).

use num_bigint::BigUint;
use rego_value::Value;

use super::{PrivateKey, ed25519_public, object};
use crate::base64::URL_RAW;

fn bytes(bytes: &[u8]) -> Value {
    URL_RAW.encode(bytes).into()
}

/// The shortest bytes of a number; none at all for zero.
fn number(number: &BigUint) -> Value {
    if *number == BigUint::ZERO { "".into() } else { bytes(&number.to_bytes_be()) }
}

/// A key with all that it holds; else why it has no such form.
pub(crate) fn export(key: &PrivateKey) -> Result<Value, String> {
    match key {
        PrivateKey::Rsa(key) => {
            let [p, q] = key.primes.as_slice() else {
                return Err(format!(
                    "failed to initialize *jwk.rsaPrivateKey from *rsa.PrivateKey: invalid number of primes in rsa.PrivateKey: need 0 to 2, but got {}",
                    key.primes.len(),
                ));
            };
            let exponent = BigUint::from(u64::try_from(key.public.e).unwrap_or_default());
            Ok(object([
                ("kty", "RSA".into()),
                ("n", number(&key.public.n)),
                ("e", number(&exponent)),
                ("d", number(&key.d)),
                ("p", number(p)),
                ("q", number(q)),
                ("dp", number(&key.crt.dp)),
                ("dq", number(&key.crt.dq)),
                ("qi", number(&key.crt.qinv)),
            ]))
        }
        PrivateKey::Ec(key) => {
            let curve = key.public().curve;
            if curve == super::ec::Curve::P224 {
                return Err(
                    "failed to initialize *jwk.ecdsaPrivateKey from *ecdsa.PrivateKey: jwk: failed to get algorithm for converting ECDSA private key to JWK: unknown elliptic curve: \"P-224\"".to_owned(),
                );
            }
            let (x, y) = key.public().coordinate_bytes();
            Ok(object([
                ("kty", "EC".into()),
                ("crv", curve.name().into()),
                ("x", bytes(x)),
                ("y", bytes(y)),
                ("d", bytes(key.scalar())),
            ]))
        }
        PrivateKey::Ed25519(seed) => Ok(octet_key_pair("Ed25519", &ed25519_public(seed), seed)),
        PrivateKey::X25519(scalar) => {
            let point = curve25519_dalek::MontgomeryPoint::mul_base_clamped(*scalar).to_bytes();
            Ok(octet_key_pair("X25519", &point, scalar))
        }
    }
}

fn octet_key_pair(curve: &str, x: &[u8], d: &[u8]) -> Value {
    object([("kty", "OKP".into()), ("crv", curve.into()), ("x", bytes(x)), ("d", bytes(d))])
}
