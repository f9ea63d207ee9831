//! Compiles the shipped policies to WebAssembly.

fn main() {}
