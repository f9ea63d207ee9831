//! The steps of an evaluation and of a change of data, as calls into a running instance.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rego_value::Value;
use rego_value::abi::ALIGN;
use wasmtime::{Memory, Store};

use crate::abi::{Abi, Text, Way};
use crate::answer::Inside;
use crate::data::{CellState, Change, Documents};
use crate::error::{EvalError, PolicyError};
use crate::evaluation::{EvalContext, Input, ResultSet, TypedInput};
use crate::host::Host;
use crate::input::{self, Node, Placed, Scratch};
use crate::live::Live;
use crate::record;
use crate::typed::{InputWriter, UnfitInput};

/// What modules align their allocations to.
const HEAP_ALIGNMENT: usize = 8;

const PAGE: usize = 1 << 16;

/// What an evaluation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All answers.
    Answers,
    /// The value of the first.
    Value,
}

/// What a step comes to: a wasmtime error stands for whatever stopped the module.
pub(crate) enum Stop {
    Wasm(wasmtime::Error),
    Eval(EvalError),
}

impl From<wasmtime::Error> for Stop {
    fn from(error: wasmtime::Error) -> Self {
        Stop::Wasm(error)
    }
}

impl From<EvalError> for Stop {
    fn from(error: EvalError) -> Self {
        Stop::Eval(error)
    }
}

impl Live {
    /// Evaluates an entrypoint: the handle of its result set, or in a native module of what is wanted.
    pub(crate) fn evaluate(
        &mut self,
        entrypoint: i32,
        wanted: Wanted,
        input: Input<'_>,
        context: &EvalContext,
        deadline: Duration,
    ) -> Result<i32, Box<EvalError>> {
        let host = self.store.data_mut();
        host.limits.refused = false;
        host.first_failure = None;
        host.strict = context.strict;
        host.context.begin(context.now_ns, context.seed);
        if host.context.runtime.is_some() || context.runtime.is_some() {
            host.context.runtime.clone_from(&context.runtime);
        }
        if host.waits {
            host.context.deadline = Instant::now().checked_add(deadline);
            host.context.clock = Some(Instant::now);
        }
        let result = self.run(entrypoint, input, wanted).map_err(|stop| self.ended(stop, deadline))?;
        match if context.strict { self.first_failure() } else { None } {
            Some(error) => Err(Box::new(EvalError::Policy(error))),
            None => Ok(result),
        }
    }

    /// The calls of an evaluation.
    fn run(&mut self, entrypoint: i32, input: Input<'_>, wanted: Wanted) -> Result<i32, Stop> {
        // The parts of this one by one: the way in costs no count of references.
        let Self { store, abi, data, heap_base, area, joined, projection, scratch, .. } = self;
        if let Way::Native(native) = &abi.way {
            if *joined != area.shape() {
                if let Some(joins) = abi.memory.data_mut(&mut *store).get_mut(native.joins.clone()) {
                    joins.fill(0);
                }
                *joined = area.shape();
            }
            let top = heap_base.cast_unsigned();
            let Placed { handle, end } = place(store, abi.memory, top, projection, scratch, input)?;
            let eval = match wanted {
                Wanted::Answers => &native.eval,
                Wanted::Value => &native.value,
            };
            let operands = (entrypoint, handle.cast_signed(), *data, end.cast_signed());
            return Ok(eval.call(store, operands)?);
        }
        let abi = Arc::clone(abi);
        match &abi.way {
            Way::Text(way) => self.run_text(&abi, way, entrypoint, input),
            Way::Native(_) => Err(EvalError::MalformedResult.into()),
        }
    }

