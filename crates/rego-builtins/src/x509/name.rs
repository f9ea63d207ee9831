//! Distinguished names.

use rego_value::Value;

use super::show::{object, strings};
use crate::asn1::{Der, Oid, directory_string, tag};

/// A name: its attributes in order.
#[derive(Clone, Default)]
pub(super) struct Name(pub(super) Vec<Attribute>);

#[derive(Clone)]
pub(super) struct Attribute {
    pub(super) kind: Oid,
    pub(super) value: Value,
    /// The value is a string type, and not one that only its JSON shows as a string.
    pub(super) is_text: bool,
}

impl Name {
    /// Reads the sequence of sets of attributes that a name is; else says what is wrong, as Go does.
    pub(super) fn parse(mut der: Der<'_>) -> Result<Self, String> {
        let wrong = |what: &str| format!("x509: invalid RDNSequence{what}");
        let mut sets = der.contents(tag::SEQUENCE).ok_or_else(|| wrong(""))?;
        let mut attributes = Vec::new();
        while !sets.is_empty() {
            let mut set = sets.contents(tag::SET).ok_or_else(|| wrong(""))?;
            while !set.is_empty() {
                let mut pair = set.contents(tag::SEQUENCE).ok_or_else(|| wrong(": invalid attribute"))?;
                let kind = pair.oid().ok_or_else(|| wrong(": invalid attribute type"))?;
                let (tag, _, contents) = pair.any().ok_or_else(|| wrong(": invalid attribute value"))?;
                let value = directory_string(tag, contents)
                    .map_err(|problem| wrong(&format!(": invalid attribute value: {problem}")))?;
                attributes.push(Attribute { kind, value: value.into(), is_text: true });
            }
        }
        Ok(Self(attributes))
    }

    /// As Go's JSON has it: the usual attributes by name, and all of them.
    pub(super) fn to_value(&self) -> Value {
        let texts = |number: u32| {
            let of_kind = self
                .0
                .iter()
                .filter(move |attribute| attribute.is_text && attribute.kind.arcs() == [2, 5, 4, number]);
            of_kind.filter_map(|attribute| attribute.value.as_str())
        };
        let list = |number: u32| strings(&texts(number).map(str::to_owned).collect::<Vec<_>>());
        let last = |number: u32| Value::from(texts(number).next_back().unwrap_or_default());
        let all = self.0.iter().map(|attribute| {
            object([("Type", attribute.kind.to_value()), ("Value", attribute.value.clone())])
        });
        object([
            ("Country", list(6)),
            ("Organization", list(10)),
            ("OrganizationalUnit", list(11)),
            ("Locality", list(7)),
            ("Province", list(8)),
            ("StreetAddress", list(9)),
            ("PostalCode", list(17)),
            ("SerialNumber", last(5)),
            ("CommonName", last(3)),
            ("Names", if self.0.is_empty() { Value::Null } else { Value::array(all) }),
            ("ExtraNames", Value::Null),
        ])
    }
}
