//! The one table of Rego's built-in functions, and their host implementations.
