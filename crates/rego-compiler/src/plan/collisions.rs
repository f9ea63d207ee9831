//! Rules of one object whose references may run into each other: `p.a := 1` and `p[x].b := 2` with `x` being `"a"`.
//!
//! A value that a rule gives must not be extended by another rule. Where the references' lengths or kinds allow it, the
//! function keeps the paths of values and the paths of what contains them, as two sets of arrays.

use rego_ir::{Local, Operand, StmtKind};
use rego_syntax::ast::{RuleKind, Term};

use super::trie::PlannedRule;
use super::{Planner, Result};

/// The sets of paths that a function keeps.
#[derive(Clone, Copy)]
pub(super) struct Collisions {
    values: Local,
    containers: Local,
}

impl Collisions {
    /// Whether the path of a value may be that of what contains another rule's entries. All references begin with the
    /// same `shared` terms.
    pub(super) fn are_possible(rules: &[PlannedRule<'_>], shared: usize) -> bool {
        rules.iter().filter(|rule| rule.rule.head.rule_kind() == RuleKind::SingleValue).any(|value| {
            rules.iter().any(|other| {
                let (path, all) = (value.reference.get(shared..), other.reference.get(shared..));
                let (path, all) = (path.unwrap_or_default(), all.unwrap_or_default());
                path.len() <= containing(all.len(), other.rule.head.rule_kind())
                    && path.iter().zip(all).all(|(a, b)| may_be_equal(a, b))
            })
        })
    }
}

/// How many steps of a path lead to what contains the entry: all but the last to an object, all to a set.
fn containing(len: usize, kind: RuleKind) -> usize {
    if kind == RuleKind::MultiValue { len } else { len.saturating_sub(1) }
}

fn may_be_equal(a: &Term, b: &Term) -> bool {
    !(a.value.is_constant() && b.value.is_constant()) || a == b
}

impl Planner<'_> {
    pub(super) fn make_collisions(&mut self) -> Collisions {
        let (values, containers) = (self.new_local(), self.new_local());
        self.emit(StmtKind::MakeSet { target: values });
        self.emit(StmtKind::MakeSet { target: containers });
        Collisions { values, containers }
    }

    /// A conflict error if the path of an entry meets another's; otherwise the path is noted.
    pub(super) fn check_collision(
        &mut self,
        collisions: Collisions,
        path: &[Operand],
        kind: RuleKind,
    ) -> Result<()> {
        for len in 1..=containing(path.len(), kind) {
            let container = self.make_array(path.get(..len).unwrap_or_default());
            self.conflict_if_in(collisions.values, container.into())?;
            self.emit(StmtKind::SetAdd { value: container.into(), set: collisions.containers });
        }
        if kind == RuleKind::SingleValue {
            let value = self.make_array(path);
            self.conflict_if_in(collisions.containers, value.into())?;
            self.emit(StmtKind::SetAdd { value: value.into(), set: collisions.values });
        }
        Ok(())
    }

    fn conflict_if_in(&mut self, set: Local, key: Operand) -> Result<()> {
        let block = self.block(|p| {
            let target = p.new_local();
            p.emit(StmtKind::Dot { source: set.into(), key, target });
            // Two values under one key: the error that the two rules are worth.
            let object = p.new_local();
            p.emit(StmtKind::MakeObject { target: object });
            for value in [Operand::Bool(true), Operand::Bool(false)] {
                p.emit(StmtKind::ObjectInsertOnce { key, value, object });
            }
            Ok(())
        })?;
        self.emit(StmtKind::Block { blocks: vec![block] });
        Ok(())
    }
}
