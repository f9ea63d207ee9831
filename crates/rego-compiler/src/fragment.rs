//! Pieces of bodies in the form that the planner takes, made by somebody else than the compiler.

use std::collections::{BTreeSet, HashMap};

use rego_syntax::ast::{Body, Expr, Name, Ref};

use crate::declarations::Declarations;
use crate::program::CheckedProgram;
use crate::safety;
use crate::stage;
use crate::typecheck::Names;
use crate::vars::{self, Skip};

impl CheckedProgram {
    fn declarations(&self) -> Declarations<'_> {
        Declarations { options: &self.options, tree: &self.rule_tree }
    }

    /// Whether the types of an already rewritten body fit.
    #[must_use]
    pub fn accepts(&self, body: &Body) -> bool {
        let (subjects, shared) = (HashMap::new(), HashMap::new());
        let names = Names { subjects: &subjects, rewritten: vec![&self.rewritten], shared: &shared };
        let found =
            stage::check_query_types(body, &self.types, &self.modules, &self.rule_tree, &self.graph, names);
        found.is_empty()
    }

    /// The variables that have a value once an expression was evaluated, beyond those that have one before.
    #[must_use]
    pub fn bound_by(&self, expr: &Expr, safe: &BTreeSet<Name>) -> BTreeSet<Name> {
        let outputs = safety::outputs_of_expr(expr, self.declarations(), &|name| safe.contains(name));
        outputs.into_iter().filter(|name| !safe.contains(name)).collect()
    }

    /// The variables that expressions need values for, outside of closures.
    #[must_use]
    pub fn needed_by(&self, exprs: &[Expr]) -> BTreeSet<Name> {
        exprs.iter().flat_map(|expr| vars::of_expr(expr, Skip::SAFETY)).collect()
    }

    /// The number of arguments that a function takes.
    #[must_use]
    pub fn arity(&self, operator: &Ref) -> Option<usize> {
        self.declarations().arity(operator)
    }
}
