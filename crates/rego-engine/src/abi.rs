//! The exports of a module, looked up once, and the two ways values cross the boundary.

use std::ops::Range;
use std::sync::Arc;

use rego_value::Value;
use rego_value::abi as layout;
use rego_value::abi::Known;
use wasmtime::{AsContextMut, Instance, Memory, Store, TypedFunc, WasmParams, WasmResults};

use crate::error::ModuleError;
use crate::host::Host;
use crate::wire;

type Func<P, R> = TypedFunc<P, R>;

/// The functions of ABI 1.2 and 1.3.
pub(crate) struct Abi {
    pub(crate) memory: Memory,
    pub(crate) builtins: Func<(), i32>,
    pub(crate) entrypoints: Func<(), i32>,
    pub(crate) malloc: Func<i32, i32>,
    pub(crate) heap_ptr_get: Func<(), i32>,
    pub(crate) heap_ptr_set: Func<i32, ()>,
    /// From ABI 1.3 on: free blocks that survive a rewind of the heap.
    pub(crate) stash: Option<Stash>,
    /// The way in.
    pub(crate) way: Way,
}

/// How a module is evaluated, and values cross the boundary.
pub(crate) enum Way {
    /// In memory.
    Native(Native),
    /// In text, as OPA's ABI has it.
    Text(Box<Text>),
}

/// What is called of modules whose layout of values we do not know.
pub(crate) struct Text {
    pub(crate) json_parse: Func<(i32, i32), i32>,
    pub(crate) eval: Func<i32, i32>,
    pub(crate) ctx_new: Func<(), i32>,
    pub(crate) ctx_set_input: Func<(i32, i32), ()>,
    pub(crate) ctx_set_data: Func<(i32, i32), ()>,
    pub(crate) ctx_set_entrypoint: Func<(i32, i32), ()>,
    pub(crate) ctx_get_result: Func<i32, i32>,
    pub(crate) value_parse: Func<(i32, i32), i32>,
    pub(crate) value_dump: Func<i32, i32>,
    pub(crate) add_path: Func<(i32, i32, i32), i32>,
    pub(crate) remove_path: Func<(i32, i32), i32>,
}

/// The way into modules whose layout of values we know.
pub(crate) struct Native {
    /// `rego_eval(entrypoint, input, data, top)` gives the result set.
    pub(crate) eval: Func<(i32, i32, i32, i32), i32>,
    /// `rego_value(entrypoint, input, data, top)` gives the value in it, or undefined.
    pub(crate) value: Func<(i32, i32, i32, i32), i32>,
    /// The address of the record of the first failure of a built-in function.
    pub(crate) error_slot: u32,
    /// Where the module keeps what it found in the data; to be filled with zeros after a change.
    pub(crate) joins: Range<usize>,
}

/// Keeps blocks that were freed below the heap pointer from being lost when it is rewound.
pub(crate) struct Stash {
    pub(crate) save: Func<(), ()>,
    pub(crate) restore: Func<(), ()>,
    pub(crate) clear: Func<(), ()>,
}

fn func<P: WasmParams, R: WasmResults>(
    store: &mut Store<Host>,
    instance: &Instance,
    name: &'static str,
) -> Result<TypedFunc<P, R>, ModuleError> {
    instance.get_typed_func(store, name).map_err(|_| ModuleError::MissingExport { name })
}

/// The address that an exported global gives; 0 where there is none.
fn address(store: &mut Store<Host>, instance: &Instance, name: &str) -> usize {
    let global = instance.get_global(&mut *store, name).and_then(|global| global.get(store).i32());
    global.and_then(|address| usize::try_from(address.cast_unsigned()).ok()).unwrap_or(0)
}

impl Abi {
    /// Looks the exports up. `known_layout` says that the module is one of ours.
    pub(crate) fn new(
        store: &mut Store<Host>,
        instance: &Instance,
        known_layout: bool,
    ) -> Result<Arc<Self>, ModuleError> {
        let memory = instance
            .get_memory(&mut *store, "memory")
            .or(store.data().memory)
            .ok_or(ModuleError::MissingExport { name: "memory" })?;
        let stash = match instance.get_typed_func(&mut *store, "opa_heap_blocks_stash") {
            Ok(save) => Some(Stash {
                save,
                restore: func(store, instance, "opa_heap_blocks_restore")?,
                clear: func(store, instance, "opa_heap_stash_clear")?,
            }),
            Err(_) => None,
        };
        let way = if known_layout {
            let slot: Func<(), i32> = func(store, instance, "rego_error_slot")?;
            let error_slot = slot.call(&mut *store, ()).map_err(|error| ModuleError::Start {
                source: crate::EvalError::Trap { message: error.to_string() },
            })?;
            let eval = func(store, instance, "rego_eval")?;
            let value = func(store, instance, "rego_value")?;
            let joins = address(store, instance, "rego_joins")..address(store, instance, "rego_joins_end");
            Way::Native(Native { eval, value, error_slot: error_slot.cast_unsigned(), joins })
        } else {
            Way::Text(Box::new(Text::new(store, instance)?))
        };
        Ok(Arc::new(Self {
            memory,
            way,
            builtins: func(store, instance, "builtins")?,
            entrypoints: func(store, instance, "entrypoints")?,
            malloc: func(store, instance, "opa_malloc")?,
            heap_ptr_get: func(store, instance, "opa_heap_ptr_get")?,
            heap_ptr_set: func(store, instance, "opa_heap_ptr_set")?,
            stash,
        }))
    }

