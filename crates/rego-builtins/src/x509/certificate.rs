//! Reading certificates.

use std::collections::HashSet;

use num_bigint::{BigInt, Sign};

use super::extensions::Details;
use super::name::Name;
use super::signature::SignatureAlgorithm;
use super::time::Time;
use crate::asn1::{Der, Oid, oid, tag};
use crate::gofmt::quote;
use crate::keys::PublicKey;
use crate::keys::pkix::{Algorithm, public_key};

/// A certificate. Its fields are those of Go's `x509.Certificate`.
#[derive(Clone)]
pub(crate) struct Certificate {
    pub(super) raw: Vec<u8>,
    pub(super) raw_tbs: Vec<u8>,
    pub(super) raw_key_info: Vec<u8>,
    pub(super) raw_subject: Vec<u8>,
    pub(super) raw_issuer: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) signature_algorithm: SignatureAlgorithm,
    /// Go's number of the key's algorithm; 0 is unknown.
    pub(super) key_algorithm: i64,
    /// None where the algorithm is unknown.
    pub(crate) public_key: Option<PublicKey>,
    pub(super) version: i64,
    pub(super) serial: BigInt,
    pub(super) issuer: Name,
    pub(super) subject: Name,
    pub(super) not_before: Time,
    pub(super) not_after: Time,
    pub(super) extensions: Vec<Extension>,
    pub(super) details: Details,
}

#[derive(Clone)]
pub(super) struct Extension {
    pub(super) id: Oid,
    pub(super) critical: bool,
    pub(super) value: Vec<u8>,
}

/// Go's number of a key's algorithm.
pub(super) fn key_algorithm(oid: &Oid) -> i64 {
    match oid.arcs() {
        oid::RSA => 1,
        oid::DSA => 2,
        oid::ECDSA => 3,
        oid::ED25519 => 4,
        _ => 0,
    }
}

impl Certificate {
    /// Reads one certificate and nothing more.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, String> {
        let certificate = Self::parse_first(der)?;
        if certificate.raw.len() == der.len() {
            Ok(certificate)
        } else {
            Err("x509: trailing data".to_owned())
        }
    }

    /// Reads certificates that follow each other.
    pub(super) fn parse_all(mut der: &[u8]) -> Result<Vec<Self>, String> {
        let mut certificates = Vec::new();
        while !der.is_empty() {
            let certificate = Self::parse_first(der)?;
            der = der.get(certificate.raw.len()..).unwrap_or_default();
            certificates.push(certificate);
        }
        Ok(certificates)
    }

    fn parse_first(der: &[u8]) -> Result<Self, String> {
        const MALFORMED: &str = "x509: malformed certificate";
        let raw = Der(der).element(tag::SEQUENCE).ok_or(MALFORMED)?;
        let mut outer = Der(raw).contents(tag::SEQUENCE).ok_or(MALFORMED)?;
        let raw_tbs = outer.element(tag::SEQUENCE).ok_or("x509: malformed tbs certificate")?;
        let mut tbs = Der(raw_tbs).contents(tag::SEQUENCE).ok_or("x509: malformed tbs certificate")?;
        let version = version(&mut tbs)?;
        let serial = tbs.big_integer().ok_or("x509: malformed serial number")?;
        if serial.sign() == Sign::Minus {
            return Err("x509: negative serial number".to_owned());
        }
        let signature_algorithm = signature_algorithm(&mut tbs, &mut outer)?;
        let raw_issuer = tbs.element(tag::SEQUENCE).ok_or("x509: malformed issuer")?;
        let issuer = Name::parse(Der(raw_issuer))?;
        let mut validity = tbs.contents(tag::SEQUENCE).ok_or("x509: malformed validity")?;
        let not_before = time(&mut validity)?;
        let not_after = time(&mut validity)?;
        let raw_subject = tbs.element(tag::SEQUENCE).ok_or("x509: malformed issuer")?;
        let subject = Name::parse(Der(raw_subject))?;
        let raw_key_info = tbs.element(tag::SEQUENCE).ok_or("x509: malformed spki")?;
        let (key_algorithm, public_key) = key(Der(raw_key_info))?;
        let extensions = if version > 1 { extensions(&mut tbs, version)? } else { Vec::new() };
        let details = Details::parse(&extensions)?;
        let signature = outer.bit_string().ok_or("x509: malformed signature")?.right_align();
        Ok(Self {
            raw: raw.to_vec(),
            raw_tbs: raw_tbs.to_vec(),
            raw_key_info: raw_key_info.to_vec(),
            raw_subject: raw_subject.to_vec(),
            raw_issuer: raw_issuer.to_vec(),
            signature,
            signature_algorithm,
            key_algorithm,
            public_key,
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            extensions,
            details,
        })
    }

    /// The value of an extension, if there is one.
    pub(super) fn extension(&self, id: &[u32]) -> Option<&[u8]> {
        let found = self.extensions.iter().find(|extension| extension.id.arcs() == id);
        found.map(|extension| extension.value.as_slice())
    }
}

