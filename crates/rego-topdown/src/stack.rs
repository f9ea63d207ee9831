//! The source of an expression with the values of its variables.

use rego_syntax::Span;
use rego_syntax::ast::{Expr, ExprKind, Term, Value as Tree};

use crate::machine::{B, Machine};
use crate::term::T;

/// The longest text of an expression or value, in characters.
const LONGEST: usize = 80;

/// A text with single blanks, not longer than anybody wants to read.
pub(crate) fn shortened(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

impl Machine<'_> {
    /// The source of an expression with its variables replaced by their values.
    pub(crate) fn text_with_values(&self, expr: &Expr, b: B) -> String {
        let Some(file) = self.program.sources().get(expr.span.file) else { return String::new() };
        let source = file.slice(expr.span);
        let mut terms = Vec::new();
        variables(expr, &mut terms);
        let mut places: Vec<(usize, usize, String)> = Vec::new();
        for term in terms {
            let Some((start, end)) = within(expr.span, term.span) else { continue };
            let value = self.plug(&T::of(term), b);
            if value.is_var() || !value.is_ground() {
                continue;
            }
            let text = value.to_string();
            if text.len() <= LONGEST {
                places.push((start, end, text));
            }
        }
        places.sort_by_key(|(start, _, _)| *start);
        let (mut out, mut at) = (String::new(), 0);
        for (start, end, text) in places {
            if start < at {
                continue;
            }
            out.push_str(source.get(at..start).unwrap_or_default());
            out.push_str(&text);
            at = end;
        }
        out.push_str(source.get(at..).unwrap_or_default());
        out
    }
}

fn within(outer: Span, inner: Span) -> Option<(usize, usize)> {
    let holds = outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end;
    (holds && inner.end > inner.start)
        .then(|| ((inner.start - outer.start) as usize, (inner.end - outer.start) as usize))
}

/// The variables that an expression reads.
fn variables<'a>(expr: &'a Expr, found: &mut Vec<&'a Term>) {
    match &expr.kind {
        ExprKind::Term(term) => in_term(term, found),
        ExprKind::Call(terms) => terms.iter().skip(1).for_each(|term| in_term(term, found)),
        ExprKind::Every(every) => {
            in_term(&every.domain, found);
            every.body.iter().for_each(|expr| variables(expr, found));
        }
        _ => {}
    }
    expr.with.iter().for_each(|with| in_term(&with.value, found));
}

fn in_term<'a>(term: &'a Term, found: &mut Vec<&'a Term>) {
    match &term.value {
        Tree::Var(_) => found.push(term),
        Tree::Ref(terms) => terms.iter().for_each(|term| in_term(term, found)),
        Tree::Call(terms) => terms.iter().skip(1).for_each(|term| in_term(term, found)),
        Tree::Array(terms) | Tree::Set(terms) => terms.iter().for_each(|term| in_term(term, found)),
        Tree::Object(members) => members.iter().for_each(|(key, value)| {
            in_term(key, found);
            in_term(value, found);
        }),
        _ => {}
    }
}
