//! A warm instance: a module with its data, evaluated again and again.

use std::fmt;
use std::time::Duration;

use rego_builtins::Output;
use rego_value::{Object, Value};

use crate::answer::Answer;
use crate::data::{self, Change};
use crate::error::{EvalError, ModuleError};
use crate::evaluation::{EvalContext, Input, ResultSet};
use crate::live::Live;
use crate::module::{EntrypointId, Module};
use crate::run::{Stop, Wanted};

/// A module with its own memory and its own copy of the data documents. Not shared between threads
/// at a time; see [`Pool`](crate::Pool) for that.
///
/// After an error the instance is as usable as before: what a trap may have damaged is thrown away and
/// made anew, data included, by the next call.
pub struct Instance {
    module: Module,
    /// The data documents, from which a damaged or littered instance is rebuilt.
    data: Value,
    live: Option<Live>,
    /// What the last evaluation said beside its answers; kept here, since an error may end the running instance.
    output: Output,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("module", &self.module).finish_non_exhaustive()
    }
}

impl Instance {
    /// An instance without data.
    ///
    /// # Errors
    /// When the module does not fit into the memory limit.
    pub fn new(module: &Module) -> Result<Self, EvalError> {
        let mut instance = Self {
            module: module.clone(),
            data: Value::Object(Object::new()),
            live: None,
            output: Output::default(),
        };
        instance.live()?;
        Ok(instance)
    }

    /// The module it runs.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The data documents.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// Replaces all data documents by a JSON object.
    ///
    /// # Errors
    /// Text that is no JSON object; data that does not fit into the memory limit, in which case the
    /// previous data stay.
    pub fn set_data_json(&mut self, json: &[u8]) -> Result<(), EvalError> {
        self.check_size(json.len())?;
        let data = rego_value::json::parse(json).map_err(|_| EvalError::InvalidData)?;
        self.set_data(data)
    }

    /// Replaces all data documents by the members of an object.
    ///
    /// # Errors
    /// As [`Instance::set_data_json`].
    pub fn set_data(&mut self, data: Value) -> Result<(), EvalError> {
        if !matches!(data, Value::Object(_)) {
            return Err(EvalError::InvalidData);
        }
        let previous = std::mem::replace(&mut self.data, data);
        match self.load() {
            Ok(()) => Ok(()),
            Err(error) => {
                self.data = previous;
                self.live = None;
                Err(error)
            }
        }
    }

    /// Sets the document at a path; objects on the way that are not there are made. No other document
    /// is touched, and the cost does not depend on their size.
    ///
    /// What the old document occupied is reclaimed from time to time, when it exceeds
    /// [`Config::garbage_limit`](crate::Config::garbage_limit) and the size of the data.
    ///
    /// # Errors
    /// An empty path whose value is no object; a path through a value that is no object; no memory.
    /// The data are then as before.
    pub fn set_data_at(&mut self, path: &[&str], value: Value) -> Result<(), EvalError> {
        if path.is_empty() {
            return self.set_data(value);
        }
        let previous = self.data.clone();
        let change = data::put(&mut self.data, path, value)?;
        self.apply(&change).inspect_err(|_| {
            self.data = previous;
            self.live = None;
        })
    }

    /// Removes the document at a path. Removing what is not there is no error.
    ///
    /// # Errors
    /// As [`Instance::set_data_at`].
    pub fn remove_data_at(&mut self, path: &[&str]) -> Result<(), EvalError> {
        if path.is_empty() {
            return self.set_data(Value::Object(Object::new()));
        }
        let previous = self.data.clone();
        if !data::remove(&mut self.data, path)? {
            return Ok(());
        }
        let change = Change { path: path.iter().map(|key| Value::from(*key)).collect(), value: None };
        self.apply(&change).inspect_err(|_| {
            self.data = previous;
            self.live = None;
        })
    }

    /// Evaluates an entrypoint by name. Where this is done often, look the number up once
    /// ([`Module::entrypoint`]) and use [`Instance::evaluate_value`].
    ///
    /// # Errors
    /// See [`EvalError`].
    pub fn evaluate(
        &mut self,
        entrypoint: &str,
        input: Input<'_>,
        context: &EvalContext,
    ) -> Result<ResultSet, EvalError> {
        let id = self
            .module
            .entrypoint(entrypoint)
            .ok_or_else(|| EvalError::UnknownEntrypoint { name: entrypoint.to_owned() })?;
        self.evaluate_id(id, input, context)
    }

    /// Evaluates an entrypoint and gives all answers.
    ///
    /// # Errors
    /// See [`EvalError`].
    pub fn evaluate_id(
        &mut self,
        entrypoint: EntrypointId,
        input: Input<'_>,
        context: &EvalContext,
    ) -> Result<ResultSet, EvalError> {
        self.run(entrypoint, Wanted::Answers, input, context, Live::answers)
    }

