//! Runs compiled modules in wasmtime: warm instances, data documents, deadlines, memory caps.
