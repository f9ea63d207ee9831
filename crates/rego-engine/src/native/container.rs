//! The form of a container.
//!
//! ```text
//! magic          8 bytes   "REGONATV"
//! format         u16       1
//! signed         u16       1 when a signature follows the header, else 0
//! length         u32       of the header
//! header         length    see [`Header`]: texts and digests, each text with its length before it
//! key            32 bytes  where signed: the public key
//! signature      64 bytes  where signed: Ed25519 over [`DOMAIN`] and all bytes up to here without the key
//! sections                 the module's custom sections that the engine reads, as a module without code
//! code                     what wasmtime compiled
//! ```
//!
//! Numbers are little endian. The header holds the digest of what follows it, so that the signature covers everything.

use sha2::{Digest, Sha256};

use super::verified::NativeError;

const MAGIC: &[u8; 8] = b"REGONATV";

/// The version of the container's form.
const FORMAT: u16 = 1;

/// Keeps these signatures from meaning anything elsewhere.
pub(super) const DOMAIN: &[u8] = b"hexarch native module 1\0";

/// Magic, format, flag and length.
const PREFIX: usize = 16;

pub(super) const KEY: usize = 32;
pub(super) const SIGNATURE: usize = 64;

/// Headers are a few hundred bytes.
const MOST_HEADER: usize = 1 << 16;

pub(super) type Sum = [u8; 32];

/// What a container needs of the machine that runs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The major version of wasmtime that compiled it.
    pub wasmtime: String,
    /// Processor architecture and operating system, such as `x86_64-linux`.
    pub target: String,
    /// The features of the processor that the code uses, by the names of Rust's `is_x86_feature_detected` and its like.
    pub cpu_features: Vec<String>,
}

/// What a container says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) requirements: Requirements,
    /// The digest of the module in WebAssembly.
    pub(super) wasm: Sum,
    /// What the maker noted of the sources.
    pub(super) sources: Sum,
    /// How long the custom sections are.
    pub(super) sections: u64,
    /// How long the code is.
    pub(super) code: u64,
    /// The digest of both.
    pub(super) payload: Sum,
}

/// A container, taken apart; nothing of it is known to be true.
pub(super) struct Parts<'b> {
    pub(super) header: Header,
    /// What was signed, the key that is said to have signed it, and the signature.
    pub(super) signature: Option<(&'b [u8], &'b [u8; KEY], &'b [u8; SIGNATURE])>,
    /// Sections and code.
    pub(super) payload: &'b [u8],
}

pub(super) fn digest(bytes: &[u8]) -> Sum {
    Sha256::digest(bytes).into()
}

#[cfg(feature = "compiler")]
impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let features = self.requirements.cpu_features.join(",");
        for text in [&self.requirements.wasmtime, &self.requirements.target, &features] {
            out.extend(length(text.len()));
            out.extend(text.as_bytes());
        }
        out.extend(self.wasm);
        out.extend(self.sources);
        out.extend(self.sections.to_le_bytes());
        out.extend(self.code.to_le_bytes());
        out.extend(self.payload);
        out
    }

    /// Everything before the payload but the signature.
    pub(super) fn front(&self, signed: bool) -> Vec<u8> {
        let header = self.encode();
        let mut out = MAGIC.to_vec();
        out.extend(FORMAT.to_le_bytes());
        out.extend(u16::from(signed).to_le_bytes());
        out.extend(length(header.len()));
        out.extend(header);
        out
    }
}

/// A length as it is written. A header is never near the limit; one that were would be refused when it is read.
#[cfg(feature = "compiler")]
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

/// Takes from the front of what is left.
struct Taker<'b>(&'b [u8]);

impl<'b> Taker<'b> {
    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = usize::try_from(u32::from_le_bytes(*self.array()?)).ok()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }
}

fn header(bytes: &[u8]) -> Option<Header> {
    let mut taker = Taker(bytes);
    let (wasmtime, target) = (taker.text()?.to_owned(), taker.text()?.to_owned());
    let cpu_features = taker.text()?.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let header = Header {
        requirements: Requirements { wasmtime, target, cpu_features },
        wasm: *taker.array()?,
        sources: *taker.array()?,
        sections: u64::from_le_bytes(*taker.array()?),
        code: u64::from_le_bytes(*taker.array()?),
        payload: *taker.array()?,
    };
    taker.0.is_empty().then_some(header)
}

/// Takes a container apart, and checks that it is whole. Believes nothing and runs nothing.
pub(super) fn parse(bytes: &[u8]) -> Result<Parts<'_>, NativeError> {
    let mut taker = Taker(bytes);
    let short = |expected: usize| NativeError::Truncated { expected, found: bytes.len() };
    let begin = bytes.get(..MAGIC.len()).unwrap_or(bytes);
    if bytes.is_empty() || !MAGIC.starts_with(begin) {
        return Err(NativeError::NotNative);
    }
    taker.bytes(MAGIC.len()).ok_or(short(PREFIX))?;
    let format = u16::from_le_bytes(*taker.array().ok_or(short(PREFIX))?);
    if format != FORMAT {
        return Err(NativeError::Format { found: format, known: FORMAT });
    }
    let signed = u16::from_le_bytes(*taker.array().ok_or(short(PREFIX))?);
    let length = u32::from_le_bytes(*taker.array().ok_or(short(PREFIX))?);
    let length = usize::try_from(length).ok().filter(|length| *length <= MOST_HEADER);
    let length = length.filter(|_| signed <= 1).ok_or(NativeError::Altered)?;
    let front = PREFIX + length + if signed == 1 { KEY + SIGNATURE } else { 0 };
    let header = header(taker.bytes(length).ok_or(short(front))?).ok_or(NativeError::Altered)?;
    let signature = match signed {
        0 => None,
        _ => {
            let message = bytes.get(..PREFIX + length).ok_or(short(front))?;
            let key = taker.array().ok_or(short(front))?;
            Some((message, key, taker.array().ok_or(short(front))?))
        }
    };
    let payload = header.sections.checked_add(header.code);
    let payload = payload.and_then(|length| usize::try_from(length).ok()).ok_or(NativeError::Altered)?;
    match taker.0.len() {
        found if found < payload => Err(short(front.saturating_add(payload))),
        found if found > payload => Err(NativeError::Altered),
        _ => Ok(Parts { header, signature, payload: taker.0 }),
    }
}
