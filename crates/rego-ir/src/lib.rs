//! The plan IR: data types, text and JSON forms, verifier.

mod ir;

pub use ir::{
    Block, BuiltinFunc, Func, Local, Location, Operand, Plan, Policy, Static, Stmt, StmtKind, StringIndex,
    UnplannedRule,
};
