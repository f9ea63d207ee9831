//! Object identifiers, and the well-known ones of keys, signatures and extensions.

use std::fmt;

use rego_value::Value;

/// An object identifier by its arcs, each of which fits 31 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Oid(Vec<u32>);

impl Oid {
    /// The identifier that these bytes encode; longer arcs than Go's `int32` are refused.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut arcs = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let arc = arc(&mut rest)?;
            if arcs.is_empty() {
                arcs.extend(if arc < 80 { [arc / 40, arc % 40] } else { [2, arc - 80] });
            } else {
                arcs.push(arc);
            }
        }
        (!arcs.is_empty()).then_some(Self(arcs))
    }

    /// As Go's JSON has it: an array of numbers.
    pub(crate) fn to_value(&self) -> Value {
        Value::array(self.0.iter().map(|arc| Value::from(i64::from(*arc))))
    }

    pub(crate) fn arcs(&self) -> &[u32] {
        &self.0
    }
}

impl PartialEq<[u32]> for Oid {
    fn eq(&self, other: &[u32]) -> bool {
        self.0 == other
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arcs: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&arcs.join("."))
    }
}

/// One arc: seven bits in each byte, the last one without the high bit.
fn arc(rest: &mut &[u8]) -> Option<u32> {
    let mut value: u32 = 0;
    for (at, byte) in rest.iter().enumerate() {
        if at == 5 || value >= 1 << 24 || at == 0 && *byte == 0x80 {
            return None;
        }
        value = value << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            *rest = rest.get(at + 1..)?;
            return Some(value);
        }
    }
    None
}

/// The text of an identifier of any size, as Go's `x509.OID` writes it.
pub(crate) fn oid_text(bytes: &[u8]) -> Option<String> {
    use num_bigint::BigUint;
    if bytes.last().is_none_or(|last| last & 0x80 != 0) {
        return None;
    }
    let mut arcs: Vec<BigUint> = Vec::new();
    let (mut value, mut begins) = (BigUint::ZERO, true);
    for byte in bytes {
        if begins && *byte == 0x80 {
            return None;
        }
        value = (value << 7u32) + u32::from(byte & 0x7f);
        begins = byte & 0x80 == 0;
        if begins {
            arcs.push(std::mem::take(&mut value));
        }
    }
    let first = arcs.first()?.clone();
    let (a, b) = match u32::try_from(&first) {
        Ok(small) if small < 80 => (small / 40, BigUint::from(small % 40)),
        _ => (2, first - 80u32),
    };
    let rest = arcs.iter().skip(1).map(|arc| format!(".{arc}")).collect::<String>();
    Some(format!("{a}.{b}{rest}"))
}

macro_rules! oids {
    ($($name:ident = $arcs:expr;)*) => {
        $(pub(crate) const $name: &[u32] = &$arcs;)*
    };
}
oids! {
    RSA = [1, 2, 840, 113_549, 1, 1, 1];
    DSA = [1, 2, 840, 10040, 4, 1];
    ECDSA = [1, 2, 840, 10045, 2, 1];
    X25519 = [1, 3, 101, 110];
    ED25519 = [1, 3, 101, 112];
    P224 = [1, 3, 132, 0, 33];
    P256 = [1, 2, 840, 10045, 3, 1, 7];
    P384 = [1, 3, 132, 0, 34];
    P521 = [1, 3, 132, 0, 35];
    RSA_PSS = [1, 2, 840, 113_549, 1, 1, 10];
    MGF1 = [1, 2, 840, 113_549, 1, 1, 8];
    SHA256 = [2, 16, 840, 1, 101, 3, 4, 2, 1];
    SHA384 = [2, 16, 840, 1, 101, 3, 4, 2, 2];
    SHA512 = [2, 16, 840, 1, 101, 3, 4, 2, 3];
    EXTENSION_REQUEST = [1, 2, 840, 113_549, 1, 9, 14];
    SUBJECT_ALT_NAME = [2, 5, 29, 17];
    AUTHORITY_INFO_ACCESS = [1, 3, 6, 1, 5, 5, 7, 1, 1];
    ACCESS_OCSP = [1, 3, 6, 1, 5, 5, 7, 48, 1];
    ACCESS_ISSUERS = [1, 3, 6, 1, 5, 5, 7, 48, 2];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_with_both_rules() {
        assert_eq!(Oid::decode(&[0x2a, 0x86, 0x48]).unwrap().to_string(), "1.2.840");
        assert_eq!(Oid::decode(&[0x88, 0x37]).unwrap().to_string(), "2.999");
        for bad in [&[][..], &[0x80, 0x01], &[0x2a, 0x86], &[0x2a, 0x90, 0x80, 0x80, 0x80, 0x00]] {
            assert_eq!(Oid::decode(bad), None, "{bad:?}");
        }
        let big = [0x2a, 0x90, 0x80, 0x80, 0x80, 0x00];
        assert_eq!(oid_text(&big).as_deref(), Some("1.2.4294967296"));
        assert_eq!(oid_text(&[0x80, 1]), None);
    }
}
