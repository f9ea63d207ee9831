//! The variables of a piece of the tree.

use rego_syntax::ast::{Name, Term, Value as Tree, visit};

/// The variables outside closures, without the heads of references.
pub(crate) fn outside_closures(term: &Term) -> Vec<Name> {
    let mut found = Vec::new();
    collect(term, &mut found);
    found
}

fn collect(term: &Term, found: &mut Vec<Name>) {
    match &term.value {
        Tree::Var(name) => found.push(name.clone()),
        Tree::Ref(steps) => steps.iter().skip(1).for_each(|step| collect(step, found)),
        Tree::Call(terms) => terms.iter().for_each(|term| collect(term, found)),
        Tree::Array(items) | Tree::Set(items) => items.iter().for_each(|item| collect(item, found)),
        Tree::Object(members) => members.iter().for_each(|(key, value)| {
            collect(key, found);
            collect(value, found);
        }),
        _ => {}
    }
}

/// All variables, without the operators of calls.
pub(crate) fn all(node: &(impl visit::Walk + ?Sized)) -> Vec<Name> {
    let mut found = Vec::new();
    let mut operators = Vec::new();
    node.walk(&mut |node| {
        match node {
            visit::Node::Expr(expr) => operators.extend(expr.operator().and_then(|o| o.head_var().cloned())),
            visit::Node::Term(Term { value: Tree::Var(name), .. }) => found.push(name.clone()),
            _ => {}
        }
        visit::DESCEND
    });
    found.retain(|name| !operators.contains(name));
    found.sort();
    found.dedup();
    found
}
