//! What a token's header says, and what a policy asks of a token.

use rego_value::{Object, Value};

use super::keys::{self, VerificationKey};
use crate::error::BuiltinError;

/// The members of a header that matter for checking a token.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: String,
    pub(super) cty: String,
    /// Names that must be understood, and names that are not.
    critical: Vec<String>,
    unknown: Vec<String>,
}

impl Header {
    pub(super) fn parse(members: &Object) -> Result<Self, BuiltinError> {
        let mut header = Self::default();
        for (name, value) in members.iter() {
            let Some(name) = name.as_str() else { continue };
            let text = || match value {
                Value::String(text) => Ok(text.to_string()),
                _ => Err(BuiltinError::new(format!("{name}: must be a string"))),
            };
            match name {
                "alg" => header.alg = text()?,
                "kid" => header.kid = text()?,
                "cty" => header.cty = text()?,
                "typ" => drop(text()?),
                "crit" => header.critical = critical(value)?,
                _ => header.unknown.push(name.to_owned()),
            }
        }
        Ok(header)
    }

    /// An algorithm there must be, and nothing critical that is unknown (RFC 7515, 4.1.1 and 4.1.11).
    pub(super) fn is_valid(&self) -> bool {
        !self.alg.is_empty() && !self.unknown.iter().any(|name| self.critical.contains(name))
    }
}

/// The names before the first element that is none.
fn critical(value: &Value) -> Result<Vec<String>, BuiltinError> {
    let Value::Array(items) = value else { return Err(BuiltinError::new("crit: must be a list")) };
    let names: Vec<String> = items.iter().map_while(Value::as_str).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(BuiltinError::new("crit: must be a nonempty list"));
    }
    Ok(names)
}

/// The constraints of `io.jwt.decode_verify`. An empty text is no constraint.
pub(super) struct Constraints {
    pub(super) keys: Option<Vec<VerificationKey>>,
    pub(super) secret: String,
    pub(super) alg: String,
    pub(super) iss: String,
    pub(super) aud: String,
    /// Seconds since 1970.
    pub(super) seconds: f64,
}

const NANOSECONDS: f64 = 1e9;

impl Constraints {
    #[expect(clippy::cast_precision_loss, reason = "OPA compares times as floating-point numbers")]
    pub(super) fn parse(members: &Object, now_ns: i64) -> Result<Self, BuiltinError> {
        let mut constraints = Self {
            keys: None,
            secret: String::new(),
            alg: String::new(),
            iss: String::new(),
            aud: String::new(),
            seconds: now_ns as f64 / NANOSECONDS,
        };
        for (name, value) in members.iter() {
            let name = match name {
                Value::String(name) => &**name,
                _ => "",
            };
            let text = || match value {
                Value::String(text) => Ok(text.to_string()),
                _ => Err(BuiltinError::new(format!("{name} constraint: must be a string"))),
            };
            match name {
                "cert" => constraints.keys = Some(keys::parse(&text()?)?),
                "secret" => constraints.secret = text()?,
                "alg" => constraints.alg = text()?,
                "iss" => constraints.iss = text()?,
                "aud" => constraints.aud = text()?,
                "time" => constraints.seconds = time(value)? / NANOSECONDS,
                _ => {
                    return Err(BuiltinError::new(format!("unknown token validation constraint: {name}")));
                }
            }
        }
        match (&constraints.keys, constraints.secret.is_empty()) {
            (Some(_), false) => Err(BuiltinError::new("duplicate key constraints")),
            (None, true) => Err(BuiltinError::new("no key constraint")),
            _ => Ok(constraints),
        }
    }

    /// Whether a token for this audience may be taken.
    pub(super) fn allows_audience(&self, audience: Option<&Value>) -> bool {
        match audience {
            Some(Value::String(audience)) => **audience == self.aud,
            Some(Value::Array(audiences)) => {
                audiences.iter().any(|audience| audience.as_str() == Some(&self.aud))
            }
            Some(_) => false,
            None => self.aud.is_empty(),
        }
    }
}

fn time(value: &Value) -> Result<f64, BuiltinError> {
    let Value::Number(number) = value else {
        return Err(BuiltinError::new("token time constraint: must be a number"));
    };
    match number.as_f64() {
        time if !time.is_finite() => Err(BuiltinError::new("token time constraint: unvalid float64")),
        time if time < 0.0 => Err(BuiltinError::new("token time constraint: must not be negative")),
        time => Ok(time),
    }
}