    fn run_text(&mut self, abi: &Abi, way: &Text, entrypoint: i32, input: Input<'_>) -> Result<i32, Stop> {
        let input = match input {
            Input::Undefined => {
                abi.heap_ptr_set.call(&mut self.store, self.heap_base)?;
                0
            }
            Input::Json(json) => {
                std::str::from_utf8(json).map_err(|_| EvalError::InvalidInput)?;
                self.parse_inside(abi, way, json)?
            }
            Input::Value(value) => {
                abi.heap_ptr_set.call(&mut self.store, self.heap_base)?;
                abi.write_value(&mut self.store, value)?
            }
            Input::Typed(typed) => {
                let value = read_back(typed, &mut self.scratch)?;
                abi.heap_ptr_set.call(&mut self.store, self.heap_base)?;
                abi.write_value(&mut self.store, &value)?
            }
        };
        let context = way.ctx_new.call(&mut self.store, ())?;
        way.ctx_set_entrypoint.call(&mut self.store, (context, entrypoint))?;
        if self.data != 0 {
            way.ctx_set_data.call(&mut self.store, (context, self.data))?;
        }
        if input != 0 {
            way.ctx_set_input.call(&mut self.store, (context, input))?;
        }
        way.eval.call(&mut self.store, context)?;
        Ok(way.ctx_get_result.call(&mut self.store, context)?)
    }

    /// Has the module read a text.
    fn parse_inside(&mut self, abi: &Abi, way: &Text, json: &[u8]) -> Result<i32, Stop> {
        let (end, length) = self.copy_to_top(abi, json)?;
        abi.heap_ptr_set.call(&mut self.store, end)?;
        match way.json_parse.call(&mut self.store, (self.heap_base, length))? {
            0 => Err(EvalError::InvalidInput.into()),
            input => Ok(input),
        }
    }

    /// Copies a text to where the heap begins for this evaluation, without asking the module, and gives
    /// the place after it, where the heap is to go on, and the text's length.
    fn copy_to_top(&mut self, abi: &Abi, text: &[u8]) -> Result<(i32, i32), Stop> {
        let limit = self.store.data().limits.memory;
        let too_large = || EvalError::TooLarge { size: text.len(), limit };
        let start = usize::try_from(self.heap_base.cast_unsigned()).map_err(|_| too_large())?;
        let end = start.checked_add(text.len()).and_then(|end| end.checked_next_multiple_of(HEAP_ALIGNMENT));
        let end = end.filter(|end| *end <= limit).ok_or_else(too_large)?;
        self.have_memory(end)?;
        abi.memory.write(&mut self.store, start, text).map_err(wasmtime::Error::new)?;
        let length = i32::try_from(text.len()).map_err(|_| too_large())?;
        Ok((u32::try_from(end).map_err(|_| too_large())?.cast_signed(), length))
    }

    /// Sees to it that there is memory up to `end`.
    pub(crate) fn have_memory(&mut self, end: usize) -> Result<(), Stop> {
        let limit = self.store.data().limits.memory;
        let size = self.abi.memory.data_size(&self.store);
        if end > size {
            let pages =
                u64::try_from((end - size).div_ceil(PAGE)).map_err(|_| EvalError::MemoryLimit { limit })?;
            let grown = self.abi.memory.grow(&mut self.store, pages);
            grown.map_err(|_| EvalError::MemoryLimit { limit })?;
        }
        Ok(())
    }

    /// Reads all answers.
    pub(crate) fn answers(&mut self, result: i32, deadline: Duration) -> Result<ResultSet, EvalError> {
        let abi = Arc::clone(&self.abi);
        match abi.read_value(&mut self.store, result) {
            Ok(Some(Value::Set(answers))) => Ok(ResultSet::new(answers.iter().cloned().collect())),
            Ok(Some(Value::Array(answers))) => Ok(ResultSet::new(answers.to_vec())),
            Ok(_) => Err(EvalError::MalformedResult),
            Err(stop) => Err(self.ended(stop.into(), deadline)),
        }
    }

