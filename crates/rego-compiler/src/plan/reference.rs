//! References to parts of a value.

use rego_ir::{Operand, StmtKind};
use rego_syntax::ast::{Ref, Term};

use super::blocks::Opener;
use super::{PlanErrorKind, Planner, Result};

impl Planner<'_> {
    pub(super) fn plan_ref(&mut self, reference: &Ref) -> Result<Operand> {
        let Some(head) = reference.head() else { return self.error(PlanErrorKind::Term("ref")) };
        if head.as_var().is_some_and(|name| name == "data") {
            return self.plan_data_ref(reference);
        }
        let source = self.plan_term(head)?;
        if reference.len() == 1
            && let Operand::Local(source) = source
        {
            self.emit(StmtKind::IsDefined { source });
        }
        self.plan_steps(source, reference.steps())
    }

    /// Follows the steps from a value: a step whose variables have values is looked up, any other iterates.
    pub(super) fn plan_steps(&mut self, source: Operand, steps: &[Term]) -> Result<Operand> {
        steps.iter().try_fold(source, |source, step| {
            if self.has_unseen_vars(step) {
                self.plan_scan(source, step)
            } else {
                self.plan_dot(source, step)
            }
        })
    }

    pub(super) fn plan_dot(&mut self, source: Operand, step: &Term) -> Result<Operand> {
        let key = self.plan_term(step)?;
        Ok(self.make(|target| StmtKind::Dot { source, key, target }))
    }

    fn plan_scan(&mut self, source: Operand, step: &Term) -> Result<Operand> {
        let (key, value) = self.open_scan(source);
        self.unify_operand(key, step)?;
        Ok(value)
    }

    /// Iterates a collection: what is appended next runs for each key and value.
    pub(super) fn open_scan(&mut self, source: Operand) -> (Operand, Operand) {
        let source = self.local_of(source);
        let (key, value) = (self.new_local(), self.new_local());
        self.open(Opener::Scan { source, key, value });
        (key.into(), value.into())
    }
}
