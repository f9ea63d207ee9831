//! JSON Web Keys and sets of them (RFC 7517), as the library that OPA uses takes them: which keys it refuses,
//! and with which words.

use num_bigint::BigUint;
use rego_value::json;
use rego_value::{Object, Value};

use super::{PublicKey, ec, ed25519_public, rsa};
use crate::base64;
use crate::gofmt::quote;
use crate::json_text;

/// What a JWK holds, in a form that can be used.
#[derive(Clone)]
pub(crate) enum Material {
    Public(PublicKey),
    /// With the public key that comes with it.
    Private(PublicKey, Secret),
    /// A shared secret.
    Octets(Vec<u8>),
}

/// The secret of a key. Whether its parts belong together is checked when it signs, not when it is read.
#[derive(Clone)]
pub(crate) enum Secret {
    Rsa(Box<UncheckedRsa>),
    /// A scalar.
    Ec(Vec<u8>),
    /// A seed.
    Ed25519([u8; 32]),
    X25519,
}

/// The arguments of [`rsa::Private::new`].
#[derive(Clone)]
pub(crate) struct UncheckedRsa {
    pub(crate) public: rsa::Public,
    pub(crate) d: BigUint,
    pub(crate) primes: Vec<BigUint>,
    pub(crate) crt: Option<[BigUint; 3]>,
}

/// One key of a set.
pub(crate) struct Jwk {
    pub(crate) algorithm: Option<String>,
    pub(crate) id: Option<String>,
    kind: Kind,
    private: bool,
    curve: String,
    /// The members that are numbers or octets, decoded.
    bytes: Vec<(&'static str, Vec<u8>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    Ec,
    Octets,
    Pair,
}

/// As many keys as a set may have.
const MAX_KEYS: usize = 1000;

/// All names of algorithms that a key may carry, whatever they are for.
const ALGORITHMS: [&str; 41] = [
    "ES256",
    "ES256K",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
    "HS256",
    "HS384",
    "HS512",
    "none",
    "PS256",
    "PS384",
    "PS512",
    "RS256",
    "RS384",
    "RS512",
    "A128GCMKW",
    "A128KW",
    "A192GCMKW",
    "A192KW",
    "A256GCMKW",
    "A256KW",
    "dir",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
    "PBES2-HS256+A128KW",
    "PBES2-HS384+A192KW",
    "PBES2-HS512+A256KW",
    "RSA1_5",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "RSA-OAEP-384",
    "RSA-OAEP-512",
    "A128CBC-HS256",
    "A128GCM",
    "A192CBC-HS384",
    "A192GCM",
    "A256CBC-HS512",
    "A256GCM",
];

const CURVES: [&str; 7] = ["Ed25519", "Ed448", "P-256", "P-384", "P-521", "X25519", "X448"];

/// Reads a key, or a set of keys.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Jwk>, String> {
    // A set is one only if the text is JSON to its end; a single key may be followed by anything.
    let whole = json::parse(text).ok();
    let keys = whole.as_ref().and_then(|value| value.get_str("keys"));
    match keys {
        Some(keys) => {
            set(keys).map_err(|problem| format!("jwk.Parse: failed to unmarshal JWK set: {problem}"))
        }
        None => json_text::first(text)
            .map_err(|problem| {
                format!("jwk.Parse: failed to probe data: probe: failed to unmarshal data: {problem}")
            })
            .and_then(|value| key(&value))
            .map(|key| vec![key])
            .map_err(|problem| format!("jwk.Parse: failed to parse sole key: jwk.ParseKey: {problem}")),
    }
}

fn set(keys: &Value) -> Result<Vec<Jwk>, String> {
    let Value::Array(keys) = keys else {
        let shown = match keys {
            Value::Object(_) => "{".to_owned(),
            Value::Null => "<nil>".to_owned(),
            other => other.as_str().map_or_else(|| other.to_string(), str::to_owned),
        };
        return Err(format!("failed to decode \"keys\": expected '[' but got {shown}"));
    };
    let mut read = Vec::new();
    for (at, value) in keys.iter().enumerate() {
        if at >= MAX_KEYS {
            return Err(format!("too many keys in \"keys\" array: max {MAX_KEYS}"));
        }
        let key = key(value)
            .map_err(|problem| format!("failed to decode key #{at} in \"keys\": jwk.ParseKey: {problem}"))?;
        read.push(key);
    }
    Ok(read)
}

