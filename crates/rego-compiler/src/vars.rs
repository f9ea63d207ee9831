//! Which variables occur in a piece of the tree, with the choices of what to leave out that OPA's stages make.

use std::collections::BTreeSet;

use rego_syntax::ast::{Body, Expr, ExprKind, Head, Name, Ref, Rule, Term, Value, With};

use crate::visit::{Node, walk_vars};

/// A set of variables; ordered, so that nothing that is derived from it depends on chance.
pub(crate) type VarSet = BTreeSet<Name>;

/// What a collection of variables leaves out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Skip {
    /// The heads of references.
    pub(crate) ref_heads: bool,
    /// The operators of calls; the heads of references in `with`.
    pub(crate) operators: bool,
    /// The keys of objects.
    pub(crate) object_keys: bool,
    /// Comprehensions, template strings and the bodies of statements.
    pub(crate) closures: bool,
    /// Sets.
    pub(crate) sets: bool,
    /// Template strings.
    pub(crate) templates: bool,
}

impl Skip {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self {
        ref_heads: false,
        operators: false,
        object_keys: false,
        closures: false,
        sets: false,
        templates: false,
    };
    /// What the safety check leaves out.
    pub(crate) const SAFETY: Self = Self { operators: true, closures: true, ..Self::NOTHING };
    /// What can not be bound by matching a pattern.
    pub(crate) const PATTERN: Self =
        Self { ref_heads: true, object_keys: true, closures: true, ..Self::NOTHING };
    /// What can not be bound as the output of a call.
    pub(crate) const OUTPUT: Self = Self { sets: true, ..Self::PATTERN };
}

/// Is asked for every statement with bodies of its own; `true` means that it collected what it wants.
pub(crate) type Promote<'a> = &'a mut dyn FnMut(&ExprKind, &mut VarSet) -> bool;

/// Collects variables.
pub(crate) struct Collector<'a> {
    skip: Skip,
    promote: Option<Promote<'a>>,
    pub(crate) vars: VarSet,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(skip: Skip) -> Self {
        Self { skip, promote: None, vars: VarSet::new() }
    }

    pub(crate) fn promoting(skip: Skip, promote: Promote<'a>) -> Self {
        Self { skip, promote: Some(promote), vars: VarSet::new() }
    }

    pub(crate) fn body(&mut self, body: &Body) {
        body.iter().for_each(|expr| self.expr(expr));
    }

    pub(crate) fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Every(every) if self.skip.closures => return self.term(&every.domain),
            ExprKind::Call(terms) if self.skip.operators => self.call(terms),
            kind => self.kind(kind),
        }
        expr.with.iter().for_each(|with| self.with(with));
    }

    fn kind(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(terms) => self.terms(terms),
            ExprKind::SomeDecl(decl) => self.terms(&decl.symbols),
            ExprKind::Every(every) => {
                every.key.iter().for_each(|key| self.term(key));
                self.term(&every.value);
                self.term(&every.domain);
                self.body(&every.body);
            }
            ExprKind::Not(_) | ExprKind::And(_) | ExprKind::Or(_) => {
                if let Some(promote) = &mut self.promote
                    && promote(kind, &mut self.vars)
                {
                    return;
                }
                if !self.skip.closures {
                    crate::visit::statement_bodies(kind).for_each(|body| self.body(body));
                }
            }
        }
    }

    /// A call without its operator's head.
    fn call(&mut self, terms: &[Term]) {
        if let Some((operator, args)) = terms.split_first() {
            if let Value::Ref(operator) = &operator.value {
                self.terms(operator.steps());
            }
            self.terms(args);
        }
    }

    pub(crate) fn with(&mut self, with: &With) {
        if !self.skip.operators {
            self.term(&with.target);
            self.term(&with.value);
            return;
        }
        if let Value::Ref(target) = &with.target.value {
            self.terms(target.steps());
        }
        match &with.value.value {
            Value::Ref(value) => self.terms(value.steps()),
            _ => self.term(&with.value),
        }
    }

    pub(crate) fn terms(&mut self, terms: &[Term]) {
        terms.iter().for_each(|term| self.term(term));
    }

    pub(crate) fn reference(&mut self, reference: &Ref) {
        self.terms(if self.skip.ref_heads { reference.steps() } else { reference });
    }

    pub(crate) fn term(&mut self, term: &Term) {
        match &term.value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            Value::Var(name) => {
                self.vars.insert(name.clone());
            }
            Value::Ref(reference) => self.reference(reference),
            Value::Set(_) if self.skip.sets => {}
            Value::Array(terms) | Value::Set(terms) => self.terms(terms),
            Value::Object(entries) => {
                for (key, value) in entries {
                    if !self.skip.object_keys {
                        self.term(key);
                    }
                    self.term(value);
                }
            }
            Value::Call(terms) if self.skip.operators => self.call(terms),
            Value::Call(terms) => self.terms(terms),
            closure => self.closure(closure),
        }
    }

    fn closure(&mut self, value: &Value) {
        if self.skip.closures {
            return;
        }
        match value {
            Value::ArrayComp(comp) => {
                self.term(&comp.term);
                self.body(&comp.body);
            }
            Value::SetComp(comp) => {
                self.term(&comp.term);
                self.body(&comp.body);
            }
            Value::ObjectComp(comp) => {
                self.term(&comp.key);
                self.term(&comp.value);
                self.body(&comp.body);
            }
            Value::TemplateString(template) if !self.skip.templates => {
                for part in &template.parts {
                    match part {
                        rego_syntax::ast::TemplatePart::Term(term) => self.term(term),
                        rego_syntax::ast::TemplatePart::Expr(expr) => self.expr(expr),
                    }
                }
            }
            _ => {}
        }
    }

    pub(crate) fn head(&mut self, head: &Head) {
        self.reference(&head.reference);
        self.terms(&head.args);
        head.value.iter().for_each(|value| self.term(value));
    }

    /// The rule and its `else` rules.
    pub(crate) fn rule(&mut self, rule: &Rule) {
        for rule in crate::visit::chain(rule) {
            self.head(&rule.head);
            self.body(&rule.body);
        }
    }
}

