//! Structures as Go's `encoding/asn1` unmarshals them, with its words for what is wrong.
//!
//! It is laxer than DER asks for: whatever follows the fields of a sequence is ignored.

use num_bigint::BigInt;

use super::der::{shortest, signed};
use super::{BitString, Oid, tag};

/// What is wrong with a structure.
pub(crate) type Problem = String;

type Read<T> = Result<T, Problem>;

pub(crate) fn structure_error(what: impl std::fmt::Display) -> Problem {
    format!("asn1: structure error: {what}")
}

pub(crate) fn syntax_error(what: impl std::fmt::Display) -> Problem {
    format!("asn1: syntax error: {what}")
}

/// An element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) class: u8,
    pub(crate) tag: u32,
    pub(crate) compound: bool,
    pub(crate) contents: &'a [u8],
    /// All of it, with its header.
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub(crate) fn fields(&self) -> Fields<'a> {
        Fields { bytes: self.contents, at: 0 }
    }

    /// Whether this is a universal type, given as its tag byte in DER.
    pub(crate) fn is(&self, tag: u8) -> bool {
        self.class == 0 && self.tag == u32::from(tag & 0x1f) && self.compound == (tag & 0x20 != 0)
    }
}

struct Header {
    class: u8,
    tag: u32,
    compound: bool,
    length: usize,
    /// Where the contents begin.
    start: usize,
}

/// What Go prints of a field's parameters when its tag is another one.
const PARAMETERS: &str = "{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false}";

/// The elements inside a sequence, or at the top, taken one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn header(&self, at: usize) -> Read<Header> {
        let truncated = || syntax_error("truncated tag or length");
        let first =
            *self.bytes.get(at).ok_or_else(|| "asn1: internal error in parseTagAndLength".to_owned())?;
        let mut at = at + 1;
        let mut number = u32::from(first & 0x1f);
        if number == 0x1f {
            let (long, next) = base128(self.bytes, at)?;
            (number, at) = (long, next);
            if number < 0x1f {
                return Err(syntax_error("non-minimal tag"));
            }
        }
        let length = *self.bytes.get(at).ok_or_else(truncated)?;
        at += 1;
        let mut header =
            Header { class: first >> 6, tag: number, compound: first & 0x20 != 0, length: 0, start: at };
        if length & 0x80 == 0 {
            header.length = usize::from(length);
            return Ok(header);
        }
        if length == 0x80 {
            return Err(syntax_error("indefinite length found (not DER)"));
        }
        for _ in 0..length & 0x7f {
            let digit = *self.bytes.get(header.start).ok_or_else(truncated)?;
            header.start += 1;
            if header.length >= 1 << 23 {
                return Err(structure_error("length too large"));
            }
            header.length = header.length << 8 | usize::from(digit);
            if header.length == 0 {
                return Err(structure_error("superfluous leading zeros in length"));
            }
        }
        if header.length < 0x80 {
            return Err(structure_error("non-minimal length"));
        }
        Ok(header)
    }

    fn element(&self, begin: usize, header: &Header) -> Read<Element<'a>> {
        let end = header.start + header.length;
        let slice = |from: usize| self.bytes.get(from..end).ok_or_else(|| syntax_error("data truncated"));
        Ok(Element {
            class: header.class,
            tag: header.tag,
            compound: header.compound,
            contents: slice(header.start)?,
            whole: slice(begin)?,
        })
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Read<Element<'a>> {
        if self.is_empty() {
            return Err(syntax_error("sequence truncated"));
        }
        let header = self.header(self.at)?;
        let element = self.element(self.at, &header)?;
        self.at = header.start + header.length;
        Ok(element)
    }

    /// The next element, of this tag (its byte in DER). The name is that of the Go type, for the message.
    pub(crate) fn expect(&mut self, tag: u8, name: &str) -> Read<Element<'a>> {
        if self.is_empty() {
            return Err(syntax_error("sequence truncated"));
        }
        let header = self.header(self.at)?;
        if !matches(&header, tag) {
            let Header { class, tag: found, length, compound, start } = header;
            return Err(structure_error(format_args!(
                "tags don't match ({} vs {{class:{class} tag:{found} length:{length} isCompound:{compound}}}) {PARAMETERS} {name} @{start}",
                tag & 0x1f,
            )));
        }
        let element = self.element(self.at, &header)?;
        self.at = header.start + header.length;
        Ok(element)
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Read<Option<Element<'a>>> {
        if self.is_empty() || !matches(&self.header(self.at)?, tag) {
            return Ok(None);
        }
        self.any().map(Some)
    }

    /// The elements inside the next one if that is `[number]`.
    pub(crate) fn explicit(&mut self, number: u32) -> Read<Option<Fields<'a>>> {
        if self.is_empty() {
            return Ok(None);
        }
        let header = self.header(self.at)?;
        if header.start == self.bytes.len() {
            return Err(structure_error("explicit tag has no child"));
        }
        if (header.class, header.tag) != (2, number) || header.length != 0 && !header.compound {
            return Ok(None);
        }
        if header.length == 0 {
            return Err(structure_error("zero length explicit tag was not an asn1.Flag"));
        }
        Ok(Some(self.any()?.fields()))
    }

    pub(crate) fn sequence(&mut self, name: &str) -> Read<Fields<'a>> {
        self.expect(tag::SEQUENCE, name).map(|element| element.fields())
    }

    pub(crate) fn integer(&mut self) -> Read<i64> {
        integer(self.expect(tag::INTEGER, "int")?.contents)
    }

    pub(crate) fn big_integer(&mut self) -> Read<BigInt> {
        big_integer(self.expect(tag::INTEGER, "")?.contents)
    }

    pub(crate) fn optional_big_integer(&mut self) -> Read<Option<BigInt>> {
        self.optional(tag::INTEGER)?.map(|element| big_integer(element.contents)).transpose()
    }

    pub(crate) fn octets(&mut self) -> Read<&'a [u8]> {
        self.expect(tag::OCTET_STRING, "").map(|element| element.contents)
    }

    pub(crate) fn oid(&mut self) -> Read<Oid> {
        oid(self.expect(tag::OID, "ObjectIdentifier")?.contents)
    }

    pub(crate) fn bit_string(&mut self) -> Read<BitString<'a>> {
        bit_string(self.expect(tag::BIT_STRING, "BitString")?.contents)
    }

    /// All elements that are left, each of this tag.
    pub(crate) fn all_of(mut self, tag: u8) -> Read<Vec<Element<'a>>> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            let header = self.header(self.at)?;
            if !matches(&header, tag) {
                return Err(structure_error("sequence tag mismatch"));
            }
            let element = self.element(self.at, &header).map_err(|_| syntax_error("truncated sequence"))?;
            self.at = header.start + header.length;
            elements.push(element);
        }
        Ok(elements)
    }
}

