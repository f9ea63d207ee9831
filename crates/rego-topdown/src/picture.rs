//! The source of an expression that fails, with arrows from what stands in it to its values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rego_compiler::CheckedProgram;
use rego_syntax::Span;
use rego_syntax::ast::{Expr, ExprKind, Ref, Term, Value as Tree, visit};
use rego_value::Value;

use crate::print::truncated;
use crate::term::{T, to_value};
use crate::trace::{Event, Node, Op};

/// The longest value that is shown whole, in bytes.
const LONGEST: usize = 64;

/// Something in the source that has a value, or should have one.
struct Shown {
    title: String,
    row: u32,
    /// From 1, in bytes.
    col: usize,
    tabs: Vec<usize>,
    value: Option<T>,
}

/// The last expression that failed before the end, as its source; with the values of what stands there if asked for.
#[must_use]
pub fn failure_text(program: &CheckedProgram, events: &[Event], values: bool) -> Option<String> {
    let failed = |event: &&Event| {
        let shown = match &event.node {
            Node::Expr(expr) => !matches!(expr.kind, ExprKind::Every(_)),
            _ => true,
        };
        event.op == Op::Fail && event.query != 0 && shown
    };
    let event = events.iter().rev().find(failed)?;
    let (file, at) = program.sources().locate(event.span)?;
    let mut out = format!("{file}:{}:\n", at.row);
    let Node::Expr(expr) = &event.node else { return Some(out) };
    let picture = Picture { program, event };
    let text = if values { picture.draw(expr) } else { picture.padded(expr.span) };
    text.lines().for_each(|line| {
        let _ = writeln!(out, "  {line}");
    });
    Some(out)
}

struct Picture<'a> {
    program: &'a CheckedProgram,
    event: &'a Event,
}

impl Picture<'_> {
    fn text(&self, span: Span) -> &str {
        self.program.sources().get(span.file).map(|file| file.slice(span)).unwrap_or_default()
    }

    /// The source at its column.
    fn padded(&self, span: Span) -> String {
        let Some(file) = self.program.sources().get(span.file) else { return String::new() };
        let at = file.token_position(span.start);
        let margin: String = (1..at.col as usize)
            .map(|col| if tabs(file.line(at.row)).contains(&col) { '\t' } else { ' ' })
            .collect();
        margin + file.slice(span)
    }

    fn draw(&self, expr: &Expr) -> String {
        let (base, others) = self.siblings(expr);
        let mut found = BTreeMap::new();
        for (_, span, value) in &self.event.documents {
            self.show(self.last_use(*span), Some(value.clone()), &mut found);
        }
        self.terms(expr, !expr.negated, &mut found);
        others.iter().for_each(|other| self.terms(other, false, &mut found));
        let mut out = self.padded(base);
        out.push_str(&arrows_of(found.into_values().collect()));
        out
    }

    /// The expression of the source that this one comes from, and the others that do.
    fn siblings(&self, expr: &Expr) -> (Span, Vec<Expr>) {
        let mut body: Vec<Expr> = Vec::new();
        for module in self.program.modules() {
            visit::walk_bodies(module, &mut |found| {
                if found.iter().any(|other| other.span == expr.span && other == expr) {
                    body = found.to_vec();
                }
                visit::DESCEND
            });
        }
        let holds = |outer: Span| {
            outer.file == expr.span.file && outer.start <= expr.span.start && outer.end >= expr.span.end
        };
        let spans = body.iter().map(|other| other.span).filter(|span| holds(*span));
        let base = spans.max_by_key(|span| span.end - span.start).unwrap_or(expr.span);
        let within = |span: Span| span.file == base.file && base.start <= span.start && span.end <= base.end;
        body.retain(|other| within(other.span) && other != expr);
        (base, body)
    }

    /// The terms of an expression: operands and what `with` gives.
    fn terms(&self, expr: &Expr, unknown_too: bool, found: &mut BTreeMap<String, Shown>) {
        let mut look = |term: &Term| self.look(term, unknown_too, found);
        match &expr.kind {
            ExprKind::Call(terms) => {
                terms.iter().skip(1).for_each(|term| visit::walk_terms(term, &mut look));
            }
            ExprKind::Term(term) => visit::walk_terms(term, &mut look),
            ExprKind::Every(every) => {
                for term in every.key.iter().chain([&every.value, &every.domain]) {
                    visit::walk_terms(term, &mut look);
                }
                every.body.iter().for_each(|expr| self.terms(expr, unknown_too, found));
            }
            ExprKind::Not(not) => not.body.iter().for_each(|expr| self.terms(expr, unknown_too, found)),
            ExprKind::And(both) | ExprKind::Or(both) => {
                both.lhs.iter().chain(both.rhs.iter()).for_each(|expr| self.terms(expr, unknown_too, found));
            }
            ExprKind::SomeDecl(_) => {}
        }
        for with in &expr.with {
            visit::walk_terms(&with.value, &mut |term| self.look(term, unknown_too, found));
        }
    }

    fn look(&self, term: &Term, unknown_too: bool, found: &mut BTreeMap<String, Shown>) -> bool {
        let value = match &term.value {
            Tree::ArrayComp(_) | Tree::SetComp(_) | Tree::ObjectComp(_) => return visit::SKIP,
            Tree::Ref(reference) => match self.selected(reference) {
                Some(value) => Some(T::Value(value)),
                None => return visit::DESCEND,
            },
            Tree::Var(name) => {
                let known = self.event.locals.iter().find(|(known, _)| known == name);
                let renamed = self.program.source_name(name) != name;
                if known.is_none() && !renamed && !unknown_too {
                    return visit::DESCEND;
                }
                known.map(|(_, value)| value.clone())
            }
            _ => return visit::DESCEND,
        };
        let is_root = matches!(&term.value, Tree::Var(name) if name == "data");
        let span = if is_root { self.last_use(term.span) } else { term.span };
        self.show(span, value, found);
        visit::DESCEND
    }

    fn show(&self, span: Span, value: Option<T>, found: &mut BTreeMap<String, Shown>) {
        let Some(file) = self.program.sources().get(span.file) else { return };
        let at = file.token_position(span.start);
        let title = self.text(span).to_owned();
        if found.get(&title).is_none_or(|known| known.value.is_none()) {
            let tabs = tabs(file.line(at.row));
            found.insert(title.clone(), Shown { title, row: at.row, col: at.col as usize, tabs, value });
        }
    }

    /// Where the same name of a document stands last in the file: OPA keeps one place for all uses of an import.
    fn last_use(&self, span: Span) -> Span {
        let name = self.text(span);
        if name == "data" || name.is_empty() {
            return span;
        }
        let mut last = span;
        for module in self.program.modules().iter().filter(|module| module.package.span.file == span.file) {
            visit::walk_refs(module, &mut |reference| {
                if let Some(head) = reference.head()
                    && head.as_var().is_some_and(|head| head == "data")
                    && head.span.start > last.start
                    && self.text(head.span) == name
                {
                    last = head.span;
                }
                visit::DESCEND
            });
        }
        last
    }

    /// What a reference into a variable selects, if all its steps are known.
    fn selected(&self, reference: &Ref) -> Option<Value> {
        let known = |name: &str| {
            let found = self.event.locals.iter().find(|(known, _)| known == name);
            found.and_then(|(_, value)| value.value().cloned())
        };
        let mut at = known(reference.head_var()?)?;
        if reference.steps().is_empty() {
            return None;
        }
        for step in reference.steps() {
            let key = match &step.value {
                Tree::Var(name) => known(name)?,
                _ => to_value(step)?,
            };
            at = at.get(&key)?.clone();
        }
        Some(at)
    }
}

