//! Guardrails for code that can do damage: a policy is checked before a function runs.
