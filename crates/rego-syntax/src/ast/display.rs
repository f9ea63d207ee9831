//! Terms, expressions and rules as OPA's messages show them: on one line, infix operators as calls.

use std::fmt;

use super::{
    Body, Every, Expr, ExprKind, Head, Import, Logical, Not, Ref, SomeDecl, TemplatePart, Term, Value, With,
};

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::String(s) => f.write_str(&quote(s)),
            Self::Var(name) if name.is_wildcard() => f.write_str("_"),
            Self::Var(name) => write!(f, "{name}"),
            Self::Ref(r) => r.fmt(f),
            Self::Array(terms) => write!(f, "[{}]", List(terms, ", ")),
            Self::Object(entries) => write_object(f, entries),
            Self::Set(terms) if terms.is_empty() => f.write_str("set()"),
            Self::Set(terms) => write!(f, "{{{}}}", List(terms, ", ")),
            Self::ArrayComp(c) => write!(f, "[{} | {}]", CompTerm(&c.term), c.body),
            Self::SetComp(c) => write!(f, "{{{} | {}}}", CompTerm(&c.term), c.body),
            Self::ObjectComp(c) => write!(f, "{{{}: {} | {}}}", CompTerm(&c.key), CompTerm(&c.value), c.body),
            Self::Call(terms) => write_call(f, terms),
            Self::TemplateString(t) => write_template(f, &t.parts),
        }
    }
}

fn write_object(f: &mut fmt::Formatter<'_>, entries: &[(Term, Term)]) -> fmt::Result {
    f.write_str("{")?;
    for (i, (key, value)) in entries.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{key}: {value}")?;
    }
    f.write_str("}")
}

fn write_call(f: &mut fmt::Formatter<'_>, terms: &[Term]) -> fmt::Result {
    match terms.split_first() {
        Some((operator, args)) => write!(f, "{operator}({})", List(args, ", ")),
        None => Ok(()),
    }
}

fn write_template(f: &mut fmt::Formatter<'_>, parts: &[TemplatePart]) -> fmt::Result {
    f.write_str("$\"")?;
    for part in parts {
        match part {
            TemplatePart::Expr(expr) => write!(f, "{{{expr}}}")?,
            TemplatePart::Term(Term { value: Value::String(s), .. }) => {
                let quoted = quote(s);
                let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or_default();
                f.write_str(&inner.replace('{', "\\{"))?;
            }
            TemplatePart::Term(term) => write!(f, "{term}")?,
        }
    }
    f.write_str("\"")
}

/// Terms with a separator between them.
struct List<'a, T>(&'a [T], &'static str);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(self.1)?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

/// The head of a comprehension, where infix operators are shown as such, in parentheses.
struct CompTerm<'a>(&'a Term);

impl fmt::Display for CompTerm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some([operator, lhs, rhs]) = self.0.as_call()
            && let Some(r) = operator.as_ref_value()
            && let Some(symbol) = infix_symbol(r).filter(|symbol| *symbol != "in")
        {
            return write!(f, "({} {symbol} {})", CompTerm(lhs), CompTerm(rhs));
        }
        self.0.fmt(f)
    }
}

