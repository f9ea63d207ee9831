//! Rules and their heads.

use super::Parser;
use super::term::as_reference;
use crate::ast::visit::{DESCEND, Node, NodeMut, SKIP, Walk, WalkMut};
use crate::ast::{Body, Expr, ExprKind, Head, Name, Rule, Term, Value};
use crate::span::Span;
use crate::token::Token;

/// How many branches of `else` a rule may have. OPA has no limit of its own here; this many can be copied and dropped,
/// one within the other, on a small stack.
const MAX_ELSE: usize = 1_000;

impl Parser<'_> {
    /// A rule, and one more for each further body in braces. `None` without an error where the statement may be
    /// a query; `p[x]` and `p = 1` are read as queries first and made rules later.
    pub(super) fn parse_rules(&mut self) -> Option<Vec<Rule>> {
        let start = self.token_span();
        self.scan_ahead_ref();
        let is_default = self.s.token == Token::Default;
        if is_default {
            self.scan();
            self.scan_ahead_ref();
        }
        if self.s.token != Token::Ident {
            if is_default {
                self.error_keyword_rule_name(true);
            }
            return None;
        }
        let mut head = self.parse_head(is_default)?;
        if is_default {
            return self.finish_default(head, start).map(|rule| vec![rule]);
        }
        if !name_short_head(&mut head, self.s.token == Token::If) {
            return None;
        }
        let mut rule = Rule::new(head, Body::default(), start);
        if self.s.token == Token::If {
            rule.head.keywords.has_if = true;
            self.scan();
            rule.body = self.parse_if_body()?;
        } else if self.s.token == Token::LBrace {
            rule.body = self.parse_braced_body()?;
        } else if rule.head.keywords.has_contains {
            rule.body = implicit_true(start);
            rule.generated_body = true;
            rule.span = rule.head.span;
            return Some(vec![rule]);
        } else {
            return None;
        }
        if self.s.token == Token::Else && !self.scan_ahead_ref() {
            self.check_else(&rule.head)?;
            rule.else_rule = Some(Box::new(self.parse_else(&rule.head)?));
        }
        rule.span = self.until_last(start);
        self.parse_chained_bodies(rule)
    }

    /// What follows `if`: one expression, or a body in braces. `{ x }` is a body and not a set.
    fn parse_if_body(&mut self) -> Option<Body> {
        let saved = self.s.clone();
        let is_braced = self.s.token == Token::LBrace;
        if let Some(expr) = self.parse_literal() {
            let is_set = matches!(&expr.kind, ExprKind::Term(t) if matches!(t.value, Value::Set(_)));
            if !(is_braced && is_set) {
                return Some(Body::of(expr));
            }
        }
        if !is_braced {
            return None;
        }
        self.s = saved;
        self.parse_braced_body()
    }

    fn parse_braced_body(&mut self) -> Option<Body> {
        self.scan();
        let body = self.parse_body(Token::RBrace)?;
        self.scan();
        Some(body)
    }

    fn check_else(&mut self, head: &Head) -> Option<()> {
        let span = self.token_span();
        if head.reference.len() > 1 && !head.reference.is_ground() {
            self.error(span, "else keyword cannot be used on rules with variables in head");
            return None;
        }
        if head.key.is_some() {
            self.error(span, "else keyword cannot be used on multi-value rules");
            return None;
        }
        Some(())
    }

    /// `p { … } { … }`: each further body is a rule of the same head.
    fn parse_chained_bodies(&mut self, rule: Rule) -> Option<Vec<Rule>> {
        let mut rules = vec![rule];
        while self.s.token == Token::LBrace {
            let Some(first) = rules.first() else { break };
            let start = self.token_span();
            if first.else_rule.is_some() {
                self.error(start, "expected else keyword");
                return None;
            }
            let mut head = first.head.clone();
            let body = self.parse_braced_body()?;
            let span = self.until_last(start);
            self.rename_wildcards(&mut head);
            relocate(&mut head, span);
            rules.push(Rule::new(head, body, span));
        }
        Some(rules)
    }

    /// Arguments that are `_` get names of their own in each rule.
    fn rename_wildcards(&mut self, head: &mut Head) {
        for arg in &mut head.args {
            if arg.as_var().is_some_and(Name::is_wildcard) {
                arg.value = Value::Var(self.wildcard());
            }
        }
    }

    /// `else := value if body`, with its own `else` if there is one. The current token is `else`.
    fn parse_else(&mut self, parent: &Head) -> Option<Rule> {
        let mut links: Vec<Rule> = Vec::new();
        loop {
            let link = self.parse_else_link(parent)?;
            // A value without a body ends the chain, also where another `else` follows.
            let goes_on = self.s.token == Token::Else && !link.generated_body;
            // What is too much is read all the same, so that the limit is all that is reported.
            if links.len() < MAX_ELSE {
                links.push(link);
            } else {
                self.error_too_deep();
            }
            if !goes_on {
                break;
            }
        }
        let end = self.s.last_end;
        let mut chain: Option<Rule> = None;
        for mut link in links.into_iter().rev() {
            link.span = link.span.until(u32::try_from(end).unwrap_or(u32::MAX));
            link.else_rule = chain.map(Box::new);
            chain = Some(link);
        }
        chain
    }

    fn parse_else_link(&mut self, parent: &Head) -> Option<Rule> {
        let start = self.token_span();
        let mut head = parent.clone();
        head.keywords = crate::ast::HeadKeywords::default();
        head.generated_value = false;
        self.rename_wildcards(&mut head);
        head.span = start;
        self.scan();
        match self.s.token {
            Token::LBrace | Token::If => {
                head.generated_value = true;
                head.value = Some(Term::boolean(true, start));
            }
            Token::Assign | Token::Unify => {
                head.assign = self.s.token == Token::Assign;
                self.scan();
                head.value = Some(self.parse_infix()?);
                head.span = self.until_last(start);
            }
            _ => {
                self.illegal("expected else value term or rule body");
                return None;
            }
        }
        let mut rule = Rule::new(head, Body::default(), start);
        rule.head.keywords.has_if = self.s.token == Token::If;
        if rule.head.keywords.has_if {
            self.scan();
        } else if self.s.token != Token::LBrace {
            rule.body = implicit_true(start);
            rule.generated_body = true;
            return Some(rule);
        }
        rule.body = match self.s.token {
            Token::LBrace => self.parse_braced_body()?,
            Token::Eof => {
                self.illegal("rule body expected");
                return None;
            }
            _ => {
                let mut body = Body::of(self.parse_literal()?);
                relocate(&mut body, start);
                body
            }
        };
        Some(rule)
    }

    fn parse_head(&mut self, is_default: bool) -> Option<Head> {
        let start = self.token_span();
        let mut head = self.parse_head_parts(is_default)?;
        head.span = self.until_last(start);
        if head.generated_value {
            head.value = Some(Term::boolean(true, head.span));
        }
        Some(head)
    }

    fn parse_head_parts(&mut self, is_default: bool) -> Option<Head> {
        let name = self.parse_var();
        let Some(term) = self.parse_head_finish(name) else {
            self.illegal("expected rule head name");
            return None;
        };
        let is_call = term.as_call().is_some();
        let mut head = self.head_of(term)?;
        match self.s.token {
            Token::Contains => {
                if is_call {
                    self.illegal(&format!(
                        "the contains keyword can only be used with multi-value rule definitions (e.g., {} \
                         contains <VALUE> {{ ... }})",
                        head.reference
                    ));
                }
                self.scan();
                head.key = self.parse_infix();
                if head.key.is_none() {
                    let name = &head.reference;
                    self.illegal(&format!(
                        "expected rule key term (e.g., {name} contains <VALUE> {{ ... }})"
                    ));
                }
                head.keywords.has_contains = true;
                return Some(head);
            }
            Token::Unify => {
                self.scan();
                head.value = self.parse_infix();
                if head.value.is_none() {
                    let name = &head.reference;
                    self.illegal(&format!(
                        "expected rule value term (e.g., {name}[<nil>] = <VALUE> {{ ... }})"
                    ));
                }
            }
            Token::Assign => {
                self.scan();
                head.assign = true;
                head.value = self.parse_infix();
                if head.value.is_none() {
                    self.illegal(&missing_value(&head, is_default));
                }
            }
            _ => {}
        }
        if head.value.is_none() && head.key.is_none() && (head.reference.len() != 2 || head.is_function()) {
            head.generated_value = true;
        }
        Some(head)
    }

    /// The head that a term names: a variable, a reference, or a call of one.
    fn head_of(&mut self, term: Term) -> Option<Head> {
        let span = term.span;
        let Value::Call(mut call) = term.value else {
            return as_reference(term).map(|r| Head::referring(r, span));
        };
        let args = call.split_off(1.min(call.len()));
        let reference = call.pop().and_then(as_reference)?;
        if reference.head_var().is_none() {
            self.illegal(&format!("rule head ref {reference} invalid"));
            return None;
        }
        let mut head = Head::referring(reference, span);
        head.args = args;
        Some(head)
    }

    fn finish_default(&mut self, head: Head, start: Span) -> Option<Rule> {
        let mut rule = Rule::new(head, implicit_true(start), start);
        rule.default = true;
        let Some(value) = &rule.head.value else {
            self.error(start, "illegal default rule (must have a value)");
            return None;
        };
        let mut faults = Vec::new();
        value.walk(&mut |node| match node {
            Node::Term(term) => match &term.value {
                Value::ArrayComp(_) | Value::ObjectComp(_) | Value::SetComp(_) => SKIP,
                Value::Var(_) | Value::Ref(_) | Value::Call(_) => {
                    faults.push(format!("value cannot contain {}", term.value.kind_name()));
                    SKIP
                }
                _ => DESCEND,
            },
            _ => DESCEND,
        });
        if faults.is_empty() {
            faults = default_argument_faults(&rule.head.args);
        }
        if faults.is_empty() {
            return Some(rule);
        }
        for fault in faults {
            self.error(start, format!("illegal default rule ({fault})"));
        }
        None
    }
}

