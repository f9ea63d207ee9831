//! The ways in: a module, a query, a term.

use crate::ast::{Body, ExprKind, Module, Term};
use crate::diagnostic::{Code, Diagnostic};
use crate::module;
use crate::options::ParserOptions;
use crate::parser::{Parser, Statement};
use crate::span::{SourceFile, Span};

/// A tree, as far as there is one, and what is wrong.
#[derive(Debug, Clone)]
pub struct Parsed<T> {
    /// The tree; whole where there are no diagnostics, else what could be read, if anything.
    pub tree: Option<T>,
    /// In the order in which they were found. The first is the one that OPA reports.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Parsed<T> {
    /// The tree, if nothing is wrong with it.
    ///
    /// # Errors
    /// The diagnostics, at least one.
    pub fn into_result(self) -> Result<T, Vec<Diagnostic>> {
        match self.tree {
            Some(tree) if self.diagnostics.is_empty() => Ok(tree),
            _ => Err(self.diagnostics),
        }
    }

    fn failed(diagnostics: Vec<Diagnostic>) -> Self {
        Self { tree: None, diagnostics }
    }
}

/// Reads a module.
#[must_use]
pub fn parse_module(file: &SourceFile, options: &ParserOptions) -> Parsed<Module> {
    let statements = Parser::new(file, options, false).parse();
    let (tree, diagnostics) = module::assemble(file, statements, options);
    Parsed { tree, diagnostics }
}

/// Reads a query: expressions, semicolons or line breaks between them.
#[must_use]
pub fn parse_query(file: &SourceFile, options: &ParserOptions) -> Parsed<Body> {
    let statements = Parser::new(file, options, true).parse();
    if !statements.errors.is_empty() {
        return Parsed::failed(statements.errors);
    }
    let mut body = Body::default();
    for statement in statements.statements {
        match statement {
            Statement::Body(part) => body.extend(part.0),
            other => {
                let message = "expected a query but got a statement of a module";
                return Parsed::failed(vec![Diagnostic::error(Code::Parse, other.span(), message)]);
            }
        }
    }
    Parsed { tree: Some(body), diagnostics: Vec::new() }
}

/// Reads exactly one term.
#[must_use]
pub fn parse_term(file: &SourceFile, options: &ParserOptions) -> Parsed<Term> {
    let body = match parse_query(file, options).into_result() {
        Ok(body) => body,
        Err(diagnostics) => return Parsed::failed(diagnostics),
    };
    let whole = Span::new(file.id(), 0, u32::try_from(file.text().len()).unwrap_or(u32::MAX));
    let mut exprs = body.0.into_iter();
    match (exprs.next(), exprs.next()) {
        (Some(expr), None) => match expr.kind {
            ExprKind::Term(term) => Parsed { tree: Some(term), diagnostics: Vec::new() },
            _ => Parsed::failed(vec![Diagnostic::error(Code::Parse, whole, "expected a term")]),
        },
        _ => Parsed::failed(vec![Diagnostic::error(Code::Parse, whole, "expected exactly one term")]),
    }
}
