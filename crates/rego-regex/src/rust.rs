//! Expressions in the words of the crate `regex`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::class::Class;
use crate::tree::{Id, Kind, Look, Tree};

/// What is still to be written, the last first.
enum Piece {
    Part(Id),
    Text(Cow<'static, str>),
}

/// The same expression for `regex`. Whatever the two dialects may read differently is written out, flags among it.
pub(crate) fn rust(tree: &Tree) -> String {
    let mut out = String::new();
    let mut names: Vec<&str> = Vec::new();
    let mut pieces = Vec::from([Piece::Part(tree.nodes.len().saturating_sub(1))]);
    while let Some(piece) = pieces.pop() {
        let id = match piece {
            Piece::Part(id) => id,
            Piece::Text(text) => {
                out.push_str(&text);
                continue;
            }
        };
        match &tree.node(id).kind {
            Kind::Empty => out.push_str("(?:)"),
            Kind::Literal(c) => class(&mut out, &[(*c, *c)]),
            Kind::Class(set) => class(&mut out, set.ranges()),
            Kind::Look(look) => out.push_str(condition(*look)),
            Kind::Capture(number, part) => {
                out.push('(');
                let name = tree.groups.get(*number as usize).and_then(Option::as_deref);
                // Rust wants a letter first, and every name once; Go uses the first group of a name.
                if let Some(name) = name
                    && !name.starts_with(|c: char| c.is_ascii_digit())
                    && !names.contains(&name)
                {
                    names.push(name);
                    let _ = write!(out, "?P<{name}>");
                }
                pieces.extend([Piece::Text(")".into()), Piece::Part(*part)]);
            }
            Kind::Concat(parts) => pieces.extend(parts.iter().rev().map(|part| Piece::Part(*part))),
            Kind::Alternate(parts) => {
                out.push_str("(?:");
                pieces.push(Piece::Text(")".into()));
                for (position, part) in parts.iter().enumerate().rev() {
                    pieces.push(Piece::Part(*part));
                    if position > 0 {
                        pieces.push(Piece::Text("|".into()));
                    }
                }
            }
            // `regex` would forget the groups of what never takes part: it is what follows the impossible instead.
            Kind::Repeat { part, most: Some(0), .. } => {
                out.push_str("(?:");
                class(&mut out, &[]);
                pieces.extend([Piece::Text(")?".into()), Piece::Part(*part)]);
            }
            Kind::Repeat { part, least, most, greedy } => {
                out.push_str("(?:");
                let mut text = String::from(")");
                let _ = match most {
                    Some(most) => write!(text, "{{{least},{most}}}"),
                    None => write!(text, "{{{least},}}"),
                };
                text.push_str(if *greedy { "" } else { "?" });
                pieces.extend([Piece::Text(text.into()), Piece::Part(*part)]);
            }
        }
    }
    out
}

fn condition(look: Look) -> &'static str {
    match look {
        Look::TextStart => r"\A",
        Look::TextEnd => r"\z",
        Look::LineStart => "(?m:^)",
        Look::LineEnd => "(?m:$)",
        Look::Word => r"(?-u:\b)",
        Look::NotWord => r"(?-u:\B)",
    }
}

/// A set of characters. Surrogates, of which no text has any, are left out.
fn class(out: &mut String, ranges: &[(u32, u32)]) {
    if let [(c, last)] = ranges
        && c == last
        && let Some(c) = char::from_u32(*c)
    {
        if c.is_ascii_alphanumeric() || !c.is_ascii() {
            out.push(c);
        } else {
            let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
        }
        return;
    }
    let mut members = String::new();
    for (low, high) in ranges {
        let low = if (0xd800..0xe000).contains(low) { 0xe000 } else { *low };
        let high = if (0xd800..0xe000).contains(high) { 0xd7ff } else { *high };
        if low <= high {
            let _ = write!(members, "\\x{{{low:x}}}-\\x{{{high:x}}}");
        }
    }
    if members.is_empty() {
        // A set without members, which nothing is in.
        let _ = write!(members, "^\\x{{0}}-\\x{{{:x}}}", Class::MAX);
    }
    out.push('[');
    out.push_str(&members);
    out.push(']');
}
