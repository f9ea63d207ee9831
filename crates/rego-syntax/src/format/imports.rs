//! Which imports are written, and in which order.

use std::collections::BTreeSet;

use super::writer::{Loc, Writer};
use super::{FormatOptions, Style};
use crate::ast::visit::{DESCEND, Node, Walk};
use crate::ast::{ExprKind, Import, Module, Name, Ref, RegoVersion, Term};
use crate::span::{SourceFile, Span};

/// An import and the row on which it is to stand.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) import: Import,
    pub(super) row: i64,
    pub(super) col: u32,
    /// The formatter added it.
    pub(super) added: bool,
}

/// The keyword of an import `future.keywords.x`.
pub(super) fn future_keyword(import: &Import) -> Option<&Name> {
    match import.path.as_ref_value()?.as_slice() {
        [_, _, keyword] if is_future(import) && import.alias.is_none() => keyword.as_string(),
        _ => None,
    }
}

fn is_future(import: &Import) -> bool {
    import.path.as_ref_value().and_then(Ref::head_var).is_some_and(|name| *name == "future")
}

fn is(import: &Import, name: &str) -> bool {
    import.path.as_ref_value().is_some_and(|r| r.is_dotted(name))
}

/// The imports that the target needs: what it lacks is added, what it makes redundant goes.
pub(super) fn needed(
    file: &SourceFile,
    module: &Module,
    style: &Style,
    options: &FormatOptions,
) -> Vec<Placed> {
    let mut imports: Vec<Placed> = module
        .imports
        .iter()
        .map(|import| {
            let at = file.position(import.span.start);
            Placed { import: import.clone(), row: i64::from(at.row), col: at.col, added: false }
        })
        .collect();
    let used = used_keywords(module);
    let drop = options.drop_redundant_imports;
    if options.target == RegoVersion::V2 {
        if drop {
            imports
                .retain(|p| !is(&p.import, "rego.v1") && !is(&p.import, "rego.v2") && !is_future(&p.import));
        }
        return imports;
    }
    let has_v2 = imports.iter().any(|p| is(&p.import, "rego.v2"));
    if has_v2 || (options.target == RegoVersion::V1 && drop) {
        imports.retain(|p| !is(&p.import, "rego.v1"));
    } else if options.target == RegoVersion::V0CompatV1 {
        ensure(&mut imports, "rego.v1");
    }
    let has_v1 = has_v2 || imports.iter().any(|p| is(&p.import, "rego.v1"));
    if options.target == RegoVersion::V1 || has_v1 {
        if drop || has_v1 {
            imports.retain(|p| !is_future(&p.import));
        } else {
            for keyword in &style.keywords {
                ensure_keyword(&mut imports, keyword);
            }
        }
        if !has_v2 {
            for keyword in used.iter().filter(|k| matches!(**k, "and" | "or" | "not")) {
                ensure_keyword(&mut imports, keyword);
            }
        }
    } else {
        for keyword in used {
            ensure_keyword(&mut imports, keyword);
        }
    }
    imports
}

/// The keywords of the future that the expressions of a module need.
fn used_keywords(module: &Module) -> BTreeSet<&'static str> {
    let mut used = BTreeSet::new();
    module.walk(&mut |node| {
        if let Node::Expr(expr) = node {
            let keyword = match &expr.kind {
                ExprKind::Every(_) => Some("every"),
                ExprKind::Not(_) => Some("not"),
                ExprKind::And(_) => Some("and"),
                ExprKind::Or(_) => Some("or"),
                ExprKind::Call(_) if expr.is_call_to("internal.member_2") => Some("in"),
                ExprKind::Call(_) if expr.is_call_to("internal.member_3") => Some("in"),
                _ => None,
            };
            used.extend(keyword);
        }
        DESCEND
    });
    used
}

fn ensure_keyword(imports: &mut Vec<Placed>, keyword: &str) {
    let name = format!("future.keywords.{keyword}");
    let has = |p: &Placed| {
        is(&p.import, "future.keywords")
            || is(&p.import, &name)
            || (keyword == "in" && is(&p.import, "future.keywords.every"))
    };
    if !imports.iter().any(has) {
        ensure(imports, &name);
    }
}

/// Adds an import behind the last one of its kind, or before all.
fn ensure(imports: &mut Vec<Placed>, name: &str) {
    if imports.iter().any(|p| is(&p.import, name)) {
        return;
    }
    let last =
        imports.iter().filter(|p| is_future(&p.import) || is(&p.import, "rego.v1")).map(|p| p.row).max();
    let path = Term::reference(Ref::from_dotted(name, Span::NONE).0, Span::NONE);
    let import = Import { path, alias: None, alias_span: Span::NONE, span: Span::NONE };
    imports.push(Placed { import, row: last.map_or(1, |row| row + 1), col: 1, added: true });
}

impl Writer<'_> {
    /// Groups of imports, each in order, with a blank line behind each.
    pub(super) fn write_imports(&mut self, imports: &[&Placed]) {
        let Some((first, rest)) = imports.split_first() else { return };
        let comments = self.take_import_comments(imports);
        let mut groups = vec![vec![*first]];
        for import in rest {
            let previous = groups.last().and_then(|group| group.last()).map_or(0, |p| p.row);
            if import.row - previous > 1 {
                groups.push(Vec::new());
            }
            if let Some(group) = groups.last_mut() {
                group.push(import);
            }
        }
        for mut group in groups {
            if let Some(first) = group.first() {
                // Comments at imports are written behind them, so none can be in the way here.
                let _ = self.insert_comments(Loc::at_row(first.row));
            }
            group.sort_by(|a, b| a.import.cmp(&b.import));
            for placed in group {
                self.start_line();
                self.write_import(&placed.import);
                let comment = comments.iter().find(|(row, _)| *row == placed.row && !placed.added);
                if let Some((_, text)) = comment {
                    self.write(&format!(" #{text}"));
                }
                self.end_line();
            }
            self.blank_line();
        }
    }

    /// Takes the comments that stand behind imports, with their rows.
    fn take_import_comments(&mut self, imports: &[&Placed]) -> Vec<(i64, String)> {
        let mut taken = Vec::new();
        self.comments.retain(|comment| {
            let here = imports.iter().any(|p| !p.added && p.row == comment.row);
            if here {
                taken.push((comment.row, comment.text.to_owned()));
            }
            !here
        });
        taken
    }

    fn write_import(&mut self, import: &Import) {
        self.write("import ");
        if let Some(keyword) = future_keyword(import) {
            self.write(&format!("future.keywords.{keyword}"));
        } else if let Some(path) = import.path.as_ref_value() {
            // No comment can stand inside of a path.
            let _ = self.write_ref(path);
        }
        if let Some(alias) = &import.alias {
            self.write(&format!(" as {alias}"));
        }
    }
}
