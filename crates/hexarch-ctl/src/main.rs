//! The command line of Hexarch Guardrails.

fn main() {}