    /// Where the value of an entrypoint lies; only in a native module.
    #[inline]
    pub(crate) fn inside(&self) -> Inside<'_> {
        Inside { memory: self.abi.memory.data(&self.store), texts: &self.texts }
    }

    /// The first failure of a built-in function in this evaluation.
    fn first_failure(&self) -> Option<PolicyError> {
        match self.abi.native() {
            Some(native) => record::read(self.abi.memory.data(&self.store), native.error_slot),
            None => self.store.data().first_failure.clone(),
        }
    }

    /// Lays out the data documents afresh.
    pub(crate) fn load(&mut self, documents: &Documents, deadline: Duration) -> Result<(), EvalError> {
        self.store.data_mut().limits.refused = false;
        let outcome = self.load_steps(documents.root());
        let mut ahead = documents.ahead();
        let outcome =
            outcome.and_then(|()| ahead.try_for_each(|(number, cell)| self.cell_steps(number, cell)));
        self.settle(outcome, deadline)
    }

    fn load_steps(&mut self, data: &Value) -> Result<(), Stop> {
        let abi = Arc::clone(&self.abi);
        self.data = 0;
        if let Some(stash) = &abi.stash {
            stash.clear.call(&mut self.store, ())?;
        }
        abi.heap_ptr_set.call(&mut self.store, self.heap_start)?;
        let address = abi.write_beside(&mut self.store, data, &self.known)?;
        if address == 0 {
            return Err(EvalError::InvalidData.into());
        }
        if let Some(stash) = &abi.stash {
            stash.save.call(&mut self.store, ())?;
        }
        self.data = address;
        self.heap_base = abi.heap_ptr_get.call(&mut self.store, ())?;
        self.fresh_base = self.heap_base;
        self.area.clear();
        Ok(())
    }

    /// Changes one document in place.
    pub(crate) fn change(&mut self, change: &Change, deadline: Duration) -> Result<(), EvalError> {
        self.store.data_mut().limits.refused = false;
        let outcome = self.change_steps(change);
        self.settle(outcome, deadline)
    }

    /// Sets a number of the data.
    pub(crate) fn change_cell(
        &mut self,
        number: usize,
        cell: &CellState,
        deadline: Duration,
    ) -> Result<(), EvalError> {
        let outcome = self.cell_steps(number, cell);
        self.settle(outcome, deadline)
    }

    fn cell_steps(&mut self, number: usize, cell: &CellState) -> Result<(), Stop> {
        if self.abi.native().is_some() {
            self.set_cell(number, cell)
        } else {
            self.change_steps(&Change::from(cell))
        }
    }

    fn change_steps(&mut self, change: &Change) -> Result<(), Stop> {
        let abi = Arc::clone(&self.abi);
        let Way::Text(way) = &abi.way else { return self.change_area(change) };
        abi.heap_ptr_set.call(&mut self.store, self.heap_base)?;
        if let Some(stash) = &abi.stash {
            stash.restore.call(&mut self.store, ())?;
        }
        let value = match &change.value {
            Some(value) => Some(abi.write_beside(&mut self.store, value, &self.known)?),
            None => None,
        };
        let path = Value::array(change.path.iter().cloned().map(Value::String));
        let path = abi.write_beside(&mut self.store, &path, &self.known)?;
        let status = match value {
            Some(value) => way.add_path.call(&mut self.store, (self.data, path, value))?,
            None => way.remove_path.call(&mut self.store, (self.data, path))?,
        };
        if status != 0 {
            return Err(EvalError::MalformedResult.into());
        }
        if let Some(stash) = &abi.stash {
            stash.save.call(&mut self.store, ())?;
        }
        self.heap_base = abi.heap_ptr_get.call(&mut self.store, ())?;
        Ok(())
    }

    /// How many bytes beyond the data's own size changes have left behind.
    pub(crate) fn garbage(&self) -> usize {
        if self.abi.native().is_some() {
            return self.area_garbage();
        }
        let size = |from: i32, to: i32| usize::try_from(i64::from(to) - i64::from(from)).unwrap_or(0);
        size(self.fresh_base, self.heap_base).saturating_sub(size(self.heap_start, self.fresh_base))
    }

    fn settle<T>(&self, outcome: Result<T, Stop>, deadline: Duration) -> Result<T, EvalError> {
        outcome.map_err(|stop| self.ended(stop, deadline))
    }

    /// The error that a step ended with.
    #[cold]
    fn ended(&self, stop: Stop, deadline: Duration) -> EvalError {
        match stop {
            // A text that cannot be parsed for want of memory is not the text's fault.
            Stop::Eval(EvalError::InvalidInput | EvalError::InvalidData)
                if self.store.data().limits.refused =>
            {
                EvalError::MemoryLimit { limit: self.store.data().limits.memory }
            }
            Stop::Eval(error) => error,
            Stop::Wasm(error) => self.failure(&error, deadline),
        }
    }
}