/// The variables of a body.
pub(crate) fn of_body(body: &Body, skip: Skip) -> VarSet {
    let mut collector = Collector::new(skip);
    collector.body(body);
    collector.vars
}

/// The variables of an expression.
pub(crate) fn of_expr(expr: &Expr, skip: Skip) -> VarSet {
    let mut collector = Collector::new(skip);
    collector.expr(expr);
    collector.vars
}

/// The variables of a term.
pub(crate) fn of_term(term: &Term, skip: Skip) -> VarSet {
    let mut collector = Collector::new(skip);
    collector.term(term);
    collector.vars
}

/// The variables of some terms.
pub(crate) fn of_terms(terms: &[Term], skip: Skip) -> VarSet {
    let mut collector = Collector::new(skip);
    collector.terms(terms);
    collector.vars
}

/// The documents that are always there.
pub(crate) fn root_documents() -> VarSet {
    VarSet::from([Name::new("data"), Name::new("input")])
}

/// Whether the name is that of a document that is always there.
pub(crate) fn is_root_document(name: &str) -> bool {
    name == "data" || name == "input"
}

/// Whether the term is `input` or `data` and nothing more.
pub(crate) fn is_root_document_term(term: &Term) -> bool {
    match &term.value {
        Value::Ref(reference) => {
            reference.len() == 1 && reference.head_var().is_some_and(|name| is_root_document(name))
        }
        _ => false,
    }
}

/// The variables that a body declares itself, with `:=` and `some`; those of closures within it are theirs.
pub(crate) fn declared_by(body: &Body) -> VarSet {
    let mut declared = VarSet::new();
    body.iter().for_each(|expr| declared_by_expr(expr, &mut declared));
    declared
}

/// Adds the variables that an expression declares.
pub(crate) fn declared_by_expr(expr: &Expr, declared: &mut VarSet) {
    let mut all_of = |term: &Term| {
        walk_vars(Node::Term(term), &mut |name| {
            declared.insert(name.clone());
        });
    };
    match &expr.kind {
        ExprKind::Call(_) if expr.is_assignment() => {
            if let [target, _] = expr.operands() {
                all_of(target);
            }
        }
        ExprKind::SomeDecl(decl) => {
            for symbol in &decl.symbols {
                match &symbol.value {
                    Value::Var(_) => all_of(symbol),
                    Value::Call(terms) => {
                        let patterns = terms.len().saturating_sub(2);
                        terms.iter().skip(1).take(patterns).for_each(&mut all_of);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    crate::visit::statement_bodies(&expr.kind)
        .flat_map(|body| body.iter())
        .for_each(|expr| declared_by_expr(expr, declared));
}

/// Whether a stage made the variable. Wildcards are the source's own, though it can not name them.
pub(crate) fn is_generated(name: &Name) -> bool {
    name.starts_with("__local")
}
