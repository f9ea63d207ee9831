//! Judges the compiler against OPA's own test cases.

fn main() {}
