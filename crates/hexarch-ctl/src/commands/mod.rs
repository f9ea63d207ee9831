//! One file per command.

pub(crate) mod demo;
pub(crate) mod policy;
pub(crate) mod policy_check;
pub(crate) mod policy_eval;
pub(crate) mod policy_test;
