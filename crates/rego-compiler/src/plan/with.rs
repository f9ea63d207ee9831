//! `with`: an expression under other documents, or with functions replaced.

use std::rc::Rc;

use rego_ir::{Local, Operand, StmtKind, StringIndex};
use rego_syntax::ast::{Expr, Name, Ref, Term, Value, With};

use super::blocks::Opener;
use super::contexts::{Context, Replacements};
use super::rules::dotted;
use super::{PlanErrorKind, Planner, Result};

/// What the modifiers of one expression do.
#[derive(Default)]
struct Overrides {
    /// Parts of `input` and `data` that are replaced.
    documents: Vec<DocumentOverride>,
    /// Functions that are replaced.
    functions: Replacements,
    /// The variables that functions are replaced by. Their names are new, since they mean the same in every function.
    variables: Vec<Name>,
}

struct DocumentOverride {
    target: Ref,
    path: Vec<StringIndex>,
    value: Operand,
}

impl Planner<'_> {
    pub(super) fn plan_with(&mut self, expr: &Expr) -> Result<()> {
        let mut overrides = Overrides::default();
        for with in &expr.with {
            self.read_modifier(with, &mut overrides)?;
        }
        let originals = self.save_documents(&overrides)?;
        let outside = self.scope.blocks.mark();
        for DocumentOverride { target, path, value } in &overrides.documents {
            let local = self.document_local(target)?;
            self.open(Opener::With { local, path: path.clone(), value: *value });
        }
        let inside = self.scope.blocks.mark();
        self.plan_overridden(expr, overrides)?;
        if self.scope.blocks.opened_since(inside) == 0 {
            self.scope.blocks.close_to(outside);
            return Ok(());
        }
        // The expression iterates, and what follows runs inside: there, the documents are the original ones.
        for (local, original) in originals {
            self.open(Opener::With { local, path: Vec::new(), value: original });
        }
        Ok(())
    }

    fn read_modifier(&mut self, with: &With, overrides: &mut Overrides) -> Result<()> {
        let target = match &with.target.value {
            Value::Ref(reference) => reference.clone(),
            Value::Var(_) => Ref(vec![with.target.clone()]),
            _ => return self.error(PlanErrorKind::WithTarget),
        };
        let head = target.head_var().map(Name::as_str);
        if matches!(head, Some("input" | "data")) && !self.is_function(&target) {
            let value = self.plan_term(&with.value)?;
            let mut path = Vec::new();
            for step in target.steps() {
                let Some(step) = step.as_string() else { return self.error(PlanErrorKind::WithTarget) };
                path.push(self.statics.string(step));
            }
            overrides.documents.push(DocumentOverride { target, path, value });
            return Ok(());
        }
        let replacement = self.replacement(&with.value, overrides)?;
        overrides.functions.insert(dotted(target.iter()), replacement);
        Ok(())
    }

    /// What a function is replaced by: a constant or a reference to evaluate in its place, or else a new variable.
    fn replacement(&mut self, value: &Term, overrides: &mut Overrides) -> Result<Term> {
        let is_reference = value.as_ref_value().is_some_and(Ref::is_ground);
        if is_reference || value.value.is_constant() {
            return Ok(value.clone());
        }
        let operand = self.plan_term(value)?;
        let name = Name::from(format!("__with{}__", self.contexts.new_variable()));
        self.scope.bind(name.clone(), operand);
        overrides.variables.push(name.clone());
        Ok(Term::var(name, value.span))
    }

    /// Copies the documents that will be replaced: their locals, with the copies.
    fn save_documents(&mut self, overrides: &Overrides) -> Result<Vec<(Local, Operand)>> {
        let mut saved: Vec<(Local, Operand)> = Vec::new();
        for DocumentOverride { target, .. } in &overrides.documents {
            let local = self.document_local(target)?;
            if saved.iter().all(|(other, _)| *other != local) {
                let copy = self.make(|target| StmtKind::AssignVar { source: local.into(), target });
                saved.push((local, copy));
            }
        }
        Ok(saved)
    }

    fn document_local(&self, target: &Ref) -> Result<Local> {
        match target.head_var().and_then(|name| self.scope.value_of(name)) {
            Some(Operand::Local(local)) => Ok(local),
            _ => self.error(PlanErrorKind::WithTarget),
        }
    }

    /// Plans the expression with the rules hidden that the modifiers replace, and the functions replaced.
    fn plan_overridden(&mut self, expr: &Expr, overrides: Overrides) -> Result<()> {
        let Overrides { documents, functions, variables } = overrides;
        let targets: Vec<&Ref> = documents.iter().map(|d| &d.target).collect();
        let hides = targets.iter().any(|target| self.rules.lookup(target).is_some());
        if functions.is_empty() && !hides {
            return self.plan_expr_without_with(expr);
        }
        let description = variables.is_empty().then(|| describe(&targets, &functions));
        let around = Rc::clone(&self.context);
        let mut context = self.derived_context();
        context.variables.extend(variables);
        context.replaced.extend(functions);
        context.hidden.extend(targets.iter().filter_map(|target| self.rules.lookup(target)));
        let context = self.contexts.add(around.number, description, context);
        self.enter(context);
        let result = self.plan_expr_without_with(expr);
        self.enter(around);
        result
    }

    /// The context for what replaces a function: it sees the originals.
    pub(super) fn originals(&mut self) -> Rc<Context> {
        let mut context = self.derived_context();
        context.replaced.clear();
        self.contexts.add(self.context.number, Some("originals".to_owned()), context)
    }

    /// A copy of the current context, to be changed.
    fn derived_context(&self) -> Context {
        let current = &self.context;
        let mut within = current.within.clone();
        if let Some(path) = self.functions.current_path()
            && !within.iter().any(|outer| outer == path)
        {
            within.push(path.to_owned());
        }
        Context {
            number: current.number,
            variables: current.variables.clone(),
            replaced: current.replaced.clone(),
            hidden: current.hidden.clone(),
            within,
        }
    }
}

/// Describes what is hidden and replaced; equal descriptions inside one generation mean equal functions.
fn describe(targets: &[&Ref], functions: &Replacements) -> String {
    let mut parts: Vec<String> = targets
        .iter()
        .filter(|t| t.head_var().is_some_and(|name| name == "data"))
        .map(|t| dotted(t.iter()))
        .collect();
    parts.extend(functions.iter().map(|(name, replacement)| format!("{name} as {:?}", replacement.value)));
    parts.sort();
    parts.join(";")
}
