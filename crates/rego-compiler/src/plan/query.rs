//! Queries and entrypoints: each becomes a plan that adds one object per answer to the result set.

use std::collections::HashMap;

use rego_ir::{Operand, Plan, StmtKind};
use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, Name, Term};

use crate::query::CheckedQuery;

use super::scope::Scope;
use super::{PlanErrorKind, Planner, Result};

/// A query to plan.
#[derive(Clone, Debug)]
pub struct Query {
    name: String,
    body: Body,
    /// The variables' names in the source, by the names that the checker gave them.
    source_names: HashMap<Name, Name>,
    /// What the query asks for, when that must exist.
    entrypoint: Option<Vec<Term>>,
}

impl Query {
    /// A checked query, to be the plan `name`. Its answers are objects from the source's variables to their values.
    #[must_use]
    pub fn new(name: impl Into<String>, query: &CheckedQuery) -> Self {
        Self {
            name: name.into(),
            body: query.body().clone(),
            source_names: query.source_names().clone(),
            entrypoint: None,
        }
    }

    /// The query `result = data.a.b` for the entrypoint `a/b`.
    #[must_use]
    pub fn entrypoint(path: &str) -> Self {
        let span = Span::NONE;
        let steps = path.split('/').filter(|step| !step.is_empty()).map(|step| Term::string(step, span));
        let reference: Vec<Term> = std::iter::once(Term::var("data", span)).chain(steps).collect();
        let value = Term::reference(reference.clone(), span);
        let body = Body::of(Expr::call("eq", vec![Term::var("result", span), value], span));
        Self { name: path.to_owned(), body, source_names: HashMap::new(), entrypoint: Some(reference) }
    }
}

impl Planner<'_> {
    pub(super) fn plan_query(&mut self, query: &Query) -> Result<()> {
        if let Some(reference) = &query.entrypoint {
            if self.rules.lookup(reference).is_none() {
                return self.error(PlanErrorKind::UnknownEntrypoint(query.name.clone()));
            }
            if self.plans.iter().any(|plan| plan.name == query.name) {
                return Ok(());
            }
        }
        self.scope = Scope::of_documents();
        self.scope.location = self.statics.no_location();
        let block = self.block(|p| {
            p.plan_body(&query.body)?;
            p.add_answer(query);
            Ok(())
        })?;
        self.plans.push(Plan { name: query.name.clone(), blocks: vec![block] });
        Ok(())
    }

    fn add_answer(&mut self, query: &Query) {
        let answer = self.new_local();
        self.emit(StmtKind::MakeObject { target: answer });
        for (name, value) in self.scope.frame_sorted() {
            let name = query.source_names.get(&name).unwrap_or(&name);
            if !name.is_generated() {
                let key = Operand::String(self.statics.string(name));
                self.emit(StmtKind::ObjectInsert { key, value, object: answer });
            }
        }
        self.emit(StmtKind::ResultSetAdd { value: answer });
    }
}
