//! Numbers, strings and template strings.

use super::Parser;
use crate::ast::{Expr, ExprKind, Number, TemplatePart, TemplateString, Term, Value};
use crate::span::Span;
use crate::token::Token;

/// OPA's bound on the binary exponent of a number.
const MAX_EXPONENT: f64 = 1e5;

/// Why a number literal is refused.
enum NumberError {
    Invalid,
    TooBig,
}

impl Parser<'_> {
    /// A number; the current token is its sign, its point or its digits.
    pub(super) fn parse_number(&mut self) -> Option<Term> {
        let start = self.token_span();
        let mut text = String::new();
        if self.s.token == Token::Sub {
            text.push('-');
            self.scan();
            if !matches!(self.s.token, Token::Number | Token::Dot) {
                self.illegal("expected number");
                return None;
            }
        }
        if self.s.token == Token::Dot {
            text.push('.');
            self.scan();
            if self.s.token != Token::Number {
                self.illegal("expected number");
                return None;
            }
        } else if has_leading_zero(&self.s.text) {
            self.illegal("expected number without leading zero");
            return None;
        }
        text.push_str(&self.s.text);
        match check_number(&text) {
            Ok(()) => Some(Term::new(Value::Number(Number::new(&text)), start)),
            Err(NumberError::TooBig) => {
                self.error(self.token_span(), "number too big");
                None
            }
            Err(NumberError::Invalid) => {
                self.illegal("invalid float");
                None
            }
        }
    }

    /// A string or a raw string.
    pub(super) fn parse_string(&mut self) -> Option<Term> {
        let span = self.token_span();
        let text = &self.s.text;
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        if text.starts_with('`') || !inner.contains('\\') {
            return Some(Term::string(inner, span));
        }
        let Some(value) = unescape(inner) else {
            self.error(span, format!("illegal string literal: {text}"));
            return None;
        };
        Some(Term::string(value, span))
    }

    /// A template string; the current token is its first piece.
    pub(super) fn parse_template_string(&mut self, multi_line: bool) -> Option<Term> {
        let start = self.token_span();
        if !self.options.features.template_strings && self.options.rego_version != crate::ast::RegoVersion::V2
        {
            self.error(start, "template strings are not supported by current capabilities");
            return None;
        }
        let mut parts = Vec::new();
        loop {
            let piece = self.template_piece(multi_line)?;
            if !piece.is_empty() {
                parts.push(TemplatePart::Term(Term::string(piece, self.token_span())));
            }
            if matches!(self.s.token, Token::TemplateStringEnd | Token::RawTemplateStringEnd) {
                break;
            }
            parts.push(self.parse_template_part()?);
            if self.s.token != Token::RBrace {
                self.error(self.token_span(), "expected } to end template string expression");
                return None;
            }
            self.scan_template(multi_line);
        }
        let template = TemplateString { multi_line, parts };
        let span = start.until(self.token_span().end);
        Some(Term::new(Value::TemplateString(Box::new(template)), span))
    }

    /// The text of the current piece, its escapes resolved.
    fn template_piece(&mut self, raw: bool) -> Option<String> {
        let is_piece = matches!(
            self.s.token,
            Token::TemplateStringPart
                | Token::TemplateStringEnd
                | Token::RawTemplateStringPart
                | Token::RawTemplateStringEnd
        );
        if !is_piece {
            self.error(self.token_span(), "expected template-string part");
            return None;
        }
        let text = &self.s.text;
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        if raw || !inner.contains('\\') {
            return Some(inner.to_owned());
        }
        let value = unescape(inner);
        if value.is_none() {
            self.error(self.token_span(), format!("illegal template-string part: {text}"));
        }
        value
    }

    /// The expression in braces. A scalar that no comment accompanies is kept as the term that it is.
    fn parse_template_part(&mut self) -> Option<TemplatePart> {
        let from = self.token_span().end;
        self.scan();
        let to = self.token_span().start;
        let commented = self.comments.iter().rev().take_while(|c| c.start >= from).any(|c| c.start < to);
        let Some(expr) = self.parse_literal() else {
            self.error(self.token_span(), "invalid template-string expression");
            return None;
        };
        if let Some(what) = misplaced(&expr) {
            self.error(expr.span, format!("unexpected {what} in template-string expression"));
            return None;
        }
        if let ExprKind::Term(term) = &expr.kind
            && !commented
            && matches!(term.value, Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null)
        {
            return Some(TemplatePart::Term(term.clone()));
        }
        Some(TemplatePart::Expr(Box::new(expr)))
    }

    /// The text behind a span of this file.
    pub(super) fn slice(&self, span: Span) -> &str {
        self.file.slice(span)
    }
}

