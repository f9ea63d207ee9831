//! Calls: what a function takes against what it is given.

use rego_syntax::ast::{Expr, Ref, Term};

use super::unify::unifies;
use super::{Checker, Issue};
use crate::errors::{type_error, type_error_with};
use crate::text;
use crate::types::{FunctionType, Maybe, Shown, Type, json};

impl Checker<'_> {
    /// `a = b`.
    pub(super) fn equality(&mut self, expr: &Expr) -> Option<Issue> {
        let [left, right] = expr.operands() else {
            let few = expr.operands().len() < 2;
            let message = if few { "eq: too few arguments" } else { "eq: too many arguments" };
            return Some(Issue { diagnostic: type_error(expr.span, message), unknown: false });
        };
        let (ty_left, ty_right) = (self.get(&left.value), self.get(&right.value));
        if self.unify_terms(left, &ty_left, right, &ty_right) {
            return None;
        }
        Some(mismatch(expr, &ty_left, &ty_right))
    }

    /// `x in xs`: a declaration can not say that the element depends on the collection.
    pub(super) fn membership(&mut self, expr: &Expr, with_key: bool) -> Option<Issue> {
        let arity = if with_key { 3 } else { 2 };
        let args = expr.operands();
        let collection = args.get(arity - 1).and_then(|term| self.get(&term.value))?;
        // What is no collection has no elements, which is no error.
        let values = collection.values()?;
        if with_key
            && let Some(key) = args.first()
            && let Some(issue) = self.member(expr, key, collection.keys())
        {
            return Some(issue);
        }
        args.get(arity - 2).and_then(|term| self.member(expr, term, Some(values)))
    }

    fn member(&mut self, expr: &Expr, term: &Term, ty: Maybe) -> Option<Issue> {
        if Type::is_unknown(&ty) {
            return None;
        }
        let have = self.get(&term.value);
        let fits = Type::is_unknown(&have) || unifies(&have, &ty);
        if fits && self.unify_term(term, &ty, false) {
            return None;
        }
        Some(mismatch(expr, &have, &ty))
    }

    /// A call of a function.
    pub(super) fn call(&mut self, expr: &Expr, operator: &Ref) -> Option<Issue> {
        let function = match self.get_ref(operator) {
            Some(Type::Function(function)) => function,
            // Of what may be data nothing is known, functions included.
            Some(ty) if ty.is_any() => return None,
            _ => {
                let message = format!("undefined function {}", text::of_ref(operator));
                return Some(Issue { diagnostic: type_error(expr.span, message), unknown: false });
            }
        };
        let args = expr.operands();
        let params = function.params_with_result();
        let have: Vec<Maybe> = args.iter().map(|arg| self.get(&arg.value)).collect();
        if args.len() > params.len() && function.variadic.is_none() {
            return Some(wrong_args(expr, operator, "too many arguments", &have, &function));
        }
        if args.len() < function.arity() {
            return Some(wrong_args(expr, operator, "too few arguments", &have, &function));
        }
        for (at, (arg, given)) in args.iter().zip(&have).enumerate() {
            let wanted = match params.get(at) {
                Some(param) => param.ty.clone(),
                None => function.variadic.clone(),
            };
            if !Type::is_unknown(given) && !unifies(given, &wanted) {
                return Some(wrong_args(expr, operator, "invalid argument(s)", &have, &function));
            }
            if !self.unify_term(arg, &wanted, false) {
                let have: Vec<Maybe> = args.iter().map(|arg| self.get(&arg.value)).collect();
                return Some(wrong_args(expr, operator, "invalid argument(s)", &have, &function));
            }
        }
        None
    }
}

fn mismatch(expr: &Expr, left: &Maybe, right: &Maybe) -> Issue {
    let mut lines = vec![format!("left  : {}", Shown(left)), format!("right : {}", Shown(right))];
    let kind = match (left, right) {
        (Some(Type::Object(_)), Some(Type::Object(_))) => Some("objects"),
        (Some(Type::Array(_)), Some(Type::Array(_))) => Some("arrays"),
        (Some(Type::Set(_)), Some(Type::Set(_))) => Some("sets"),
        _ => None,
    };
    lines.extend(kind.map(|kind| {
        format!("hint  : both sides are {kind} but their types differ, so they can never be equal")
    }));
    Issue {
        diagnostic: type_error_with(expr.span, "match error", &lines).with_details(format!(
            "{{\"a\":{},\"b\":{}}}",
            json::of(left),
            json::of(right)
        )),
        unknown: Type::is_unknown(left) || Type::is_unknown(right),
    }
}

pub(super) fn wrong_args(
    expr: &Expr,
    operator: &Ref,
    problem: &str,
    have: &[Maybe],
    want: &FunctionType,
) -> Issue {
    let shown: Vec<String> = have.iter().map(|ty| Shown(ty).to_string()).collect();
    let lines = [format!("have: ({})", shown.join(", ")), format!("want: {}", want.describe())];
    Issue {
        diagnostic: type_error_with(expr.span, format!("{}: {problem}", text::of_ref(operator)), &lines)
            .with_details(format!("{{\"have\":{},\"want\":{}}}", json::list(have), json::arguments(want))),
        unknown: have.iter().any(Type::is_unknown),
    }
}
