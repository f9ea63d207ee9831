//! One running instance of a module: its store, its memory, its heap. Replaced after a trap.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rego_builtins::Context;
use rego_value::Value;
use rego_value::abi::{Column, Known, Strings, View};
use wasmtime::{Memory, Store, Trap};

use crate::abi::Abi;
use crate::area::Area;
use crate::error::{EvalError, ModuleError};
use crate::host::{Host, HostBuiltin, Limits, Stopped};
use crate::input::{Node, Scratch};
use crate::module::Inner;
use crate::texts::Texts;

/// The instructions that an instance which counts them may take: more than any deadline leaves time for.
const FUEL: u64 = u64::MAX;

/// Everything that must be thrown away together. Apart from others by more than processors fetch at a time.
#[repr(align(128))]
pub(crate) struct Live {
    pub(crate) store: Store<Host>,
    pub(crate) abi: Arc<Abi>,
    instance: wasmtime::Instance,
    /// The heap pointer before any data.
    pub(crate) heap_start: i32,
    /// The heap pointer after the data; each evaluation begins there.
    pub(crate) heap_base: i32,
    /// The data document; 0 is none.
    pub(crate) data: i32,
    /// How far the heap reached when the data was last laid out as a whole.
    pub(crate) fresh_base: i32,
    /// What has been put since; where the layout of values is known.
    pub(crate) area: Area,
    /// The shape of the area when the module last forgot what it had found in the data.
    pub(crate) joined: u64,
    /// What data are laid out with.
    pub(crate) known: Arc<Known>,
    /// The texts of the module's constant strings.
    pub(crate) texts: Arc<Texts>,
    /// What is read of the input.
    pub(crate) projection: Arc<Node>,
    pub(crate) scratch: Scratch,
}

impl Live {
    pub(crate) fn start(module: &Inner) -> Result<Self, ModuleError> {
        let config = module.engine.config();
        let mut context = Context::default();
        context.network = module.environment.network();
        let host = Host {
            limits: Limits { memory: config.memory_limit, refused: false },
            builtins: Arc::clone(&module.builtins),
            patterns: module.patterns.clone().into(),
            context,
            waits: module.environment.may_wait()
                || module.builtins.iter().flatten().any(HostBuiltin::may_take_long),
            strict: false,
            first_failure: None,
            memory: None,
            abi: None,
            engine: module.engine.clone(),
            until: 0,
        };
        let mut store = Store::new(module.engine.wasmtime(), host);
        store.limiter(|host| &mut host.limits);
        if config.count_instructions {
            store.set_fuel(FUEL).map_err(|error| ModuleError::Invalid { message: error.to_string() })?;
        }
        store.set_epoch_deadline(module.engine.clock().arm(config.default_deadline));
        let failed = |error: wasmtime::Error, store: &Store<Host>| {
            ModuleError::from(classify(&error, store, config.default_deadline, config.stack_limit))
        };
        let mut linker = module.linker.clone();
        if let Some(ty) = &module.memory {
            let memory = Memory::new(&mut store, ty.clone()).map_err(|error| failed(error, &store))?;
            store.data_mut().memory = Some(memory);
            linker.define(&store, "env", "memory", memory).map_err(|error| failed(error, &store))?;
        }
        let instance =
            linker.instantiate(&mut store, &module.compiled).map_err(|error| failed(error, &store))?;
        let abi = Abi::new(&mut store, &instance, module.known_layout)?;
        store.data_mut().memory = Some(abi.memory);
        store.data_mut().abi = Some(Arc::clone(&abi));
        // Nothing may move the heap's start after this.
        let heap_start = abi
            .malloc
            .call(&mut store, 0)
            .and_then(|_| abi.heap_ptr_get.call(&mut store, ()))
            .map_err(|error| failed(error, &store))?;
        Ok(Self {
            store,
            abi,
            instance,
            heap_start,
            heap_base: heap_start,
            data: 0,
            fresh_base: heap_start,
            area: Area::default(),
            joined: 0,
            known: Arc::clone(&module.known),
            texts: Arc::clone(&module.texts),
            projection: Arc::clone(&module.projection),
            scratch: Scratch::default(),
        })
    }