fn matches(header: &Header, tag: u8) -> bool {
    header.class == tag >> 6 && header.tag == u32::from(tag & 0x1f) && header.compound == (tag & 0x20 != 0)
}

fn base128(bytes: &[u8], start: usize) -> Read<(u32, usize)> {
    let mut value: u64 = 0;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        if at - start == 5 {
            return Err(structure_error("base 128 integer too large"));
        }
        if at == start && *byte == 0x80 {
            return Err(syntax_error("integer is not minimally encoded"));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        at += 1;
        if byte & 0x80 == 0 {
            let small = i32::try_from(value).ok().and_then(|value| u32::try_from(value).ok());
            return small
                .map(|value| (value, at))
                .ok_or_else(|| structure_error("base 128 integer too large"));
        }
    }
    Err(syntax_error("truncated base 128 integer"))
}

fn checked_integer(bytes: &[u8]) -> Read<()> {
    if bytes.is_empty() {
        return Err(structure_error("empty integer"));
    }
    if !shortest(bytes) {
        return Err(structure_error("integer not minimally-encoded"));
    }
    Ok(())
}

pub(crate) fn integer(bytes: &[u8]) -> Read<i64> {
    checked_integer(bytes)?;
    signed(bytes).ok_or_else(|| structure_error("integer too large"))
}

fn big_integer(bytes: &[u8]) -> Read<BigInt> {
    checked_integer(bytes)?;
    Ok(BigInt::from_signed_bytes_be(bytes))
}

pub(crate) fn boolean(bytes: &[u8]) -> Read<bool> {
    match bytes {
        [0] => Ok(false),
        [0xff] => Ok(true),
        _ => Err(syntax_error("invalid boolean")),
    }
}

pub(crate) fn oid(bytes: &[u8]) -> Read<Oid> {
    if bytes.is_empty() {
        return Err(syntax_error("zero length OBJECT IDENTIFIER"));
    }
    let mut at = 0;
    while at < bytes.len() {
        at = base128(bytes, at)?.1;
    }
    Oid::decode(bytes).ok_or_else(|| structure_error("base 128 integer too large"))
}

pub(crate) fn bit_string(bytes: &[u8]) -> Read<BitString<'_>> {
    if bytes.is_empty() {
        return Err(syntax_error("zero length BIT STRING"));
    }
    BitString::decode(bytes).ok_or_else(|| syntax_error("invalid padding bits in BIT STRING"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_gos_words() {
        let problem = |bytes: &[u8]| Fields::new(bytes).sequence("pkcs8").map(|_| ()).unwrap_err();
        assert_eq!(problem(&[]), "asn1: syntax error: sequence truncated");
        assert_eq!(problem(&[0x30, 0x02, 0]), "asn1: syntax error: data truncated");
        assert_eq!(problem(&[0x30, 0x80]), "asn1: syntax error: indefinite length found (not DER)");
        assert_eq!(problem(&[0x30, 0x81, 1, 0]), "asn1: structure error: non-minimal length");
        assert!(problem(&[2, 1, 0]).starts_with(
            "asn1: structure error: tags don't match (16 vs {class:0 tag:2 length:1 isCompound:false}) {optional"
        ));
        assert!(problem(&[2, 1, 0]).ends_with("} pkcs8 @2"));
    }

    #[test]
    fn what_follows_the_fields_is_ignored() {
        let mut fields = Fields::new(&[0x30, 6, 2, 1, 5, 4, 1, 9, 0xff]);
        let mut inside = fields.sequence("").unwrap();
        assert_eq!(inside.integer(), Ok(5));
        assert_eq!(inside.explicit(0).unwrap().map(|_| ()), None);
        assert_eq!(inside.octets(), Ok(&[9][..]));
        assert!(!fields.is_empty());
    }
}
