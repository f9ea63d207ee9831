//! `==` becomes `=`, once safety is checked: then there is nothing left that `=` could bind and `==` could not.

use rego_syntax::ast::{Expr, Ref, Value};

use crate::stages::Compilation;
use crate::visit;
use crate::visit_mut::{self, Rewrite};

/// Rewrites all rules. Queries keep `==`, since its result may be asked for.
pub(crate) fn rewrite_equals(c: &mut Compilation<'_>) {
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        visit::chain_mut(rule, &mut |rule| {
            visit_mut::each_head_term(&mut Equals, &mut rule.head);
            Equals.body(&mut rule.body);
        });
    }
}

struct Equals;

impl Rewrite for Equals {
    fn expr(&mut self, expr: &mut Expr) {
        if expr.operands().len() == 2
            && expr.is_call_to("equal")
            && let rego_syntax::ast::ExprKind::Call(terms) = &mut expr.kind
            && let Some(operator) = terms.first_mut()
        {
            operator.value = Value::Ref(Ref::from_dotted("eq", operator.span));
        }
        visit_mut::each_part(self, expr);
    }
}
