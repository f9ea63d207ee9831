//! A warm instance: a module with its data, evaluated again and again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rego_builtins::Output;
use rego_value::abi::UNDEFINED;
use rego_value::{Object, Value};

use crate::answer::Answer;
use crate::data::{Change, DataCell, Documents, Made};
use crate::error::{EvalError, ModuleError};
use crate::evaluation::{EvalContext, Input, ResultSet};
use crate::live::Live;
use crate::module::{EntrypointId, Module};
use crate::run::Wanted;
use crate::shared::Shared;

/// A module with its own memory and its own copy of the data documents. Not shared between threads
/// at a time; see [`Pool`](crate::Pool) for that.
///
/// After an error the instance is as usable as before: what a trap may have damaged is thrown away and
/// made anew, data included, by the next call.
pub struct Instance {
    module: Module,
    /// From which a damaged or littered instance is rebuilt.
    source: Source,
    /// In a place of its own, so that an instance is moved in and out of a pool cheaply.
    live: Option<Box<Live>>,
    /// What the last evaluation said beside its answers; kept here, since an error may end the running instance.
    output: Output,
    /// The last deadline, and its ticks.
    deadline: (Duration, u64),
}

/// Whose data they are.
enum Source {
    /// Its own.
    Own(Documents),
    /// Those of the pool that it belongs to, of which it has this revision.
    Pool { shared: Arc<Shared>, revision: u64 },
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
        Self::start(module, Source::Own(Documents::default()))
    }

    /// An instance with the data of a pool.
    pub(crate) fn of_pool(module: &Module, shared: Arc<Shared>) -> Result<Self, EvalError> {
        Self::start(module, Source::Pool { shared, revision: 0 })
    }

    fn start(module: &Module, source: Source) -> Result<Self, EvalError> {
        let deadline = module.engine().config().default_deadline;
        let ticks = module.engine().clock().ticks(deadline);
        let mut instance = Self {
            module: module.clone(),
            source,
            live: None,
            output: Output::default(),
            deadline: (deadline, ticks),
        };
        instance.live()?;
        Ok(instance)
    }

    /// The module it runs.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The data documents.
    pub fn data(&self) -> Value {
        match &self.source {
            Source::Own(documents) => documents.current(),
            Source::Pool { shared, .. } => shared.read().documents.current(),
        }
    }

    fn documents(&mut self) -> Result<&mut Documents, EvalError> {
        match &mut self.source {
            Source::Own(documents) => Ok(documents),
            Source::Pool { .. } => Err(EvalError::SharedData),
        }
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
    /// As [`Instance::set_data_json`]; the instance of a pool.
    pub fn set_data(&mut self, data: Value) -> Result<(), EvalError> {
        if !matches!(data, Value::Object(_)) {
            return Err(EvalError::InvalidData);
        }
        let previous = self.documents()?.replace(data);
        self.load().inspect_err(|_| {
            self.live = None;
            if let Source::Own(documents) = &mut self.source {
                documents.replace(previous);
            }
        })
    }

    /// Sets the document at a path; objects on the way that are not there are made. No other document
    /// is touched, and the cost does not depend on their size.
    ///
    /// The memory of the old document is used again. When more than
    /// [`Config::garbage_limit`](crate::Config::garbage_limit) and more than the data take lies idle, they are laid out
    /// afresh; as they are in modules that are not of our compiler, whose memory is not known.
    ///
    /// # Errors
    /// An empty path whose value is no object; a path through a value that is no object; no memory.
    /// The data are then as before. The instance of a pool.
    pub fn set_data_at(&mut self, path: &[&str], value: Value) -> Result<(), EvalError> {
        if path.is_empty() {
            return self.set_data(value);
        }
        let made = self.documents()?.put(path, value)?;
        self.carry_out(made)
    }

    /// Removes the document at a path. Removing what is not there is no error.
    ///
    /// # Errors
    /// As [`Instance::set_data_at`].
    pub fn remove_data_at(&mut self, path: &[&str]) -> Result<(), EvalError> {
        if path.is_empty() {
            return self.set_data(Value::Object(Object::new()));
        }
        match self.documents()?.remove(path)? {
            Some(made) => self.carry_out(made),
            None => Ok(()),
        }
    }

    /// Brings the module's memory up to a change of the documents, or takes that back.
    fn carry_out(&mut self, made: Made) -> Result<(), EvalError> {
        let outcome = match self.apply(&made.change) {
            // Laid out afresh they may fit.
            Err(EvalError::MemoryLimit { .. }) => {
                self.live = None;
                self.load()
            }
            outcome => outcome,
        };
        outcome.inspect_err(|_| {
            self.live = None;
            if let Source::Own(documents) = &mut self.source {
                documents.undo(made);
            }
        })
    }

    /// The cell of a number in the data documents, such as a counter, to be set again and again.
    ///
    /// # Errors
    /// No number at that path; the instance of a pool.
    pub fn cell(&mut self, path: &[&str]) -> Result<DataCell, EvalError> {
        self.documents()?.cell(path)
    }

    /// Sets a number of the data. Takes a few dozen nanoseconds, however large the data are.
    ///
    /// # Errors
    /// A cell whose document is gone; no memory for a number that takes some for the first time.
    pub fn set_cell(&mut self, cell: DataCell, value: i64) -> Result<(), EvalError> {
        let Source::Own(documents) = &mut self.source else { return Err(EvalError::SharedData) };
        let state = documents.set(cell, value, 0)?;
        // A new instance has it already.
        let Some(live) = &mut self.live else { return Ok(()) };
        let deadline = self.module.engine().config().default_deadline;
        if live.is_foreign() {
            let ticks = self.module.engine().clock().arm(deadline);
            live.store.set_epoch_deadline(ticks);
        }
        if live.change_cell(cell.number(), state, deadline).is_err() {
            // The documents have the value, and laid out afresh they may fit.
            self.live = None;
            return self.load();
        }
        self.tidy()
    }

    /// What a cell holds; none when its document is gone.
    pub fn cell_value(&self, cell: DataCell) -> Option<i64> {
        match &self.source {
            Source::Own(documents) => documents.value(cell),
            Source::Pool { .. } => None,
        }
    }

    /// Forgets a cell, so that its place can be another's. The number stays in the data.
    pub fn release_cell(&mut self, cell: DataCell) {
        if let Source::Own(documents) = &mut self.source {
            documents.release(cell);
        }
    }

    /// The revision of its pool's data.
    pub(crate) fn revision(&self) -> u64 {
        match &self.source {
            Source::Own(_) => 0,
            Source::Pool { revision, .. } => *revision,
        }
    }

    /// Makes the changes of its pool's data that it missed.
    pub(crate) fn catch_up(&mut self) -> Result<(), EvalError> {
        let (Some(live), Source::Pool { shared, revision }) = (&mut self.live, &mut self.source) else {
            return self.load();
        };
        let engine = self.module.engine();
        let deadline = engine.config().default_deadline;
        live.store.set_epoch_deadline(engine.clock().arm(deadline));
        match shared.follow(live, *revision, deadline) {
            Ok(reached) => *revision = reached,
            // Laid out afresh they may fit.
            Err(EvalError::MemoryLimit { .. }) => {
                self.live = None;
                return self.load();
            }
            Err(error) => {
                self.live = None;
                return Err(error);
            }
        }
        self.tidy()
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
        let result = self.run(entrypoint, Wanted::Answers, input, context).map_err(|error| *error)?;
        self.answers(result, context)
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
        let result = self.run(entrypoint, Wanted::Value, input, context).map_err(|error| *error)?;
        // What is seen is handed on from here and nowhere else: the processor would wait for the parts of a result that
        // is moved from one place to the next, as long as for a tenth of a small decision.
        match &self.live {
            Some(live) if !live.is_foreign() => {
                let (inside, handle) = (live.inside(), result.cast_unsigned());
                Ok(look((handle != UNDEFINED).then(|| Answer::in_module(&inside, handle))))
            }
            _ => {
                let value = self.answers(result, context)?.into_result();
                Ok(look(value.as_ref().map(Answer::owned)))
            }
        }
    }

    /// The bytes of the running instance's memory, most of which may never have been touched.
    pub fn memory_size(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.memory_size())
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

    /// Evaluates, and gives the handle of what is wanted in the running instance. Errors are large, and what is handed on
    /// is as small as can be.
    fn run(
        &mut self,
        entrypoint: EntrypointId,
        wanted: Wanted,
        input: Input<'_>,
        context: &EvalContext,
    ) -> Result<i32, Box<EvalError>> {
        match input {
            Input::Json(json) => self.check_size(json.len())?,
            Input::Typed(typed) if !typed.module.is(&self.module) => {
                return Err(Box::new(EvalError::OtherModule));
            }
            _ => {}
        }
        let deadline = self.deadline(context);
        if self.deadline.0 != deadline {
            self.deadline = (deadline, self.module.engine().clock().ticks(deadline));
        }
        let ticks = self.module.engine().clock().arm_ticks(self.deadline.1);
        let had_output = self.output.cut || !self.output.is_empty();
        let live = self.live()?;
        live.store.set_epoch_deadline(ticks);
        let host = live.store.data_mut();
        host.until = host.engine.clock().after(ticks);
        let outcome = live.evaluate(entrypoint.0, wanted, input, context, deadline);
        let said = &mut live.store.data_mut().context.output;
        // Nearly always nothing is, and then nothing is moved.
        if said.cut || !said.is_empty() || had_output {
            self.output = std::mem::take(said);
        }
        outcome.map_err(|error| Box::new(self.failed(*error)))
    }

    /// The answers of an evaluation.
    fn answers(&mut self, result: i32, context: &EvalContext) -> Result<ResultSet, EvalError> {
        let deadline = self.deadline(context);
        let answers = self.live()?.answers(result, deadline);
        answers.map_err(|error| self.failed(error))
    }

    /// Throws away the running instance that an error may have damaged.
    #[cold]
    fn failed(&mut self, error: EvalError) -> EvalError {
        if may_have_damaged(&error) {
            self.live = None;
        }
        error
    }

    fn deadline(&self, context: &EvalContext) -> Duration {
        context.deadline.unwrap_or(self.default_deadline())
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
        match &mut self.live {
            Some(live) => Ok(live),
            None => Err(EvalError::MalformedResult),
        }
    }

    /// Lays out all data, in the running instance or in a new one.
    fn load(&mut self) -> Result<(), EvalError> {
        let deadline = self.default_deadline();
        let ticks = self.module.engine().clock().arm(deadline);
        let mut live = match self.live.take() {
            Some(live) => live,
            None => Box::new(Live::start(&self.module.inner).map_err(restart)?),
        };
        live.store.set_epoch_deadline(ticks);
        match &mut self.source {
            Source::Own(documents) => live.load(documents, deadline)?,
            Source::Pool { shared, revision } => *revision = shared.load(&mut live, deadline)?,
        }
        self.live = Some(live);
        Ok(())
    }

    fn apply(&mut self, change: &Change) -> Result<(), EvalError> {
        // A new instance has the change already.
        if self.live.is_none() {
            return self.load();
        }
        let deadline = self.default_deadline();
        let ticks = self.module.engine().clock().arm(deadline);
        let live = self.live()?;
        live.store.set_epoch_deadline(ticks);
        live.change(change, deadline)?;
        self.tidy()
    }

    /// Lays the data out afresh when too much of their memory lies idle.
    fn tidy(&mut self) -> Result<(), EvalError> {
        let limit = self.module.engine().config().garbage_limit;
        if self.live.as_ref().is_some_and(|live| live.garbage() > limit) { self.load() } else { Ok(()) }
    }
}

/// Whether the module may have been left in the middle of something.
fn may_have_damaged(error: &EvalError) -> bool {
    !matches!(
        error,
        EvalError::InvalidInput
            | EvalError::UnfitInput(_)
            | EvalError::TooLarge { .. }
            | EvalError::UnknownEntrypoint { .. }
    )
}

/// A module that started once can fail to start again only for want of memory or time.
fn restart(error: ModuleError) -> EvalError {
    match error {
        ModuleError::Start { source } => source,
        other => EvalError::Trap { message: other.to_string() },
    }
}