/// Arguments of a default function have to be different variables.
fn default_argument_faults(args: &[Term]) -> Vec<String> {
    let mut seen: Vec<&Name> = Vec::new();
    let mut faults = Vec::new();
    for arg in args {
        match arg.as_var() {
            Some(name) if seen.contains(&name) => {
                faults.push(format!("arguments cannot be repeated {arg}"));
            }
            Some(name) => seen.push(name),
            None => faults.push(format!("arguments cannot contain {}", arg.value.kind_name())),
        }
    }
    faults
}

/// Heads of two terms are read in the ways that OPA keeps for compatibility: `p[x]` with `if` and a variable is an
/// object with the key `x`; without `if` it is a set. `false` where the reference does not begin with a name.
fn name_short_head(head: &mut Head, has_if: bool) -> bool {
    if head.keywords.has_contains || head.reference.len() != 2 {
        return true;
    }
    let Some(last) = head.reference.last().cloned() else { return true };
    let name = head.reference.head_var().cloned();
    if has_if {
        if (!last.is_ground() || last.as_ref_value().is_some()) && !head.is_function() {
            head.key = Some(last);
        }
        if head.value.is_none() {
            head.generated_value = true;
            head.value = Some(Term::boolean(true, head.span));
            return true;
        }
        head.name = name.clone().unwrap_or_default();
        return name.is_some();
    }
    if head.is_function() {
        return true;
    }
    let Some(name) = name else { return false };
    head.name = name;
    head.key = Some(last);
    if head.value.is_none() {
        head.reference.truncate(1);
    }
    true
}

