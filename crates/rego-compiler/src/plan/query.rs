//! Queries and entrypoints: each becomes a plan that adds one object per answer to the result set.

use std::collections::HashMap;

use rego_ir::{Local, Operand, Plan, StmtKind};
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
    /// The answers are one array in the order in which they are found, repetitions included.
    in_order: bool,
    /// Variables that the compiler made are part of an answer as well.
    all_variables: bool,
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
            in_order: false,
            all_variables: false,
        }
    }

    /// The same, but the result set has one member: the array of all answers as they are found, none left out.
    #[must_use]
    pub fn in_order(name: impl Into<String>, query: &CheckedQuery) -> Self {
        Self { in_order: true, ..Self::new(name, query) }
    }

    /// The query `result = data.a.b` for the entrypoint `a/b`.
    #[must_use]
    pub fn entrypoint(path: &str) -> Self {
        let span = Span::NONE;
        let steps = path.split('/').filter(|step| !step.is_empty()).map(|step| Term::string(step, span));
        let reference: Vec<Term> = std::iter::once(Term::var("data", span)).chain(steps).collect();
        let value = Term::reference(reference.clone(), span);
        let body = Body::of(Expr::call("eq", vec![Term::var("result", span), value], span));
        Self::of_reference(path, body, reference)
    }

    /// The query `result = reference` for a ground reference into `data` whose steps need not be names.
    #[must_use]
    pub fn document(name: &str, reference: Vec<Term>) -> Self {
        let value = Term::reference(reference.clone(), Span::NONE);
        let body = Body::of(Expr::call("eq", vec![Term::var("result", Span::NONE), value], Span::NONE));
        Self::of_reference(name, body, reference)
    }

    fn of_reference(name: &str, body: Body, reference: Vec<Term>) -> Self {
        Self {
            name: name.to_owned(),
            body,
            source_names: HashMap::new(),
            entrypoint: Some(reference),
            in_order: false,
            all_variables: false,
        }
    }

    /// Expressions of a checked rule's body that need none of its arguments, as [`Query::in_order`] has them, with all
    /// variables by the names that the checker gave them.
    #[must_use]
    pub fn of_expressions(name: &str, body: Body) -> Self {
        Self {
            name: name.to_owned(),
            body,
            source_names: HashMap::new(),
            entrypoint: None,
            in_order: true,
            all_variables: true,
        }
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
        let block =
            self.block(|p| if query.in_order { p.plan_in_order(query) } else { p.plan_answers(query) })?;
        self.plans.push(Plan { name: query.name.clone(), blocks: vec![block] });
        Ok(())
    }

    fn plan_answers(&mut self, query: &Query) -> Result<()> {
        self.plan_body(&query.body)?;
        let answer = self.make_answer(query);
        self.emit(StmtKind::ResultSetAdd { value: answer });
        Ok(())
    }

    fn plan_in_order(&mut self, query: &Query) -> Result<()> {
        let all = self.new_local();
        self.emit(StmtKind::MakeArray { capacity: 0, target: all });
        let block = self.block(|p| {
            p.plan_body(&query.body)?;
            let answer = p.make_answer(query);
            p.emit(StmtKind::ArrayAppend { value: Operand::Local(answer), array: all });
            Ok(())
        })?;
        self.emit(StmtKind::Block { blocks: vec![block] });
        self.emit(StmtKind::ResultSetAdd { value: all });
        Ok(())
    }

    fn make_answer(&mut self, query: &Query) -> Local {
        let answer = self.new_local();
        self.emit(StmtKind::MakeObject { target: answer });
        for (name, value) in self.scope.frame_sorted() {
            let name = query.source_names.get(&name).unwrap_or(&name);
            if query.all_variables || !name.is_generated() {
                let key = Operand::String(self.statics.string(name));
                self.emit(StmtKind::ObjectInsert { key, value, object: answer });
            }
        }
        answer
    }
}
