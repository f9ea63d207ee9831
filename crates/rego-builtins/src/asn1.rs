//! DER, read as Go's two readers read it.
//!
//! Certificates go through [`Der`] (Go's `cryptobyte`): an element is there or it is not. Keys and requests
//! go through [`unmarshal`] (Go's `encoding/asn1`), which is laxer and says what is wrong. Which bytes are a
//! certificate or a key is a decision that policies build on, so the two are kept apart, as there.

mod der;
pub(crate) mod oid;
mod strings;
pub(crate) mod unmarshal;

pub(crate) use der::{BitString, Der};
pub(crate) use oid::{Oid, oid_text};
pub(crate) use strings::{bmp, directory_string, is_ia5, latin1};

/// Tags of universal types, constructed where the type always is.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 1;
    pub(crate) const INTEGER: u8 = 2;
    pub(crate) const BIT_STRING: u8 = 3;
    pub(crate) const OCTET_STRING: u8 = 4;
    pub(crate) const OID: u8 = 6;
    pub(crate) const UTF8_STRING: u8 = 12;
    pub(crate) const NUMERIC_STRING: u8 = 18;
    pub(crate) const PRINTABLE_STRING: u8 = 19;
    pub(crate) const T61_STRING: u8 = 20;
    pub(crate) const IA5_STRING: u8 = 22;
    pub(crate) const UTC_TIME: u8 = 23;
    pub(crate) const GENERALIZED_TIME: u8 = 24;
    pub(crate) const BMP_STRING: u8 = 30;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[number]` of a primitive type.
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]` of a constructed type.
    pub(crate) const fn constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// The encoding of NULL.
pub(crate) const NULL: &[u8] = &[5, 0];
