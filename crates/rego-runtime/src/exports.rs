//! The symbols of the module, and what it imports. Natively they are plain functions, for tests.
#![cfg_attr(
    target_arch = "wasm32",
    expect(
        unsafe_code,
        reason = "exported and imported symbols; the imports take an address and have no other contract"
    )
)]
#![allow(missing_docs, reason = "the table in the crate's documentation says what each one does")]

use crate::value::Value;
use crate::{array, builtins, error, format, host, json, memory, order, rt, table, wide};

#[cfg(target_arch = "wasm32")]
mod env {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        /// Ends the evaluation with the NUL-terminated text at the address.
        pub(super) safe fn opa_abort(address: u32);
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        super::abort("internal error")
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn abort_at(address: u32) -> ! {
    env::opa_abort(address);
    // A host that returns from `opa_abort` does not get an answer that was never computed.
    core::arch::wasm32::unreachable()
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn abort(text: &str) -> ! {
    // On the stack: it may be the heap that is full. Every text of ours is shorter.
    let mut buffer = [0u8; 64];
    for (place, byte) in buffer.iter_mut().take(63).zip(text.bytes()) {
        *place = byte;
    }
    abort_at(core::hint::black_box(&buffer).as_ptr() as u32)
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::panic, reason = "natively, in tests, an abort of the module is a panic")]
pub(crate) fn abort(text: &str) -> ! {
    panic!("abort: {text}")
}

#[cfg(not(target_arch = "wasm32"))]
fn abort_at(address: u32) -> ! {
    let len = (0..).take_while(|at| memory::load_u8(address + at) != 0).count();
    abort(memory::text(address, len as u32))
}

/// The result of a match, recorded under the name by which it was asked for.
fn regex_settle(old: u32, text: Value, matches: impl FnOnce(Value) -> error::Outcome) -> Value {
    if !text.is_defined() {
        return Value::UNDEFINED;
    }
    error::settle(if old == 0 { "regex.match" } else { "re_match" }, matches(text))
}

fn regex_find(program: u32, text: Value, count: Value) -> Value {
    if !text.is_defined() || !count.is_defined() {
        return Value::UNDEFINED;
    }
    error::settle("regex.find_all_string_submatch_n", builtins::program_find(program, text, count))
}

macro_rules! export {
    ($($(#[$attribute:meta])? $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)? => $body:expr;)*) => {
        $(
            $(#[$attribute])?
            #[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
            pub extern "C" fn $name($($arg: $type),*) $(-> $result)? {
                $body
            }
        )*
    };
}

export! {
    rt_init(heap_base: u32) => {
        memory::init(heap_base);
        error::init();
    };
    rt_alloc(size: u32) -> u32 => memory::alloc(size);
    rt_begin(top: u32) => {
        memory::set_heap_top(top);
        error::clear();
    };
    rt_get(value: Value, key: Value) -> Value => rt::get_often(value, key);
    rt_len(value: Value) -> Value => rt::len(value);
    rt_iter_len(value: Value) -> u32 => rt::iter_len(value);
    rt_iter_key(value: Value, position: u32) -> Value => rt::iter_key(value, position);
    rt_iter_value(value: Value, position: u32) -> Value => rt::iter_value(value, position);
    rt_array_new(capacity: u32) -> Value => array::new(capacity);
    rt_array_push(array: Value, item: Value) => array::push(array, item);
    rt_object_new(capacity: u32) -> Value => table::new_object(capacity);
    rt_object_from(template: Value) -> Value => rt::object_from(template);
    rt_object_insert(object: Value, key: Value, value: Value) => table::insert(object, key, value);
    rt_object_insert_once(object: Value, key: Value, value: Value) -> u32 => u32::from(rt::insert_once(object, key, value));
    rt_object_merge(a: Value, b: Value) -> Value => rt::merge(a, b);
    rt_set_new(capacity: u32) -> Value => table::new_set(capacity);
    rt_set_add(set: Value, item: Value) => table::add(set, item);
    rt_copy(value: Value) -> Value => table::copy(value, 0);
    rt_equal(a: Value, b: Value) -> u32 => u32::from(order::equal(a, b));
    rt_compare(a: Value, b: Value) -> i32 => order::compare(a, b) as i32;
    rt_hash(value: Value) -> u32 => order::hash(value);
    rt_int(int: i64) -> Value => Value::int(int);
    #[inline(never)] rt_wide(operation: u32, a: Value, b: Value) -> Value => wide::result(operation, a, b);
    #[inline(never)] rt_wide_compare(a: Value, b: Value) -> i32 => wide::number(a).compare(wide::number(b)) as i32;
    #[inline(never)] rt_wide_hash(value: Value) -> u32 => wide::number(value).hash32();
    #[inline(never)] rt_wide_text(value: Value) -> Value => Value::string(&wide::number(value).text());
    #[inline(never)] rt_failed(name: u32, name_len: u32, code: u32, text: u32, text_len: u32) => {
        error::failed(memory::text(name, name_len), code, memory::text(text, text_len));
    };
    #[inline(never)] rt_wrong_type(name: u32, name_len: u32, position: u32, expected: u32, expected_len: u32, got: Value) => {
        error::wrong_type(memory::text(name, name_len), position, memory::text(expected, expected_len), got);
    };
    rt_number(address: u32, len: u32) -> Value => Value::number_text(memory::text(address, len));
    rt_string(address: u32, len: u32) -> Value => Value::string(memory::text(address, len));
    rt_is_array(value: Value) -> u32 => u32::from(value.is_array());
    rt_is_object(value: Value) -> u32 => u32::from(value.is_object());
    rt_is_set(value: Value) -> u32 => u32::from(value.is_set());
    rt_regex_table(table: u32, text: Value, old: u32) -> Value => regex_settle(old, text, |text| builtins::table_match(table, text));
    rt_regex_program(program: u32, text: Value, old: u32) -> Value => regex_settle(old, text, |text| builtins::program_match(program, text));
    rt_regex_find(program: u32, text: Value, count: Value) -> Value => regex_find(program, text, count);
    rt_format(pieces: u32, operands: Value) -> Value => format::format(pieces, operands);
    rt_text_begin(room: u32) -> u32 => format::begin(room);
    rt_text_put(address: u32, value: Value, verb: u32, room: u32) -> u32 => format::put(address, value, verb, room);
    rt_text_end(begin: u32, end: u32) -> Value => format::end(begin, end);
    rt_floor_div(a: Value, b: Value) -> Value => builtins::floor_div(a, b);
    rt_upsert(base: Value, path: Value, value: Value) -> Value => rt::upsert(base, path, value);
    rt_builtin_failed(location: u32) => error::stamp(location);
    rt_abort(message: Value) => abort_at(message.0 + rego_value::abi::TEXT_BYTES);
    rego_error_slot() -> u32 => error::slot();

    opa_malloc(size: u32) -> u32 => memory::alloc(size);
    opa_free(_address: u32) => ();
    opa_json_parse(address: u32, len: u32) -> Value => json::parse_at(address, len);
    opa_json_dump(value: Value) -> u32 => host::json_dump(value);
    opa_value_parse(address: u32, len: u32) -> Value => host::value_parse(address, len);
    opa_value_dump(value: Value) -> u32 => host::value_dump(value);
    opa_value_free(_value: Value) => ();
    opa_value_add_path(base: Value, path: Value, value: Value) -> u32 => host::add_path(base, path, value);
    opa_value_remove_path(base: Value, path: Value) -> u32 => host::remove_path(base, path);
    opa_heap_ptr_get() -> u32 => memory::heap_top();
    opa_heap_ptr_set(top: u32) => memory::set_heap_top(top);
    opa_heap_blocks_stash() => ();
    opa_heap_blocks_restore() => ();
    opa_heap_stash_clear() => ();
    opa_eval_ctx_new() -> u32 => host::context_new();
    opa_eval_ctx_set_input(context: u32, value: u32) => memory::store_u32(context + host::context::INPUT, value);
    opa_eval_ctx_set_data(context: u32, value: u32) => memory::store_u32(context + host::context::DATA, value);
    opa_eval_ctx_set_entrypoint(context: u32, id: u32) => memory::store_u32(context + host::context::ENTRYPOINT, id);
    opa_eval_ctx_get_result(context: u32) -> u32 => memory::load_u32(context + host::context::RESULT);
}
