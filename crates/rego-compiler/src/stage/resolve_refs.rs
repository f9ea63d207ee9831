//! Names of rules and imports become references from `data` or `input` on.

use std::collections::HashMap;

use rego_syntax::Span;
use rego_syntax::ast::{
    Body, Expr, ExprKind, Import, Module, Name, Package, Ref, Rule, TemplatePart, Term, Value,
};

use crate::errors::compile_error;
use crate::stages::Compilation;
use crate::vars::{self, VarSet};
use crate::visit;

/// What a name of a module stands for.
pub(crate) struct Global {
    path: Ref,
    used: bool,
    /// Where it is used.
    uses: Vec<Span>,
    /// A rule of the package.
    is_rule: bool,
}

/// The names that a module can use without declaring them.
pub(crate) type Globals = HashMap<Name, Global>;

/// Resolves all modules, and notes the imports that nothing uses.
pub(crate) fn resolve_refs(c: &mut Compilation<'_>) {
    let mut exports: HashMap<Ref, Vec<Name>> = HashMap::new();
    for module in &c.modules {
        let names = module.rules.iter().filter_map(|rule| rule.head.reference.head_var().cloned());
        exports.entry(module.package.path.clone()).or_default().extend(names);
    }
    for module in &mut c.modules {
        let exported = exports.get(&module.package.path).map_or(&[][..], Vec::as_slice);
        let mut globals = globals(&module.package, exported, &module.imports);
        for rule in &mut module.rules {
            let mut shadowed = None;
            visit::chain_mut(rule, &mut |rule| {
                if shadowed.is_none() {
                    shadowed = resolve_rule(&mut globals, rule).err().map(|message| (rule.span, message));
                }
            });
            if let Some((span, message)) = shadowed {
                c.errors.fatal(compile_error(span, message));
            }
        }
        c.shared_heads.extend(shared_heads(&globals));
        if c.options.strict {
            c.unused_imports.extend(unused_imports(module, &globals));
        }
    }
}

/// OPA shares the first terms of all rules of a package, and of an import, between their uses in a module: all have the
/// place of the last one. The last is taken to be the one furthest behind.
fn shared_heads(globals: &Globals) -> HashMap<Span, Span> {
    let mut moved = HashMap::new();
    let of_rules: Vec<Span> = globals
        .values()
        .filter(|global| global.is_rule)
        .flat_map(|global| global.uses.iter().copied())
        .collect();
    let imports = globals.values().filter(|global| !global.is_rule).map(|global| global.uses.clone());
    for uses in imports.chain([of_rules]) {
        if let Some(last) = uses.iter().copied().max_by_key(|span| span.start) {
            moved.extend(uses.iter().map(|span| (*span, last)));
        }
    }
    moved
}

fn unused_imports(module: &Module, globals: &Globals) -> Vec<(Span, String)> {
    let unused = |import: &&Import| {
        let name = import.name().and_then(|name| globals.get(name));
        !is_language_import(import) && name.is_some_and(|global| !global.used)
    };
    let imports = module.imports.iter().filter(unused);
    imports.map(|import| (import.span, format!("{import} unused"))).collect()
}

/// Whether the import changes the language (`rego.v1`, `future.keywords`) and binds no name.
pub(crate) fn is_language_import(import: &Import) -> bool {
    let head = import.path.as_ref_value().and_then(Ref::head_var);
    head.is_some_and(|name| name == "future" || name == "rego")
}

/// The names that rules and imports bind in a package.
pub(crate) fn globals(package: &Package, exported: &[Name], imports: &[Import]) -> Globals {
    let mut globals = Globals::new();
    for name in exported {
        let step = Term::string(name.clone(), Span::NONE);
        globals.insert(
            name.clone(),
            Global { path: package.path.extended([step]), used: false, uses: Vec::new(), is_rule: true },
        );
    }
    for import in imports.iter().filter(|import| !is_language_import(import)) {
        if let (Some(name), Some(path)) = (import.name(), import.path.as_ref_value()) {
            globals.insert(
                name.clone(),
                Global { path: path.clone(), used: false, uses: Vec::new(), is_rule: false },
            );
        }
    }
    globals
}

fn resolve_rule(globals: &mut Globals, rule: &mut Rule) -> Result<(), String> {
    let mut arguments = VarSet::new();
    for arg in &rule.head.args {
        argument_vars(arg, &mut arguments)?;
    }
    let ignore = vec![arguments, vars::declared_by(&rule.body)];
    let mut resolver = Resolver { globals, ignore };
    rule.head.reference.iter_mut().skip(1).for_each(|term| resolver.term(term));
    rule.head.key.iter_mut().for_each(|term| resolver.term(term));
    rule.head.value.iter_mut().for_each(|term| resolver.term(term));
    resolver.body(&mut rule.body);
    Ok(())
}