/// What may not stand in a template string.
fn misplaced(expr: &Expr) -> Option<&'static str> {
    if expr.negated {
        return Some("negation ('not')");
    }
    if expr.is_equality() {
        return Some("unification ('=')");
    }
    if expr.is_assignment() {
        return Some("assignment (':=')");
    }
    match expr.kind {
        ExprKind::Every(_) => Some("'every'"),
        ExprKind::SomeDecl(_) => Some("'some'"),
        _ => None,
    }
}

fn has_leading_zero(text: &str) -> bool {
    let mut bytes = text.bytes();
    let (first, second, third) = (bytes.next(), bytes.next(), bytes.next());
    let is_decimal = second == Some(b'.');
    let is_scientific = matches!(second, Some(b'e' | b'E')) && third.is_some();
    first == Some(b'0') && second.is_some() && !is_decimal && !is_scientific
}

/// Accepts what OPA accepts: one point, and a binary exponent of at most 100,000.
fn check_number(text: &str) -> Result<(), NumberError> {
    let digits = text.trim_start_matches('-');
    let (mantissa, power) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if fraction.contains('.') {
        return Err(NumberError::Invalid);
    }
    let significant = whole.bytes().chain(fraction.bytes()).position(|b| b != b'0');
    let Some(zeros) = significant else { return Ok(()) };
    let Ok(power) = power.parse::<i64>() else { return Err(NumberError::Invalid) };
    let leading: String = whole.chars().chain(fraction.chars()).skip(zeros).take(17).collect();
    let leading_len = leading.len();
    let Ok(leading) = leading.parse::<f64>() else { return Err(NumberError::Invalid) };
    let place = power as f64 + whole.len() as f64 - zeros as f64 - leading_len as f64;
    let binary = place * std::f64::consts::LOG2_10 + leading.log2();
    if binary.abs() > f64::from(i32::MAX) {
        return Err(NumberError::Invalid);
    }
    let exponent = binary.floor() + 1.0;
    if exponent.abs() > MAX_EXPONENT { Err(NumberError::TooBig) } else { Ok(()) }
}

/// The text of a JSON string without its quotes. As in Go, half of a surrogate pair is U+FFFD and control
/// characters are refused.
fn unescape(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => unescape_one(&mut chars, &mut out)?,
            c if c < ' ' => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

fn unescape_one(chars: &mut std::str::Chars<'_>, out: &mut String) -> Option<()> {
    let plain = match chars.next()? {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let unit = hex4(chars)?;
            out.push(unicode(unit, chars));
            return Some(());
        }
        _ => return None,
    };
    out.push(plain);
    Some(())
}

/// The character of a `\u` escape; takes the second half of a surrogate pair, if it follows.
fn unicode(unit: u32, chars: &mut std::str::Chars<'_>) -> char {
    if (0xd800..0xdc00).contains(&unit) {
        let mut ahead = chars.clone();
        if ahead.next() == Some('\\')
            && ahead.next() == Some('u')
            && let Some(low) = hex4(&mut ahead)
            && (0xdc00..0xe000).contains(&low)
        {
            *chars = ahead;
            let point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
    }
    char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit * 16 + chars.next()?.to_digit(16)?;
    }
    Some(unit)
}
