//! What a module says of itself in custom sections: that it is one of ours, and what it reads of its input.

use rego_value::abi::LAYOUT_VERSION;

use crate::error::ModuleError;
use crate::input::{self, Node};
use crate::patterns::Pattern;

/// Holds the version of the layout of values as four bytes, little endian.
const LAYOUT: &[u8] = b"rego-layout";

/// Holds what is read of the input.
const INPUT: &[u8] = b"rego-input";

/// Holds the handles of constant strings, four bytes each, little endian.
const STRINGS: &[u8] = b"rego-strings";

/// Holds what arrays of the data are searched by (`rego_wasm::COLUMNS_SECTION`).
const COLUMNS: &[u8] = b"rego-columns";

/// Holds the expressions that the engine matches (`rego_wasm::PATTERNS_SECTION`).
const PATTERNS: &[u8] = b"rego-patterns";

/// Whether the layout of values in the module's memory is the one this engine knows. A module without
/// the section is another compiler's and is talked to in text.
pub(crate) fn is_known(module: &[u8]) -> Result<bool, ModuleError> {
    let Some(content) = custom_section(module, LAYOUT) else { return Ok(false) };
    let version = content.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    match version {
        Some(LAYOUT_VERSION) => Ok(true),
        _ => Err(ModuleError::LayoutVersion { version: version.unwrap_or(0), known: LAYOUT_VERSION }),
    }
}

/// What the module reads of its input: everything, where it does not say.
pub(crate) fn projection(module: &[u8]) -> Result<Node, ModuleError> {
    match custom_section(module, INPUT) {
        None => Ok(Node::whole()),
        Some(content) => input::decode(content).ok_or(ModuleError::Projection),
    }
}

/// The handles of the module's constant strings; none, where it does not say.
pub(crate) fn strings(module: &[u8]) -> Vec<u32> {
    let (handles, _) = custom_section(module, STRINGS).unwrap_or_default().as_chunks();
    handles.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
}

/// The handles of the keys of each column.
pub(crate) fn columns(module: &[u8]) -> Vec<Vec<u32>> {
    let (words, _) = custom_section(module, COLUMNS).unwrap_or_default().as_chunks();
    let mut words = words.iter().map(|bytes| u32::from_le_bytes(*bytes));
    let mut columns = Vec::new();
    while let Some(count) = words.next() {
        columns.push(words.by_ref().take(usize::try_from(count).unwrap_or(usize::MAX)).collect());
    }
    columns
}

/// The module's regular expressions, compiled.
pub(crate) fn patterns(module: &[u8]) -> Result<Vec<Pattern>, ModuleError> {
    let mut rest = custom_section(module, PATTERNS).unwrap_or_default();
    let mut next = || {
        let (length, after) = rest.split_first_chunk()?;
        let (text, after) = after.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        rest = after;
        std::str::from_utf8(text).ok()
    };
    let mut patterns = Vec::new();
    while let (Some(name), Some(expression)) = (next(), next()) {
        patterns.push(Pattern::compile(name, expression)?);
    }
    Ok(patterns)
}

/// The sections that this engine reads, as a module that has nothing else: what of a module is not in its compiled form.
#[cfg(feature = "compiler")]
pub(crate) fn of_engine(module: &[u8]) -> Vec<u8> {
    let mut kept = module.get(..HEADER).unwrap_or_default().to_vec();
    let ours = custom_sections(module).filter(|section| section.name.starts_with(PREFIX));
    ours.for_each(|section| kept.extend(section.whole));
    kept
}

/// The content of a section, in a module that is known to be valid.
fn custom_section<'m>(module: &'m [u8], wanted: &[u8]) -> Option<&'m [u8]> {
    custom_sections(module).find(|section| section.name == wanted).map(|section| section.content)
}

/// Magic and version of a module.
const HEADER: usize = 8;

/// What the names of our sections begin with.
#[cfg(feature = "compiler")]
const PREFIX: &[u8] = b"rego-";

/// A custom section.
struct Section<'m> {
    name: &'m [u8],
    content: &'m [u8],
    /// With what stands before the name.
    #[cfg_attr(not(feature = "compiler"), expect(dead_code, reason = "for those who copy sections"))]
    whole: &'m [u8],
}

fn custom_sections(module: &[u8]) -> impl Iterator<Item = Section<'_>> {
    let mut rest = module.get(HEADER..).unwrap_or_default();
    let next = move || {
        let start = rest;
        let (id, after) = start.split_first()?;
        let (size, after) = number(after)?;
        let (body, following) = after.split_at_checked(size)?;
        rest = following;
        Some((*id, body, start.get(..start.len() - following.len())?))
    };
    std::iter::from_fn(next).filter(|(id, ..)| *id == 0).filter_map(|(_, body, whole)| {
        let (length, body) = number(body)?;
        let (name, content) = body.split_at_checked(length)?;
        Some(Section { name, content, whole })
    })
}

/// An unsigned LEB128 number and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}
