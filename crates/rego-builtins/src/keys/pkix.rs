//! Keys in DER: SubjectPublicKeyInfo, PKCS #1, PKCS #8 and SEC 1.

use num_bigint::{BigInt, BigUint, Sign};

use super::{PrivateKey, PublicKey, ec, rsa};
use crate::asn1::unmarshal::{Fields, Problem, syntax_error};
use crate::asn1::{Der, NULL, Oid, oid, tag};

/// An algorithm and the encoding of its parameters, which may be empty.
pub(crate) struct Algorithm<'a> {
    pub(crate) oid: Oid,
    pub(crate) parameters: &'a [u8],
}

impl<'a> Algorithm<'a> {
    /// Reads an AlgorithmIdentifier by the laxer rules.
    pub(crate) fn unmarshal(fields: &mut Fields<'a>) -> Result<Self, Problem> {
        let mut inside = fields.sequence("AlgorithmIdentifier")?;
        let oid = inside.oid()?;
        let parameters = if inside.is_empty() { &[][..] } else { inside.any()?.whole };
        Ok(Self { oid, parameters })
    }
}

/// A SubjectPublicKeyInfo by the laxer rules.
pub(crate) struct PublicKeyInfo<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) algorithm: Algorithm<'a>,
    pub(crate) key: Vec<u8>,
}

impl<'a> PublicKeyInfo<'a> {
    pub(crate) fn unmarshal(fields: &mut Fields<'a>) -> Result<Self, Problem> {
        let element = fields.expect(tag::SEQUENCE, "publicKeyInfo")?;
        let mut inside = element.fields();
        let algorithm = Algorithm::unmarshal(&mut inside)?;
        let key = inside.bit_string()?.right_align();
        Ok(Self { raw: element.whole, algorithm, key })
    }

    pub(crate) fn key(&self) -> Result<PublicKey, String> {
        public_key(&self.algorithm, &self.key)
    }
}

fn curve(oid: &Oid) -> Option<ec::Curve> {
    match oid.arcs() {
        oid::P224 => Some(ec::Curve::P224),
        oid::P256 => Some(ec::Curve::P256),
        oid::P384 => Some(ec::Curve::P384),
        oid::P521 => Some(ec::Curve::P521),
        _ => None,
    }
}

/// The key of a SubjectPublicKeyInfo.
pub(crate) fn public_key(algorithm: &Algorithm<'_>, key: &[u8]) -> Result<PublicKey, String> {
    let parameters = algorithm.parameters;
    let none = parameters.is_empty();
    match algorithm.oid.arcs() {
        oid::RSA if parameters != NULL => Err("x509: RSA key missing NULL parameters".to_owned()),
        oid::RSA => rsa_public(Der(key)).map(PublicKey::Rsa),
        oid::ECDSA => {
            let name = Der(parameters).oid().ok_or("x509: invalid ECDSA parameters")?;
            let curve = curve(&name).ok_or("x509: unsupported elliptic curve")?;
            ec::Public::from_uncompressed(curve, key).map(PublicKey::Ec)
        }
        oid::ED25519 if !none => Err("x509: Ed25519 key encoded with illegal parameters".to_owned()),
        oid::ED25519 => {
            let key = key.try_into().map_err(|_| "x509: wrong Ed25519 public key size".to_owned())?;
            Ok(PublicKey::Ed25519(key))
        }
        oid::X25519 if !none => Err("x509: X25519 key encoded with illegal parameters".to_owned()),
        oid::X25519 if key.len() != 32 => Err("crypto/ecdh: invalid public key".to_owned()),
        oid::X25519 => Ok(PublicKey::X25519),
        oid::DSA => dsa_public(Der(parameters), Der(key)),
        _ => Err("x509: unknown public key algorithm".to_owned()),
    }
}

fn rsa_public(mut der: Der<'_>) -> Result<rsa::Public, String> {
    let mut der = der.contents(tag::SEQUENCE).ok_or("x509: invalid RSA public key")?;
    let n = der.big_integer().ok_or("x509: invalid RSA modulus")?;
    let e = der.integer().ok_or("x509: invalid RSA public exponent")?;
    let n = positive(n).ok_or("x509: RSA modulus is not a positive number")?;
    if e <= 0 {
        return Err("x509: RSA public exponent is not a positive number".to_owned());
    }
    Ok(rsa::Public { n, e })
}

fn dsa_public(mut parameters: Der<'_>, mut key: Der<'_>) -> Result<PublicKey, String> {
    let y = key.big_integer().ok_or("x509: invalid DSA public key")?;
    let numbers = parameters
        .contents(tag::SEQUENCE)
        .and_then(|mut inside| Some((inside.big_integer()?, inside.big_integer()?, inside.big_integer()?)));
    let (p, q, g) = numbers.ok_or("x509: invalid DSA parameters")?;
    if [&p, &q, &g, &y].into_iter().any(|number| number.sign() != Sign::Plus) {
        return Err("x509: zero or negative DSA parameter".to_owned());
    }
    Ok(PublicKey::Dsa { p, q, g, y })
}

