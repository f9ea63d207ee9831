//! `crypto.x509.parse_certificate_request`: PKCS #10 (RFC 2986), which Go reads by the laxer rules.

use std::collections::HashSet;

use rego_value::Value;

use super::Outcome;
use super::certificate::{Extension, key_algorithm};
use super::extensions::{AlternativeNames, alternative_names};
use super::name::{Attribute, Name};
use super::show::{self, object};
use super::signature::SignatureAlgorithm;
use super::time::Time;
use crate::args::Args;
use crate::asn1::unmarshal::{self, Element, Fields, Problem, structure_error, syntax_error};
use crate::asn1::{Der, Oid, bmp, latin1, oid, tag};
use crate::base64::STANDARD;
use crate::context::Context;
use crate::error::BuiltinError;
use crate::keys::pkix::{Algorithm, PublicKeyInfo};
use crate::pem;

/// `crypto.x509.parse_certificate_request`
pub(crate) fn parse_certificate_request(_: &mut Context, args: &[Value]) -> Outcome {
    let text = Args(args).string(1)?;
    let decoded = if text.starts_with("-----BEGIN CERTIFICATE REQUEST-----") {
        text.as_bytes().to_vec()
    } else {
        STANDARD.decode(text.as_bytes()).map_err(|problem| BuiltinError::new(problem.to_string()))?
    };
    let der = match pem::decode(&decoded).0 {
        Some(block) if block.label == b"CERTIFICATE REQUEST" => block.bytes,
        Some(_) => return Err(BuiltinError::new("invalid PEM-encoded certificate signing request")),
        None => decoded,
    };
    parse(&der).map(Some).map_err(BuiltinError::new)
}

fn parse(der: &[u8]) -> Result<Value, String> {
    let mut fields = Fields::new(der);
    let request = fields.expect(tag::SEQUENCE, "certificateRequest")?;
    let mut outer = request.fields();
    let info = outer.expect(tag::SEQUENCE, "tbsCertificateRequest")?;
    let mut inside = info.fields();
    let version = inside.integer()?;
    let raw_subject = inside.any()?.whole;
    let key_info = PublicKeyInfo::unmarshal(&mut inside)?;
    let attributes = match inside.optional(tag::constructed(0))? {
        Some(attributes) => elements(attributes.fields())?,
        None => return Err(missing_attributes(&mut inside)),
    };
    let algorithm = SignatureAlgorithm::of(&Algorithm::unmarshal(&mut outer)?);
    let signature = outer.bit_string()?.right_align();
    if !fields.is_empty() {
        return Err(syntax_error("trailing data"));
    }
    let number = key_algorithm(&key_info.algorithm.oid);
    let key = if number == 0 { None } else { Some(key_info.key()?) };
    let subject = subject(raw_subject)?;
    let extensions = requested_extensions(&attributes)?;
    let mut names = AlternativeNames::default();
    for extension in extensions.iter().filter(|extension| extension.id.arcs() == oid::SUBJECT_ALT_NAME) {
        names = alternative_names(Der(&extension.value))?;
    }
    let shown: Vec<Value> = attributes.iter().filter_map(attribute).collect();
    let members = [
        ("Raw", show::bytes(request.whole)),
        ("RawTBSCertificateRequest", show::bytes(info.whole)),
        ("RawSubjectPublicKeyInfo", show::bytes(key_info.raw)),
        ("RawSubject", show::bytes(raw_subject)),
        ("Version", version.into()),
        ("Signature", show::bytes(&signature)),
        ("SignatureAlgorithm", algorithm.0.into()),
        ("PublicKeyAlgorithm", number.into()),
        ("PublicKey", show::public_key(key.as_ref())),
        ("Subject", subject.to_value()),
        ("Attributes", show::list(&shown, Value::clone)),
        ("Extensions", show::extensions(&extensions)),
        ("ExtraExtensions", Value::Null),
    ];
    let members = members.into_iter().chain(show::alternative_names(&names));
    Ok(Value::object(members.map(|(name, value)| (Value::from(name), value))))
}

/// Why there is no `[0]` with attributes.
fn missing_attributes(fields: &mut Fields<'_>) -> Problem {
    match fields.expect(tag::constructed(0), "") {
        Err(problem) => problem,
        Ok(_) => structure_error("no attributes"),
    }
}

