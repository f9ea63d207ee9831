//! Warm instances for many threads, with one set of data documents for all of them.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rego_value::{Object, Value};

use crate::data::DataCell;
use crate::error::EvalError;
use crate::homes::{Guest, Homes};
use crate::instance::Instance;
use crate::module::Module;
use crate::shared::{History, Shared};

/// How many instances there may be, and how long to wait for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// The most instances at a time; at least one. Each may take up to the memory limit.
    pub size: usize,
    /// How long a borrower waits when all are in use.
    pub borrow_timeout: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        let size = std::thread::available_parallelism().map_or(4, |count| count.get() * 2);
        Self { size, borrow_timeout: Duration::from_millis(100) }
    }
}

/// Why no instance could be borrowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BorrowError {
    /// All instances stayed in use for the time the pool waits.
    #[error("all {size} instances were busy for {waited:?}")]
    Exhausted {
        /// The number of instances.
        size: usize,
        /// How long the borrower waited.
        waited: Duration,
    },
    /// An instance could not be made, or not be brought up to date with the data.
    #[error(transparent)]
    Instance(#[from] EvalError),
}

/// A pool of instances of one module.
///
/// Taking an instance takes no lock as long as one is free, and a thread is given the same one again if it can be: it
/// is then warm in that processor's caches, and threads do not wait for each other's cache lines. Data documents are changed on the pool;
/// an instance makes the changes that it missed when it is taken, so that whoever comes after an
/// update has returned sees it.
pub struct Pool {
    module: Module,
    config: PoolConfig,
    homes: Homes<Instance>,
    shared: Arc<Shared>,
    /// How many borrowers wait.
    waiting: AtomicUsize,
    gate: Mutex<()>,
    returned: Condvar,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("module", &self.module)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool with one instance made in advance, which shows that there can be one.
    ///
    /// # Errors
    /// When an instance does not fit into the memory limit.
    pub fn new(module: &Module, config: PoolConfig) -> Result<Self, EvalError> {
        let size = config.size.max(1);
        let (homes, shared) = (Homes::new(size), Arc::new(Shared::default()));
        if let Some(home) = homes.vacancy() {
            homes.put(home.settle(Instance::of_pool(module, Arc::clone(&shared))?));
        }
        Ok(Self {
            module: module.clone(),
            config: PoolConfig { size, ..config },
            homes,
            shared,
            waiting: AtomicUsize::new(0),
            gate: Mutex::new(()),
            returned: Condvar::new(),
        })
    }

    /// The module whose instances these are.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The number of changes of data so far: what a decision names as the revision it was made on.
    pub fn data_revision(&self) -> u64 {
        self.shared.revision()
    }

    /// The data documents as they are now.
    pub fn data(&self) -> Value {
        self.shared.read().documents.current()
    }

    /// Replaces all data documents.
    ///
    /// # Errors
    /// Data that are no object.
    pub fn set_data(&self, data: Value) -> Result<(), EvalError> {
        self.update(|changes| changes.set_data(data))
    }

    /// Sets the document at a path, as [`Instance::set_data_at`].
    ///
    /// # Errors
    /// A path through a value that is no object.
    pub fn set_data_at(&self, path: &[&str], value: Value) -> Result<(), EvalError> {
        self.update(|changes| changes.set_data_at(path, value))
    }

    /// Removes the document at a path, as [`Instance::remove_data_at`].
    ///
    /// # Errors
    /// A path through a value that is no object.
    pub fn remove_data_at(&self, path: &[&str]) -> Result<(), EvalError> {
        self.update(|changes| changes.remove_data_at(path))
    }

    /// The cell of a number in the data documents, as [`Instance::cell`].
    ///
    /// # Errors
    /// No number at that path.
    pub fn cell(&self, path: &[&str]) -> Result<DataCell, EvalError> {
        self.update(|changes| changes.cell(path))
    }

    /// Sets a number of the data. Each instance does so in its memory before its next evaluation.
    ///
    /// # Errors
    /// A cell whose document is gone.
    pub fn set_cell(&self, cell: DataCell, value: i64) -> Result<(), EvalError> {
        self.update(|changes| changes.set_cell(cell, value))
    }

    /// What a cell holds; none when its document is gone.
    pub fn cell_value(&self, cell: DataCell) -> Option<i64> {
        self.shared.read().documents.value(cell)
    }

    /// Makes several changes as one: no evaluation sees some of them and not the others. What was changed before an
    /// error stays changed.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn update<R>(
        &self,
        make: impl FnOnce(&mut DataChanges<'_>) -> Result<R, EvalError>,
    ) -> Result<R, EvalError> {
        self.shared.change(|history| make(&mut DataChanges { history }))
    }

    /// Runs `work` with an instance whose data are up to date, and the revision of the data.
    ///
    /// # Errors
    /// See [`BorrowError`].
    pub fn with<R>(&self, work: impl FnOnce(&mut Instance, u64) -> R) -> Result<R, BorrowError> {
        self.with_patience(|| self.config.borrow_timeout, work)
    }

