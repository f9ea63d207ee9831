//! One file per stage; [`crate::stages::STAGES`] is their order.

mod check_builtins;
mod check_duplicate_imports;
mod check_keyword_overrides;
mod check_recursion;
mod check_rule_conflicts;
mod check_safety;
mod check_types;
mod check_undefined_funcs;
mod check_unused_imports;
mod check_void_calls;
mod report_test_cases;
mod resolve_refs;
mod rewrite_comprehension_terms;
mod rewrite_dynamic_terms;
mod rewrite_equals;
mod rewrite_expr_terms;
mod rewrite_local_vars;
mod rewrite_print_calls;
mod rewrite_refs_in_head;
mod rewrite_rego_metadata_calls;
mod rewrite_rule_head_refs;
mod rewrite_template_strings;
mod rewrite_test_names;
mod rewrite_with_values;
mod set_annotation_set;

pub(crate) use check_builtins::{
    check_deprecated_builtins, check_unsafe_builtins, deprecated_calls, unsafe_calls,
};
pub(crate) use check_duplicate_imports::check_duplicate_imports;
pub(crate) use check_keyword_overrides::{check_keyword_overrides, overrides_in_query};
pub(crate) use check_recursion::check_recursion;
pub(crate) use check_rule_conflicts::check_rule_conflicts;
pub(crate) use check_safety::{check_safety_rule_bodies, check_safety_rule_heads};
pub(crate) use check_types::{check_query_types, check_types};
pub(crate) use check_undefined_funcs::{check_undefined_funcs, undefined_functions};
pub(crate) use check_unused_imports::check_unused_imports;
pub(crate) use check_void_calls::{check_void_calls, void_calls};
pub(crate) use report_test_cases::report_test_cases;
pub(crate) use resolve_refs::{Globals, globals, resolve_query, resolve_refs};
pub(crate) use rewrite_comprehension_terms::{rewrite_comprehension_terms, rewrite_query_comprehensions};
pub(crate) use rewrite_dynamic_terms::{hoist_body, rewrite_dynamic_terms};
pub(crate) use rewrite_equals::rewrite_equals;
pub(crate) use rewrite_expr_terms::{expand_body, rewrite_expr_terms};
pub(crate) use rewrite_local_vars::{rewrite_local_vars, rewrite_query_vars};
pub(crate) use rewrite_print_calls::{rewrite_print_calls, rewrite_query_prints};
pub(crate) use rewrite_refs_in_head::rewrite_refs_in_head;
pub(crate) use rewrite_rego_metadata_calls::rewrite_rego_metadata_calls;
pub(crate) use rewrite_rule_head_refs::rewrite_rule_head_refs;
pub(crate) use rewrite_template_strings::{rewrite_query_templates, rewrite_template_strings};
pub(crate) use rewrite_test_names::rewrite_test_names;
pub use rewrite_test_names::test_reference;
pub(crate) use rewrite_with_values::{rewrite_query_withs, rewrite_with_values};

pub(crate) use set_annotation_set::set_annotation_set;

use rego_syntax::ast::{Module, RegoVersion};

/// Whether a module follows the rules of Rego v1.
fn is_v1_compatible(module: &Module) -> bool {
    module.rego_version != RegoVersion::V0
}