    /// Copies bytes into memory of the module's own. The address is 0 when they do not fit.
    pub(crate) fn copy_in(
        &self,
        mut store: impl AsContextMut<Data = Host>,
        bytes: &[u8],
    ) -> wasmtime::Result<(i32, i32)> {
        let length = i32::try_from(bytes.len())?;
        let address = self.malloc.call(&mut store, length)?;
        self.memory.write(&mut store, usize::try_from(address.cast_unsigned())?, bytes)?;
        Ok((address, length))
    }

    /// The owned copy of a value. None when the module's text of it cannot be read.
    pub(crate) fn read_value(
        &self,
        mut store: impl AsContextMut<Data = Host>,
        value: i32,
    ) -> wasmtime::Result<Option<Value>> {
        match &self.way {
            Way::Native(_) => {
                let memory = self.memory.data(store.as_context());
                Ok(layout::read(memory, value.cast_unsigned()).ok())
            }
            Way::Text(way) => {
                let text = way.value_dump.call(&mut store, value)?;
                let bytes = read_string(self.memory.data(store.as_context()), text);
                Ok(bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(wire::read))
            }
        }
    }

    /// Makes a value in the module; 0 when the module cannot read the text of it.
    pub(crate) fn write_value(
        &self,
        mut store: impl AsContextMut<Data = Host>,
        value: &Value,
    ) -> wasmtime::Result<i32> {
        self.write_beside(&mut store, value, &Known::default())
    }

    /// The same with what the module has and asks for already.
    pub(crate) fn write_beside(
        &self,
        mut store: impl AsContextMut<Data = Host>,
        value: &Value,
        known: &Known,
    ) -> wasmtime::Result<i32> {
        let Way::Text(way) = &self.way else { return self.lay_out(store, value, known) };
        let mut text = String::new();
        wire::write(value, &mut text);
        let (address, length) = self.copy_in(&mut store, text.as_bytes())?;
        way.value_parse.call(&mut store, (address, length))
    }

    /// What our own modules have besides.
    pub(crate) fn native(&self) -> Option<&Native> {
        match &self.way {
            Way::Native(native) => Some(native),
            Way::Text(_) => None,
        }
    }
}

impl Text {
    fn new(store: &mut Store<Host>, instance: &Instance) -> Result<Self, ModuleError> {
        Ok(Self {
            json_parse: func(store, instance, "opa_json_parse")?,
            eval: func(store, instance, "eval")?,
            ctx_new: func(store, instance, "opa_eval_ctx_new")?,
            ctx_set_input: func(store, instance, "opa_eval_ctx_set_input")?,
            ctx_set_data: func(store, instance, "opa_eval_ctx_set_data")?,
            ctx_set_entrypoint: func(store, instance, "opa_eval_ctx_set_entrypoint")?,
            ctx_get_result: func(store, instance, "opa_eval_ctx_get_result")?,
            value_parse: func(store, instance, "opa_value_parse")?,
            value_dump: func(store, instance, "opa_value_dump")?,
            add_path: func(store, instance, "opa_value_add_path")?,
            remove_path: func(store, instance, "opa_value_remove_path")?,
        })
    }
}

impl Abi {
    /// Puts a value where the module would allocate it.
    fn lay_out(
        &self,
        mut store: impl AsContextMut<Data = Host>,
        value: &Value,
        known: &Known,
    ) -> wasmtime::Result<i32> {
        let top = self.heap_ptr_get.call(&mut store, ())?;
        let mut writer = layout::Writer::heap_beside(top.cast_unsigned(), known);
        let handle = writer.value(value)?;
        let base = writer.base();
        let bytes = writer.into_bytes();
        if !bytes.is_empty() {
            let (address, _) = self.copy_in(&mut store, &bytes)?;
            // The layout is made of absolute addresses.
            if address.cast_unsigned() != base {
                return Err(wasmtime::Error::msg(
                    "the module allocates elsewhere than at the top of its heap",
                ));
            }
        }
        Ok(handle.cast_signed())
    }
}

/// The bytes up to the next NUL.
pub(crate) fn read_string(memory: &[u8], address: i32) -> Option<&[u8]> {
    let rest = memory.get(usize::try_from(address.cast_unsigned()).ok()?..)?;
    let end = memchr::memchr(0, rest)?;
    rest.get(..end)
}
