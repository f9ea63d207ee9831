//! Terms.

use super::writer::{Loc, Writer, Written};
use crate::ast::{Body, Ref, TemplatePart, TemplateString, Term, Value, is_var_compatible, quote};
use crate::token::is_keyword_in;

/// A call of the union, whose `|` is that of a comprehension in many places.
pub(super) fn is_union(term: &Term) -> bool {
    term.as_call().and_then(<[Term]>::first).and_then(Term::as_ref_value).is_some_and(|r| r.is_dotted("or"))
}

impl Writer<'_> {
    pub(super) fn write_term(&mut self, term: &Term) -> Written {
        let loc = self.term_loc(term);
        self.write_term_at(term, loc)
    }

    /// Writes a term; where a comment is in the way it is written as it is in the source.
    pub(super) fn write_term_at(&mut self, term: &Term, loc: Loc) -> Written {
        if self.comments.is_empty() {
            return self.write_term_in(false, term, loc);
        }
        let (len, level, comments) = (self.out.len(), self.level, self.comments.clone());
        let written = self.write_term_in(false, term, loc);
        if written.is_err() {
            self.out.truncate(len);
            self.level = level;
            self.comments = comments;
            let end = self.end_row(loc);
            self.before_end.take_if(|comment| (loc.row..=end).contains(&comment.row));
            self.write_unformatted(loc);
        }
        written
    }

    pub(super) fn write_term_parens(&mut self, parens: bool, term: &Term) -> Written {
        let loc = self.term_loc(term);
        self.write_term_in(parens, term, loc)
    }

    fn write_term_in(&mut self, parens: bool, term: &Term, loc: Loc) -> Written {
        let parens = self.paren_term.take_if(|span| *span == term.span).is_some() || parens;
        self.insert_comments(loc)?;
        if !self.inline {
            self.start_line();
        }
        match &term.value {
            Value::Ref(r) => self.write_ref(r)?,
            Value::Object(entries) => {
                let close = self.closing(None, b'{', b'}', loc);
                self.enclosed("{", "}", |w| w.write_entries(entries, loc, close))?;
            }
            Value::Array(terms) => {
                let close = self.closing(None, b'[', b']', loc);
                self.enclosed("[", "]", |w| w.write_list(terms, loc, close, true))?;
            }
            Value::Set(terms) if terms.is_empty() => {
                self.write("set()");
                let close = self.closing(None, b'(', b')', loc);
                self.insert_comments(close)?;
            }
            Value::Set(terms) => {
                let close = self.closing(None, b'{', b'}', loc);
                self.enclosed("{", "}", |w| w.write_list(terms, loc, close, true))?;
            }
            Value::ArrayComp(c) => {
                self.enclosed("[", "]", |w| {
                    w.write_comprehension((b'[', b']'), &c.term, None, &c.body, loc)
                })?;
            }
            Value::SetComp(c) => {
                self.enclosed("{", "}", |w| {
                    w.write_comprehension((b'{', b'}'), &c.term, None, &c.body, loc)
                })?;
            }
            Value::ObjectComp(c) => self.enclosed("{", "}", |w| {
                w.write_maybe_parens(is_union(&c.key), &c.key)?;
                w.write(": ");
                w.write_comprehension((b'{', b'}'), &c.value, Some(loc.row), &c.body, loc)
            })?,
            Value::String(text) => self.write_string(text, loc),
            Value::TemplateString(template) => self.write_template(template)?,
            Value::Call(terms) => self.write_call(parens, terms)?,
            other => self.write(&other.to_string()),
        }
        if !self.inline {
            self.start_line();
        }
        Ok(())
    }

    fn enclosed(&mut self, open: &str, close: &str, inner: impl FnOnce(&mut Self) -> Written) -> Written {
        self.write(open);
        let written = inner(self);
        self.write(close);
        written
    }

    /// Strings keep the escapes of the source. A step behind a dot has no quotes there.
    fn write_string(&mut self, text: &str, loc: Loc) {
        let source = self.text(loc);
        let literal = source.chars().next_back().filter(|c| matches!(c, '"' | '`'));
        match literal.and_then(|quote| source.find(quote)).and_then(|at| source.get(at..)) {
            Some(literal) => self.write(literal),
            None => self.write(&quote(text)),
        }
    }

    pub(super) fn write_ref(&mut self, r: &Ref) -> Written {
        let Some(head) = r.head() else { return Ok(()) };
        let parens = head.as_call().is_some() && self.text(self.term_loc(head)).starts_with('(');
        self.write_term_parens(parens, head)?;
        for step in r.steps() {
            match &step.value {
                Value::String(text) if self.needs_brackets(text, step) => {
                    self.write(&format!("[{}]", quote(text)));
                }
                Value::String(text) => self.write(&format!(".{text}")),
                Value::Var(_) => self.write(&format!("[{step}]")),
                _ => {
                    self.write("[");
                    if self.write_term(step).is_err() {
                        // The bracket must not become part of the comment.
                        self.write("\n");
                    }
                    self.write("]");
                }
            }
        }
        Ok(())
    }

    /// Keywords stay as they are written: `p.not`, `p["not"]`.
    fn needs_brackets(&self, text: &str, step: &Term) -> bool {
        if !is_var_compatible(text) {
            return true;
        }
        use crate::ast::RegoVersion::{V0, V1, V2};
        let version = if self.style.v2 {
            V2
        } else if self.style.v1 {
            V1
        } else {
            V0
        };
        let is_keyword = is_keyword_in(text, version) || self.style.keywords.iter().any(|k| *k == text);
        is_keyword && self.text(self.loc(step.span)).starts_with('"')
    }

    fn write_comprehension(
        &mut self,
        brackets: (u8, u8),
        term: &Term,
        term_row: Option<i64>,
        body: &Body,
        loc: Loc,
    ) -> Written {
        let mut term_loc = self.term_loc(term);
        term_loc.row = term_row.unwrap_or(term_loc.row);
        if term_loc.row > loc.row {
            self.end_line();
            self.start_line();
        }
        let parens = term.as_call().is_some() && (is_union(term) || self.text(term_loc).starts_with('('));
        self.write_term_in(parens, term, term_loc)?;
        self.write(" |");
        self.write_comprehension_body(brackets, body, term_loc.row, loc)
    }

    fn write_template(&mut self, template: &TemplateString) -> Written {
        let delimiter = if template.multi_line { "`" } else { "\"" };
        self.write("$");
        self.write(delimiter);
        for (index, part) in template.parts.iter().enumerate() {
            match part {
                TemplatePart::Expr(expr) => {
                    let next = template.parts.get(index + 1).map(|part| match part {
                        TemplatePart::Term(term) => self.row(term.span),
                        TemplatePart::Expr(expr) => self.row(expr.span),
                    });
                    self.write_template_expr(expr, next)?;
                }
                TemplatePart::Term(Term { value: Value::String(text), .. }) => {
                    let text = if template.multi_line { text.to_string() } else { quote(text) };
                    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
                    let inner = inner.filter(|_| !template.multi_line).unwrap_or(&text);
                    self.write(&escape_braces(inner));
                }
                TemplatePart::Term(term) => self.write(&term.to_string()),
            }
        }
        self.write(delimiter);
        Ok(())
    }

    fn write_template_expr(&mut self, expr: &crate::ast::Expr, next_row: Option<i64>) -> Written {
        self.write("{");
        self.up();
        if self.before_end.is_some() {
            self.end_line();
            self.start_line();
        } else {
            let before = self.take_before(self.row(expr.span));
            if !before.is_empty() {
                self.write(" ");
                self.inline = true;
                self.write_comments(&before);
            }
        }
        self.write_expr(expr)?;
        let trailing = next_row.map(|row| self.take_before(row)).unwrap_or_default();
        if !trailing.is_empty() {
            self.end_line();
            self.write_comments(&trailing);
            self.start_line();
        }
        self.write("}");
        self.down();
        Ok(())
    }
}

/// A brace in the text of a template string is escaped, unless a backslash stands before it.
fn escape_braces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut previous = '\0';
    for c in text.chars() {
        if c == '{' && previous != '\\' {
            out.push('\\');
        }
        out.push(c);
        previous = c;
    }
    out
}