/// A member as Go's decoder finds it for a field: the exact name, else one that differs in case.
fn member<'a>(members: &'a Object, name: &str) -> Option<&'a Value> {
    members.get(&Value::from(name)).or_else(|| {
        let same = |key: &Value| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
        members.iter().find(|(key, _)| same(key)).map(|(_, value)| value)
    })
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) | Value::Set(_) => "object",
    }
}

fn string(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.to_string()),
        Value::Null => Ok(String::new()),
        other => Err(format!("json: cannot unmarshal {} into Go value of type string", go_kind(other))),
    }
}

fn key(value: &Value) -> Result<Jwk, String> {
    let unusable = |problem: String| {
        format!("jwk.Parse: failed to probe data: probe: failed to unmarshal data: {problem}")
    };
    let Value::Object(members) = value else {
        if *value == Value::Null {
            return Err("invalid key type from JSON ()".to_owned());
        }
        return Err(unusable(format!(
            "json: cannot unmarshal {} into Go value of type struct",
            go_kind(value)
        )));
    };
    let field = |value: &Value| {
        let wrong =
            |_| format!("json: cannot unmarshal {} into Go struct field .kty of type string", go_kind(value));
        string(value).map_err(wrong)
    };
    let kind = member(members, "kty").map_or(Ok(String::new()), field).map_err(unusable)?;
    let private = member(members, "d").is_some();
    let (kind, name) = match (kind.as_str(), private) {
        ("RSA", true) => (Kind::Rsa, "*jwk.rsaPrivateKey"),
        ("RSA", false) => (Kind::Rsa, "*jwk.rsaPublicKey"),
        ("EC", true) => (Kind::Ec, "*jwk.ecdsaPrivateKey"),
        ("EC", false) => (Kind::Ec, "*jwk.ecdsaPublicKey"),
        ("OKP", true) => (Kind::Pair, "*jwk.okpPrivateKey"),
        ("OKP", false) => (Kind::Pair, "*jwk.okpPublicKey"),
        ("oct", _) => (Kind::Octets, "*jwk.symmetricKey"),
        (other, _) => return Err(format!("invalid key type from JSON ({other})")),
    };
    let private = private && kind != Kind::Octets;
    let mut key = Jwk { algorithm: None, id: None, kind, private, curve: String::new(), bytes: Vec::new() };
    key.fill(members).map_err(|problem| {
        let step = format!("failed to unmarshal JSON into key ({name}): ");
        format!("{step}{step}{problem}")
    })?;
    key.validate()
        .map_err(|problem| format!("jwk.Parse: key validation failed: key validation failed: {problem}"))?;
    Ok(key)
}

