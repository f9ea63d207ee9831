//! Trees that no text stands behind, in the same layout.
//!
//! They are written out plainly and read again, so that there is one layout and not two.

use std::fmt::Write as _;

use super::{FormatOptions, format_module};
use crate::ast::{Body, Ref, Rule};
use crate::span::{FileId, SourceFile};

/// Expressions, one after the other.
#[must_use]
pub fn format_expressions(body: &Body) -> String {
    if body.is_empty() {
        return String::new();
    }
    let mut plain = String::new();
    for expr in body.iter() {
        let _ = writeln!(plain, "{expr}");
    }
    let text = plain.lines().fold("package p\n\nq if {\n".to_owned(), |text, line| text + "\t" + line + "\n")
        + "}\n";
    let Some(text) = formatted(&text) else { return plain };
    let lines =
        text.lines().skip_while(|line| !line.starts_with("q if")).skip(1).take_while(|line| *line != "}");
    lines.fold(String::new(), |out, line| out + line.strip_prefix('\t').unwrap_or(line) + "\n")
}

/// A package with rules.
#[must_use]
pub fn format_rules(package: &Ref, rules: &[Rule]) -> String {
    let path = package.to_string();
    let path = path.strip_prefix("data.").map_or_else(|| path.clone(), ToOwned::to_owned);
    let mut text = format!("package {path}\n");
    for rule in rules {
        let default = if rule.default { "default " } else { "" };
        let _ = write!(text, "\n{default}{}", rule.head);
        if rule.default {
            text.push('\n');
            continue;
        }
        if let [expr] = rule.body.as_slice() {
            let _ = writeln!(text, " if {expr}");
            continue;
        }
        text.push_str(" if {\n");
        for expr in rule.body.iter() {
            let _ = writeln!(text, "\t{expr}");
        }
        text.push_str("}\n");
    }
    formatted(&text).unwrap_or(text)
}

fn formatted(text: &str) -> Option<String> {
    let file = SourceFile::new(FileId(0), "", text);
    format_module(&file, &FormatOptions::default()).ok()
}
