//! A verified plan and the runtime to one self-contained WebAssembly module.
