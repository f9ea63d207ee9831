//! The keys that tokens are checked with: a certificate, a public key, a JWK or a set of them.

use super::algorithm::Algorithm;
use crate::error::BuiltinError;
use crate::keys::jwk::{self, Material};
use crate::keys::pkix;
use crate::pem;
use crate::x509::Certificate;

/// A key, and what its set says of it.
pub(super) struct VerificationKey {
    /// None from a certificate, or where the key names none.
    pub(super) algorithm: Option<String>,
    pub(super) id: String,
    pub(super) material: Option<Material>,
}

/// The keys of a text.
pub(super) fn parse(text: &str) -> Result<Vec<VerificationKey>, BuiltinError> {
    let (block, rest) = pem::decode(text.as_bytes());
    let Some(block) = block else { return key_set(text).map_err(BuiltinError::new) };
    if !rest.is_empty() {
        return Err(BuiltinError::new("extra data after a PEM certificate block"));
    }
    let key =
        match block.label {
            b"CERTIFICATE" => {
                let certificate = Certificate::parse(&block.bytes).map_err(|problem| {
                    BuiltinError::new(format!("failed to parse a PEM certificate: {problem}"))
                })?;
                certificate.public_key
            }
            b"PUBLIC KEY" => Some(pkix::parse_public_key(&block.bytes).map_err(|problem| {
                BuiltinError::new(format!("failed to parse a PEM public key: {problem}"))
            })?),
            _ => return Err(BuiltinError::new("failed to extract a Key from the PEM certificate")),
        };
    let material = key.map(Material::Public);
    Ok(vec![VerificationKey { algorithm: None, id: String::new(), material }])
}

fn key_set(text: &str) -> Result<Vec<VerificationKey>, String> {
    let set = jwk::parse(text.as_bytes()).map_err(|problem| {
        format!("failed to parse a JWK key (set): jwk.ParseString: failed to parse string: {problem}")
    })?;
    let mut keys = Vec::with_capacity(set.len());
    for key in set {
        let material = Some(key.export()?);
        // Keys for other purposes than signatures are passed over.
        if key.algorithm.as_deref().is_none_or(|name| Algorithm::by_name(name).is_some()) {
            keys.push(VerificationKey { algorithm: key.algorithm, id: key.id.unwrap_or_default(), material });
        }
    }
    Ok(keys)
}

/// Whether one of the keys accepts a token: the one that the token names, if it is there; else any that does
/// not name another algorithm than the token.
pub(super) fn any_accepts(
    keys: &[VerificationKey],
    id: &str,
    algorithm: &str,
    accepts: impl Fn(&Material) -> bool,
) -> bool {
    let accepts = |key: &VerificationKey| key.material.as_ref().is_some_and(&accepts);
    if let Some(key) = keys.iter().find(|key| !id.is_empty() && key.id == id) {
        return accepts(key);
    }
    let fits = |key: &&VerificationKey| key.algorithm.as_deref().is_none_or(|name| name == algorithm);
    keys.iter().filter(fits).any(accepts)
}
