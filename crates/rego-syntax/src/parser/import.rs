//! Packages and imports, and what importing keywords does.

use super::Parser;
use crate::ast::{Import, Name, Package, Ref, RegoVersion, Term, Value};
use crate::span::Span;
use crate::token::{FUTURE_KEYWORDS, Keywords, Token, future_keyword, is_keyword_in, is_v0_future_keyword};

impl Parser<'_> {
    /// `package path`; `None` without an error where `package` is the head of a reference.
    pub(super) fn parse_package(&mut self) -> Option<Package> {
        let span = self.token_span();
        let term = self.parse_path_term()??;
        let path = match term.value {
            Value::Var(name) => Ref(vec![Term::var("data", term.span), Term::string(name, term.span)]),
            Value::Ref(r) => self.package_path(r)?,
            _ => {
                self.illegal_token();
                return None;
            }
        };
        Some(Package { path, span })
    }

    /// What follows `package` or `import`: `Some(None)` where the term cannot be read.
    fn parse_path_term(&mut self) -> Option<Option<Term>> {
        self.scan_ws();
        if matches!(self.s.token, Token::Dot | Token::LBrack) {
            return None;
        }
        if self.s.token == Token::Whitespace {
            self.scan();
        }
        if self.s.token != Token::Ident {
            if !self.is_allowed_ref_keyword(self.s.token) {
                self.illegal_token();
                return None;
            }
            self.s.token = Token::Ident;
        }
        let term = self.parse_term();
        if term.is_none() && self.s.errors.is_empty() {
            self.error(self.token_span(), "expected path");
        }
        Some(term)
    }

    fn package_path(&mut self, r: Ref) -> Option<Ref> {
        let mut steps = r.0.into_iter();
        let head = steps.next()?;
        let Value::Var(first) = head.value else {
            let message = format!("unexpected {} token: expecting var", head.value.kind_name());
            self.error(head.span, message);
            return None;
        };
        let mut path = vec![Term::var("data", head.span), Term::string(first, head.span)];
        for step in steps {
            if step.as_string().is_none() {
                let message = format!("unexpected {} token: expecting string", step.value.kind_name());
                self.error(step.span, message);
                return None;
            }
            path.push(step);
        }
        Some(Ref(path))
    }

    /// `import path as alias`; `None` without an error where `import` is the head of a reference.
    pub(super) fn parse_import(&mut self) -> Option<Import> {
        let span = self.token_span();
        let path = self.parse_import_path()?;
        let r = path.as_ref_value()?;
        if !starts_with_root(r) {
            self.hint("if this is unexpected, try updating OPA");
            let head = r.head().map(ToString::to_string).unwrap_or_default();
            let message = format!(
                "unexpected import path, must begin with one of: {{data, future, input, rego}}, got: {head}"
            );
            self.error(path.span, message);
            return None;
        }
        if self.s.token == Token::As {
            let (alias, alias_span) = self.parse_alias()?;
            return Some(Import { path, alias: Some(alias), alias_span, span });
        }
        self.check_last_step(r);
        Some(Import { path, alias: None, alias_span: Span::NONE, span })
    }

    fn parse_import_path(&mut self) -> Option<Term> {
        self.scan_ws();
        if matches!(self.s.token, Token::Dot | Token::LBrack) {
            return None;
        }
        if self.s.token == Token::Whitespace {
            self.scan();
        }
        if self.s.token != Token::Ident {
            if !self.is_allowed_ref_keyword(self.s.token) {
                self.illegal_token();
                return None;
            }
            self.s.token = Token::Ident;
        }
        // In the path, keywords of the future are names, also those that are imported already.
        let keywords = self.s.lexer.keywords();
        self.s.lexer.set_keywords(Keywords::NO_FUTURE);
        let term = self.parse_term();
        self.s.lexer.set_keywords(keywords);
        let span = self.token_span();
        let path = match term {
            Some(Term { value: Value::Ref(r), span }) => {
                if let Some(step) = r.steps().iter().find(|step| step.as_string().is_none()) {
                    let message = format!("unexpected {} token: expecting string", step.value.kind_name());
                    self.error(step.span, message);
                    return None;
                }
                Some(Term::new(Value::Ref(r), span))
            }
            Some(term) if term.as_var().is_some() => {
                let span = term.span;
                Some(Term::reference(vec![term], span))
            }
            _ => None,
        };
        if path.is_none() {
            self.error(span, "expected path");
        }
        path
    }

    fn parse_alias(&mut self) -> Option<(Name, Span)> {
        self.scan();
        if self.s.token != Token::Ident {
            self.illegal("expected var");
            return None;
        }
        if let Some(term) = self.parse_term() {
            match &term.value {
                Value::Var(name) => return Some((name.clone(), term.span)),
                Value::Ref(r) if r.len() == 1 => {
                    if let Some(head @ ("input" | "data")) = r.head_var().map(Name::as_str) {
                        let message =
                            format!("unexpected import alias, must not be a reserved name, got: {head}");
                        self.error(term.span, message);
                        return None;
                    }
                }
                _ => {}
            }
        }
        self.illegal("expected var");
        None
    }

    /// The last step names the import, so it must not be a keyword.
    fn check_last_step(&mut self, path: &Ref) {
        let is_future = path.head_var().is_some_and(|name| *name == "future");
        let Some(last) = path.last().filter(|_| path.len() == 1 || !is_future) else { return };
        let Some(name) = last.as_string().or_else(|| last.as_var()) else { return };
        if is_keyword_in(name, self.options.rego_version) {
            self.hint("import a different path or use an alias");
            let message = format!("unexpected import path, must not end with a keyword, got: {name}");
            self.error(last.span, message);
        }
    }

    /// What importing from `rego` or `future` does.
    pub(super) fn apply_import(&mut self, import: &Import) {
        let Some(path) = import.path.as_ref_value() else { return };
        match path.head_var().map(Name::as_str) {
            Some("rego") => self.import_rego(import, path),
            Some("future") => self.import_future(import, path),
            _ => return,
        }
        self.reclassify();
    }

    /// The token behind the import was read before its keywords were known.
    fn reclassify(&mut self) {
        if self.s.token == Token::Ident
            && let Some(token) = self.s.lexer.keywords().lookup(&self.s.text)
            && future_keyword(&self.s.text).is_some()
        {
            self.s.token = token;
        }
    }

    fn import_rego(&mut self, import: &Import, path: &Ref) {
        let supported = self.options.features;
        let version = match path.as_slice() {
            [_, step] => step.as_string().map(Name::as_str),
            _ => None,
        };
        let is_supported = match version {
            Some("v1") => supported.rego_v1_import,
            Some("v2") => supported.rego_v2_import,
            _ => {
                let message = format!("invalid import `{path}`, must be one of: `rego.v1`, `rego.v2`");
                self.error(import.path.span, message);
                return;
            }
        };
        if !is_supported {
            let message = format!("invalid import, `{path}` is not supported by current capabilities");
            self.error(import.path.span, message);
            return;
        }
        if import.alias.is_some() {
            self.error(import.alias_span, "`rego` imports cannot be aliased");
            return;
        }
        if version == Some("v2") && self.options.rego_version != RegoVersion::V2 {
            self.s.lexer.set_keywords(Keywords::ALL);
            self.not_bodies = true;
        } else if version == Some("v1") && self.options.rego_version != RegoVersion::V1 {
            for keyword in ["contains", "every", "if", "in"] {
                self.add_keyword(keyword);
            }
        }
    }

    /// Whether the capabilities have the keyword, or the language does.
    fn may_import(&self, keyword: &str) -> bool {
        let Some(known) = &self.options.known_future_keywords else { return true };
        let has_v1 = self.options.rego_version != RegoVersion::V0 || self.options.features.rego_v1_import;
        known.iter().any(|name| name == keyword) || has_v1 && is_v0_future_keyword(keyword)
    }

    fn import_future(&mut self, import: &Import, path: &Ref) {
        let step = |index: usize| path.get(index).and_then(Term::as_string).map(Name::as_str);
        if step(1) != Some("keywords") {
            self.error(import.path.span, "invalid import, must be `future.keywords`");
            return;
        }
        if import.alias.is_some() {
            self.error(import.alias_span, "`future` imports cannot be aliased");
            return;
        }
        match (path.len(), step(2)) {
            (3, Some(keyword)) if future_keyword(keyword).is_none() || !self.may_import(keyword) => {
                let known: Vec<&str> = FUTURE_KEYWORDS
                    .iter()
                    .map(|(name, _)| *name)
                    .filter(|name| self.may_import(name))
                    .collect();
                let message = format!("unexpected keyword, must be one of [{}]", known.join(" "));
                self.error(import.path.span, message);
            }
            (3, Some(keyword)) => self.add_keyword(keyword),
            _ => {
                for (keyword, _) in FUTURE_KEYWORDS {
                    if self.may_import(keyword) {
                        self.add_keyword(keyword);
                    }
                }
            }
        }
    }

    fn add_keyword(&mut self, keyword: &str) {
        self.not_bodies |= keyword == "not";
        let mut keywords = self.s.lexer.keywords();
        keywords.add(keyword);
        self.s.lexer.set_keywords(keywords);
    }
}

fn starts_with_root(path: &Ref) -> bool {
    path.head_var().is_some_and(|name| matches!(name.as_str(), "data" | "input" | "future" | "rego"))
}
