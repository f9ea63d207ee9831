//! Unicode's categories, scripts and case folding, as the build script has written them down.

use alloc::vec::Vec;

use crate::class::Class;

static CLASSES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/classes.bin"));
static FOLDING: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/folding.bin"));

/// Long names of categories, in the canonical form of [`canonical`].
const ALIASES: &[(&str, &str)] = &[
    ("Casedletter", "LC"),
    ("Closepunctuation", "Pe"),
    ("Cntrl", "Cc"),
    ("Combiningmark", "M"),
    ("Connectorpunctuation", "Pc"),
    ("Control", "Cc"),
    ("Currencysymbol", "Sc"),
    ("Dashpunctuation", "Pd"),
    ("Decimalnumber", "Nd"),
    ("Digit", "Nd"),
    ("Enclosingmark", "Me"),
    ("Finalpunctuation", "Pf"),
    ("Format", "Cf"),
    ("Initialpunctuation", "Pi"),
    ("Lc", "LC"),
    ("Letter", "L"),
    ("Letternumber", "Nl"),
    ("Lineseparator", "Zl"),
    ("Lowercaseletter", "Ll"),
    ("Mark", "M"),
    ("Mathsymbol", "Sm"),
    ("Modifierletter", "Lm"),
    ("Modifiersymbol", "Sk"),
    ("Nonspacingmark", "Mn"),
    ("Number", "N"),
    ("Openpunctuation", "Ps"),
    ("Other", "C"),
    ("Otherletter", "Lo"),
    ("Othernumber", "No"),
    ("Otherpunctuation", "Po"),
    ("Othersymbol", "So"),
    ("Paragraphseparator", "Zp"),
    ("Privateuse", "Co"),
    ("Punct", "P"),
    ("Punctuation", "P"),
    ("Separator", "Z"),
    ("Spaceseparator", "Zs"),
    ("Spacingmark", "Mc"),
    ("Surrogate", "Cs"),
    ("Symbol", "S"),
    ("Titlecaseletter", "Lt"),
    ("Unassigned", "Cn"),
    ("Uppercaseletter", "Lu"),
];

/// The members of a category or script, by any of the names that Go knows.
pub(crate) fn named(name: &str) -> Option<Class> {
    let name = canonical(name);
    let name = core::str::from_utf8(&name).ok()?;
    match name {
        "Any" => return Some(Class::from_range(0, Class::MAX)),
        "Ascii" => return Some(Class::from_range(0, 0x7f)),
        "Assigned" => return table("Cn").map(Class::negated),
        _ => {}
    }
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    table(alias.map_or(name, |(_, category)| *category))
}

/// A capital letter and then small ones, without underscores, spaces and hyphens.
fn canonical(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut first = true;
    for byte in name.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b' ')) {
        out.push(if first { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() });
        first = false;
    }
    out
}

fn table(name: &str) -> Option<Class> {
    let mut rest = CLASSES;
    while let Some((length, after)) = rest.split_first() {
        let (candidate, after) = after.split_at_checked(usize::from(*length))?;
        let (size, after) = after.split_first_chunk::<2>()?;
        let (bytes, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*size)))?;
        if candidate == name.as_bytes() {
            return Some(ranges(bytes));
        }
        rest = after;
    }
    None
}

fn ranges(mut bytes: &[u8]) -> Class {
    let mut class = Class::default();
    let mut next = 0;
    while let (Some(gap), Some(more)) = (varint(&mut bytes), varint(&mut bytes)) {
        class.add(next + gap, next + gap + more);
        next += gap + more + 1;
    }
    class
}

/// Adds whatever differs from a member in case alone.
pub(crate) fn fold(class: &mut Class) {
    let original = class.clone().cleaned();
    let mut bytes = FOLDING;
    let mut first = 0;
    let mut set = Vec::new();
    while let (Some(gap), Some(others)) = (varint(&mut bytes), varint(&mut bytes)) {
        first += gap;
        set.clear();
        set.push(first);
        let mut member = first;
        for _ in 0..others {
            member += varint(&mut bytes).unwrap_or(0);
            set.push(member);
        }
        if set.iter().any(|member| original.contains(*member)) {
            set.iter().for_each(|member| class.add(*member, *member));
        }
    }
}

/// Takes a number of seven bits a byte, the lowest first.
fn varint(bytes: &mut &[u8]) -> Option<u32> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}
