//! Terms: literals, variables, collections and comprehensions.

use rego_ir::{Local, Operand, StmtKind};
use rego_syntax::ast::{Expr, Name, ObjectComp, Term, Value};

use super::blocks::Opener;
use super::{PlanErrorKind, Planner, Result};

impl Planner<'_> {
    /// Plans the value of a term. Blocks that it opens (a reference with a new variable iterates) stay open.
    pub(super) fn plan_term(&mut self, term: &Term) -> Result<Operand> {
        match &term.value {
            Value::Null => Ok(self.make(|target| StmtKind::MakeNull { target })),
            Value::Bool(value) => Ok(Operand::Bool(*value)),
            Value::Number(number) => {
                let index = self.statics.string(number.as_str());
                Ok(self.make(|target| StmtKind::MakeNumberRef { index, target }))
            }
            Value::String(text) => Ok(Operand::String(self.statics.string(text))),
            Value::Var(name) => self.plan_var(name),
            Value::Ref(reference) => self.plan_ref(reference),
            Value::Array(terms) => self.plan_array(terms),
            Value::Object(entries) => self.plan_object(entries),
            Value::Set(terms) => self.plan_set(terms),
            Value::ArrayComp(comp) => self.plan_array_comprehension(&comp.term, &comp.body),
            Value::SetComp(comp) => self.plan_set_comprehension(&comp.term, &comp.body),
            Value::ObjectComp(comp) => self.plan_object_comprehension(comp),
            Value::Call(terms) => self.plan_call_term(terms),
            Value::TemplateString(_) => self.error(PlanErrorKind::Term(term.value.kind_name())),
        }
    }

    /// A new local, filled by one statement.
    pub(super) fn make(&mut self, stmt: impl FnOnce(Local) -> StmtKind) -> Operand {
        let target = self.new_local();
        self.emit(stmt(target));
        Operand::Local(target)
    }

    pub(super) fn make_int(&mut self, value: usize) -> Operand {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.make(|target| StmtKind::MakeNumberInt { value, target })
    }

    pub(super) fn plan_var(&self, name: &Name) -> Result<Operand> {
        match self.scope.value_of(name) {
            Some(value) => Ok(value),
            None => self.error(PlanErrorKind::UnsafeVar(name.to_string())),
        }
    }

    // The elements come before the collection: one of them may open a block, and the collection must be new for each
    // run of that. It also keeps the statements that build a constant collection together.

    fn plan_array(&mut self, terms: &[Term]) -> Result<Operand> {
        let elements = self.plan_terms(terms)?;
        Ok(self.make_array(&elements).into())
    }

    pub(super) fn make_array(&mut self, elements: &[Operand]) -> Local {
        let array = self.new_local();
        let capacity = i32::try_from(elements.len()).unwrap_or(0);
        self.emit(StmtKind::MakeArray { capacity, target: array });
        for value in elements {
            self.emit(StmtKind::ArrayAppend { value: *value, array });
        }
        array
    }

    fn plan_object(&mut self, entries: &[(Term, Term)]) -> Result<Operand> {
        let mut planned = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            planned.push((self.plan_term(key)?, self.plan_term(value)?));
        }
        let object = self.new_local();
        self.emit(StmtKind::MakeObject { target: object });
        for (key, value) in planned {
            self.emit(StmtKind::ObjectInsert { key, value, object });
        }
        Ok(object.into())
    }

    fn plan_set(&mut self, terms: &[Term]) -> Result<Operand> {
        let elements = self.plan_terms(terms)?;
        let set = self.new_local();
        self.emit(StmtKind::MakeSet { target: set });
        for value in elements {
            self.emit(StmtKind::SetAdd { value, set });
        }
        Ok(set.into())
    }

    pub(super) fn plan_terms(&mut self, terms: &[Term]) -> Result<Vec<Operand>> {
        terms.iter().map(|term| self.plan_term(term)).collect()
    }

    fn plan_array_comprehension(&mut self, term: &Term, body: &[Expr]) -> Result<Operand> {
        let array = self.new_local();
        self.emit(StmtKind::MakeArray { capacity: 0, target: array });
        self.plan_comprehension(body, |p| {
            let value = p.plan_term(term)?;
            p.emit(StmtKind::ArrayAppend { value, array });
            Ok(())
        })?;
        Ok(array.into())
    }

    fn plan_set_comprehension(&mut self, term: &Term, body: &[Expr]) -> Result<Operand> {
        let set = self.new_local();
        self.emit(StmtKind::MakeSet { target: set });
        self.plan_comprehension(body, |p| {
            let value = p.plan_term(term)?;
            p.emit(StmtKind::SetAdd { value, set });
            Ok(())
        })?;
        Ok(set.into())
    }

    fn plan_object_comprehension(&mut self, comp: &ObjectComp) -> Result<Operand> {
        let object = self.new_local();
        self.emit(StmtKind::MakeObject { target: object });
        self.plan_comprehension(&comp.body, |p| {
            let key = p.plan_term(&comp.key)?;
            let value = p.plan_term(&comp.value)?;
            p.emit(StmtKind::ObjectInsertOnce { key, value, object });
            Ok(())
        })?;
        Ok(object.into())
    }

    /// Plans a body whose answers are collected by `collect`; its variables end with it.
    fn plan_comprehension(
        &mut self,
        body: &[Expr],
        collect: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let mark = self.scope.blocks.mark();
        self.open(Opener::Block);
        self.scope.push_frame();
        self.plan_body(body)?;
        collect(self)?;
        self.scope.pop_frame();
        self.scope.blocks.close_to(mark);
        Ok(())
    }
}