    /// Whether its values lie in its memory in a way of their own.
    pub(crate) fn is_foreign(&self) -> bool {
        self.abi.native().is_none()
    }

    pub(crate) fn memory_size(&self) -> usize {
        self.abi.memory.data_size(&self.store)
    }

    /// The instructions taken so far, where they are counted.
    pub(crate) fn instructions(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| FUEL - left)
    }

    /// Major and minor version of the ABI, -1 where the module does not say.
    pub(crate) fn abi_version(&mut self) -> (i32, i32) {
        let mut global = |name: &str| {
            let global = self.instance.get_global(&mut self.store, name)?;
            global.get(&mut self.store).i32()
        };
        (global("opa_wasm_abi_version").unwrap_or(-1), global("opa_wasm_abi_minor_version").unwrap_or(-1))
    }

    pub(crate) fn entrypoints(&mut self) -> Result<BTreeMap<String, i32>, EvalError> {
        let address = self.abi.entrypoints.clone().call(&mut self.store, ());
        self.numbered_names(address)
    }

    pub(crate) fn builtins(&mut self) -> Result<BTreeMap<String, i32>, EvalError> {
        let address = self.abi.builtins.clone().call(&mut self.store, ());
        self.numbered_names(address)
    }

    /// What data are laid out with, by the handles of the module's strings and of the keys of each column.
    pub(crate) fn known(&self, strings: &[u32], columns: &[Vec<u32>]) -> Known {
        let memory = self.abi.memory.data(&self.store);
        let text = |handle: u32| match View::new(memory, handle) {
            Ok(View::String(text)) => Some(text),
            _ => None,
        };
        let strings: Strings =
            strings.iter().filter_map(|handle| Some((text(*handle)?.into(), *handle))).collect();
        // A column that cannot be is one that no array has: the numbers of the others stay.
        let keys = |handles: &Vec<u32>| handles.iter().map(|handle| text(*handle).map(Value::from)).collect();
        let column = |handles| Column { keys: Option::unwrap_or(keys(handles), vec![Value::Null]) };
        Known { strings, columns: columns.iter().map(column).collect() }
    }

    fn numbered_names(&mut self, value: wasmtime::Result<i32>) -> Result<BTreeMap<String, i32>, EvalError> {
        let abi = Arc::clone(&self.abi);
        let value = value
            .and_then(|value| abi.read_value(&mut self.store, value))
            .map_err(|error| self.failure(&error, Duration::ZERO))?
            .ok_or(EvalError::MalformedResult)?;
        let Value::Object(members) = value else { return Err(EvalError::MalformedResult) };
        members
            .iter()
            .map(|(name, id)| {
                let id = id.as_i64().and_then(|id| i32::try_from(id).ok());
                Some((name.as_str()?.to_owned(), id?))
            })
            .collect::<Option<_>>()
            .ok_or(EvalError::MalformedResult)
    }

    /// What a failed call means, with the limits that were in force.
    pub(crate) fn failure(&self, error: &wasmtime::Error, deadline: Duration) -> EvalError {
        classify(error, &self.store, deadline, 0)
    }
}

/// Turns wasmtime's error into ours.
pub(crate) fn classify(
    error: &wasmtime::Error,
    store: &Store<Host>,
    deadline: Duration,
    stack_limit: usize,
) -> EvalError {
    let limits = &store.data().limits;
    if let Some(Trap::Interrupt) = error.downcast_ref() {
        return EvalError::Deadline { deadline };
    }
    // A module that is refused memory stops in a way of its own; the cause is what matters.
    if limits.refused {
        return EvalError::MemoryLimit { limit: limits.memory };
    }
    if let Some(Stopped(error)) = error.downcast_ref() {
        return EvalError::Policy(error.clone());
    }
    match error.downcast_ref() {
        Some(Trap::StackOverflow) => EvalError::StackLimit { limit: stack_limit },
        _ => EvalError::Trap { message: format!("{error:#}") },
    }
}