impl Jwk {
    /// The members that are octets, those without which there is no key first.
    fn octet_members(&self) -> (&'static [&'static str], &'static [&'static str]) {
        match (self.kind, self.private) {
            (Kind::Rsa, true) => (&["d", "e", "n"], &["dp", "dq", "p", "q", "qi"]),
            (Kind::Rsa, false) => (&["e", "n"], &[]),
            (Kind::Ec, true) => (&["d", "x", "y"], &[]),
            (Kind::Ec, false) => (&["x", "y"], &[]),
            (Kind::Octets, _) => (&["k"], &[]),
            (Kind::Pair, true) => (&["d", "x"], &[]),
            (Kind::Pair, false) => (&["x"], &[]),
        }
    }

    fn fill(&mut self, members: &Object) -> Result<(), String> {
        let (required, optional) = self.octet_members();
        for (name, value) in members.iter() {
            let name = name.as_str().unwrap_or_default();
            if let Some(name) = required.iter().chain(optional).copied().find(|known| *known == name) {
                self.bytes.push((name, octets(name, value)?));
            } else {
                self.member(name, value)?;
            }
        }
        let has_curve = members.contains_key(&Value::from("crv"));
        if matches!(self.kind, Kind::Ec | Kind::Pair) && !has_curve {
            return Err("required field crv is missing".to_owned());
        }
        match required.iter().find(|name| self.get(name).is_none()) {
            Some(name) => Err(format!("required field {name} is missing")),
            None => Ok(()),
        }
    }

    /// Takes a member that every kind of key may have.
    fn member(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let failed = |problem: String| format!("failed to decode value for key {name}: {problem}");
        let text = || string(value).map_err(|problem| failed(format!("error reading next value: {problem}")));
        match name {
            "kty" if string(value).as_deref() != Ok(self.kind_name()) => {
                Err(format!("invalid kty value for RSAPublicKey ({})", string(value).unwrap_or_default()))
            }
            "alg" => {
                let algorithm = string(value).map_err(failed)?;
                if !ALGORITHMS.contains(&algorithm.as_str()) {
                    let shown = shortened(&algorithm);
                    return Err(failed(format!("invalid key value: {shown}: invalid key algorithm")));
                }
                self.algorithm = Some(algorithm);
                Ok(())
            }
            "kid" => text().map(|id| self.id = Some(id)),
            "use" | "x5t" | "x5t#S256" | "x5u" => text().map(|_| ()),
            "crv" if matches!(self.kind, Kind::Ec | Kind::Pair) => {
                let unreadable =
                    |problem| failed(format!("failed to unmarshal EllipticCurveAlgorithm: {problem}"));
                self.curve = string(value).map_err(unreadable)?;
                if !CURVES.contains(&self.curve.as_str()) {
                    return Err(failed(format!("unknown EllipticCurveAlgorithm: {}", quote(&self.curve))));
                }
                Ok(())
            }
            "key_ops" => operations(value).map_err(failed),
            "x5c" => chain(value).map_err(failed),
            _ => Ok(()),
        }
    }

    fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Rsa => "RSA",
            Kind::Ec => "EC",
            Kind::Octets => "oct",
            Kind::Pair => "OKP",
        }
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.bytes.iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes.as_slice())
    }

    fn required(&self, name: &str) -> Result<&[u8], String> {
        self.get(name).ok_or_else(|| format!("missing \"{name}\" value"))
    }

    fn validate(&self) -> Result<(), String> {
        let (kind, checked) = match (self.kind, self.private) {
            (Kind::Rsa, true) => ("RSAPrivateKey", self.check_rsa()),
            (Kind::Rsa, false) => ("RSAPublicKey", self.check_rsa()),
            (Kind::Ec, true) => ("ECDSAPrivateKey", self.check_ec()),
            (Kind::Ec, false) => ("ECDSAPublicKey", self.check_ec()),
            (Kind::Octets, _) => {
                let missing = self.get("k").is_none_or(<[u8]>::is_empty);
                ("SymmetricKey", if missing { Err("missing \"k\" field".to_owned()) } else { Ok(()) })
            }
            (Kind::Pair, true) => ("OKPPrivateKey", self.check_pair()),
            (Kind::Pair, false) => ("OKPPublicKey", self.check_pair()),
        };
        checked.map_err(|problem| format!("jwk.{kind}: {problem}"))
    }

    fn check_rsa(&self) -> Result<(), String> {
        self.rsa_public()?;
        if self.private && self.required("d")?.is_empty() {
            return Err("missing \"d\" value".to_owned());
        }
        Ok(())
    }

    fn rsa_public(&self) -> Result<rsa::Public, String> {
        let number = |name| self.required(name).map(BigUint::from_bytes_be);
        let (n, e) = (number("n")?, number("e")?);
        let missing = |name| Err(format!("missing \"{name}\" value"));
        if n == BigUint::ZERO {
            return missing("n");
        }
        if e == BigUint::ZERO {
            return missing("e");
        }
        if !e.bit(0) {
            return Err("invalid rsa public exponent: must be a positive odd integer".to_owned());
        }
        let e = i64::try_from(&e).map_err(|_| {
            format!("rsa public exponent too large for this platform: {} bits (max 63)", e.bits())
        })?;
        Ok(rsa::Public { n, e })
    }

    fn nist_curve(&self) -> Result<ec::Curve, String> {
        match self.curve.as_str() {
            "P-256" => Ok(ec::Curve::P256),
            "P-384" => Ok(ec::Curve::P384),
            "P-521" => Ok(ec::Curve::P521),
            other => {
                let shown = quote(other);
                Err(format!("invalid curve algorithm {shown}: unknown elliptic curve algorithm: {shown}"))
            }
        }
    }

    fn check_ec(&self) -> Result<(), String> {
        let curve = self.nist_curve()?;
        let sized = |name: &str| {
            let length = self.get(name).unwrap_or_default().len();
            if length == curve.size() {
                return Ok(());
            }
            Err(format!("invalid \"{name}\" length ({length}) for curve \"{}\"", curve.name()))
        };
        sized("x")?;
        sized("y")?;
        self.point(curve)?;
        if self.private { sized("d") } else { Ok(()) }
    }

    fn point(&self, curve: ec::Curve) -> Result<ec::Public, String> {
        let (x, y) = (self.required("x")?, self.required("y")?);
        let wrong = |problem: &str| Err(format!("invalid ECDSA public key: {problem}"));
        let (x_bits, y_bits) = (BigUint::from_bytes_be(x).bits(), BigUint::from_bytes_be(y).bits());
        if x_bits == 0 && y_bits == 0 {
            return wrong("identity point is not a valid public key");
        }
        for (name, bits) in [("x", x_bits), ("y", y_bits)] {
            if bits > curve.bits() {
                let (curve_name, size) = (curve.name(), curve.bits());
                return wrong(&format!(
                    "{name} coordinate is {bits} bits, exceeds curve \"{curve_name}\" field size of {size} bits"
                ));
            }
        }
        ec::Public::from_uncompressed(curve, &[&[4], x, y].concat()).or_else(|problem| wrong(&problem))
    }

    fn check_pair(&self) -> Result<(), String> {
        let sized = |name: &str, what: &str| {
            let bytes = self.get(name).unwrap_or_default();
            let curve = match self.curve.as_str() {
                _ if bytes.is_empty() => return Err(format!("missing \"{name}\" field")),
                "Ed25519" => "ed25519",
                "X25519" => "x25519",
                _ => return Ok(()),
            };
            if bytes.len() == 32 { Ok(()) } else { Err(format!("{curve}: wrong {what} key size")) }
        };
        sized("x", "public")?;
        if self.private { sized("d", "private") } else { Ok(()) }
    }

    /// The Go type of the key, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match (self.kind, self.private) {
            (Kind::Rsa, true) => "*jwk.rsaPrivateKey",
            (Kind::Rsa, false) => "*jwk.rsaPublicKey",
            (Kind::Ec, true) => "*jwk.ecdsaPrivateKey",
            (Kind::Ec, false) => "*jwk.ecdsaPublicKey",
            (Kind::Octets, _) => "*jwk.symmetricKey",
            (Kind::Pair, true) => "*jwk.okpPrivateKey",
            (Kind::Pair, false) => "*jwk.okpPublicKey",
        }
    }

    /// The key, ready for use.
    pub(crate) fn export(&self) -> Result<Material, String> {
        self.material()
            .map_err(|problem| format!("jwk.Export: failed to export jwk.Key to raw format: {problem}"))
    }

    fn material(&self) -> Result<Material, String> {
        match (self.kind, self.private) {
            (Kind::Rsa, false) => self.rsa_public().map(PublicKey::Rsa).map(Material::Public),
            (Kind::Rsa, true) => self.rsa_private(),
            (Kind::Ec, false) => {
                self.nist_curve().and_then(|curve| self.point(curve)).map(PublicKey::Ec).map(Material::Public)
            }
            (Kind::Ec, true) => self.ec_private(),
            (Kind::Octets, _) => Ok(Material::Octets(self.required("k")?.to_vec())),
            (Kind::Pair, false) => self.pair_public(),
            (Kind::Pair, true) => self.pair_private(),
        }
    }

    fn rsa_private(&self) -> Result<Material, String> {
        let number = |name| self.required(name).map(BigUint::from_bytes_be);
        let d = number("d")?;
        let (q, p) = (number("q")?, number("p")?);
        let public =
            self.rsa_public().map_err(|problem| format!("failed to build rsa.PublicKey: {problem}"))?;
        let crt = ["dp", "dq", "qi"].map(|name| self.get(name).map(BigUint::from_bytes_be));
        let crt = match crt {
            [Some(dp), Some(dq), Some(qinv)] => Some([dp, dq, qinv]),
            _ => None,
        };
        let secret = UncheckedRsa { public: public.clone(), d, primes: vec![p, q], crt };
        Ok(Material::Private(PublicKey::Rsa(public), Secret::Rsa(Box::new(secret))))
    }

    fn ec_private(&self) -> Result<Material, String> {
        let curve = self.nist_curve()?;
        let public = self.point(curve)?;
        let scalar = self.required("d")?.to_vec();
        Ok(Material::Private(PublicKey::Ec(public), Secret::Ec(scalar)))
    }

    fn pair_public(&self) -> Result<Material, String> {
        let failed = |problem: String| format!("jwk.OKPPublicKey: failed to build public key: {problem}");
        let x = <[u8; 32]>::try_from(self.required("x")?);
        match (self.curve.as_str(), x) {
            ("Ed25519", Ok(x)) => Ok(Material::Public(PublicKey::Ed25519(x))),
            ("X25519", Ok(_)) => Ok(Material::Public(PublicKey::X25519)),
            (other, _) => Err(failed(format!("invalid curve algorithm {other}"))),
        }
    }

    fn pair_private(&self) -> Result<Material, String> {
        let failed = |problem: String| format!("jwk.OKPPrivateKey: failed to build private key: {problem}");
        let d = <[u8; 32]>::try_from(self.required("d")?);
        match (self.curve.as_str(), d) {
            ("Ed25519", Ok(seed)) => {
                let public = ed25519_public(&seed);
                if public != self.required("x")? {
                    return Err(failed("ed25519: invalid x value given d value".to_owned()));
                }
                Ok(Material::Private(PublicKey::Ed25519(public), Secret::Ed25519(seed)))
            }
            ("X25519", Ok(_)) => Ok(Material::Private(PublicKey::X25519, Secret::X25519)),
            (other, _) => Err(failed(format!("invalid curve algorithm {other}"))),
        }
    }
}