/// The variables of an argument's pattern; keys of objects and sets are no patterns.
fn argument_vars(arg: &Term, found: &mut VarSet) -> Result<(), String> {
    if vars::is_root_document_term(arg) {
        let name = arg.to_string();
        return Err(format!("args must not shadow {name} (use a different variable name)"));
    }
    match &arg.value {
        Value::Var(name) => {
            found.insert(name.clone());
        }
        Value::Ref(terms) => terms.iter().try_for_each(|term| argument_vars(term, found))?,
        Value::Array(terms) => terms.iter().try_for_each(|term| argument_vars(term, found))?,
        Value::Object(entries) => entries.iter().try_for_each(|(_, value)| argument_vars(value, found))?,
        _ => {}
    }
    Ok(())
}

/// Resolves a query in the context of a package and imports.
pub(crate) fn resolve_query(globals: &mut Globals, query: &mut Body) {
    let ignore = vec![vars::declared_by(query)];
    Resolver { globals, ignore }.body(query);
}

struct Resolver<'a> {
    globals: &'a mut Globals,
    ignore: Vec<VarSet>,
}

impl Resolver<'_> {
    fn global(&mut self, name: &Name, place: Span) -> Option<&Ref> {
        let global = self.globals.get_mut(name)?;
        if self.ignore.iter().rev().any(|names| names.contains(name)) {
            return None;
        }
        global.used = true;
        global.uses.push(place);
        Some(&global.path)
    }

    fn body(&mut self, body: &mut Body) {
        body.iter_mut().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(terms) => self.terms(terms),
            ExprKind::SomeDecl(decl) => {
                if let [Term { value: Value::Call(terms), .. }] = decl.symbols.as_mut_slice() {
                    self.terms(terms);
                }
            }
            ExprKind::Every(every) => {
                let mut bound = vars::of_term(&every.value, vars::Skip::NOTHING);
                if let Some(key) = &every.key {
                    bound.extend(vars::of_term(key, vars::Skip::NOTHING));
                }
                self.ignore.push(bound);
                self.term(&mut every.domain);
                self.body(&mut every.body);
                self.ignore.pop();
            }
            ExprKind::Not(not) => self.body(&mut not.body),
            ExprKind::And(both) | ExprKind::Or(both) => {
                self.body(&mut both.lhs);
                self.body(&mut both.rhs);
            }
        }
        for with in &mut expr.with {
            self.term(&mut with.target);
            self.term(&mut with.value);
        }
    }

    fn terms(&mut self, terms: &mut [Term]) {
        terms.iter_mut().for_each(|term| self.term(term));
    }

    fn term(&mut self, term: &mut Term) {
        let span = term.span;
        match &mut term.value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            Value::Var(name) => {
                let name = name.clone();
                if let Some(path) = self.global(&name, span) {
                    term.value = Value::Ref(at(path, span));
                }
            }
            Value::Ref(reference) => self.reference(reference),
            Value::Array(terms) | Value::Call(terms) => self.terms(terms),
            Value::Set(terms) => {
                self.terms(terms);
                term.value.normalize();
            }
            Value::Object(entries) => {
                for (key, value) in entries {
                    self.term(key);
                    self.term(value);
                }
                term.value.normalize();
            }
            Value::ArrayComp(comp) => self.comprehension(&mut comp.body, &mut [&mut comp.term]),
            Value::SetComp(comp) => self.comprehension(&mut comp.body, &mut [&mut comp.term]),
            Value::ObjectComp(comp) => {
                self.comprehension(&mut comp.body, &mut [&mut comp.key, &mut comp.value]);
            }
            Value::TemplateString(template) => {
                for part in &mut template.parts {
                    if let TemplatePart::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
        }
    }

    fn comprehension(&mut self, body: &mut Body, heads: &mut [&mut Term]) {
        self.ignore.push(vars::declared_by(body));
        heads.iter_mut().for_each(|term| self.term(term));
        self.body(body);
        self.ignore.pop();
    }

    fn reference(&mut self, reference: &mut Ref) {
        let mut resolved = Vec::with_capacity(reference.len());
        for (i, mut term) in std::mem::take(&mut reference.0).into_iter().enumerate() {
            match &term.value {
                Value::Var(name) => match self.global(name, term.span) {
                    Some(path) if i == 0 => resolved = at(path, term.span).0,
                    Some(path) => resolved.push(Term::new(Value::Ref(at(path, term.span)), term.span)),
                    None => resolved.push(term),
                },
                Value::TemplateString(_) => resolved.push(term),
                _ => {
                    self.term(&mut term);
                    resolved.push(term);
                }
            }
        }
        reference.0 = resolved;
    }
}

/// A copy whose terms all stand at `span`.
fn at(path: &Ref, span: Span) -> Ref {
    Ref(path.iter().map(|term| term.clone().at(span)).collect())
}
