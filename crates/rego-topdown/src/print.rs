//! Events as OPA prints them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rego_compiler::CheckedProgram;
use rego_syntax::ast::{Expr, ExprKind, Name, visit};

use crate::term::T;
use crate::trace::{Event, Node, Op};

/// How many blanks stand between columns, beside one.
const GAP: usize = 4;

/// The longest value of a variable, in bytes.
const LONGEST: usize = 32;

/// A trace as text: one line per event with its place, and with the values of variables if asked for. `indent` stands
/// before each column, and at the end of each line.
#[must_use]
pub fn trace_text(program: &CheckedProgram, events: &[Event], values: bool, indent: &str) -> String {
    let mut depths = BTreeMap::new();
    let mut rows: Vec<[String; 3]> = Vec::new();
    for event in events {
        let depth = depth_of(&mut depths, event);
        let variables = if values { variables(program, event) } else { String::new() };
        rows.push([place(program, event), line(program, event, depth), variables]);
    }
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max();
    let (first, second) = (width(0).unwrap_or_default() + GAP, width(1).unwrap_or_default() + GAP);
    let mut out = String::new();
    for [place, event, variables] in &rows {
        let _ = match values {
            false => writeln!(out, "{indent}{} {indent}{event}{indent}", padded(place, first)),
            true => {
                let (place, event) = (padded(place, first), padded(event, second));
                writeln!(out, "{indent}{place} {indent}{event} {indent}{variables}{indent}")
            }
        };
    }
    out
}

/// A text and blanks, as wide in bytes as asked for.
fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.len());
    format!("{text}{}", " ".repeat(blanks))
}

/// A query is one deeper than the one that it is part of.
fn depth_of(depths: &mut BTreeMap<u64, usize>, event: &Event) -> usize {
    match depths.get(&event.query) {
        Some(depth) if *depth > 0 => *depth,
        _ => {
            let depth = depths.get(&event.parent).copied().unwrap_or_default() + 1;
            depths.insert(event.query, depth);
            depth
        }
    }
}

fn place(program: &CheckedProgram, event: &Event) -> String {
    match program.sources().locate(event.span) {
        Some((file, at)) if !file.is_empty() => format!("{file}:{}", at.row),
        Some((_, at)) => format!("query:{}", at.row),
        None => "query:1".to_owned(),
    }
}

fn line(program: &CheckedProgram, event: &Event, depth: usize) -> String {
    let is_expr = matches!(event.node, Node::Expr(_));
    let bars = match event.op {
        Op::Enter => depth - 1,
        Op::Redo if !is_expr => depth - 1,
        _ => depth,
    };
    let mut out = format!("{}{} ", "| ".repeat(bars), event.op.name());
    match (&event.node, &event.reference) {
        (Node::Text(text), _) if event.op == Op::Note => {
            let _ = write!(out, "\"{text}\"");
            return out;
        }
        (Node::Rule(rule), _) => {
            let _ = write!(out, "{}", rule.reference.constant_prefix());
        }
        (_, Some(reference)) => out.push_str(reference),
        (Node::Expr(expr), None) => out.push_str(&expression(program, expr)),
        (Node::Body(body), None) => {
            let parts: Vec<String> = body.iter().map(|expr| expression(program, expr)).collect();
            out.push_str(&parts.join("; "));
        }
        (Node::Text(text), None) => out.push_str(text),
        (Node::Case(case), None) => {
            let _ = write!(out, "internal.test_case({case})");
        }
    }
    if !event.message.is_empty() {
        out.push(' ');
        out.push_str(&event.message);
    }
    out
}

/// An expression with the variables of the source.
pub(crate) fn expression(program: &CheckedProgram, expr: &Expr) -> String {
    if let ExprKind::Every(every) = &expr.kind
        && let Some(key) = every.key.as_ref().and_then(|key| key.as_var())
        && program.source_name(key).is_generated()
    {
        let mut every = every.clone();
        every.key = None;
        let expr = Expr { kind: ExprKind::Every(every), ..expr.clone() };
        return with_source_names(program, &expr.to_string());
    }
    with_source_names(program, &expr.to_string())
}

/// A text of the compiler with the variables of the source in place of those that it made of them.
pub(crate) fn with_source_names(program: &CheckedProgram, text: &str) -> String {
    const PREFIX: &str = "__local";
    let mut out = String::new();
    let text = without_captures(text);
    let mut rest = text.as_str();
    while let Some(start) = rest.find(PREFIX) {
        let (before, behind) = rest.split_at(start);
        out.push_str(before);
        let digits = behind.chars().skip(PREFIX.len()).take_while(char::is_ascii_digit).count();
        let (name, after) = behind.split_at(PREFIX.len() + digits);
        match after.strip_prefix("__") {
            Some(after) if digits > 0 => {
                let name = Name::from(format!("{name}__"));
                out.push_str(program.source_name(&name));
                rest = after;
            }
            _ => {
                out.push_str(name);
                rest = after;
            }
        }
    }
    out + rest
}

/// The variables that hold the values of a query's expressions have no name of their own.
fn without_captures(text: &str) -> String {
    const PREFIX: &str = "__capture";
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(PREFIX) {
        out.push_str(before);
        match behind.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("__") {
            Some(after) => {
                out.push('_');
                rest = after;
            }
            None => {
                out.push_str(PREFIX);
                rest = behind;
            }
        }
    }
    out + rest
}

/// The variables of an event that have a value.
fn variables(program: &CheckedProgram, event: &Event) -> String {
    let mut shown: BTreeMap<String, &T> = BTreeMap::new();
    for (reference, _, value) in &event.documents {
        shown.insert(reference.to_string(), value);
    }
    let mut add = |name: &Name| {
        if let Some((_, value)) = event.locals.iter().find(|(known, _)| known == name) {
            shown.insert(program.source_name(name).to_string(), value);
        }
    };
    match &event.node {
        Node::Expr(expr) => visit::walk_vars(&**expr, &mut add),
        Node::Body(body) => body.iter().for_each(|expr| visit::walk_vars(&**expr, &mut add)),
        Node::Rule(rule) => visit::walk_vars(&rule.source.head, &mut add),
        Node::Text(_) | Node::Case(_) => {}
    }
    let pair = |(name, value): (&String, &&T)| format!("{name}: {}", truncated(&value.to_string(), LONGEST));
    format!("{{{}}}", shown.iter().map(pair).collect::<Vec<_>>().join(", "))
}

/// A text of at most this many bytes.
pub(crate) fn truncated(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let mut end = longest.saturating_sub(3);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", text.get(..end).unwrap_or_default())
}
