//! Writes Unicode's categories, scripts and case folding, as Go 1.26 has them (Unicode 15.0), in a compact form: the
//! tables of `regex-syntax` cannot be reached without its parser, and are twenty times as large.
//!
//! `classes.bin`: for each table the length of its name, the name, the length of its ranges in bytes (two bytes, little
//! endian), and the ranges: for each the distance from the end of the one before and its length less one, as varints.
//! `folding.bin`: the sets of characters that are one when case is ignored: for each the distance of its first character
//! from the one of the set before, how many others there are, and the distance of each from its predecessor.
#![allow(
    clippy::expect_used,
    clippy::disallowed_types,
    reason = "a build script: what goes wrong stops the build"
)]

use std::path::Path;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// The version of Unicode that Go 1.26 has.
const AGE: &str = r"\p{Age=15.0}";

/// Go's names of categories, but for `C` and `Cn`, which are what is in none of these.
const CATEGORIES: &[&str] = &[
    "Cc", "Cf", "Co", "L", "LC", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No",
    "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// The scripts that Go finds: those whose names are one word.
const SCRIPTS: &[&str] = &[
    "Adlam",
    "Ahom",
    "Arabic",
    "Armenian",
    "Avestan",
    "Balinese",
    "Bamum",
    "Batak",
    "Bengali",
    "Bhaiksuki",
    "Bopomofo",
    "Brahmi",
    "Braille",
    "Buginese",
    "Buhid",
    "Carian",
    "Chakma",
    "Cham",
    "Cherokee",
    "Chorasmian",
    "Common",
    "Coptic",
    "Cuneiform",
    "Cypriot",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Dogra",
    "Duployan",
    "Elbasan",
    "Elymaic",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Grantha",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanunoo",
    "Hatran",
    "Hebrew",
    "Hiragana",
    "Inherited",
    "Javanese",
    "Kaithi",
    "Kannada",
    "Katakana",
    "Kawi",
    "Kharoshthi",
    "Khmer",
    "Khojki",
    "Khudawadi",
    "Lao",
    "Latin",
    "Lepcha",
    "Limbu",
    "Lisu",
    "Lycian",
    "Lydian",
    "Mahajani",
    "Makasar",
    "Malayalam",
    "Mandaic",
    "Manichaean",
    "Marchen",
    "Medefaidrin",
    "Miao",
    "Modi",
    "Mongolian",
    "Mro",
    "Multani",
    "Myanmar",
    "Nabataean",
    "Nandinagari",
    "Newa",
    "Nko",
    "Nushu",
    "Ogham",
    "Oriya",
    "Osage",
    "Osmanya",
    "Palmyrene",
    "Phoenician",
    "Rejang",
    "Runic",
    "Samaritan",
    "Saurashtra",
    "Sharada",
    "Shavian",
    "Siddham",
    "Sinhala",
    "Sogdian",
    "Soyombo",
    "Sundanese",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Takri",
    "Tamil",
    "Tangsa",
    "Tangut",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Tirhuta",
    "Toto",
    "Ugaritic",
    "Vai",
    "Vithkuqi",
    "Wancho",
    "Yezidi",
    "Yi",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = std::env::var_os("OUT_DIR").expect("cargo says where");
    let write = |name: &str, bytes: Vec<u8>| {
        std::fs::write(Path::new(&out).join(name), bytes).expect("the folder can be written to");
    };
    let assigned = class(AGE);
    write("classes.bin", classes(&assigned));
    write("folding.bin", folding(&assigned));
}

/// The tables of categories and scripts.
fn classes(assigned: &ClassUnicode) -> Vec<u8> {
    let mut out = Vec::new();
    for name in CATEGORIES {
        let mut ranges =
            if *name == "LC" { class(r"[\p{Lu}\p{Ll}\p{Lt}]") } else { class(&format!(r"\p{{{name}}}")) };
        ranges.intersect(assigned);
        table(&mut out, name, &ranges);
    }
    let mut unassigned = assigned.clone();
    unassigned.negate();
    table(&mut out, "Cn", &unassigned);
    let mut other = class(r"[\p{Cc}\p{Cf}\p{Co}]");
    other.union(&unassigned);
    table(&mut out, "C", &other);
    // No text that this crate is given has surrogates.
    table(&mut out, "Cs", &ClassUnicode::empty());
    for name in SCRIPTS {
        let mut ranges = class(&format!(r"\p{{Script={name}}}"));
        ranges.intersect(assigned);
        table(&mut out, name, &ranges);
    }
    out
}

fn table(out: &mut Vec<u8>, name: &str, ranges: &ClassUnicode) {
    let mut bytes = Vec::new();
    let mut next = 0;
    for range in ranges.iter() {
        let (start, end) = (u32::from(range.start()), u32::from(range.end()));
        varint(&mut bytes, start - next);
        varint(&mut bytes, end - start);
        next = end + 1;
    }
    out.push(name.len() as u8);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(&u16::try_from(bytes.len()).expect("a short table").to_le_bytes());
    out.extend_from_slice(&bytes);
}

/// The sets of characters that differ in case alone, each once.
fn folding(assigned: &ClassUnicode) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = 0;
    for c in assigned.iter().flat_map(|range| range.start()..=range.end()) {
        let mut set = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
        set.case_fold_simple();
        set.intersect(assigned);
        let set: Vec<u32> = set.iter().flat_map(|range| range.start()..=range.end()).map(u32::from).collect();
        if set.len() < 2 || set.first() != Some(&u32::from(c)) {
            continue;
        }
        varint(&mut out, u32::from(c) - last);
        last = u32::from(c);
        varint(&mut out, (set.len() - 1) as u32);
        for pair in set.windows(2) {
            varint(&mut out, pair.last().expect("two") - pair.first().expect("two"));
        }
    }
    out
}

fn class(pattern: &str) -> ClassUnicode {
    let hir = regex_syntax::parse(pattern).expect("a class that regex-syntax has");
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => class,
        HirKind::Literal(literal) => {
            let text = String::from_utf8(literal.0.into_vec()).expect("a character");
            ClassUnicode::new(text.chars().map(|c| ClassUnicodeRange::new(c, c)))
        }
        _ => ClassUnicode::empty(),
    }
}

fn varint(out: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