/// The symbol of a built-in function that is written as an infix operator.
#[must_use]
pub fn infix_symbol(operator: &Ref) -> Option<&'static str> {
    const SYMBOLS: [(&str, &str); 17] = [
        ("eq", "="),
        ("assign", ":="),
        ("internal.member_2", "in"),
        ("internal.member_3", "in"),
        ("gt", ">"),
        ("gte", ">="),
        ("lt", "<"),
        ("lte", "<="),
        ("neq", "!="),
        ("equal", "=="),
        ("plus", "+"),
        ("minus", "-"),
        ("mul", "*"),
        ("div", "/"),
        ("rem", "%"),
        ("and", "&"),
        ("or", "|"),
    ];
    SYMBOLS.iter().find(|(name, _)| operator.is_dotted(name)).map(|(_, symbol)| *symbol)
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(head) = self.head() else { return Ok(()) };
        match head.as_string() {
            Some(name) => write!(f, "{name}")?,
            None => write!(f, "{head}")?,
        }
        for step in self.steps() {
            match step.as_string() {
                Some(s) if is_var_compatible(s) && !is_keyword(s) => write!(f, ".{s}")?,
                Some(s) if !s.contains(|c: char| c == '\\' || c.is_control()) => write!(f, "[\"{s}\"]")?,
                _ => write!(f, "[{step}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a string can be written as a step behind a dot: a letter or `_`, then letters, digits and `_`.
#[must_use]
pub fn is_var_compatible(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_keyword(text: &str) -> bool {
    crate::token::is_keyword_in(text, super::RegoVersion::V1)
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        List(self, "; ").fmt(f)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("not ")?;
        }
        match &self.kind {
            ExprKind::Call(terms) => match terms.as_slice() {
                [_, lhs, rhs] if self.is_equality() => write!(f, "{lhs} = {rhs}")?,
                _ => write_call(f, terms)?,
            },
            ExprKind::Term(term) => term.fmt(f)?,
            ExprKind::SomeDecl(declaration) => declaration.fmt(f)?,
            ExprKind::Every(every) => every.fmt(f)?,
            ExprKind::Not(not) => not.fmt(f)?,
            ExprKind::And(logical) => write_logical(f, logical, "and")?,
            ExprKind::Or(logical) => write_logical(f, logical, "or")?,
        }
        for with in &self.with {
            write!(f, " {with}")?;
        }
        Ok(())
    }
}

impl fmt::Display for With {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with {} as {}", self.target, self.value)
    }
}

impl fmt::Display for SomeDecl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.symbols.first().and_then(Term::as_call) {
            Some([_, value, domain]) => write!(f, "some {value} in {domain}"),
            Some([_, key, value, domain]) => write!(f, "some {key}, {value} in {domain}"),
            _ => write!(f, "some {}", List(&self.symbols, ", ")),
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("every ")?;
        if let Some(key) = &self.key {
            write!(f, "{key}, ")?;
        }
        write!(f, "{} in {} {{ {} }}", self.value, self.domain, self.body)
    }
}

impl fmt::Display for Not {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.body.as_slice() {
            [expr] if !self.explicit_body && is_logical(expr) => write!(f, "not ({expr})"),
            [expr] if !self.explicit_body => write!(f, "not {expr}"),
            _ => write!(f, "not {{{}}}", self.body),
        }
    }
}

fn is_logical(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::And(_) | ExprKind::Or(_))
}

fn write_logical(f: &mut fmt::Formatter<'_>, logical: &Logical, operator: &str) -> fmt::Result {
    write_operand(f, &logical.lhs, logical.explicit_lhs, operator, false)?;
    write!(f, " {operator} ")?;
    write_operand(f, &logical.rhs, logical.explicit_rhs, operator, true)
}

fn write_operand(
    f: &mut fmt::Formatter<'_>,
    body: &Body,
    explicit: bool,
    operator: &str,
    is_rhs: bool,
) -> fmt::Result {
    let [expr] = body.as_slice() else { return write!(f, "{{ {body} }}") };
    if explicit {
        return write!(f, "{{ {body} }}");
    }
    let needs_parens = match expr.kind {
        ExprKind::Or(_) => operator == "and" || is_rhs,
        ExprKind::And(_) => is_rhs && operator == "and",
        _ => false,
    };
    if needs_parens || !expr.with.is_empty() { write!(f, "({expr})") } else { write!(f, "{expr}") }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reference)?;
        if !self.args.is_empty() {
            write!(f, "({})", List(&self.args, ", "))?;
        } else if let Some(key) =
            self.key.as_ref().filter(|_| self.reference.len() == 1 || self.value.is_none())
        {
            write!(f, " contains {key}")?;
        }
        match &self.value {
            Some(value) if self.assign => write!(f, " := {value}"),
            Some(value) => write!(f, " = {value}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "import {}", self.path)?;
        match &self.alias {
            Some(alias) => write!(f, " as {alias}"),
            None => Ok(()),
        }
    }
}

/// A string as Go's `strconv.Quote` writes it.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", c as u32)),
            '\u{feff}'
            | '\u{80}'..='\u{a0}'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