/// The version, counted from 1.
fn version(tbs: &mut Der<'_>) -> Result<i64, String> {
    let malformed = "x509: malformed version";
    let version = match tbs.optional(tag::constructed(0)).ok_or(malformed)? {
        Some(mut inside) => {
            inside.integer().filter(|version| inside.is_empty() && *version >= 0).ok_or(malformed)?
        }
        None => 0,
    };
    if version > 2 {
        return Err("x509: invalid version".to_owned());
    }
    Ok(version + 1)
}

/// The algorithm of the signature, which stands inside and outside of what is signed.
fn signature_algorithm(tbs: &mut Der<'_>, outer: &mut Der<'_>) -> Result<SignatureAlgorithm, String> {
    let inner = tbs.contents(tag::SEQUENCE).ok_or("x509: malformed signature algorithm identifier")?;
    let outer = outer.contents(tag::SEQUENCE).ok_or("x509: malformed algorithm identifier")?;
    if inner.0 != outer.0 {
        return Err("x509: inner and outer signature algorithm identifiers don't match".to_owned());
    }
    algorithm(inner).map(|algorithm| SignatureAlgorithm::of(&algorithm))
}

/// The inside of an AlgorithmIdentifier.
fn algorithm(mut inside: Der<'_>) -> Result<Algorithm<'_>, String> {
    let oid = inside.oid().ok_or("x509: malformed OID")?;
    let parameters =
        if inside.is_empty() { &[][..] } else { inside.any().ok_or("x509: malformed parameters")?.1 };
    Ok(Algorithm { oid, parameters })
}

fn time(der: &mut Der<'_>) -> Result<Time, String> {
    let time = if der.peek(tag::UTC_TIME) {
        der.utc_time().ok_or("x509: malformed UTCTime")
    } else if der.peek(tag::GENERALIZED_TIME) {
        der.generalized_time().ok_or("x509: malformed GeneralizedTime")
    } else {
        Err("x509: unsupported time format")
    };
    time.map_err(str::to_owned)
}

fn key(mut der: Der<'_>) -> Result<(i64, Option<PublicKey>), String> {
    let mut info = der.contents(tag::SEQUENCE).ok_or("x509: malformed spki")?;
    let identifier = info.contents(tag::SEQUENCE).ok_or("x509: malformed public key algorithm identifier")?;
    let algorithm = algorithm(identifier)?;
    let bits = info.bit_string().ok_or("x509: malformed subjectPublicKey")?;
    let number = key_algorithm(&algorithm.oid);
    if number == 0 {
        return Ok((0, None));
    }
    public_key(&algorithm, &bits.right_align()).map(|key| (number, Some(key)))
}

fn extensions(tbs: &mut Der<'_>, version: i64) -> Result<Vec<Extension>, String> {
    tbs.optional(tag::context(1)).ok_or("x509: malformed issuerUniqueID")?;
    tbs.optional(tag::context(2)).ok_or("x509: malformed subjectUniqueID")?;
    let mut extensions = Vec::new();
    if version < 3 {
        return Ok(extensions);
    }
    let malformed = "x509: malformed extensions";
    let Some(mut inside) = tbs.optional(tag::constructed(3)).ok_or(malformed)? else {
        return Ok(extensions);
    };
    let mut list = inside.contents(tag::SEQUENCE).ok_or(malformed)?;
    let mut seen = HashSet::new();
    while !list.is_empty() {
        let extension = extension(list.contents(tag::SEQUENCE).ok_or("x509: malformed extension")?)?;
        let id = extension.id.to_string();
        if !seen.insert(id.clone()) {
            let id = quote(&id);
            return Err(format!("x509: certificate contains duplicate extension with OID {id}"));
        }
        extensions.push(extension);
    }
    Ok(extensions)
}

fn extension(mut der: Der<'_>) -> Result<Extension, String> {
    let id = der.oid().ok_or("x509: malformed extension OID field")?;
    let critical = if der.peek(tag::BOOLEAN) {
        der.boolean().ok_or("x509: malformed extension critical field")?
    } else {
        false
    };
    let value = der.contents(tag::OCTET_STRING).ok_or("x509: malformed extension value field")?;
    Ok(Extension { id, critical, value: value.0.to_vec() })
}
