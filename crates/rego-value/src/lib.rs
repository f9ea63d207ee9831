//! The Rego value: exact numbers, the total order, sets, canonical JSON, and the layout values have inside a module.