    /// Evaluates an entrypoint and gives its value, none when it is undefined.
    ///
    /// # Errors
    /// See [`EvalError`].
    pub fn evaluate_value(
        &mut self,
        entrypoint: EntrypointId,
        input: Input<'_>,
        context: &EvalContext,
    ) -> Result<Option<Value>, EvalError> {
        let copy = |answer: Option<Answer<'_>>| answer.map(|answer| answer.to_value()).transpose();
        self.evaluate_with(entrypoint, input, context, copy)?.map_err(|_| EvalError::MalformedResult)
    }

    /// Evaluates an entrypoint and shows its value, none when it is undefined, where it lies: the shortest way.
    ///
    /// # Errors
    /// See [`EvalError`].
    pub fn evaluate_with<R>(
        &mut self,
        entrypoint: EntrypointId,
        input: Input<'_>,
        context: &EvalContext,
        look: impl FnOnce(Option<Answer<'_>>) -> R,
    ) -> Result<R, EvalError> {
        self.run(entrypoint, Wanted::Value, input, context, |live, result| live.look(result, look))
    }

    /// How many instructions of WebAssembly the running instance has taken since it was made, if the engine
    /// [counts](crate::Config::count_instructions) them.
    pub fn instructions(&self) -> Option<u64> {
        self.live.as_ref()?.instructions()
    }

    /// What the last evaluation said beside its answers, also where it failed; taken, so that it is told once.
    pub fn take_output(&mut self) -> Output {
        std::mem::take(&mut self.output)
    }

    fn run<R>(
        &mut self,
        entrypoint: EntrypointId,
        wanted: Wanted,
        input: Input<'_>,
        context: &EvalContext,
        read: impl FnOnce(&mut Live, i32) -> Result<R, Stop>,
    ) -> Result<R, EvalError> {
        if let Input::Json(json) = input {
            self.check_size(json.len())?;
        }
        let deadline = context.deadline.unwrap_or(self.default_deadline());
        let ticks = self.module.engine().clock().arm(deadline);
        let live = self.live()?;
        live.store.set_epoch_deadline(ticks);
        let outcome = live.evaluate(entrypoint.0, wanted, input, context, deadline, read);
        self.output = std::mem::take(&mut live.store.data_mut().context.output);
        if outcome.as_ref().is_err_and(may_have_damaged) {
            self.live = None;
        }
        outcome
    }

    fn default_deadline(&self) -> Duration {
        self.module.engine().config().default_deadline
    }

    fn check_size(&self, size: usize) -> Result<(), EvalError> {
        let limit = self.module.engine().config().memory_limit;
        if size >= limit { Err(EvalError::TooLarge { size, limit }) } else { Ok(()) }
    }

    /// The running instance, made anew if there is none.
    fn live(&mut self) -> Result<&mut Live, EvalError> {
        if self.live.is_none() {
            self.load()?;
        }
        self.live.as_mut().ok_or(EvalError::MalformedResult)
    }

    /// Lays out all data, in the running instance or in a new one.
    fn load(&mut self) -> Result<(), EvalError> {
        let deadline = self.default_deadline();
        let ticks = self.module.engine().clock().arm(deadline);
        let mut live = match self.live.take() {
            Some(live) => live,
            None => Live::start(&self.module.inner).map_err(restart)?,
        };
        live.store.set_epoch_deadline(ticks);
        live.load(&self.data, deadline)?;
        self.live = Some(live);
        Ok(())
    }

    fn apply(&mut self, change: &Change) -> Result<(), EvalError> {
        // A new instance has the change already.
        if self.live.is_none() {
            return self.load();
        }
        let deadline = self.default_deadline();
        let garbage_limit = self.module.engine().config().garbage_limit;
        let ticks = self.module.engine().clock().arm(deadline);
        let live = self.live()?;
        live.store.set_epoch_deadline(ticks);
        live.change(change, deadline)?;
        if live.garbage() > garbage_limit { self.load() } else { Ok(()) }
    }
}

/// Whether the module may have been left in the middle of something.
fn may_have_damaged(error: &EvalError) -> bool {
    !matches!(
        error,
        EvalError::InvalidInput | EvalError::TooLarge { .. } | EvalError::UnknownEntrypoint { .. }
    )
}

/// A module that started once can fail to start again only for want of memory or time.
fn restart(error: ModuleError) -> EvalError {
    match error {
        ModuleError::Start { source } => source,
        other => EvalError::Trap { message: other.to_string() },
    }
}
