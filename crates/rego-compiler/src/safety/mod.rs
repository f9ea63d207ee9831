//! Which variables have a value when an expression is evaluated, and the order of expressions that follows.

mod outputs;
mod reorder;
mod report;
mod unify;

pub(crate) use outputs::{outputs_of_body, outputs_of_equality, outputs_of_expr};
pub(crate) use reorder::{Unsafe, reorder};
pub(crate) use report::report;