fn elements(mut fields: Fields<'_>) -> Result<Vec<Element<'_>>, Problem> {
    let mut elements = Vec::new();
    while !fields.is_empty() {
        elements.push(fields.any()?);
    }
    Ok(elements)
}

fn subject(raw: &[u8]) -> Result<Name, String> {
    let mut fields = Fields::new(raw);
    let mut attributes = Vec::new();
    for set in fields.sequence("RDNSequence")?.all_of(tag::SET)? {
        for pair in set.fields().all_of(tag::SEQUENCE)? {
            attributes.push(type_and_value(pair)?);
        }
    }
    if !fields.is_empty() {
        return Err("x509: trailing data after X.509 Subject".to_owned());
    }
    Ok(Name(attributes))
}

fn type_and_value(pair: Element<'_>) -> Result<Attribute, Problem> {
    let mut inside = pair.fields();
    let kind = inside.oid()?;
    let element = inside.any()?;
    Ok(Attribute { kind, value: any_value(element)?, is_text: is_text(element) })
}

fn is_text(element: Element<'_>) -> bool {
    [
        tag::PRINTABLE_STRING,
        tag::NUMERIC_STRING,
        tag::IA5_STRING,
        tag::T61_STRING,
        tag::UTF8_STRING,
        tag::BMP_STRING,
    ]
    .into_iter()
    .any(|tag| element.is(tag))
}

/// A value of any type, as Go's JSON has it; null where Go does not know the type.
fn any_value(element: Element<'_>) -> Result<Value, Problem> {
    let contents = element.contents;
    let text = |valid: bool, problem: &str| {
        let text = std::str::from_utf8(contents).ok().filter(|_| valid);
        text.map(Value::from).ok_or_else(|| syntax_error(problem))
    };
    if element.class != 0 || element.compound {
        return Ok(Value::Null);
    }
    match u8::try_from(element.tag).unwrap_or_default() {
        tag::BOOLEAN => unmarshal::boolean(contents).map(Value::from),
        tag::INTEGER => unmarshal::integer(contents).map(Value::from),
        tag::OID => unmarshal::oid(contents).map(|id| id.to_value()),
        tag::OCTET_STRING => Ok(show::bytes(contents)),
        tag::BIT_STRING => unmarshal::bit_string(contents).map(|bits| {
            let length = i64::try_from(bits.bytes.len() * 8).unwrap_or_default() - i64::from(bits.unused);
            object([("Bytes", show::bytes(bits.bytes)), ("BitLength", length.into())])
        }),
        tag::PRINTABLE_STRING => {
            let printable = crate::asn1::directory_string(tag::PRINTABLE_STRING, contents).is_ok();
            text(printable, "PrintableString contains invalid character")
        }
        tag::NUMERIC_STRING => {
            let numeric = crate::asn1::directory_string(tag::NUMERIC_STRING, contents).is_ok();
            text(numeric, "NumericString contains invalid character")
        }
        tag::IA5_STRING => text(contents.is_ascii(), "IA5String contains invalid character"),
        tag::UTF8_STRING => match std::str::from_utf8(contents) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err("asn1: invalid UTF-8 string".to_owned()),
        },
        tag::T61_STRING => Ok(latin1(contents).into()),
        tag::BMP_STRING => bmp(contents).map(Value::from).ok_or_else(|| "invalid BMPString".to_owned()),
        tag::UTC_TIME => instant(Time::from_utc_time(contents)),
        tag::GENERALIZED_TIME => instant(Time::from_generalized_time(contents)),
        _ => Ok(Value::Null),
    }
}

fn instant(time: Option<Time>) -> Result<Value, Problem> {
    time.map(|time| time.to_text().into()).ok_or_else(|| structure_error("invalid time"))
}

/// An attribute whose values are sequences of pairs; Go shows no others.
fn attribute(attribute: &Element<'_>) -> Option<Value> {
    let mut inside = attribute.is(tag::SEQUENCE).then(|| attribute.fields())?;
    let kind = inside.oid().ok()?;
    let sets = inside.expect(tag::SET, "").ok()?.fields().all_of(tag::SEQUENCE).ok()?;
    let pairs = |set: Element<'_>| {
        let pairs = set.fields().all_of(tag::SEQUENCE).ok()?;
        let shown = pairs.into_iter().map(|pair| {
            let pair = type_and_value(pair).ok()?;
            Some(object([("Type", pair.kind.to_value()), ("Value", pair.value)]))
        });
        shown.collect::<Option<Vec<_>>>().map(Value::array)
    };
    let values = sets.into_iter().map(pairs).collect::<Option<Vec<_>>>()?;
    Some(object([("Type", kind.to_value()), ("Value", Value::array(values))]))
}

/// The extensions that the certificate is asked to have.
fn requested_extensions(attributes: &[Element<'_>]) -> Result<Vec<Extension>, String> {
    let mut extensions = Vec::new();
    let mut seen = HashSet::new();
    for attribute in attributes {
        let Some(first) = extension_request(*attribute) else { continue };
        for element in Fields::new(first).sequence("")?.all_of(tag::SEQUENCE)? {
            let extension = requested_extension(element)?;
            if !seen.insert(extension.id.to_string()) {
                return Err("x509: certificate request contains duplicate requested extensions".to_owned());
            }
            extensions.push(extension);
        }
    }
    Ok(extensions)
}

/// The first value of an attribute, if it asks for extensions.
fn extension_request(attribute: Element<'_>) -> Option<&[u8]> {
    let mut inside = attribute.is(tag::SEQUENCE).then(|| attribute.fields())?;
    let kind: Oid = inside.oid().ok()?;
    let values = elements(inside.expect(tag::SET, "").ok()?.fields()).ok()?;
    let first = values.first()?.whole;
    (kind.arcs() == oid::EXTENSION_REQUEST).then_some(first)
}

fn requested_extension(element: Element<'_>) -> Result<Extension, Problem> {
    let mut inside = element.fields();
    let id = inside.oid()?;
    let critical = match inside.optional(tag::BOOLEAN)? {
        Some(critical) => unmarshal::boolean(critical.contents)?,
        None => false,
    };
    Ok(Extension { id, critical, value: inside.octets()?.to_vec() })
}
