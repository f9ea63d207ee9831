//! Terms without infix operators.

use super::Parser;
use crate::ast::{ArrayComp, Name, ObjectComp, Ref, SetComp, Term, Value};
use crate::span::Span;
use crate::token::Token;

/// What a set or object literal turned out to be.
type Composite = Option<Value>;

impl Parser<'_> {
    /// A term, with the reference or call that follows it.
    pub(super) fn parse_term(&mut self) -> Option<Term> {
        self.scan_ahead_logical_call();
        let span = self.token_span();
        match self.s.token {
            Token::Null => self.parse_term_finish(Term::null(span)),
            Token::True => self.parse_term_finish(Term::boolean(true, span)),
            Token::False => self.parse_term_finish(Term::boolean(false, span)),
            Token::Dot | Token::Number => self.parse_number().and_then(|t| self.parse_term_finish(t)),
            Token::String => self.parse_string().and_then(|t| self.parse_term_finish(t)),
            Token::Sub => self.parse_negative(),
            Token::Ident | Token::Contains => {
                let term = self.parse_var();
                self.parse_term_finish(term)
            }
            Token::LBrack
            | Token::LBrace
            | Token::LParen
            | Token::TemplateStringPart
            | Token::TemplateStringEnd
            | Token::RawTemplateStringPart
            | Token::RawTemplateStringEnd => {
                let outer = self.enter()?;
                let term = self.parse_nested();
                self.leave(outer);
                term.and_then(|t| self.parse_term_finish(t))
            }
            _ => {
                self.illegal_token();
                None
            }
        }
    }

    fn parse_nested(&mut self) -> Option<Term> {
        match self.s.token {
            Token::LBrack => self.parse_array(),
            Token::LBrace => self.parse_set_or_object(),
            Token::LParen => self.parse_parenthesized(),
            Token::TemplateStringPart | Token::TemplateStringEnd => self.parse_template_string(false),
            _ => self.parse_template_string(true),
        }
    }

    /// `and(x, y)` and `or(x, y)` call the functions of these names, also where the words are keywords.
    fn scan_ahead_logical_call(&mut self) {
        if matches!(self.s.token, Token::LogicalAnd | Token::LogicalOr) && self.peek_ws() == Token::LParen {
            self.s.token = Token::Ident;
        }
    }

    /// A negative number, or `0 - reference`.
    fn parse_negative(&mut self) -> Option<Term> {
        let minus = self.token_span();
        let saved = self.s.clone();
        self.scan();
        if !matches!(self.s.token, Token::Ident | Token::Contains) {
            self.s = saved;
            return self.parse_number().and_then(|t| self.parse_term_finish(t));
        }
        let var = self.parse_var();
        let operand = self.parse_term_finish(var)?;
        let zero = Term::int(0, minus);
        let call = Term::call("minus", vec![zero, operand], minus);
        Some(call.at(self.until_last(minus)))
    }

    fn parse_parenthesized(&mut self) -> Option<Term> {
        let open = self.s.start;
        self.scan();
        let mut term = self.parse_infix()?;
        if self.s.token != Token::RParen {
            self.error(self.token_span(), "non-terminated expression");
            return None;
        }
        term.span = term.span.until(self.token_span().end);
        self.note_text_start(term.span, open);
        Some(term)
    }

    /// The variable that the current token names. Each `_` becomes a variable of its own.
    pub(super) fn parse_var(&mut self) -> Term {
        let span = self.token_span();
        if self.s.text == "_" {
            return Term::new(Value::Var(self.wildcard()), span);
        }
        Term::new(Value::Var(Name::new(&self.s.text)), span)
    }

    /// Goes on behind the last token of a term: to its reference or call, if there is one.
    fn parse_term_finish(&mut self, head: Term) -> Option<Term> {
        self.scan_ws();
        match self.s.token {
            Token::LParen | Token::Dot | Token::LBrack => return self.parse_ref(head),
            Token::Whitespace => self.scan(),
            _ => {}
        }
        Some(root_document(head))
    }

    /// The same for the name of a rule, behind which no infix operator makes sense.
    pub(super) fn parse_head_finish(&mut self, head: Term) -> Option<Term> {
        self.scan_ws();
        match self.s.token {
            Token::Add
            | Token::Sub
            | Token::Mul
            | Token::Quo
            | Token::Rem
            | Token::And
            | Token::Or
            | Token::Equal
            | Token::Neq
            | Token::Gt
            | Token::Gte
            | Token::Lt
            | Token::Lte => self.illegal_token(),
            Token::Whitespace => self.scan(),
            _ => {}
        }
        match self.s.token {
            Token::LParen | Token::Dot | Token::LBrack => return self.parse_ref(head),
            Token::Whitespace => self.scan(),
            _ => {}
        }
        Some(root_document(head))
    }

    /// The steps and calls behind a head; the current token is the first dot, bracket or parenthesis.
    fn parse_ref(&mut self, head: Term) -> Option<Term> {
        let start = head.span;
        let is_legal = matches!(
            head.value,
            Value::Var(_)
                | Value::Array(_)
                | Value::Object(_)
                | Value::Set(_)
                | Value::ArrayComp(_)
                | Value::ObjectComp(_)
                | Value::SetComp(_)
                | Value::Call(_)
        );
        if !is_legal {
            self.error(start, format!("illegal ref (head cannot be {})", head.value.kind_name()));
        }
        let mut terms = vec![head];
        loop {
            match self.s.token {
                Token::Dot => terms.push(self.parse_dot()?),
                Token::LBrack => terms.push(self.parse_bracket()?),
                Token::LParen => {
                    let operator = Term::reference(terms, self.until_start(start));
                    let call = self.parse_call(operator)?;
                    match self.s.token {
                        Token::Whitespace => self.scan(),
                        // A call is the head of what follows it.
                        Token::Dot | Token::LBrack => {
                            if !self.grow() {
                                return None;
                            }
                            terms = vec![call];
                            continue;
                        }
                        _ => {}
                    }
                    return Some(call);
                }
                token => {
                    let span = self.until_last(start);
                    if token == Token::Whitespace {
                        self.scan();
                    }
                    return Some(Term::reference(terms, span));
                }
            }
        }
    }

    fn until_start(&self, span: Span) -> Span {
        span.until(self.token_span().start)
    }

    fn parse_dot(&mut self) -> Option<Term> {
        self.scan_ws();
        if self.s.token != Token::Ident && !self.is_allowed_ref_keyword(self.s.token) {
            self.illegal("expected identifier");
            return None;
        }
        let step = Term::string(&*self.s.text, self.token_span());
        self.scan_ws();
        Some(step)
    }

    fn parse_bracket(&mut self) -> Option<Term> {
        let outer = self.enter()?;
        self.scan();
        let step = self.parse_infix();
        self.leave(outer);
        let step = step?;
        if self.s.token != Token::RBrack {
            self.illegal("expected [");
            return None;
        }
        self.scan_ws();
        Some(step)
    }

    /// The arguments of a call; the current token is the parenthesis. `set()` is the empty set.
    fn parse_call(&mut self, operator: Term) -> Option<Term> {
        let span = operator.span;
        let is_set = operator.as_ref_value().is_some_and(|r| r.is_dotted("set"));
        self.scan();
        let mut terms = vec![operator];
        let empty = self.s.token == Token::RParen;
        if !empty {
            let outer = self.enter()?;
            let arguments = self.parse_term_list(Token::RParen, Vec::new());
            self.leave(outer);
            terms.extend(arguments?);
        }
        let span = span.until(self.token_span().end);
        self.scan_ws();
        let value = if empty && is_set { Value::Set(Vec::new()) } else { Value::Call(terms) };
        Some(Term::new(value, span))
    }

    fn parse_array(&mut self) -> Option<Term> {
        let open = self.token_span();
        self.scan();
        let value = self.parse_array_value()?;
        Some(Term::new(value, open.until(self.token_span().end)))
    }

    fn parse_array_value(&mut self) -> Composite {
        if self.s.token == Token::RBrack {
            return Some(Value::Array(Vec::new()));
        }
        let comprehension = !self.skip_leading_comma();
        // A term, not an expression: of the two readings of `[a | b]` the comprehension goes first.
        let start = self.s.start;
        let head = self.parse_term()?;
        match self.s.token {
            Token::RBrack => return Some(Value::Array(vec![head])),
            Token::Comma => {
                self.scan();
                return self.parse_term_list(Token::RBrack, vec![head]).map(Value::Array);
            }
            Token::Or if comprehension => {
                let saved = self.s.clone();
                self.scan();
                if let Some(body) = self.parse_body(Token::RBrack) {
                    return Some(Value::ArrayComp(Box::new(ArrayComp { term: head, body })));
                }
                if self.s.token != Token::Comma {
                    return None;
                }
                self.s = saved;
            }
            _ => {}
        }
        let first = self.continue_infix_in_list(head, start)?;
        self.parse_list_tail(Token::RBrack, first).map(Value::Array)
    }

    fn skip_leading_comma(&mut self) -> bool {
        let comma = self.s.token == Token::Comma;
        if comma {
            self.scan();
        }
        comma
    }

    fn parse_set_or_object(&mut self) -> Option<Term> {
        let open = self.token_span();
        self.scan();
        let value = self.parse_set_or_object_value()?;
        Some(Term::new(value, open.until(self.token_span().end)))
    }

    fn parse_set_or_object_value(&mut self) -> Composite {
        if self.s.token == Token::RBrace {
            return Some(Value::Object(Vec::new()));
        }
        let comprehension = !self.skip_leading_comma();
        let start = self.s.start;
        let head = self.parse_term()?;
        match self.s.token {
            Token::RBrace => return Some(Value::set([head])),
            Token::Or if comprehension => return self.parse_set_comprehension(head, start),
            Token::Comma => {
                self.scan();
                return self.parse_term_list(Token::RBrace, vec![head]).map(Value::set);
            }
            Token::Colon => return self.parse_object(head, comprehension),
            _ => {}
        }
        let head = self.continue_infix_in_list(head, start)?;
        match self.s.token {
            Token::RBrace => Some(Value::set([head])),
            Token::Comma => {
                self.scan();
                self.parse_term_list(Token::RBrace, vec![head]).map(Value::set)
            }
            // It may still be a comprehension: `{a + 1: b | …}`.
            Token::Colon => self.parse_object(head, comprehension),
            _ => {
                self.illegal("non-terminated set");
                None
            }
        }
    }

    /// `{head | body}`, or a set whose first element is the call `head | …`.
    fn parse_set_comprehension(&mut self, head: Term, start: usize) -> Composite {
        let saved = self.s.clone();
        self.scan();
        if let Some(body) = self.parse_body(Token::RBrace) {
            return Some(Value::SetComp(Box::new(SetComp { term: head, body })));
        }
        if self.s.token != Token::Comma {
            return None;
        }
        self.s = saved;
        let first = self.continue_infix_in_list(head, start)?;
        self.parse_list_tail(Token::RBrace, first).map(Value::set)
    }

    /// An object or object comprehension; the current token is the colon behind its first key.
    fn parse_object(&mut self, key: Term, comprehension: bool) -> Composite {
        self.scan();
        let start = self.s.start;
        let value = self.parse_term()?;
        if comprehension {
            match self.s.token {
                Token::RBrace | Token::Comma => return self.parse_object_tail(key, value),
                Token::Or => {
                    let saved = self.s.clone();
                    self.scan();
                    if let Some(body) = self.parse_body(Token::RBrace) {
                        return Some(Value::ObjectComp(Box::new(ObjectComp { key, value, body })));
                    }
                    self.s = saved;
                }
                _ => {}
            }
        }
        let value = self.continue_infix_in_list(value, start)?;
        match self.s.token {
            Token::RBrace | Token::Comma => self.parse_object_tail(key, value),
            _ => {
                self.illegal("non-terminated object");
                None
            }
        }
    }

    /// The end of an object behind its first entry, at a brace or a comma.
    fn parse_object_tail(&mut self, key: Term, value: Term) -> Composite {
        let mut entries = vec![(key, value)];
        while self.s.token == Token::Comma {
            self.scan();
            if self.s.token == Token::RBrace {
                break;
            }
            let key = self.parse_infix_in_list()?;
            if self.s.token != Token::Colon {
                self.illegal("expected \":\"");
                return None;
            }
            self.scan();
            let value = self.parse_infix_in_list()?;
            entries.push((key, value));
            if !matches!(self.s.token, Token::Comma | Token::RBrace) {
                self.illegal("expected \",\" or \"}\"");
                return None;
            }
        }
        let written = entries.len();
        let object = Value::object(entries);
        self.has_duplicate_keys |= matches!(&object, Value::Object(kept) if kept.len() < written);
        Some(object)
    }

    /// Terms up to `end`, commas between them and possibly behind the last.
    fn parse_term_list(&mut self, end: Token, mut terms: Vec<Term>) -> Option<Vec<Term>> {
        if self.s.token == end {
            return Some(terms);
        }
        loop {
            terms.push(self.parse_infix_in_list()?);
            if !self.list_goes_on(end)? {
                return Some(terms);
            }
        }
    }

    /// The same behind a first term.
    fn parse_list_tail(&mut self, end: Token, first: Term) -> Option<Vec<Term>> {
        if self.list_goes_on(end)? {
            return self.parse_term_list(end, vec![first]);
        }
        Some(vec![first])
    }

    /// Behind a term of a list: whether another follows. Stops at `end`.
    fn list_goes_on(&mut self, end: Token) -> Option<bool> {
        if self.s.token == end {
            return Some(false);
        }
        if self.s.token != Token::Comma {
            self.illegal(&format!("expected \",\" or \"{}\"", end.as_str()));
            return None;
        }
        self.scan();
        Some(self.s.token != end)
    }
}

/// `input` and `data` on their own are references.
fn root_document(term: Term) -> Term {
    match term.as_var() {
        Some(name) if *name == "input" || *name == "data" => {
            let span = term.span;
            Term::reference(vec![term], span)
        }
        _ => term,
    }
}

/// The reference that a rule head is written as, `None` for other terms.
pub(super) fn as_reference(term: Term) -> Option<Ref> {
    match term.value {
        Value::Ref(r) => Some(r),
        Value::Var(_) => Some(Ref(vec![term])),
        _ => None,
    }
}