    /// The same for a borrower who has a deadline of its own and waits that long: who is asked for it where all are in use.
    ///
    /// # Errors
    /// See [`BorrowError`].
    pub fn with_patience<R>(
        &self,
        patience: impl FnOnce() -> Duration,
        work: impl FnOnce(&mut Instance, u64) -> R,
    ) -> Result<R, BorrowError> {
        let mut guest = match self.homes.take() {
            Some(guest) => guest,
            None => self.make_or_wait(patience)?,
        };
        let instance = guest.get();
        let current = instance.revision() == self.shared.revision();
        let outcome = if current { Ok(()) } else { instance.catch_up() };
        let outcome = outcome.map(|()| {
            let revision = instance.revision();
            work(instance, revision)
        });
        self.give_back(guest);
        Ok(outcome?)
    }

    fn make_or_wait(&self, patience: impl FnOnce() -> Duration) -> Result<Guest<'_, Instance>, BorrowError> {
        if let Some(home) = self.homes.vacancy() {
            return Ok(home.settle(Instance::of_pool(&self.module, Arc::clone(&self.shared))?));
        }
        let start = Instant::now();
        // INVARIANT: a borrower counts itself before it looks once more; whoever returns an instance does
        // so before it looks at the count. So no return goes unseen.
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let found = self.wait_until(start + patience());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        found.ok_or_else(|| BorrowError::Exhausted { size: self.config.size, waited: start.elapsed() })
    }

    fn wait_until(&self, deadline: Instant) -> Option<Guest<'_, Instance>> {
        let mut gate = self.lock_gate();
        loop {
            if let Some(guest) = self.homes.take() {
                return Some(guest);
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            gate = self.returned.wait_timeout(gate, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock_gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, guest: Guest<'_, Instance>) {
        self.homes.put(guest);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            let _gate = self.lock_gate();
            self.returned.notify_one();
        }
    }
}

/// Changes of a pool's data that instances see together.
#[derive(Debug)]
pub struct DataChanges<'p> {
    history: &'p mut History,
}

impl DataChanges<'_> {
    /// As [`Pool::set_data`].
    ///
    /// # Errors
    /// Data that are no object.
    pub fn set_data(&mut self, data: Value) -> Result<(), EvalError> {
        if !matches!(data, Value::Object(_)) {
            return Err(EvalError::InvalidData);
        }
        self.history.documents.replace(data);
        self.history.note_all();
        Ok(())
    }

    /// As [`Pool::set_data_at`].
    ///
    /// # Errors
    /// A path through a value that is no object.
    pub fn set_data_at(&mut self, path: &[&str], value: Value) -> Result<(), EvalError> {
        if path.is_empty() {
            return self.set_data(value);
        }
        let made = self.history.documents.put(path, value)?;
        self.history.note_change(made.change);
        Ok(())
    }

    /// As [`Pool::remove_data_at`].
    ///
    /// # Errors
    /// A path through a value that is no object.
    pub fn remove_data_at(&mut self, path: &[&str]) -> Result<(), EvalError> {
        if path.is_empty() {
            return self.set_data(Value::Object(Object::new()));
        }
        if let Some(made) = self.history.documents.remove(path)? {
            self.history.note_change(made.change);
        }
        Ok(())
    }

    /// As [`Pool::cell`].
    ///
    /// # Errors
    /// No number at that path.
    pub fn cell(&mut self, path: &[&str]) -> Result<DataCell, EvalError> {
        self.history.documents.cell(path)
    }

    /// As [`Pool::set_cell`].
    ///
    /// # Errors
    /// A cell whose document is gone.
    pub fn set_cell(&mut self, cell: DataCell, value: i64) -> Result<(), EvalError> {
        let revision = self.history.next();
        self.history.documents.set(cell, value, revision)?;
        self.history.note_cell(cell);
        Ok(())
    }

    /// As [`Instance::release_cell`].
    pub fn release_cell(&mut self, cell: DataCell) {
        self.history.documents.release(cell);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rego_build::{Options, Source};

    use super::*;
    use crate::{Config, Engine, EvalContext, Input};

    #[test]
    fn a_warm_decision_takes_no_lock() {
        let source = Source::new("t.rego", "package t\n\np := input.a + data.b\n");
        let module = rego_build::build(&[source], &["t/p"], &Options::default()).unwrap();
        let module = Module::new(&Engine::new(Config::default()).unwrap(), &module.bytes).unwrap();
        let entrypoint = module.entrypoint("t/p").unwrap();
        let pool = Pool::new(&module, PoolConfig { size: 2, ..PoolConfig::default() }).unwrap();
        pool.set_data_at(&["b"], Value::from(2)).unwrap();
        let decide = || {
            let evaluate = |instance: &mut Instance, _| {
                let input = Input::from(r#"{"a": 1}"#);
                instance.evaluate_value(entrypoint, input, &EvalContext::default())
            };
            pool.with(evaluate).unwrap().unwrap()
        };
        assert_eq!(decide(), Some(Value::from(3)));
        let gate = pool.gate.lock().unwrap();
        // Whoever makes changes holds the lock of the documents.
        pool.shared.change(|_| {
            std::thread::scope(|scope| {
                let (done, is_done) = mpsc::channel();
                let decide = &decide;
                scope.spawn(move || done.send(decide()));
                let decided = is_done.recv_timeout(Duration::from_secs(20));
                drop(gate);
                assert_eq!(decided.unwrap(), Some(Value::from(3)));
            });
        });
    }
}