/// Whether a text of eight bytes or more is ASCII: in words of eight bytes, of which the last may overlap the one before.
/// The standard library's way goes byte by byte at the end of a text.
fn is_ascii(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else { return false };
    let (words, _) = text.as_chunks();
    let bits = words.iter().fold(u64::from_ne_bytes(*last), |bits, word| bits | u64::from_ne_bytes(*word));
    bits & u64::from_ne_bytes([0x80; 8]) == 0
}

/// Puts the input at `top`, where the data end.
fn place(
    store: &mut Store<Host>,
    memory: Memory,
    top: u32,
    projection: &Node,
    scratch: &mut Scratch,
    input: Input<'_>,
) -> Result<Placed, Stop> {
    match input {
        Input::Undefined => Ok(Placed { handle: 0, end: top }),
        Input::Json(json) => {
            // Most texts are ASCII, which is seen in fewer steps than that they are UTF-8.
            if !is_ascii(json) && std::str::from_utf8(json).is_err() {
                return Err(EvalError::InvalidInput.into());
            }
            let read = |bytes: &mut [u8]| Ok(input::read_text(json, projection, bytes, top, scratch)?);
            lay_out(store, memory, read)
        }
        Input::Value(value) => {
            lay_out(store, memory, |bytes| Ok(input::write_value(value, projection, bytes, top)?))
        }
        Input::Typed(typed) => lay_out(store, memory, |bytes| write_typed(typed, bytes, top, scratch)),
    }
}

fn write_typed(
    typed: TypedInput<'_>,
    memory: &mut [u8],
    top: u32,
    scratch: &mut Scratch,
) -> Result<Placed, UnfitInput> {
    let mut writer = InputWriter::new(memory, top, scratch);
    let handle = typed.value.write(typed.plan, &mut writer);
    Ok(Placed { handle: handle.address(), end: writer.finish()? })
}

/// A Rust value as one of Rego's, for modules whose layout of values is not known: written to memory of ours.
fn read_back(typed: TypedInput<'_>, scratch: &mut Scratch) -> Result<Value, EvalError> {
    let mut memory = vec![0; PAGE];
    loop {
        match write_typed(typed, &mut memory, ALIGN, scratch) {
            Ok(placed) => {
                return rego_value::abi::read(&memory, placed.handle).map_err(|_| EvalError::InvalidInput);
            }
            Err(UnfitInput::Full) if memory.len() < u32::MAX as usize / 4 => {
                memory.resize(memory.len() * 2, 0)
            }
            Err(unfit) => return Err(unfit.into()),
        }
    }
}

/// Has the host lay out the input, in more memory if that is needed.
fn lay_out(
    store: &mut Store<Host>,
    memory: Memory,
    mut write: impl FnMut(&mut [u8]) -> Result<Placed, UnfitInput>,
) -> Result<Placed, Stop> {
    loop {
        match write(memory.data_mut(&mut *store)) {
            Ok(placed) => return Ok(placed),
            Err(UnfitInput::Full) => double(store, memory)?,
            Err(UnfitInput::NotJson) => return Err(EvalError::InvalidInput.into()),
            Err(unfit) => return Err(EvalError::UnfitInput(unfit).into()),
        }
    }
}

/// Doubles the memory, or grows it to its limit.
fn double(store: &mut Store<Host>, memory: Memory) -> Result<(), Stop> {
    let limit = store.data().limits.memory;
    let size = memory.data_size(&*store);
    let pages = size.min(limit.saturating_sub(size)) / PAGE;
    if pages == 0 {
        return Err(EvalError::MemoryLimit { limit }.into());
    }
    let pages = u64::try_from(pages).map_err(|_| EvalError::MemoryLimit { limit })?;
    memory.grow(store, pages).map_err(|_| EvalError::MemoryLimit { limit })?;
    Ok(())
}