/// A text in quotes, cut where it is long.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 64;
    if text.chars().count() <= SHOWN {
        return quote(text);
    }
    quote(&(text.chars().take(SHOWN).collect::<String>() + "..."))
}

/// Base64 of any of the four forms, told apart by what is in it.
fn octets(name: &str, value: &Value) -> Result<Vec<u8>, String> {
    let failed = |problem: String| format!("failed to decode value for key {name}: {problem}");
    let text = string(value).map_err(|problem| failed(format!("error reading next value: {problem}")))?;
    let form = match (text.ends_with('='), text.contains(['+', '/'])) {
        (false, false) => base64::URL_RAW,
        (true, false) => base64::URL,
        (false, true) => base64::STANDARD_RAW,
        (true, true) => base64::STANDARD,
    };
    form.decode(text.as_bytes()).map_err(|_| failed("expected base64 encoded []byte (string)".to_owned()))
}

fn operations(value: &Value) -> Result<(), String> {
    let wrong = |value: &Value, what: &str| {
        Err(format!("json: cannot unmarshal {} into Go value of type jwk.{what}", go_kind(value)))
    };
    match value {
        Value::Null => Ok(()),
        Value::Array(items) => {
            match items.iter().find(|item| !matches!(item, Value::String(_) | Value::Null)) {
                Some(item) => wrong(item, "KeyOperation"),
                None => Ok(()),
            }
        }
        other => wrong(other, "KeyOperationList"),
    }
}

/// Certificates in base64; each must be one.
fn chain(value: &Value) -> Result<(), String> {
    let Value::Array(items) = value else {
        return Err("failed to unmarshal certificate chain: expected JSON array".to_owned());
    };
    for (at, item) in items.iter().enumerate() {
        let failed = |problem: String| format!("failed to decode certificate at index {at}: {problem}");
        let text = string(item).map_err(failed)?;
        let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let der = base64::STANDARD
            .decode(&text)
            .map_err(|problem| failed(format!("failed to base64 decode the certificate: {problem}")))?;
        crate::x509::Certificate::parse(&der)
            .map_err(|problem| failed(format!("failed to parse x509 certificate: {problem}")))?;
    }
    Ok(())
}