fn missing_value(head: &Head, is_default: bool) -> String {
    let name = &head.reference;
    if head.is_function() {
        format!("expected function value term (e.g., {name}(...) := <VALUE> {{ ... }})")
    } else if is_default {
        format!("expected default rule value term (e.g., default {name} := <VALUE>)")
    } else {
        format!("expected rule value term (e.g., {name} := <VALUE> {{ ... }})")
    }
}

/// The body of a rule that has none.
pub(crate) fn implicit_true(span: Span) -> Body {
    Body::of(Expr::literal_true(span).generated())
}

/// Gives all nodes of a tree the same span, as OPA does for bodies of `else` without braces and for the heads that
/// chained bodies share.
fn relocate(node: &mut impl WalkMut, span: Span) {
    node.walk_mut(&mut |node| {
        match node {
            NodeMut::Rule(rule) => rule.span = span,
            NodeMut::Head(head) => head.span = span,
            NodeMut::Expr(expr) => expr.span = span,
            NodeMut::SomeDecl(declaration) => declaration.span = span,
            NodeMut::Every(every) => every.span = span,
            NodeMut::Not(not) => not.span = span,
            NodeMut::Logical(logical) => logical.span = span,
            NodeMut::With(with) => with.span = span,
            NodeMut::Term(term) => term.span = span,
            NodeMut::Body(_) | NodeMut::Ref(_) => {}
        }
        DESCEND
    });
}
