//! A tree as the JSON that OPA writes (`opa parse --format json`, `rego.parse_module`), without places.
//!
//! The text is written directly, since numbers keep the digits of the source.

use std::fmt::Write as _;

use super::{
    Body, Expr, ExprKind, Head, Import, Logical, Module, Ref, Rule, TemplatePart, Term, Value, With,
};
use crate::span::SourceFile;

/// A module as one JSON object: `package`, `imports`, `rules` and `comments`, those that it has. Comments have places
/// and base 64 of their text, as in OPA.
#[must_use]
pub fn module_to_json(module: &Module, file: &SourceFile) -> String {
    let mut out = Json::default();
    out.object(|out| {
        out.member("package", |out| {
            out.object(|out| out.member("path", |out| out.terms(&module.package.path)))
        });
        if !module.imports.is_empty() {
            out.member("imports", |out| out.list(&module.imports, Json::import));
        }
        if !module.rules.is_empty() {
            out.member("rules", |out| out.list(&module.rules, Json::rule));
        }
        if !module.comments.is_empty() {
            out.member("comments", |out| {
                out.list(&module.comments, |out, comment| {
                    out.object(|out| {
                        out.text_member("Text", &base64(comment.text.as_bytes()));
                        out.member("Location", |out| {
                            out.object(|out| {
                                out.text_member("file", file.name());
                                out.raw_member("row", comment.row);
                                out.raw_member("col", comment.col);
                            });
                        });
                    });
                });
            });
        }
    });
    out.text
}

/// A body as a JSON array of its expressions.
#[must_use]
pub fn body_to_json(body: &Body) -> String {
    let mut out = Json::default();
    out.body(body);
    out.text
}

/// A package with rules as a JSON object.
#[must_use]
pub fn rules_to_json(package: &Ref, rules: &[Rule]) -> String {
    let mut out = Json::default();
    out.object(|out| {
        out.member("package", |out| out.object(|out| out.member("path", |out| out.terms(package))));
        if !rules.is_empty() {
            out.member("rules", |out| out.list(rules, Json::rule));
        }
    });
    out.text
}

/// Terms as a JSON array of objects with `type` and `value`.
#[must_use]
pub fn terms_to_json(terms: &[Term]) -> String {
    let mut out = Json::default();
    out.terms(terms);
    out.text
}

/// A constant as plain JSON: what it is, without its type.
#[must_use]
pub fn value_to_json(value: &Value) -> String {
    let mut out = Json::default();
    out.value(value);
    out.text
}

/// A JSON text that grows.
#[derive(Default)]
struct Json {
    text: String,
}

impl Json {
    /// A comma, unless this is the first of its kind.
    fn separate(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(['{', '[', ':']) {
            self.text.push(',');
        }
    }

    fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.text.push('{');
        members(self);
        self.text.push('}');
    }

    fn member(&mut self, name: &str, value: impl FnOnce(&mut Self)) {
        self.separate();
        self.string(name);
        self.text.push(':');
        value(self);
    }

    fn text_member(&mut self, name: &str, value: &str) {
        self.member(name, |out| out.string(value));
    }

    fn raw_member(&mut self, name: &str, value: impl std::fmt::Display) {
        self.member(name, |out| {
            let _ = write!(out.text, "{value}");
        });
    }

    fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.raw_member(name, true);
        }
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.text.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            write(self, item);
        }
        self.text.push(']');
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                c if c < ' ' => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(c));
                }
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    fn import(&mut self, import: &Import) {
        self.object(|out| {
            out.member("path", |out| out.term(&import.path));
            if let Some(alias) = &import.alias {
                out.text_member("alias", alias);
            }
        });
    }

    fn rule(&mut self, rule: &Rule) {
        // A chain of `else` may be long, so it is not walked by recursion.
        let mut depth = 0;
        let mut next = Some(rule);
        while let Some(rule) = next {
            self.text.push('{');
            depth += 1;
            self.member("body", |out| out.body(&rule.body));
            self.flag("default", rule.default);
            self.member("head", |out| out.head(&rule.head));
            next = rule.else_rule.as_deref();
            if next.is_some() {
                self.member("else", |_| ());
            }
        }
        self.text.extend(std::iter::repeat_n('}', depth));
    }

    fn head(&mut self, head: &Head) {
        self.object(|out| {
            if !head.name.is_empty() {
                out.text_member("name", &head.name);
            }
            out.member("ref", |out| out.terms(&head.reference));
            if !head.args.is_empty() {
                out.member("args", |out| out.terms(&head.args));
            }
            if let Some(key) = &head.key {
                out.member("key", |out| out.term(key));
            }
            if let Some(value) = &head.value {
                out.member("value", |out| out.term(value));
            }
            out.flag("assign", head.assign);
        });
    }

    fn body(&mut self, body: &Body) {
        let mut index = 0;
        self.list(body, |out, expr| {
            out.expr(index, expr);
            index += 1;
        });
    }

    fn expr(&mut self, index: usize, expr: &Expr) {
        self.object(|out| {
            out.flag("generated", expr.generated);
            out.raw_member("index", index);
            out.flag("negated", expr.negated);
            out.member("terms", |out| out.kind(&expr.kind));
            if !expr.with.is_empty() {
                out.member("with", |out| out.list(&expr.with, Self::with));
            }
        });
    }

    fn kind(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(terms) => self.terms(terms),
            ExprKind::SomeDecl(declared) => {
                self.object(|out| out.member("symbols", |out| out.terms(&declared.symbols)));
            }
            ExprKind::Every(every) => self.object(|out| {
                out.member("key", |out| match &every.key {
                    Some(key) => out.term(key),
                    None => out.text.push_str("null"),
                });
                out.member("value", |out| out.term(&every.value));
                out.member("domain", |out| out.term(&every.domain));
                out.member("body", |out| out.body(&every.body));
            }),
            ExprKind::Not(not) => self.object(|out| {
                out.text_member("type", "not");
                out.member("body", |out| out.body(&not.body));
                out.raw_member("explicit_body", not.explicit_body);
            }),
            ExprKind::And(logical) => self.logical("and", logical),
            ExprKind::Or(logical) => self.logical("or", logical),
        }
    }

    fn logical(&mut self, kind: &str, logical: &Logical) {
        self.object(|out| {
            out.text_member("type", kind);
            out.member("lhs", |out| out.body(&logical.lhs));
            out.member("rhs", |out| out.body(&logical.rhs));
            out.flag("explicit_lhs", logical.explicit_lhs);
            out.flag("explicit_rhs", logical.explicit_rhs);
        });
    }

    fn with(&mut self, with: &With) {
        self.object(|out| {
            out.member("target", |out| out.term(&with.target));
            out.member("value", |out| out.term(&with.value));
        });
    }

    fn terms(&mut self, terms: &[Term]) {
        self.list(terms, Self::term);
    }

    fn term(&mut self, term: &Term) {
        self.object(|out| {
            out.text_member("type", term.value.kind_name());
            out.member("value", |out| out.value(&term.value));
        });
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.text.push_str("{}"),
            Value::Bool(truth) => {
                let _ = write!(self.text, "{truth}");
            }
            Value::Number(number) => self.text.push_str(number.as_str()),
            Value::String(text) | Value::Var(text) => self.string(text),
            Value::Ref(steps) => self.terms(steps),
            Value::Array(terms) | Value::Set(terms) | Value::Call(terms) => self.terms(terms),
            Value::Object(entries) => self.list(entries, |out, (key, value)| {
                out.text.push('[');
                out.term(key);
                out.text.push(',');
                out.term(value);
                out.text.push(']');
            }),
            Value::ArrayComp(comp) => self.comprehension(&comp.term, &comp.body),
            Value::SetComp(comp) => self.comprehension(&comp.term, &comp.body),
            Value::ObjectComp(comp) => self.object(|out| {
                out.member("key", |out| out.term(&comp.key));
                out.member("value", |out| out.term(&comp.value));
                out.member("body", |out| out.body(&comp.body));
            }),
            Value::TemplateString(template) => self.object(|out| {
                out.member("parts", |out| match template.parts.as_slice() {
                    [] => out.text.push_str("null"),
                    parts => out.list(parts, |out, part| match part {
                        TemplatePart::Term(term) => out.term(term),
                        TemplatePart::Expr(expr) => out.expr(0, expr),
                    }),
                });
                out.raw_member("multi_line", template.multi_line);
            }),
        }
    }

    fn comprehension(&mut self, term: &Term, body: &Body) {
        self.object(|out| {
            out.member("term", |out| out.term(term));
            out.member("body", |out| out.body(body));
        });
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| chunk.get(at).map_or(0, |byte| u32::from(*byte));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            let digit = (bits >> (18 - 6 * position) & 63) as usize;
            let symbol = if position <= chunk.len() { ALPHABET.get(digit) } else { Some(&b'=') };
            out.extend(symbol.map(|byte| char::from(*byte)));
        }
    }
    out
}
