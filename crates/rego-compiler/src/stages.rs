//! The stages of the compiler, in OPA's order.

use std::collections::HashMap;

use rego_syntax::ast::{Module, Name, Ref, Rule, Value};
use rego_syntax::{SourceMap, Span};

use crate::annotations::AnnotationSet;
use crate::errors::Errors;
use crate::graph::Graph;
use crate::locals::Locals;
use crate::options::Options;
use crate::rule_tree::{RuleId, RuleTree};
use crate::stage;
use crate::typecheck::TypeEnv;

/// What the stages work on.
pub(crate) struct Compilation<'a> {
    pub(crate) sources: &'a SourceMap,
    pub(crate) options: &'a Options,
    /// Sorted by the names of their files.
    pub(crate) modules: Vec<Module>,
    pub(crate) errors: Errors,
    /// Found while references are resolved.
    pub(crate) unused_imports: Vec<(Span, String)>,
    /// Found while references are resolved: where OPA says that references to rules of the package, and to imports,
    /// begin.
    pub(crate) shared_heads: HashMap<Span, Span>,
    pub(crate) locals: Locals,
    /// The variables of the source by what they were renamed to.
    pub(crate) rewritten: HashMap<Name, Name>,
    pub(crate) rule_tree: RuleTree,
    pub(crate) graph: Graph,
    pub(crate) types: TypeEnv,
    pub(crate) annotations: AnnotationSet,
}

/// A stage: its name, which is OPA's, and what it does.
type Stage = (&'static str, for<'a> fn(&mut Compilation<'a>));

/// All stages in the order in which they run. When one leaves errors that are not recoverable, those behind
/// it do not run.
pub(crate) const STAGES: &[Stage] = &[
    ("ResolveRefs", stage::resolve_refs),
    ("CheckUnusedImports", stage::check_unused_imports),
    ("InitLocalVarGen", init_local_var_gen),
    ("RewriteRuleHeadRefs", stage::rewrite_rule_head_refs),
    ("RewriteDuplicateTestNames", stage::rewrite_test_names),
    ("CheckKeywordOverrides", stage::check_keyword_overrides),
    ("CheckDuplicateImports", stage::check_duplicate_imports),
    ("SetRuleTree", set_rule_tree),
    ("RewriteLocalVars", stage::rewrite_local_vars),
    ("InjectTestCaseFunc", stage::report_test_cases),
    ("RewriteTemplateStrings", stage::rewrite_template_strings),
    ("CheckVoidCalls", stage::check_void_calls),
    ("RewritePrintCalls", stage::rewrite_print_calls),
    ("RewriteExprTerms", stage::rewrite_expr_terms),
    ("SetAnnotationSet", stage::set_annotation_set),
    ("RewriteRegoMetadataCalls", stage::rewrite_rego_metadata_calls),
    ("SetGraph", set_graph),
    ("RewriteComprehensionTerms", stage::rewrite_comprehension_terms),
    ("RewriteRefsInHead", stage::rewrite_refs_in_head),
    ("RewriteWithValues", stage::rewrite_with_values),
    ("CheckRuleConflicts", stage::check_rule_conflicts),
    ("CheckUndefinedFuncs", stage::check_undefined_funcs),
    ("CheckSafetyRuleHeads", stage::check_safety_rule_heads),
    ("CheckSafetyRuleBodies", stage::check_safety_rule_bodies),
    ("RewriteEquals", stage::rewrite_equals),
    ("RewriteDynamicTerms", stage::rewrite_dynamic_terms),
    ("CheckRecursion", stage::check_recursion),
    ("CheckTypes", stage::check_types),
    ("CheckUnsafeBuiltins", stage::check_unsafe_builtins),
    ("CheckDeprecatedBuiltins", stage::check_deprecated_builtins),
];

/// Runs the stages.
pub(crate) fn run(c: &mut Compilation<'_>) {
    for (_, stage) in STAGES {
        if c.errors.stops() {
            return;
        }
        stage(c);
    }
}

fn init_local_var_gen(c: &mut Compilation<'_>) {
    c.locals = Locals::for_modules(&c.modules);
}

fn set_rule_tree(c: &mut Compilation<'_>) {
    c.rule_tree = RuleTree::build(&c.modules);
}

fn set_graph(c: &mut Compilation<'_>) {
    c.graph = Graph::build(&c.modules, &c.rule_tree);
}

impl Compilation<'_> {
    /// The rule, or the branch of it, with this id.
    pub(crate) fn rule(&self, id: RuleId) -> Option<&Rule> {
        find_rule(&self.modules, id)
    }

    /// `file:row` of a span, as messages name places.
    pub(crate) fn place(&self, span: Span) -> String {
        match self.sources.locate(span) {
            Some((file, position)) => format!("{file}:{}", position.row),
            None => String::new(),
        }
    }

    /// The reference with the variables of the source.
    pub(crate) fn with_source_names(&self, mut reference: Ref) -> Ref {
        for term in reference.iter_mut() {
            if let Value::Var(name) = &term.value
                && let Some(source) = self.rewritten.get(name)
            {
                term.value = Value::Var(source.clone());
            }
        }
        reference
    }
}

/// The rule, or the branch of it, with this id.
pub(crate) fn find_rule(modules: &[Module], id: RuleId) -> Option<&Rule> {
    let rule = modules.get(id.module)?.rules.get(id.rule)?;
    crate::visit::chain(rule).nth(id.branch)
}
