//! What a rule's head contributes to the document that the rules make.

use rego_ir::{Block, Local, Operand, StmtKind};
use rego_syntax::ast::{Rule, RuleKind, Term};

use super::blocks::Mark;
use super::rules::{FirstDecides, Function};
use super::trie::PlannedRule;
use super::{PlanErrorKind, Planner, Result};

/// What the rules of a function make.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    /// One value.
    Value,
    /// A set, an element per answer.
    Set,
    /// An object, an entry per answer; rules below it may make objects and sets in turn.
    Object,
}

impl Planner<'_> {
    /// The value of a complete rule or a function. It is returned at once when no other answer could conflict.
    pub(super) fn plan_value(
        &mut self,
        function: &Function<'_, '_>,
        rule: &Rule,
        target: Local,
        inside: Mark,
    ) -> Result<()> {
        let Some(value) = &rule.head.value else { return self.error(PlanErrorKind::Term("undefined")) };
        let source = self.plan_term(value)?;
        let is_last = match function.first_decides {
            FirstDecides::Always => true,
            FirstDecides::Within => value.value.is_constant() || !self.scope.blocks.iterates_since(inside),
            FirstDecides::Never => false,
        };
        if is_last {
            self.assign(function.result, source);
            self.emit(StmtKind::ReturnLocal { source: function.result });
            return Ok(());
        }
        self.emit(StmtKind::AssignVarOnce { source, target });
        if value.value.is_constant() {
            self.leave(inside);
        }
        Ok(())
    }

    /// The element of a partial set.
    pub(super) fn plan_element(
        &mut self,
        function: &Function<'_, '_>,
        rule: &Rule,
        inside: Mark,
    ) -> Result<()> {
        let Some(key) = &rule.head.key else { return self.error(PlanErrorKind::Term("undefined")) };
        let value = self.plan_term(key)?;
        self.emit(StmtKind::SetAdd { value, set: function.result });
        if key.value.is_constant() {
            self.leave(inside);
        }
        Ok(())
    }

    /// The entry of a partial object, `steps` being the keys that lead to it.
    pub(super) fn plan_entry(
        &mut self,
        function: &Function<'_, '_>,
        steps: &[Term],
        rule: &Rule,
    ) -> Result<()> {
        let kind = rule.head.rule_kind();
        let value = match (kind, &rule.head.value, &rule.head.key) {
            (RuleKind::SingleValue, Some(value), _) => value,
            (RuleKind::MultiValue, _, Some(key)) => key,
            _ => return self.error(PlanErrorKind::Term("undefined")),
        };
        let value = self.plan_term(value)?;
        let path = self.plan_terms(steps)?;
        if let Some(collisions) = function.collisions {
            self.check_collision(collisions, &path, kind)?;
        }
        let Some((last, parents)) = path.split_last() else { return Ok(()) };
        let mut object = function.result;
        let mut children = Vec::new();
        for key in parents {
            let child = self.plan_child(object, *key, |target| StmtKind::MakeObject { target })?;
            children.push((object, *key, child));
            object = child;
        }
        if kind == RuleKind::MultiValue {
            let set = self.plan_child(object, *last, |target| StmtKind::MakeSet { target })?;
            self.emit(StmtKind::SetAdd { value, set });
            children.push((object, *last, set));
        } else {
            self.emit(StmtKind::ObjectInsertOnce { key: *last, value, object });
        }
        // A back end may copy a collection that is looked up, so the changed ones are put back.
        for (object, key, child) in children.into_iter().rev() {
            self.emit(StmtKind::ObjectInsert { key, value: child.into(), object });
        }
        Ok(())
    }

    /// The collection under a key, which is made if it is missing.
    fn plan_child(
        &mut self,
        object: Local,
        key: Operand,
        make: impl FnOnce(Local) -> StmtKind,
    ) -> Result<Local> {
        let child = self.new_local();
        let location = self.scope.location;
        let found = Block {
            stmts: vec![
                StmtKind::Dot { source: object.into(), key, target: child }.at(location),
                StmtKind::Break { index: 1 }.at(location),
            ],
        };
        let either = self.block(|p| {
            p.emit(StmtKind::Block { blocks: vec![found] });
            p.emit(make(child));
            Ok(())
        })?;
        self.emit(StmtKind::Block { blocks: vec![either] });
        Ok(child)
    }

    /// `default`: the value when no other rule gave one.
    pub(super) fn plan_default(
        &mut self,
        function: &Function<'_, '_>,
        planned: &PlannedRule<'_>,
    ) -> Result<Block> {
        let rule = planned.rule;
        self.block(|p| {
            p.locate(rule.head.span);
            if function.document == Document::Object {
                let steps = planned.reference.get(function.shared..).unwrap_or_default();
                p.require_no_entry(function.result, steps)?;
                return p.plan_entry(function, steps, rule);
            }
            p.emit(StmtKind::IsUndefined { source: function.result });
            p.plan_body(&rule.body)?;
            p.mark(rule.head.span);
            let Some(value) = &rule.head.value else { return p.error(PlanErrorKind::Term("undefined")) };
            let value = p.plan_term(value)?;
            p.assign(function.result, value);
            Ok(())
        })
    }

    fn require_no_entry(&mut self, object: Local, steps: &[Term]) -> Result<()> {
        let block = self.block(|p| p.plan_steps(object.into(), steps).map(|_| ()))?;
        self.emit(StmtKind::Not { block });
        Ok(())
    }
}