fn positive(number: BigInt) -> Option<BigUint> {
    BigUint::try_from(number).ok().filter(|number| *number != BigUint::ZERO)
}

/// A public key by itself (PEM `PUBLIC KEY`).
pub(crate) fn parse_public_key(der: &[u8]) -> Result<PublicKey, String> {
    let mut fields = Fields::new(der);
    let info = PublicKeyInfo::unmarshal(&mut fields).map_err(|problem| {
        if is_pkcs1_public(der) {
            return "x509: failed to parse public key (use ParsePKCS1PublicKey instead for this key format)"
                .to_owned();
        }
        problem
    })?;
    if !fields.is_empty() {
        return Err("x509: trailing data after ASN.1 of public-key".to_owned());
    }
    info.key()
}

fn is_pkcs1_public(der: &[u8]) -> bool {
    let read = |der| {
        let mut inside = Fields::new(der).sequence("")?;
        inside.big_integer()?;
        inside.integer()
    };
    read(der).is_ok()
}

/// The fields of PKCS #1's RSAPrivateKey.
struct Pkcs1 {
    version: i64,
    /// n, d, p, q.
    numbers: [BigInt; 4],
    e: i64,
    /// dp, dq, qinv.
    crt: [Option<BigInt>; 3],
    further: Vec<BigInt>,
}

fn unmarshal_pkcs1(fields: &mut Fields<'_>) -> Result<Pkcs1, Problem> {
    let mut inside = fields.sequence("pkcs1PrivateKey")?;
    let version = inside.integer()?;
    let n = inside.big_integer()?;
    let e = inside.integer()?;
    let numbers = [n, inside.big_integer()?, inside.big_integer()?, inside.big_integer()?];
    let crt =
        [inside.optional_big_integer()?, inside.optional_big_integer()?, inside.optional_big_integer()?];
    let mut further = Vec::new();
    if let Some(list) = inside.optional(tag::SEQUENCE)? {
        for element in list.fields().all_of(tag::SEQUENCE)? {
            let mut prime = element.fields();
            further.push(prime.big_integer()?);
            prime.big_integer()?;
            prime.big_integer()?;
        }
    }
    Ok(Pkcs1 { version, numbers, e, crt, further })
}

/// The fields of SEC 1's ECPrivateKey.
struct Sec1<'a> {
    version: i64,
    scalar: &'a [u8],
    curve: Option<Oid>,
}

fn unmarshal_sec1<'a>(fields: &mut Fields<'a>) -> Result<Sec1<'a>, Problem> {
    let mut inside = fields.sequence("ecPrivateKey")?;
    let version = inside.integer()?;
    let scalar = inside.octets()?;
    let curve = inside.explicit(0)?.map(|mut inside| inside.oid()).transpose()?;
    inside.explicit(1)?.map(|mut inside| inside.bit_string().map(|_| ())).transpose()?;
    Ok(Sec1 { version, scalar, curve })
}

struct Pkcs8<'a> {
    algorithm: Algorithm<'a>,
    key: &'a [u8],
}

fn unmarshal_pkcs8<'a>(fields: &mut Fields<'a>) -> Result<Pkcs8<'a>, Problem> {
    let mut inside = fields.sequence("pkcs8")?;
    inside.integer()?;
    let algorithm = Algorithm::unmarshal(&mut inside)?;
    Ok(Pkcs8 { algorithm, key: inside.octets()? })
}

/// What is wrong with a key that is not in the format expected: perhaps it is in another one.
fn other_format(der: &[u8], problem: Problem, formats: &[Format]) -> String {
    match formats.iter().find(|format| format.fits(der)) {
        Some(format) => format!(
            "x509: failed to parse private key (use {} instead for this key format)",
            format.function(),
        ),
        None => problem,
    }
}

#[derive(Clone, Copy)]
enum Format {
    Pkcs1,
    Pkcs8,
    Sec1,
}

impl Format {
    fn fits(self, der: &[u8]) -> bool {
        let mut fields = Fields::new(der);
        match self {
            Format::Pkcs1 => unmarshal_pkcs1(&mut fields).is_ok(),
            Format::Pkcs8 => unmarshal_pkcs8(&mut fields).is_ok(),
            Format::Sec1 => unmarshal_sec1(&mut fields).is_ok(),
        }
    }

