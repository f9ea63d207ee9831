//! The types of rules.

use std::sync::Arc;

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Ref, Rule, RuleKind, Term, Value};

use super::Checker;
use crate::types::{FunctionType, Maybe, Param, Type};
use crate::visit::{self, Node};

/// How many steps of a rule's reference may vary before its type is left open.
const MAX_VARYING: usize = 128;

impl Checker<'_> {
    /// Checks a rule (without its `else`), and remembers the type of what it defines. `path` is its reference
    /// from `data` on.
    pub(crate) fn check_rule(&mut self, rule: &Rule, path: &Ref) -> Vec<Diagnostic> {
        self.comprehensions.clear();
        let depth = self.layers.len();
        let errors = self.body(&rule.body);
        let ty = if errors.is_empty() { self.type_of_rule(rule, path) } else { None };
        self.layers.truncate(depth);
        if !errors.is_empty() {
            // What refers to the rule must not be reported for it.
            self.forget_rule(path);
        } else if let Some(ty) = ty {
            self.insert_rule(&path.ground_prefix(), &ty);
        }
        errors
    }

    fn type_of_rule(&mut self, rule: &Rule, path: &Ref) -> Maybe {
        let head = &rule.head;
        let value = head.value.as_ref().map(|value| &value.value);
        if !head.args.is_empty() {
            head.args.iter().for_each(|arg| self.open_vars_are_any(arg));
            let params = head.args.iter().map(|arg| unnamed(self.get(&arg.value))).collect();
            let result = value.and_then(|value| self.get(value));
            let result = result.map(|ty| unnamed(Some(ty)));
            return Some(Type::Function(Arc::new(FunctionType { params, result, variadic: None })));
        }
        let inner = match head.rule_kind() {
            RuleKind::SingleValue => value.and_then(|value| self.get(value)),
            RuleKind::MultiValue => {
                let element = head.key.as_ref().and_then(|key| self.get(&key.value));
                element.map(|element| Type::set(Some(element)))
            }
        };
        let varying = path.get(path.dynamic().unwrap_or(path.len())..).unwrap_or_default();
        self.nested(varying, inner)
    }

    /// An object for each step of a reference from the first that varies on.
    fn nested(&mut self, steps: &[Term], inner: Maybe) -> Maybe {
        if steps.len() > MAX_VARYING {
            return Some(Type::any());
        }
        steps.iter().rev().try_fold(inner?, |inner, step| {
            let key = self.get(&step.value)?;
            Some(Type::object(Vec::new(), Some((Some(key), Some(inner)))))
        })
    }

    /// Arguments that the body says nothing about can be anything.
    fn open_vars_are_any(&mut self, arg: &Term) {
        visit::walk_terms(Node::Term(arg), &mut |term| {
            if let Value::Var(name) = &term.value
                && self.get(&term.value).is_none()
            {
                self.put_var(name, Some(Type::any()));
            }
            false
        });
    }
}

fn unnamed(ty: Maybe) -> Param {
    Param { name: String::new(), ty }
}
