//! What `with` does to types.

use std::sync::Arc;

use rego_syntax::ast::{Expr, Ref};

use super::calls::wrong_args;
use super::tree::TypeTree;
use super::unify::unifies;
use super::{Checker, Issue};
use crate::types::{FunctionType, Maybe, Type};

impl Checker<'_> {
    /// Adds layers in which replaced documents have the type of their replacement too, and in which nothing is
    /// known of the rules that depend on them.
    pub(super) fn push_with(&mut self, expr: &Expr) {
        let vars = self.vars_layer();
        let below = self.layers.len();
        let mut relaxed = Vec::new();
        let mut replaced = TypeTree::default();
        let mut any_replaced = false;
        for with in &expr.with {
            let Some(target) = with.target.as_ref_value() else { continue };
            let target_type = self.get_ref(target);
            let is_function = matches!(target_type, Some(Type::Function(_)));
            relaxed.extend(self.relaxed(target, is_function));
            if is_function {
                continue;
            }
            let value_type = self.get(&with.value.value);
            let ty = match (target_type, value_type) {
                (Some(target_type), Some(value_type)) if target.is_ground() => {
                    Type::union(Some(target_type), Some(value_type)).unwrap_or_else(Type::any)
                }
                _ => Type::any(),
            };
            replaced.put(&target.ground_prefix(), Some(ty));
            any_replaced = true;
        }
        debug_assert_eq!(below, self.layers.len(), "types are looked up as they are around the expression");
        for tree in relaxed {
            self.push_layer(tree, vars);
        }
        // Last, so that a replaced document keeps its type even if another modifier replaces what it depends on.
        if any_replaced {
            self.push_layer(Arc::new(replaced), vars);
        }
    }

    fn relaxed(&mut self, target: &Ref, is_function: bool) -> Option<Arc<TypeTree>> {
        let key = format!("{is_function} {}", crate::text::of_ref(target));
        if let Some(known) = self.relaxed.get(&key) {
            return known.clone();
        }
        let mut tree = TypeTree::default();
        let mut affected = (self.dependents)(target);
        // A replaced function keeps its declaration, so that the arity of its calls is checked.
        affected.retain(|reference| !(is_function && reference == target));
        for reference in &affected {
            tree.put(reference, Some(Type::any()));
        }
        let relaxed = (!affected.is_empty()).then(|| Arc::new(tree));
        self.relaxed.insert(key, relaxed.clone());
        relaxed
    }

    /// A function can be replaced only by one that takes the same arguments.
    pub(super) fn replacements(&mut self, expr: &Expr) -> Option<Issue> {
        for with in &expr.with {
            let target = with.target.as_ref_value();
            let target_type = self.get(&with.target.value);
            let value_type = self.get(&with.value.value);
            let (Some(target), Some(Type::Function(wanted))) = (target, &target_type) else { continue };
            let Some(Type::Function(given)) = &value_type else { continue };
            if !unifies(&target_type, &value_type) {
                let have: Vec<Maybe> = given.params.iter().map(|param| param.ty.clone()).collect();
                let arguments_only = FunctionType { result: None, ..(**wanted).clone() };
                let mut issue = wrong_args(expr, target, "arity mismatch", &have, &arguments_only);
                issue.diagnostic.span = with.span;
                return Some(issue);
            }
        }
        None
    }
}
