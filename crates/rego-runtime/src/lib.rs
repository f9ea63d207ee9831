//! What runs inside a compiled module.
