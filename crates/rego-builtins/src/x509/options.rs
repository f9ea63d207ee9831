//! What a chain of certificates is checked for.

use rego_value::{Object, Value};

use crate::args::elements;
use crate::error::BuiltinError;

/// The options of `crypto.x509.parse_and_verify_certificates_with_options`.
pub(super) struct Options {
    /// Nanoseconds since 1970 began.
    pub(super) now_ns: i64,
    /// Empty: any host.
    pub(super) host: String,
    /// Go's numbers of extended key usages, one of which must be allowed; empty: that of servers.
    pub(super) key_usages: Vec<i64>,
}

/// By Go's numbers.
const KEY_USAGES: [&str; 14] = [
    "KeyUsageAny",
    "KeyUsageServerAuth",
    "KeyUsageClientAuth",
    "KeyUsageCodeSigning",
    "KeyUsageEmailProtection",
    "KeyUsageIPSECEndSystem",
    "KeyUsageIPSECTunnel",
    "KeyUsageIPSECUser",
    "KeyUsageTimeStamping",
    "KeyUsageOCSPSigning",
    "KeyUsageMicrosoftServerGatedCrypto",
    "KeyUsageNetscapeServerGatedCrypto",
    "KeyUsageMicrosoftCommercialCodeSigning",
    "KeyUsageMicrosoftKernelCodeSigning",
];

impl Options {
    pub(super) fn new(now_ns: i64) -> Self {
        Self { now_ns, host: String::new(), key_usages: Vec::new() }
    }

    pub(super) fn parse(members: &Object, now_ns: i64) -> Result<Self, BuiltinError> {
        let mut options = Self::new(now_ns);
        let wrong = |name: &str, what: &str| Err(BuiltinError::new(format!("'{name}' should be {what}")));
        for (name, value) in members.iter() {
            let Some(name) = name.as_str() else { continue };
            match (name, value) {
                ("DNSName", Value::String(host)) => options.host = host.trim_matches('"').to_owned(),
                ("DNSName", _) => return wrong(name, "a string"),
                ("CurrentTime", Value::Number(time)) => match time.as_plain_int() {
                    Some(time) => options.now_ns = time,
                    None => return wrong(name, "a valid int64 number"),
                },
                ("CurrentTime", _) => return wrong(name, "a number"),
                // Go no longer counts comparisons.
                ("MaxConstraintComparisons", Value::Number(limit)) if limit.as_plain_int().is_some() => {}
                ("MaxConstraintComparisons", Value::Number(_)) => return wrong(name, "a valid number"),
                ("MaxConstraintComparisons", _) => return wrong(name, "a number"),
                ("KeyUsages", usages) => match elements(usages) {
                    Some(usages) => options.key_usages.extend(key_usages(&usages)?),
                    None => return wrong(name, "an Array or Set"),
                },
                _ => return Err(BuiltinError::new("invalid key option")),
            }
        }
        Ok(options)
    }
}

fn key_usages(names: &[&Value]) -> Result<Vec<i64>, BuiltinError> {
    let (mut numbers, mut unknown) = (Vec::new(), Vec::new());
    for name in names.iter().filter_map(|name| name.as_str()) {
        let name = name.trim_matches('"');
        match KEY_USAGES.iter().position(|known| *known == name).and_then(|at| i64::try_from(at).ok()) {
            Some(number) => numbers.push(number),
            None => unknown.push(name),
        }
    }
    if unknown.is_empty() {
        return Ok(numbers);
    }
    Err(BuiltinError::new(format!("invalid entries for 'KeyUsages' found: [{}]", unknown.join(" "))))
}
