//! What a call can refer to: built-in functions and rules.

use rego_builtins::Builtin;
use rego_syntax::ast::{Ref, RuleKind};

use crate::options::Options;
use crate::rule_tree::RuleTree;

/// Looks up functions.
#[derive(Clone, Copy)]
pub(crate) struct Declarations<'a> {
    pub(crate) options: &'a Options,
    pub(crate) tree: &'a RuleTree,
}

impl Declarations<'_> {
    /// The built-in function that an operator refers to.
    pub(crate) fn builtin(&self, operator: &Ref) -> Option<&'static Builtin> {
        self.options.builtin(operator)
    }

    /// The number of arguments that a function or rule takes; nothing where there is none of that name.
    pub(crate) fn arity(&self, operator: &Ref) -> Option<usize> {
        match self.builtin(operator) {
            Some(builtin) => Some(builtin.args.len()),
            None => self.tree.rules_at(operator).first().map(|rule| rule.arity),
        }
    }

    /// Whether the reference is to a rule that is known to have a value: one with a default, a constant, or
    /// a set (which may be empty, but is there).
    pub(crate) fn is_always_defined(&self, reference: &Ref) -> bool {
        if reference.len() < 2 || reference.head_var().is_none_or(|name| name != "data") {
            return false;
        }
        let rules = self.tree.rules_at(reference);
        let Some(first) = rules.first() else { return false };
        first.arity == 0
            && (first.default
                || first.kind == RuleKind::MultiValue
                || (rules.len() == 1 && first.constant)
                || rules.iter().skip(1).any(|rule| rule.default))
    }
}
