//! One file per command.

pub(crate) mod audit;
pub(crate) mod budget;
pub(crate) mod confirm;
pub(crate) mod demo;
pub(crate) mod init;
pub(crate) mod policy;
pub(crate) mod policy_build;
pub(crate) mod policy_check;
pub(crate) mod policy_eval;
mod policy_eval_steps;
pub(crate) mod policy_test;
pub(crate) mod rule;
pub(crate) mod run;
