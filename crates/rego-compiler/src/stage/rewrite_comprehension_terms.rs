//! Heads of comprehensions that need evaluation move into their bodies.

use rego_syntax::ast::{Body, Term, Value};

use crate::locals::{self, Locals};
use crate::stages::Compilation;
use crate::visit;
use crate::visit_mut::{self, Rewrite};

/// Rewrites all rules.
pub(crate) fn rewrite_comprehension_terms(c: &mut Compilation<'_>) {
    let mut rewrite = Heads { locals: &mut c.locals };
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        visit::chain_mut(rule, &mut |rule| {
            visit_mut::each_head_term(&mut rewrite, &mut rule.head);
            rewrite.body(&mut rule.body);
        });
    }
}

/// Rewrites a query.
pub(crate) fn rewrite_query_comprehensions(query: &mut Body, locals: &mut Locals) {
    Heads { locals }.body(query);
}

struct Heads<'a> {
    locals: &'a mut Locals,
}

impl Heads<'_> {
    fn head(&mut self, head: &mut Term, body: &mut Body) {
        if visit::requires_eval(head) {
            let taken = self.locals.take_out(head);
            locals::append(body, vec![taken]);
        }
    }
}

impl Rewrite for Heads<'_> {
    fn term(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::ArrayComp(comp) => self.head(&mut comp.term, &mut comp.body),
            Value::SetComp(comp) => self.head(&mut comp.term, &mut comp.body),
            Value::ObjectComp(comp) => {
                self.head(&mut comp.key, &mut comp.body);
                self.head(&mut comp.value, &mut comp.body);
            }
            _ => {}
        }
        visit_mut::each_subterm(self, term);
    }
}
