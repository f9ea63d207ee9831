//! What is said about operands of `and`, `or` and `not` that do not fit.

use super::Parser;
use super::state::State;
use crate::ast::{Body, Expr, ExprKind, Term, Value};
use crate::span::{SourceFile, Span};

impl<'s> Parser<'s> {
    pub(super) fn error_with_on_operand(&mut self, with: Span, operator: &str) {
        self.hint(format!(
            "Wrap the operand in `(...)` or `{{...}}` to scope, or move `with` after the `{operator}` expression \
             to apply it to the whole expression"
        ));
        self.error(with, format!("`with` modifier is not allowed on operand of `{operator}`"));
    }

    /// A statement that begins with a brace, in the place of an operand.
    pub(super) fn error_brace_led_statement(&mut self, expr: &Expr, text: &str, operator: &str) {
        let is_empty =
            matches!(&expr.kind, ExprKind::Term(t) if matches!(&t.value, Value::Object(o) if o.is_empty()));
        if is_empty && expr.with.is_empty() {
            self.error(expr.span, "found empty body");
        } else {
            self.error_brace_led(expr.span, text, operator);
        }
    }

    fn error_brace_led(&mut self, span: Span, text: &str, operator: &str) {
        self.hint(format!("wrap the operand to keep the value: `({text}) {operator} ...`"));
        self.error(
            span,
            format!("operand of `{operator}` cannot begin with `{{` unless the braces hold a body"),
        );
    }

    /// After braces could not be read as a body: where they can be read as a value, says how to write that.
    /// `operator` is the one that the operand belongs to, `None` for `not`.
    pub(super) fn explain_braced_value(&mut self, saved: State<'s>, brace: Span, operator: Option<&str>) {
        let failed = std::mem::replace(&mut self.s, saved);
        let Some(term) = self.parse_infix() else {
            self.s = failed;
            return;
        };
        let text = self.slice(self.until_last(brace)).to_owned();
        match operator {
            Some(operator) => self.error_brace_led(brace, &text, operator),
            None => {
                self.hint(format!(
                    "write `not ({text})` to negate the value, or `not {{{text}}}` for a body holding it"
                ));
                let kind = leading_value(&term).kind_name();
                let message =
                    format!("`{{...}}` in an operand position must contain expression(s), got: {kind}");
                self.error(brace, message);
            }
        }
    }

    pub(super) fn error_parens_around_body(&mut self, open: Span, braces: &str, prefix: &str) {
        self.hint(format!("drop the parens to keep the body: `{prefix}{braces}`"));
        self.error(open, "`(...)` in an operand position cannot contain a body");
    }

    pub(super) fn error_ambiguous_union(&mut self, brace: Span, body: &Body, prefix: &str) {
        let braces = self.slice(self.until_last(brace)).to_owned();
        let union = body.first().map(|expr| expr.span).and_then(|span| {
            let start = (span.start.checked_sub(brace.start)?) as usize;
            let end = (span.end.checked_sub(brace.start)?) as usize;
            let (before, inner, after) = (braces.get(..start)?, braces.get(start..end)?, braces.get(end..)?);
            Some(format!("{before}({inner}){after}"))
        });
        let union = union.unwrap_or_else(|| braces.clone());
        self.hint(format!(
            "write `{prefix}({braces})` for the comprehension, or `{prefix}{union}` for the set union"
        ));
        let message = "ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, not as a comprehension";
        self.error(brace, message);
    }

    /// An operand that only calls functions without a value can never fail.
    pub(super) fn check_void_calls(&mut self, lhs: &Body, rhs: &Body, operator: &str) {
        for body in [lhs, rhs] {
            if let Some((name, span)) = void_call(body) {
                self.hint(format!(
                    "`{name}` produces no value and always succeeds, so the operand can never fail; move it out of \
                     the operand, or add an expression that can fail"
                ));
                self.error(span, format!("operand of `{operator}` cannot consist only of calls to `{name}`"));
            }
        }
    }
}

/// The built-in functions that have no value.
const VOID_BUILTINS: [&str; 2] = ["print", "internal.print"];

fn void_call(body: &Body) -> Option<(&'static str, Span)> {
    let mut first = None;
    for expr in body.iter() {
        let name = VOID_BUILTINS.into_iter().find(|name| !expr.negated && expr.is_call_to(name))?;
        first = first.or(Some((name, expr.span)));
    }
    first
}

/// The value that the first brace of a term opens: that of `{1} & s` is the set.
fn leading_value(term: &Term) -> &Value {
    let mut term = term;
    while let Some([operator, first, ..]) = term.as_call() {
        let is_infix = operator.as_ref_value().is_some_and(|r| INFIX.iter().any(|name| r.is_dotted(name)));
        if !is_infix {
            break;
        }
        term = first;
    }
    &term.value
}

/// The built-in functions that are written as infix operators.
const INFIX: [&str; 17] = [
    "plus",
    "minus",
    "mul",
    "div",
    "rem",
    "and",
    "or",
    "eq",
    "equal",
    "neq",
    "lt",
    "gt",
    "lte",
    "gte",
    "assign",
    "internal.member_2",
    "internal.member_3",
];

/// Whether a body begins with a bare `a | b`, which reads like a set comprehension. The call `or(a, b)` and the
/// parenthesised `(a | b)` do not.
pub(super) fn is_ambiguous_union(body: &Body, file: &SourceFile) -> bool {
    let Some(expr) = body.first() else { return false };
    let Some(operator) = expr.operator_term() else { return false };
    expr.is_call_to("or")
        && file.slice(operator.span) == "|"
        && !file.slice(expr.span).trim_start().starts_with('(')
}
