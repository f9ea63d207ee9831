//! Writes the library functions that an author's own Rego calls into it.
//!
//! The calls are found in the syntax tree; what is around them stays as it was written.

use std::collections::BTreeSet;

use rego_syntax::ast::visit::walk_refs;
use rego_syntax::{FileId, FormatOptions, ParserOptions, SourceFile, format_module, parse_module};

use crate::rego::{Aliases, imported, library_call};

use super::inline::{append, local_name};

/// The module with all it uses of the library, and without imports of it.
pub(super) fn stand_alone(text: &str) -> String {
    let file = SourceFile::new(FileId(0), "policy.rego", text);
    let Some(module) = parse_module(&file, &ParserOptions::default()).tree else { return text.to_owned() };
    let aliases = Aliases::of(&module);
    let mut used = BTreeSet::new();
    let mut edits: Vec<(usize, usize, String)> = Vec::new();
    for rule in &module.rules {
        walk_refs(rule, &mut |reference| {
            if let Some((package, name, steps)) = library_call(reference, &aliases)
                && let (Some(first), Some(last)) = (reference.0.first(), reference.0.get(steps - 1))
            {
                let name = local_name(package, name);
                edits.push((first.span.range().start, last.span.range().end, name.clone()));
                used.insert(name);
            }
            false
        });
    }
    for import in module.imports.iter().filter(|import| imported(import).is_some()) {
        let start = import.span.range().start;
        let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| start + at + 1);
        edits.push((start, end, String::new()));
    }
    if edits.is_empty() {
        return text.to_owned();
    }
    edits.sort();
    let mut out = replaced(text, &edits);
    append(used, &mut out);
    // Shorter names change where the layout breaks lines.
    let file = SourceFile::new(FileId(0), "policy.rego", out.as_str());
    format_module(&file, &FormatOptions::default()).unwrap_or(out)
}

/// The text with each stretch, from the first on, replaced.
fn replaced(text: &str, edits: &[(usize, usize, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end, new) in edits {
        // A call that is walked twice, as the operator of a term and by itself, is one stretch.
        if *start < done {
            continue;
        }
        out.push_str(text.get(done..*start).unwrap_or_default());
        out.push_str(new);
        done = *end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}
