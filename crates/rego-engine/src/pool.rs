//! Warm instances for many threads, with one set of data documents for all of them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rego_value::{Object, Value};

use crate::data;
use crate::error::EvalError;
use crate::homes::{Guest, Homes};
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
/// Taking an instance takes no lock as long as one is free, and a thread is given the same one again if it can be: it
/// is then warm in that processor's caches, and threads do not wait for each other's cache lines. Data documents are changed on the pool;
/// an instance makes the changes that it missed when it is taken, so that whoever comes after an
/// update has returned sees it.
pub struct Pool {
    module: Module,
    config: PoolConfig,
    homes: Homes<Warm>,
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
        let homes = Homes::new(size);
        if let Some(home) = homes.vacancy() {
            homes.put(home.settle(Warm { instance: Instance::new(module)?, revision: 0 }));
        }
        Ok(Self {
            module: module.clone(),
            config: PoolConfig { size, ..config },
            homes,
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
        let mut guest = match self.homes.take() {
            Some(guest) => guest,
            None => self.make_or_wait(patience)?,
        };
        let warm = guest.get();
        let outcome =
            if warm.revision == self.revision.load(Ordering::Acquire) { Ok(()) } else { self.catch_up(warm) };
        let outcome = outcome.map(|()| work(&mut warm.instance, warm.revision));
        self.give_back(guest);
        Ok(outcome?)
    }

    fn make_or_wait(&self, patience: Duration) -> Result<Guest<'_, Warm>, BorrowError> {
        if let Some(home) = self.homes.vacancy() {
            let instance = Instance::new(&self.module)?;
            return Ok(home.settle(Warm { instance, revision: 0 }));
        }
        let start = Instant::now();
        // INVARIANT: a borrower counts itself before it looks once more; whoever returns an instance does
        // so before it looks at the count. So no return goes unseen.
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let found = self.wait_until(start + patience);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        found.ok_or_else(|| BorrowError::Exhausted { size: self.config.size, waited: start.elapsed() })
    }

    fn wait_until(&self, deadline: Instant) -> Option<Guest<'_, Warm>> {
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

    fn give_back(&self, guest: Guest<'_, Warm>) {
        self.homes.put(guest);
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
        let (documents, gate) = (pool.documents.write().unwrap(), pool.gate.lock().unwrap());
        std::thread::scope(|scope| {
            let (done, is_done) = mpsc::channel();
            let decide = &decide;
            scope.spawn(move || done.send(decide()));
            let decided = is_done.recv_timeout(Duration::from_secs(20));
            // A thread that waits for them would never end.
            drop((documents, gate));
            assert_eq!(decided.unwrap(), Some(Value::from(3)));
        });
    }
}
