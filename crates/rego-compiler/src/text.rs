//! OPA's one-line text of terms and expressions, which messages quote.

use std::fmt::Write as _;

use rego_syntax::ast::{Body, Expr, ExprKind, Import, Name, Package, Ref, TemplatePart, Term, Value};

const KEYWORDS: [&str; 15] = [
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package",
    "some", "true", "with",
];

/// The text of a reference: `data.a["b c"][x]`.
pub(crate) fn of_ref(reference: &[Term]) -> String {
    let mut out = String::new();
    write_ref(&mut out, reference);
    out
}

/// The text of a term.
pub(crate) fn of_term(term: &Term) -> String {
    of_value(&term.value)
}

/// The text of a value.
pub(crate) fn of_value(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

/// The text of a call.
pub(crate) fn of_call(terms: &[Term]) -> String {
    let mut out = String::new();
    write_call(&mut out, terms);
    out
}

/// The text of a package: `package a.b`.
pub(crate) fn of_package(package: &Package) -> String {
    format!("package {}", of_ref(package.path.steps()))
}

/// The text of an import: `import data.a as b`.
pub(crate) fn of_import(import: &Import) -> String {
    let path = of_term(&import.path);
    match &import.alias {
        Some(alias) => format!("import {path} as {alias}"),
        None => format!("import {path}"),
    }
}

/// The dotted name of a reference, if all its steps can be written with a dot.
pub(crate) fn dotted(reference: &Ref) -> Option<String> {
    let mut out = reference.head_var()?.to_string();
    for step in reference.steps() {
        let step = step.as_string()?;
        if step.contains('.') {
            return None;
        }
        out.push('.');
        out.push_str(step);
    }
    Some(out)
}

/// A variable as the source writes it.
pub(crate) fn of_var(name: &Name) -> &str {
    if name.is_wildcard() { "_" } else { name }
}

fn write_ref(out: &mut String, reference: &[Term]) {
    let Some((head, steps)) = reference.split_first() else { return };
    match &head.value {
        Value::String(text) => out.push_str(text),
        value => write_value(out, value),
    }
    for step in steps {
        match &step.value {
            Value::String(text) if is_plain(text) => {
                out.push('.');
                out.push_str(text);
            }
            Value::String(text) if text.chars().any(|c| c.is_control() || c == '\\') => {
                out.push('[');
                write_string(out, text);
                out.push(']');
            }
            Value::String(text) => {
                let _ = write!(out, "[\"{text}\"]");
            }
            value => {
                out.push('[');
                write_value(out, value);
                out.push(']');
            }
        }
    }
}

fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    starts && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') && !KEYWORDS.contains(&text)
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(number) => out.push_str(number.as_str()),
        Value::String(text) => write_string(out, text),
        Value::Var(name) => out.push_str(of_var(name)),
        Value::Ref(reference) => write_ref(out, reference),
        Value::Call(terms) => write_call(out, terms),
        Value::Array(items) => write_list(out, "[", items, "]"),
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => write_list(out, "{", items, "}"),
        Value::Object(entries) => {
            out.push('{');
            for (i, (key, value)) in entries.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                write_value(out, &key.value);
                out.push_str(": ");
                write_value(out, &value.value);
            }
            out.push('}');
        }
        Value::ArrayComp(comp) => write_comprehension(out, '[', &[&comp.term], &comp.body, ']'),
        Value::SetComp(comp) => write_comprehension(out, '{', &[&comp.term], &comp.body, '}'),
        Value::ObjectComp(comp) => write_comprehension(out, '{', &[&comp.key, &comp.value], &comp.body, '}'),
        Value::TemplateString(template) => {
            out.push_str("$\"");
            for part in &template.parts {
                match part {
                    TemplatePart::Term(Term { value: Value::String(text), .. }) => {
                        out.push_str(&text.replace('{', "\\{"));
                    }
                    TemplatePart::Term(term) => write_value(out, &term.value),
                    TemplatePart::Expr(expr) => {
                        out.push('{');
                        write_expr(out, expr);
                        out.push('}');
                    }
                }
            }
            out.push('"');
        }
    }
}

fn write_list(out: &mut String, open: &str, items: &[Term], close: &str) {
    out.push_str(open);
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        write_value(out, &item.value);
    }
    out.push_str(close);
}

fn write_call(out: &mut String, terms: &[Term]) {
    if let Some((operator, args)) = terms.split_first() {
        write_value(out, &operator.value);
        write_list(out, "(", args, ")");
    }
}

fn write_comprehension(out: &mut String, open: char, terms: &[&Term], body: &Body, close: char) {
    out.push(open);
    for (i, term) in terms.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ": " });
        write_element(out, term);
    }
    out.push_str(" | ");
    write_body(out, body);
    out.push(close);
}

/// Infix calls are written with their operators here, since `|` would be ambiguous.
fn write_element(out: &mut String, term: &Term) {
    if let Value::Call(terms) = &term.value
        && let [Term { value: Value::Ref(operator), .. }, left, right] = terms.as_slice()
        && let Some(infix) = dotted(operator)
            .and_then(|name| rego_builtins::by_name(&name))
            .and_then(|builtin| builtin.infix)
            .filter(|infix| *infix != "in")
    {
        out.push('(');
        write_element(out, left);
        let _ = write!(out, " {infix} ");
        write_element(out, right);
        out.push(')');
        return;
    }
    write_value(out, &term.value);
}

fn write_body(out: &mut String, body: &Body) {
    for (i, expr) in body.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "; " });
        write_expr(out, expr);
    }
}

fn write_braced(out: &mut String, body: &Body, braces: bool) {
    out.push_str(if braces { "{ " } else { "" });
    write_body(out, body);
    out.push_str(if braces { " }" } else { "" });
}

fn write_expr(out: &mut String, expr: &Expr) {
    if expr.negated {
        out.push_str("not ");
    }
    match &expr.kind {
        ExprKind::Call(terms) => match expr.operands() {
            [left, right] if expr.is_equality() => {
                write_value(out, &left.value);
                out.push_str(" = ");
                write_value(out, &right.value);
            }
            _ => write_call(out, terms),
        },
        ExprKind::Term(term) => write_value(out, &term.value),
        ExprKind::SomeDecl(decl) => write_list(out, "some ", &decl.symbols, ""),
        ExprKind::Every(every) => {
            out.push_str("every ");
            if let Some(key) = &every.key {
                write_value(out, &key.value);
                out.push_str(", ");
            }
            write_value(out, &every.value.value);
            out.push_str(" in ");
            write_value(out, &every.domain.value);
            out.push(' ');
            write_braced(out, &every.body, true);
        }
        ExprKind::Not(not) => {
            out.push_str("not ");
            write_braced(out, &not.body, not.explicit_body);
        }
        ExprKind::And(both) | ExprKind::Or(both) => {
            write_braced(out, &both.lhs, both.explicit_lhs);
            out.push_str(if matches!(expr.kind, ExprKind::And(_)) { " and " } else { " or " });
            write_braced(out, &both.rhs, both.explicit_rhs);
        }
    }
    for with in &expr.with {
        out.push_str(" with ");
        write_value(out, &with.target.value);
        out.push_str(" as ");
        write_value(out, &with.value.value);
    }
}
