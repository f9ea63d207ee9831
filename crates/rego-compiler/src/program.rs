//! A program that passed all checks.

use std::collections::HashMap;

use rego_syntax::ast::{Body, Module, Name, Rule};
use rego_syntax::{Diagnostic, SourceMap, Span};

use crate::annotations::AnnotationSet;
use crate::errors::{self, Errors};
use crate::graph::Graph;
use crate::locals::Locals;
use crate::options::Options;
use crate::query::{self, CheckedQuery, QueryContext};
use crate::rule_tree::{RuleId, RuleTree};
use crate::stages::{self, Compilation};
use crate::typecheck::{self, TypeEnv};

/// Modules that passed all checks, rewritten into the form that the planner takes.
///
/// The bodies are in an order in which each expression finds its variables bound; calls are expressions of
/// their own; `:=`, `some`, template strings and `print` (unless kept) are gone.
#[derive(Clone)]
pub struct CheckedProgram {
    pub(crate) modules: Vec<Module>,
    pub(crate) sources: SourceMap,
    pub(crate) options: Options,
    pub(crate) rewritten: HashMap<Name, Name>,
    pub(crate) rule_tree: RuleTree,
    pub(crate) graph: Graph,
    pub(crate) types: TypeEnv,
}

/// Checks modules and brings them into the form that the planner takes.
///
/// # Errors
/// All diagnostics, by file, row and column. Stages that work on what an earlier one could not finish do not
/// run, so a corrected program may have further ones.
pub fn check(
    modules: Vec<Module>,
    sources: &SourceMap,
    options: &Options,
) -> Result<CheckedProgram, Vec<Diagnostic>> {
    let mut modules = modules;
    modules.sort_by(|a, b| {
        let name = |module: &Module| sources.get(module.package.span.file).map(|file| file.name());
        name(a).cmp(&name(b))
    });
    let mut compilation = Compilation {
        sources,
        options,
        modules,
        errors: Errors::with_limit(options.error_limit),
        unused_imports: Vec::new(),
        shared_heads: HashMap::new(),
        locals: Locals::default(),
        rewritten: HashMap::new(),
        rule_tree: RuleTree::default(),
        graph: Graph::default(),
        types: TypeEnv::new(options),
        annotations: AnnotationSet::default(),
    };
    let wrong = typecheck::wrong_input_schema(options);
    compilation.errors.all_fatal(wrong.map(|message| errors::type_error(Span::NONE, message)));
    stages::run(&mut compilation);
    if !compilation.errors.is_empty() {
        return Err(compilation.errors.into_sorted(sources));
    }
    Ok(CheckedProgram {
        modules: compilation.modules,
        sources: sources.clone(),
        options: options.clone(),
        rewritten: compilation.rewritten,
        rule_tree: compilation.rule_tree,
        graph: compilation.graph,
        types: compilation.types,
    })
}

impl CheckedProgram {
    /// The modules, sorted by the names of their files.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The files that spans point into.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// The choices that the program was checked with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// All rules by path.
    pub fn rule_tree(&self) -> &RuleTree {
        &self.rule_tree
    }

    /// Which rules refer to which.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The rule, or the branch of it, with this id.
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        stages::find_rule(&self.modules, id)
    }

    /// The variable of the source that a variable was renamed from; itself where it was not.
    pub fn source_name<'a>(&'a self, name: &'a Name) -> &'a Name {
        self.rewritten.get(name).unwrap_or(name)
    }

    /// Checks a query against the program and brings it into the form that the planner takes.
    ///
    /// # Errors
    /// What the first stage that finds something finds, by place.
    pub fn compile_query(&self, query: Body) -> Result<CheckedQuery, Vec<Diagnostic>> {
        self.compile_query_in(query, &QueryContext::default())
    }

    /// The same for a query that may use the names of a package and of imports.
    ///
    /// # Errors
    /// As [`CheckedProgram::compile_query`].
    pub fn compile_query_in(
        &self,
        query: Body,
        context: &QueryContext,
    ) -> Result<CheckedQuery, Vec<Diagnostic>> {
        query::compile(self, query, context).map_err(|mut found| {
            errors::sort(&mut found, &self.sources);
            found
        })
    }
}
