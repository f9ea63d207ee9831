//! Every declared variable gets a name of its own; `:=` and `some` are gone afterwards.
//!
//! `x := 1; p[x]` becomes `__local0__ = 1; p[__local0__]`. Uses before the declaration, declarations that
//! clash and variables that nothing uses are reported on the way.

mod rewriter;
mod scopes;
mod unused;

use std::collections::{BTreeMap, HashMap};

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Body, Head, Name, Rule, Term, Value};

use crate::errors::compile_error;
use crate::locals::Locals;
use crate::options::Options;
use crate::stages::Compilation;
use crate::vars::{self, Collector, Skip, VarSet};
use crate::visit::{self, Node};
use crate::visit_mut::{self, Rewrite};
use rewriter::Rewriter;
use scopes::{Occurrence, Scopes};

/// Rewrites the variables of all rules.
pub(crate) fn rewrite_local_vars(c: &mut Compilation<'_>) {
    let (options, errors) = (c.options, &mut c.errors);
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        let mut unused_args = VarSet::new();
        if options.strict {
            unused_args = vars::of_terms(&rule.head.args, Skip::NOTHING);
        }
        let mut arguments = Arguments { locals: &mut c.locals, scopes: Scopes::new(), errors: Vec::new() };
        rule.head.args.iter_mut().for_each(|arg| arguments.term(arg));
        errors.all_fatal(arguments.errors);
        let scopes = arguments.scopes;
        let head_span = rule.head.span;
        visit::chain_mut(rule, &mut |rule| {
            let mut rewriter = Rewriter::new(&mut c.locals, scopes.clone(), options.strict);
            rewriter.rule(rule, &mut unused_args, options);
            unused_args.retain(|arg| rewriter.scopes.count(arg) <= 1);
            c.rewritten.extend(rewriter.scopes.rewritten);
            errors.all_fatal(rewriter.errors);
            errors.all_recoverable(rewriter.head_unused);
            errors.all_recoverable(rewriter.scopes.unused);
        });
        for arg in unused_args.iter().filter(|arg| !arg.is_wildcard()) {
            let message = format!("unused argument {arg}. (hint: use _ (wildcard variable) instead)");
            errors.recoverable(compile_error(head_span, message));
        }
    }
}

/// Rewrites the variables of a query. Gives the original names, or what is wrong.
pub(crate) fn rewrite_query_vars(
    query: &mut Body,
    locals: &mut Locals,
    strict: bool,
) -> Result<HashMap<Name, Name>, Vec<Diagnostic>> {
    let mut rewriter = Rewriter::new(locals, Scopes::new(), strict);
    rewriter.declared_in_body(&VarSet::new(), query);
    let mut errors = rewriter.errors;
    errors.extend(rewriter.scopes.unused);
    if errors.is_empty() { Ok(rewriter.scopes.rewritten) } else { Err(errors) }
}

/// Renames the variables in the patterns of arguments.
struct Arguments<'a> {
    locals: &'a mut Locals,
    scopes: Scopes,
    errors: Vec<Diagnostic>,
}

impl Rewrite for Arguments<'_> {
    fn term(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::Var(name) => {
                if let Some(renamed) = self.scopes.declared(name).cloned() {
                    self.scopes.seen(name);
                    *name = renamed;
                } else {
                    let renamed = self.locals.fresh();
                    self.scopes.insert(name.clone(), renamed.clone(), Occurrence::Argument);
                    *name = renamed;
                }
            }
            Value::Object(entries) => entries.iter_mut().for_each(|(_, value)| self.term(value)),
            Value::Ref(_) | Value::Array(_) => visit_mut::each_subterm(self, term),
            Value::Call(_) => {
                self.errors.push(compile_error(term.span, "rule arguments cannot contain calls"));
            }
            _ => {}
        }
    }
}

