//! Calls of functions and built-ins, and of what `with` puts in their place.

use rego_builtins::Builtin;
use rego_ir::{Operand, StmtKind};
use rego_syntax::ast::{Ref, Term, Value};

use super::rules::dotted;
use super::{PlanErrorKind, Planner, Result};

/// What a call means.
enum Callee {
    /// A planned function and the number of its own arguments.
    Function(String, usize),
    /// A built-in function.
    Builtin(&'static Builtin),
    /// A value that stands for any result, in place of a function with that many arguments.
    Value(Term, usize),
}

impl Callee {
    fn arity(&self) -> usize {
        match self {
            Self::Function(_, arity) | Self::Value(_, arity) => *arity,
            Self::Builtin(builtin) => builtin.args.len(),
        }
    }
}

impl Planner<'_> {
    /// A call as an expression. An operand beyond the function's arguments is unified with the result; otherwise the
    /// result must not be false.
    pub(super) fn plan_call_expr(&mut self, terms: &[Term]) -> Result<()> {
        let (operator, operands) = self.operator(terms)?;
        if let [a, b] = operands {
            if operator.is_dotted("eq") || operator.is_dotted("assign") {
                return self.plan_unify(a, b);
            }
            if operator.is_dotted("neq") && !self.context.replaced.contains_key("neq") {
                let (a, b) = (self.plan_term(a)?, self.plan_term(b)?);
                self.emit(StmtKind::NotEqual { a, b });
                return Ok(());
            }
        }
        let callee = self.resolve(operator)?;
        let (args, captured) = self.split_captured(operator, &callee, operands)?;
        let result = self.plan_call(&callee, args)?;
        let (relation, void) = match &callee {
            Callee::Builtin(builtin) => (builtin.relation, builtin.result.is_none()),
            _ => (false, false),
        };
        match captured {
            Some(pattern) if relation => {
                let (_, answer) = self.open_scan(result);
                self.unify_operand(answer, pattern)?;
            }
            Some(pattern) => self.unify_operand(result, pattern)?,
            None if relation => {
                let len = self.make(|target| StmtKind::Len { source: result, target });
                let none = self.make_int(0);
                self.emit(StmtKind::NotEqual { a: len, b: none });
            }
            None if void => {}
            None => self.emit(StmtKind::NotEqual { a: result, b: Operand::Bool(false) }),
        }
        Ok(())
    }

    /// A call inside a term.
    pub(super) fn plan_call_term(&mut self, terms: &[Term]) -> Result<Operand> {
        let (operator, operands) = self.operator(terms)?;
        let callee = self.resolve(operator)?;
        let (args, captured) = self.split_captured(operator, &callee, operands)?;
        if captured.is_some() {
            return self.arity_error(operator, &callee, operands);
        }
        let result = self.plan_call(&callee, args)?;
        if matches!(callee, Callee::Builtin(builtin) if builtin.relation) {
            return Ok(self.open_scan(result).1);
        }
        Ok(result)
    }

    fn operator<'t>(&self, terms: &'t [Term]) -> Result<(&'t Ref, &'t [Term])> {
        match terms.split_first() {
            Some((operator, operands)) => match operator.as_ref_value() {
                Some(reference) => Ok((reference, operands)),
                None => self.error(PlanErrorKind::Term(operator.value.kind_name())),
            },
            None => self.error(PlanErrorKind::Term("call")),
        }
    }

    /// The arguments, and the operand that captures the result, if there is one.
    fn split_captured<'t>(
        &self,
        operator: &Ref,
        callee: &Callee,
        operands: &'t [Term],
    ) -> Result<(&'t [Term], Option<&'t Term>)> {
        let arity = callee.arity();
        let is_variadic = matches!(callee, Callee::Builtin(builtin) if builtin.variadic.is_some());
        if operands.len() == arity || (is_variadic && operands.len() > arity) {
            return Ok((operands, None));
        }
        match operands.split_last() {
            Some((captured, args)) if args.len() == arity => Ok((args, Some(captured))),
            _ => self.arity_error(operator, callee, operands),
        }
    }

    fn arity_error<T>(&self, operator: &Ref, callee: &Callee, operands: &[Term]) -> Result<T> {
        self.error(PlanErrorKind::Arity {
            name: dotted(operator.iter()),
            expected: callee.arity(),
            found: operands.len(),
        })
    }

    fn plan_call(&mut self, callee: &Callee, args: &[Term]) -> Result<Operand> {
        let own = self.plan_terms(args)?;
        let (func, mut args) = match callee {
            Callee::Value(value, _) => return self.plan_term(value),
            Callee::Builtin(builtin) => {
                self.statics.use_builtin(builtin);
                (builtin.name.to_owned(), Vec::new())
            }
            Callee::Function(name, _) => (name.clone(), self.passed_arguments()?),
        };
        args.extend(own);
        Ok(self.make(|result| StmtKind::Call { func, args, result }))
    }

    /// What an operator means here: a function, a built-in, or what a `with` put in its place.
    fn resolve(&mut self, operator: &Ref) -> Result<Callee> {
        let name = dotted(operator.iter());
        if let Some(replacement) = self.context.replaced.get(&name).cloned() {
            return self.resolve_replacement(operator, &name, replacement);
        }
        if let Some(node) = self.rules.lookup(operator) {
            let arity = self.rules.arity(node);
            return Ok(Callee::Function(self.plan_rules(node)?, arity));
        }
        match self.options.any_builtin(&name) {
            Some(builtin) => Ok(Callee::Builtin(builtin)),
            None => self.error(PlanErrorKind::UndefinedFunction(name)),
        }
    }

    fn resolve_replacement(&mut self, operator: &Ref, name: &str, replacement: Term) -> Result<Callee> {
        if let Value::Ref(reference) = &replacement.value {
            if let Some(builtin) = self.options.any_builtin(&dotted(reference.iter())) {
                return Ok(Callee::Builtin(builtin));
            }
            if let Some(node) = self.rules.lookup(reference)
                && self.rules.arity(node) > 0
            {
                let arity = self.rules.arity(node);
                // What replaces a function sees the originals, so its rules are planned apart from the replaced ones.
                let originals = self.originals();
                let outer = self.enter(originals);
                let function = self.plan_rules(node);
                self.enter(outer);
                return Ok(Callee::Function(function?, arity));
            }
        }
        let arity = match (self.rules.lookup(operator), self.options.any_builtin(name)) {
            (Some(node), _) => self.rules.arity(node),
            (None, Some(builtin)) => builtin.args.len(),
            (None, None) => return self.error(PlanErrorKind::UndefinedFunction(name.to_owned())),
        };
        Ok(Callee::Value(replacement, arity))
    }

    /// Whether a reference names a function or a built-in.
    pub(super) fn is_function(&self, reference: &Ref) -> bool {
        match self.rules.lookup(reference) {
            Some(node) => self.rules.arity(node) > 0,
            None => self.options.any_builtin(&dotted(reference.iter())).is_some(),
        }
    }
}
