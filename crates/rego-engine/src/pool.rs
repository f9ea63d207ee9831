//! Warm instances for many threads, with one set of data documents for all of them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use rego_value::{Object, Value};

use crate::data;
use crate::error::EvalError;
use crate::instance::Instance;
use crate::module::Module;

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

/// A change of data that instances have yet to make.
#[derive(Clone, Debug)]
struct Update {
    path: Vec<String>,
    /// None removes.
    value: Option<Value>,
}

/// The data documents, and how they came about of late.
struct Documents {
    current: Value,
    revision: u64,
    /// The latest updates, the last of which made `revision`.
    recent: VecDeque<Update>,
}

/// An instance that lags behind by more updates than this is given all data anew.
const RECENT: usize = 256;

struct Warm {
    instance: Instance,
    revision: u64,
}

/// A pool of instances of one module.
///
/// Taking an instance takes no lock as long as one is free. Data documents are changed on the pool;
/// an instance makes the changes that it missed when it is taken, so that whoever comes after an
/// update has returned sees it.
pub struct Pool {
    module: Module,
    config: PoolConfig,
    free: ArrayQueue<Warm>,
    /// Instances that exist, free or not.
    made: AtomicUsize,
    documents: RwLock<Documents>,
    /// The documents' revision, readable without the lock.
    revision: AtomicU64,
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
        let free = ArrayQueue::new(size);
        let first = Warm { instance: Instance::new(module)?, revision: 0 };
        // The queue is new and has room for at least one.
        let made = usize::from(free.push(first).is_ok());
        Ok(Self {
            module: module.clone(),
            config: PoolConfig { size, ..config },
            free,
            made: AtomicUsize::new(made),
            documents: RwLock::new(Documents {
                current: Value::Object(Object::new()),
                revision: 0,
                recent: VecDeque::new(),
            }),
            revision: AtomicU64::new(0),
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
        self.revision.load(Ordering::Acquire)
    }

    /// The data documents as they are now.
    pub fn data(&self) -> Value {
        self.documents.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    /// Replaces all data documents.
    ///
    /// # Errors
    /// Data that are no object.
    pub fn set_data(&self, data: Value) -> Result<(), EvalError> {
        if !matches!(data, Value::Object(_)) {
            return Err(EvalError::InvalidData);
        }
        self.change(|documents| {
            documents.current = data;
            documents.recent.clear();
            Ok(None)
        })
    }

    /// Sets the document at a path, as [`Instance::set_data_at`].
    ///
    /// # Errors
    /// A path through a value that is no object.
    pub fn set_data_at(&self, path: &[&str], value: Value) -> Result<(), EvalError> {
        if path.is_empty() {
            return self.set_data(value);
        }
        self.change(|documents| {
            data::put(&mut documents.current, path, value.clone())?;
            Ok(Some(Update { path: owned(path), value: Some(value) }))
        })
    }

    /// Removes the document at a path, as [`Instance::remove_data_at`].
    ///
    /// # Errors
    /// A path through a value that is no object.
    pub fn remove_data_at(&self, path: &[&str]) -> Result<(), EvalError> {
        if path.is_empty() {
            return self.set_data(Value::Object(Object::new()));
        }
        self.change(|documents| {
            data::remove(&mut documents.current, path)?;
            Ok(Some(Update { path: owned(path), value: None }))
        })
    }

    /// Makes a change; `None` from it means that instances cannot follow step by step.
    fn change(
        &self,
        make: impl FnOnce(&mut Documents) -> Result<Option<Update>, EvalError>,
    ) -> Result<(), EvalError> {
        let mut documents = self.documents.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(update) = make(&mut documents)? {
            documents.recent.push_back(update);
            if documents.recent.len() > RECENT {
                documents.recent.pop_front();
            }
        }
        documents.revision += 1;
        self.revision.store(documents.revision, Ordering::Release);
        Ok(())
    }

    /// Runs `work` with an instance whose data are up to date, and the revision of the data.
    ///
    /// # Errors
    /// See [`BorrowError`].
    pub fn with<R>(&self, work: impl FnOnce(&mut Instance, u64) -> R) -> Result<R, BorrowError> {
        self.with_patience(self.config.borrow_timeout, work)
    }

    /// The same for a borrower who has a deadline of its own and waits that long.
    ///
    /// # Errors
    /// See [`BorrowError`].
    pub fn with_patience<R>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Instance, u64) -> R,
    ) -> Result<R, BorrowError> {
        let mut warm = match self.free.pop() {
            Some(warm) => warm,
            None => self.make_or_wait(patience)?,
        };
        let place = Place { made: &self.made };
        let outcome = if warm.revision == self.revision.load(Ordering::Acquire) {
            Ok(())
        } else {
            self.catch_up(&mut warm)
        };
        let outcome = outcome.map(|()| work(&mut warm.instance, warm.revision));
        std::mem::forget(place);
        self.give_back(warm);
        Ok(outcome?)
    }

    fn make_or_wait(&self, patience: Duration) -> Result<Warm, BorrowError> {
        let may_make = |made: usize| (made < self.config.size).then_some(made + 1);
        if self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, may_make).is_ok() {
            return match Instance::new(&self.module) {
                Ok(instance) => Ok(Warm { instance, revision: 0 }),
                Err(error) => {
                    self.made.fetch_sub(1, Ordering::Relaxed);
                    Err(error.into())
                }
            };
        }
        let start = Instant::now();
        // INVARIANT: a borrower counts itself before it looks once more; whoever returns an instance does
        // so before it looks at the count. So no return goes unseen.
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let found = self.wait_until(start + patience);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        found.ok_or_else(|| BorrowError::Exhausted { size: self.config.size, waited: start.elapsed() })
    }

    fn wait_until(&self, deadline: Instant) -> Option<Warm> {
        let mut gate = self.lock_gate();
        loop {
            if let Some(warm) = self.free.pop() {
                return Some(warm);
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            gate = self.returned.wait_timeout(gate, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock_gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the changes that an instance missed.
    fn catch_up(&self, warm: &mut Warm) -> Result<(), EvalError> {
        let (missed, current, revision) = {
            let documents = self.documents.read().unwrap_or_else(PoisonError::into_inner);
            let behind = usize::try_from(documents.revision - warm.revision).unwrap_or(usize::MAX);
            let first = documents.recent.len().checked_sub(behind);
            let missed: Option<Vec<Update>> =
                first.map(|first| documents.recent.iter().skip(first).cloned().collect());
            (missed, documents.current.clone(), documents.revision)
        };
        match missed {
            Some(updates) => {
                for update in updates {
                    apply(&mut warm.instance, update)?;
                }
            }
            None => warm.instance.set_data(current)?,
        }
        warm.revision = revision;
        Ok(())
    }

    fn give_back(&self, warm: Warm) {
        // There are never more instances than places.
        if self.free.push(warm).is_err() {
            self.made.fetch_sub(1, Ordering::Relaxed);
        }
        if self.waiting.load(Ordering::SeqCst) > 0 {
            let _gate = self.lock_gate();
            self.returned.notify_one();
        }
    }
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|key| (*key).to_owned()).collect()
}

fn apply(instance: &mut Instance, update: Update) -> Result<(), EvalError> {
    let path: Vec<&str> = update.path.iter().map(String::as_str).collect();
    match update.value {
        Some(value) => instance.set_data_at(&path, value),
        None => instance.remove_data_at(&path),
    }
}

/// The place of an instance on loan; given up when a panic takes the instance away.
struct Place<'a> {
    made: &'a AtomicUsize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.made.fetch_sub(1, Ordering::Relaxed);
    }
}