impl Rewriter<'_> {
    fn rule(&mut self, rule: &mut Rule, unused_args: &mut VarSet, options: &Options) {
        let only_scalars = !head_may_have_vars(&rule.head);
        let mut used = VarSet::new();
        if !only_scalars {
            self.closures_in_head(&mut rule.head);
            used = head_vars(&rule.head, unused_args);
        }
        self.rename_shadowed_builtins(rule, options);
        self.declared_in_body(&used, &mut rule.body);
        if !only_scalars {
            let renamed = self.scopes.current().map(|(name, entry)| (name.clone(), entry.renamed.clone()));
            let mut rename = Rename { names: renamed.collect() };
            visit_mut::each_head_term(&mut rename, &mut rule.head);
        }
    }

    /// Comprehensions and template strings of the head come first: what the body declares is not theirs.
    fn closures_in_head(&mut self, head: &mut Head) {
        let outer = std::mem::replace(&mut self.scopes, Scopes::new());
        let terms = head.args.iter_mut().chain(&mut head.key);
        for term in terms.chain(head.value.as_mut()) {
            HeadClosures { rewriter: self }.term(term);
        }
        let inner = std::mem::replace(&mut self.scopes, outer);
        self.scopes.rewritten.extend(inner.rewritten);
        self.head_unused.extend(inner.unused);
    }

    /// A variable that has the name of a built-in function would be taken for it by later stages, so it gets
    /// another, as if it were declared. Names that `with` replaces may be the functions themselves.
    fn rename_shadowed_builtins(&mut self, rule: &Rule, options: &Options) {
        let mentioned = vars::of_body(&rule.body, Skip::SAFETY);
        let shadowing: Vec<Name> =
            mentioned.into_iter().filter(|name| options.builtin_named(name).is_some()).collect();
        if shadowing.is_empty() {
            return;
        }
        let declared = vars::declared_by(&rule.body);
        let mut replaced = Collector::new(Skip { operators: true, ..Skip::NOTHING });
        visit::walk(Node::Rule(rule), &mut |node| {
            if let Node::With(with) = node {
                replaced.term(&with.target);
                replaced.term(&with.value);
            }
            false
        });
        for name in shadowing {
            let known = declared.contains(&name)
                || replaced.vars.contains(&name)
                || self.scopes.declared(&name).is_some();
            if !known {
                let renamed = self.locals.fresh();
                self.scopes.insert(name, renamed, Occurrence::Seen);
            }
        }
    }
}

/// Finds the closures in a head; each has a scope of its own.
struct HeadClosures<'a, 'b> {
    rewriter: &'a mut Rewriter<'b>,
}

impl Rewrite for HeadClosures<'_, '_> {
    fn term(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::TemplateString(template) => self.rewriter.template(template),
            comp if visit::is_comprehension(comp) => self.rewriter.comprehension(comp),
            _ => visit_mut::each_subterm(self, term),
        }
    }
}

/// The variables of the head that the body has to bind. Arguments that the value uses are used.
fn head_vars(head: &Head, unused_args: &mut VarSet) -> VarSet {
    let mut used = Collector::new(Skip::NOTHING);
    used.terms(head.reference.steps());
    head.key.iter().for_each(|key| used.term(key));
    if let Some(value) = &head.value {
        let in_value = vars::of_term(value, Skip::NOTHING);
        unused_args.retain(|arg| !in_value.contains(arg));
        used.vars.extend(in_value);
    }
    used.vars
}

/// Whether a head has anything but scalars in it.
pub(crate) fn head_may_have_vars(head: &Head) -> bool {
    let terms = head.args.iter().chain(&head.key).chain(head.value.as_ref());
    terms.chain(head.reference.steps()).any(|term| !visit::is_scalar(&term.value))
}

struct Rename {
    names: BTreeMap<Name, Name>,
}

impl Rewrite for Rename {
    fn term(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::Var(name) => {
                if let Some(renamed) = self.names.get(name) {
                    *name = renamed.clone();
                }
            }
            _ => visit_mut::each_subterm(self, term),
        }
    }
}
