//! Keys, values and arguments of heads that need evaluation move into the body.

use crate::locals;
use crate::stages::Compilation;
use crate::visit;

/// Rewrites all rules.
pub(crate) fn rewrite_refs_in_head(c: &mut Compilation<'_>) {
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        visit::chain_mut(rule, &mut |rule| {
            let head = &mut rule.head;
            let terms = head.key.iter_mut().chain(head.value.as_mut()).chain(&mut head.args);
            for term in terms {
                if visit::requires_eval(term) {
                    let taken = c.locals.take_out(term);
                    locals::append(&mut rule.body, vec![taken]);
                }
            }
        });
    }
}