/// The columns of tabs in a line.
fn tabs(line: &str) -> Vec<usize> {
    line.bytes().enumerate().filter(|(_, byte)| *byte == b'\t').map(|(at, _)| at + 1).collect()
}

fn arrows_of(mut shown: Vec<Shown>) -> String {
    let rows: std::collections::BTreeSet<u32> = shown.iter().map(|one| one.row).collect();
    if rows.len() > 1 && shown.iter().any(|one| !one.tabs.is_empty()) {
        shown.sort_by(|a, b| a.title.cmp(&b.title));
        let line = |one: &Shown| format!("\n{}: {}", one.title, text_of(one));
        return format!("\n\nWhere:\n{}", shown.iter().map(line).collect::<String>());
    }
    shown.sort_by(|a, b| a.col.cmp(&b.col).then(b.row.cmp(&a.row)).then(a.title.cmp(&b.title)));
    if shown.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}", arrows(&shown, None));
    for at in (0..shown.len()).rev() {
        out.push('\n');
        out.push_str(&arrows(&shown, Some(at)));
    }
    out
}

fn text_of(one: &Shown) -> String {
    let text = one.value.as_ref().map_or_else(|| "undefined".to_owned(), ToString::to_string);
    truncated(&text, LONGEST)
}

/// One line of arrows; the last of them is the value itself, if one is asked for.
fn arrows(shown: &[Shown], value: Option<usize>) -> String {
    let count = value.map_or(shown.len(), |at| at + 1);
    let mut out = String::new();
    let mut at = 1;
    for (index, one) in shown.iter().take(count).enumerate() {
        let is_last = index + 1 == count;
        let same = |other: Option<&Shown>| other.is_some_and(|other| other.col == one.col);
        if !is_last && same(shown.get(index + 1)) {
            continue;
        }
        while at < one.col {
            out.push(if one.tabs.contains(&at) { '\t' } else { ' ' });
            at += 1;
        }
        if !is_last || value.is_none() {
            out.push('|');
            at += 1;
            continue;
        }
        let before = index.checked_sub(1).and_then(|before| shown.get(before));
        if same(shown.get(index + 1)) || same(before) {
            out.push_str(&one.title);
            out.push_str(": ");
        }
        out.push_str(&text_of(one));
    }
    out
}
