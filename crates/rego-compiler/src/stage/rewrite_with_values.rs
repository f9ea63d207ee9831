//! Checks what `with` replaces and by what; values that need evaluation are evaluated before the expression.

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Body, Expr, Ref, Term, Value, With};

use crate::declarations::Declarations;
use crate::errors::{compile_error, type_error};
use crate::locals::Locals;
use crate::stages::Compilation;
use crate::text;
use crate::visit::{self, Node};
use crate::visit_mut::{self, Rewrite};

/// Rewrites all rules.
pub(crate) fn rewrite_with_values(c: &mut Compilation<'_>) {
    let declarations = Declarations { options: c.options, tree: &c.rule_tree };
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        visit::chain_mut(rule, &mut |rule| {
            if !holds_with(Node::Rule(rule)) {
                return;
            }
            let mut rewrite = Withs { locals: &mut c.locals, declarations, errors: Vec::new() };
            visit_mut::each_head_term(&mut rewrite, &mut rule.head);
            rewrite.body(&mut rule.body);
            c.errors.all_fatal(rewrite.errors);
        });
    }
}

/// Rewrites a query.
pub(crate) fn rewrite_query_withs(
    query: &mut Body,
    locals: &mut Locals,
    declarations: Declarations<'_>,
) -> Vec<Diagnostic> {
    if !holds_with(Node::Body(query)) {
        return Vec::new();
    }
    let mut rewrite = Withs { locals, declarations, errors: Vec::new() };
    rewrite.body(query);
    rewrite.errors
}

fn holds_with(node: Node<'_>) -> bool {
    visit::any(node, &mut |node| matches!(node, Node::With(_)))
}

/// The modifiers of an expression that was made by a stage, before and after they were rewritten.
struct Shared {
    before: Vec<With>,
    after: Vec<With>,
}

struct Withs<'a> {
    locals: &'a mut Locals,
    declarations: Declarations<'a>,
    errors: Vec<Diagnostic>,
}

impl Rewrite for Withs<'_> {
    fn body(&mut self, body: &mut Body) {
        let mut rewritten = Vec::with_capacity(body.len());
        let mut shared: Option<Shared> = None;
        for mut expr in std::mem::take(&mut body.0) {
            let before = expr.with.clone();
            // An expression and those taken out of it have one set of modifiers, whose values are evaluated
            // once: with a value that iterates, each must see the same element.
            match shared.take().filter(|shared| !before.is_empty() && shared.before == before) {
                Some(known) => expr.with = known.after,
                None => self.modifiers(&mut expr, &mut rewritten),
            }
            if expr.generated {
                shared = Some(Shared { before, after: expr.with.clone() });
            }
            rewritten.push(expr);
        }
        body.0 = rewritten;
        visit_mut::each_expr(self, body);
    }
}

impl Withs<'_> {
    fn modifiers(&mut self, expr: &mut Expr, before: &mut Vec<Expr>) {
        for with in &mut expr.with {
            match self.validate(with) {
                Ok(true) => before.push(self.locals.take_out(&mut with.value)),
                Ok(false) => {}
                Err(error) => return self.errors.push(error),
            }
        }
    }

    /// Whether the value has to be evaluated apart.
    fn validate(&self, with: &mut With) -> Result<bool, Diagnostic> {
        if let Value::Var(name) = &with.value.value
            && self.declarations.options.builtin_named(name).is_some()
        {
            let span = with.value.span;
            with.value.value = Value::Ref(Ref(vec![Term::var(name.clone(), span)]));
        }
        let replaces_builtin = self.is_builtin(&with.target)?;
        match with.target.as_ref_value() {
            Some(target) if target.head_var().is_some_and(|head| head == "data") => {
                if let Some(answer) = self.validate_data(target, &with.target, &with.value)? {
                    return Ok(answer);
                }
            }
            Some(target) if target.head_var().is_some_and(|head| head == "input") => {}
            _ if replaces_builtin => {
                if let Value::Var(name) = &with.target.value {
                    let span = with.target.span;
                    with.target.value = Value::Ref(Ref(vec![Term::var(name.clone(), span)]));
                }
                self.validate_builtin_target(&with.target)?;
                if self.is_function(&with.value)? {
                    return Ok(false);
                }
            }
            _ => {
                let message = "with keyword target must reference existing input, data, or a function";
                return Err(type_error(with.target.span, message));
            }
        }
        Ok(visit::requires_eval(&with.value))
    }

    fn validate_data(&self, path: &Ref, target: &Term, value: &Term) -> Result<Option<bool>, Diagnostic> {
        let tree = self.declarations.tree;
        let mut at = Some(tree.root());
        let Some((last, steps)) = path.split_last() else { return Ok(None) };
        for step in steps {
            let Some(child) = at.and_then(|at| tree.child(at, &step.value)) else { break };
            if tree.node(child).is_some_and(|node| !node.rules.is_empty()) {
                let message = "with keyword cannot partially replace virtual document(s)";
                return Err(compile_error(target.span, message));
            }
            at = Some(child);
        }
        let child = at.and_then(|at| tree.child(at, &last.value)).and_then(|child| tree.node(child));
        let replaces_function = child.is_some_and(|node| node.rules.iter().any(|rule| rule.arity > 0));
        if replaces_function && self.is_function(value)? {
            return Ok(Some(false));
        }
        let value_rules = value.as_ref_value().map_or(&[][..], |reference| tree.rules_at(reference));
        Ok(value_rules.iter().any(|rule| rule.arity > 0).then_some(false))
    }

    fn validate_builtin_target(&self, target: &Term) -> Result<(), Diagnostic> {
        let Some(path) = target.as_ref_value() else { return Ok(()) };
        let Some(builtin) = self.declarations.builtin(path) else { return Ok(()) };
        let replacing = "with keyword replacing built-in function:";
        let problem = match builtin.name {
            name @ ("eq" | "rego.metadata.chain" | "rego.metadata.rule") => {
                format!("{replacing} replacement of \"{name}\" invalid")
            }
            name if name.starts_with("internal.") => {
                format!("{replacing} replacement of internal function \"{name}\" invalid")
            }
            _ if builtin.relation => format!("{replacing} target must not be a relation"),
            _ if builtin.result.is_none() => format!("{replacing} target must not be a void function"),
            _ => return Ok(()),
        };
        Err(compile_error(target.span, problem))
    }

    /// Whether the value names a rule, a package or a built-in function.
    fn is_function(&self, value: &Term) -> Result<bool, Diagnostic> {
        let known = value.as_ref_value().is_some_and(|path| self.declarations.tree.find(path).is_some());
        if known { Ok(true) } else { self.is_builtin(value) }
    }

    fn is_builtin(&self, term: &Term) -> Result<bool, Diagnostic> {
        let name = match &term.value {
            Value::Var(name) => Some(name.to_string()),
            Value::Ref(path) => text::dotted(path),
            _ => None,
        };
        let Some(name) = name else { return Ok(false) };
        let options = self.declarations.options;
        if options.unsafe_builtins.contains(&name) {
            let message =
                format!("with keyword replacing built-in function: target must not be unsafe: \"{name}\"");
            return Err(compile_error(term.span, message));
        }
        Ok(options.builtin_named(&name).is_some())
    }
}
