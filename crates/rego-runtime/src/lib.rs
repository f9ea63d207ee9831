//! What runs inside a compiled module: the allocator, values in linear memory, JSON in and out, and the builtins that
//! need no host.
//!
//! **Job.** This crate is built to wasm32 by `build-wasm.sh`; the result, `runtime.wasm`, is committed, and `rego-wasm`
//! links it with the code that it generates. Natively it is an ordinary library over an arena ([`Value`] is an offset
//! into it), so that unit tests and fuzzers run the same code.
//!
//! **Invariant.** Values have the layout of [`rego_value::abi`]. Nothing recurses over a value. All memory is a bump heap
//! that the host rewinds; no allocation outlives a rewinding below it, because whatever a value may need later (an index,
//! the order of its entries) is part of it from the beginning or done in place.
//!
//! **What must be true, and how it is shown.** `tests/blob.rs`: the committed `runtime.wasm` was built from these
//! sources, imports and exports what the table below says, and with the recorded toolchain is byte for byte what
//! `build-wasm.sh` makes. The unit tests compare the operations with `rego_value`'s on the same values; `tests/opa.rs`
//! compares the builtins with the real OPA.
//!
//! # Imports
//! `env.memory`, `env.opa_abort(addr)`, `env.opa_println(addr)`, `env.opa_builtin0..4(id, ctx, args…) -> value`.
//! (The last two are imported by generated code; the runtime itself needs only the first two.)
//!
//! # Exports
//! All parameters and results are `i32` unless said otherwise; *v* is a handle, 0 undefined.
//!
//! | export | what |
//! |---|---|
//! | global `__heap_base` | where the runtime's own data end: constants go here |
//! | `rt_init(heap_base)` | once, by the start function: sets the heap's beginning, makes the error record |
//! | `rt_alloc(size) -> addr` | 8-aligned; aborts when the memory is full |
//! | `rt_begin(top)` | an evaluation begins: the heap goes on at `top`, the error is forgotten (`opa_eval_ctx_new` does it too) |
//! | `rt_get(v, key) -> v` | member, element by index, element of a set; 0 |
//! | `rt_len(v) -> v` | `count` without errors: 0 for what has no length |
//! | `rt_iter_len(v)`, `rt_iter_key(v, i) -> v`, `rt_iter_value(v, i) -> v` | iteration in Rego's order; length 0 for scalars |
//! | `rt_array_new(cap) -> v`, `rt_array_push(a, v)` | in place |
//! | `rt_object_new(cap) -> v`, `rt_object_insert(o, k, v)`, `rt_object_insert_once(o, k, v) -> conflict` | in place; 1 = a different value is there |
//! | `rt_object_from(constant) -> v` | a copy of an object of at most eight members, to write values into: its entries follow its header |
//! | `rt_object_merge(a, b) -> v` | OPA's ObjectMerge: `a` wins, objects are merged |
//! | `rt_set_new(cap) -> v`, `rt_set_add(s, v)` | in place |
//! | `rt_copy(v) -> v` | a copy of one level of an object or set |
//! | `rt_equal(a, b)`, `rt_compare(a, b)` | 0/1; -1/0/1 |
//! | `rt_hash(v)` | [`rego_value::abi::hash_value`] |
//! | `rt_int(i64) -> v` | |
//! | `rt_wide(op, v, v) -> v`, `rt_wide_compare(v, v) -> order`, `rt_wide_hash(v) -> hash`, `rt_wide_text(v) -> string` | numbers beyond 64 bits; modules for our engine import them ([`rego_value::number::Operation`] numbers `op`); an operand that is no number, and what cannot be computed, is the recorded error of [`rego_value::number::Operation::builtin`], and 0 |
//! | `rt_failed(name, len, code, text, len)`, `rt_wrong_type(name, len, position, expected, len, v)` | records an error unless there is one, with its text or what stands behind "must be"; texts are addresses and lengths; modules for our engine import them |
//! | `rt_number(addr, len) -> v` | a number from its text, which must be one |
//! | `rt_string(addr, len) -> v` | a string from UTF-8 |
//! | `rt_is_array(v)`, `rt_is_object(v)`, `rt_is_set(v)` | 0/1 |
//! | `rt_format(pieces, operands) -> v` | `sprintf` of a constant format with plain verbs; 0 where the host has to do it  |
//! | `rt_text_begin(room) -> addr`, `rt_text_put(addr, v, verb, room) -> addr`, `rt_text_end(addr, addr) -> string` | the same by pieces: the generated code writes what stands between the operands; 0 where an operand does not suit its verb |
//! | `rt_floor_div(a, b) -> v` | `floor(a / b)` of integers below 2^52, without the quotient between; 0 where it is not that simple |
//! | `rt_regex_table(table, text, old) -> v`, `rt_regex_program(program, text, old) -> v` | `regex.match` of a constant expression (`re_match` where `old` is not 0); the first operand is the address of a length and as many bytes of [`rego_regex`]'s |
//! | `rt_regex_find(program, text, count) -> v` | `regex.find_all_string_submatch_n` of a constant expression |
//! | `rt_upsert(base, path, v) -> v` | copy on write, for `with` |
//! | `rt_builtin_failed(location)` | stamps a pending error; see [`rego_value::abi::error`] |
//! | `rt_abort(string)` | `opa_abort` with a string value's text |
//! | `rego_error_slot() -> addr` | the record of the first error |
//! | `opa_malloc`, `opa_free`, `opa_json_parse`, `opa_json_dump`, `opa_value_parse`, `opa_value_dump`, `opa_value_free`, `opa_value_add_path`, `opa_value_remove_path`, `opa_heap_ptr_get`, `opa_heap_ptr_set`, `opa_heap_blocks_stash`, `opa_heap_blocks_restore`, `opa_heap_stash_clear`, `opa_eval_ctx_new`, `opa_eval_ctx_set_input`, `opa_eval_ctx_set_data`, `opa_eval_ctx_set_entrypoint`, `opa_eval_ctx_get_result` | OPA's ABI 1.3; a context is `{input, data, entrypoint, result}` ([`host::context`]) |
//! | `bi_NAME(v…) -> v` | the builtins of [`BUILTINS`], with `_` for `.`; an error is recorded and 0 returned |
#![no_std]

extern crate alloc;

mod array;
mod builtins;
mod error;
pub mod exports;
mod format;
pub mod host;
mod json;
mod memory;
pub mod native;
mod order;
mod rt;
mod search;
mod sort;
mod table;
mod text;
mod value;
mod value_text;
mod wide;

pub use builtins::{BUILTINS, Builtin};
pub use value::Value;

pub(crate) use exports::abort;
