//! Rego modules to a verified plan: resolve, check, plan.

pub mod plan;