    fn function(self) -> &'static str {
        match self {
            Format::Pkcs1 => "ParsePKCS1PrivateKey",
            Format::Pkcs8 => "ParsePKCS8PrivateKey",
            Format::Sec1 => "ParseECPrivateKey",
        }
    }
}

/// PEM `RSA PRIVATE KEY`.
pub(crate) fn parse_pkcs1(der: &[u8]) -> Result<PrivateKey, String> {
    let mut fields = Fields::new(der);
    let read = unmarshal_pkcs1(&mut fields);
    if read.is_ok() && !fields.is_empty() {
        return Err(syntax_error("trailing data"));
    }
    let key = read.map_err(|problem| other_format(der, problem, &[Format::Sec1, Format::Pkcs8]))?;
    if key.version > 1 {
        return Err("x509: unsupported private key version".to_owned());
    }
    let wrong = || "x509: private key contains zero or negative value".to_owned();
    let [n, d, p, q] = key.numbers.map(positive);
    let (n, d, p, q) =
        (n.ok_or_else(wrong)?, d.ok_or_else(wrong)?, p.ok_or_else(wrong)?, q.ok_or_else(wrong)?);
    let mut crt = Vec::new();
    for value in key.crt.into_iter().flatten() {
        crt.push(positive(value).ok_or_else(wrong)?);
    }
    let mut primes = vec![p, q];
    for prime in key.further {
        primes.push(positive(prime).ok_or("x509: private key contains zero or negative prime")?);
    }
    let public = rsa::Public { n, e: key.e };
    let key = rsa::Private::new(public, d, primes, <[BigUint; 3]>::try_from(crt).ok())?;
    Ok(PrivateKey::Rsa(Box::new(key)))
}

/// PEM `EC PRIVATE KEY`.
pub(crate) fn parse_sec1(der: &[u8]) -> Result<PrivateKey, String> {
    ec_private(None, der)
}

fn ec_private(named: Option<Oid>, der: &[u8]) -> Result<PrivateKey, String> {
    let key = unmarshal_sec1(&mut Fields::new(der)).map_err(|problem| {
        let problem = format!("x509: failed to parse EC private key: {problem}");
        other_format(der, problem, &[Format::Pkcs8, Format::Pkcs1])
    })?;
    if key.version != 1 {
        return Err(format!("x509: unknown EC private key version {}", key.version));
    }
    let curve = named.or(key.curve).as_ref().and_then(curve).ok_or("x509: unknown elliptic curve")?;
    // Zeros in front are tolerated, be they too many or too few.
    let zeros = key.scalar.iter().take_while(|byte| **byte == 0).count();
    if key.scalar.len() - zeros > curve.size() {
        return Err("x509: invalid private key length".to_owned());
    }
    if zeros == key.scalar.len() {
        return Err("ecdsa: invalid public key encoding".to_owned());
    }
    let key = ec::Private::new(curve, key.scalar).ok_or("input overflows the modulus")?;
    Ok(PrivateKey::Ec(key))
}

/// PEM `PRIVATE KEY`.
pub(crate) fn parse_pkcs8(der: &[u8]) -> Result<PrivateKey, String> {
    let Pkcs8 { algorithm, key } = unmarshal_pkcs8(&mut Fields::new(der))
        .map_err(|problem| other_format(der, problem, &[Format::Sec1, Format::Pkcs1]))?;
    let embedded = |kind: &str, problem: String| {
        format!("x509: failed to parse {kind} private key embedded in PKCS#8: {problem}")
    };
    match algorithm.oid.arcs() {
        oid::RSA => parse_pkcs1(key).map_err(|problem| embedded("RSA", problem)),
        oid::ECDSA => {
            let named = Fields::new(algorithm.parameters).oid().ok();
            ec_private(named, key).map_err(|problem| embedded("EC", problem))
        }
        oid::ED25519 => {
            let seed = octets_in_octets("Ed25519", algorithm.parameters, key)?;
            let length = seed.len();
            let seed = seed.try_into();
            seed.map(PrivateKey::Ed25519)
                .map_err(|_| format!("x509: invalid Ed25519 private key length: {length}"))
        }
        oid::X25519 => {
            let key = octets_in_octets("X25519", algorithm.parameters, key)?.try_into();
            key.map(PrivateKey::X25519).map_err(|_| "crypto/ecdh: invalid private key size".to_owned())
        }
        _ => Err(format!(
            "x509: PKCS#8 wrapping contained private key with unknown algorithm: {}",
            algorithm.oid
        )),
    }
}

fn octets_in_octets<'a>(kind: &str, parameters: &[u8], key: &'a [u8]) -> Result<&'a [u8], String> {
    if !parameters.is_empty() {
        return Err(format!("x509: invalid {kind} private key parameters"));
    }
    Fields::new(key).octets().map_err(|problem| format!("x509: invalid {kind} private key: {problem}"))
}
