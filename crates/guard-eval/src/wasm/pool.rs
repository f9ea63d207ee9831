//! Warm instances, lent to one decision at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rego_engine::{EvalError, Instance, Module};
use rego_value::Value;

use super::Warm;

/// Up to `size` instances of a module, made when they are first needed.
pub(super) struct Pool {
    module: Module,
    data: Option<Value>,
    size: usize,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

struct Shelf {
    /// The last one that was used is the first to be used again: it is warmest.
    free: Vec<Warm>,
    made: usize,
}

/// Why there is no instance.
pub(super) enum TakeError {
    /// All are lent, and none came back in time.
    Busy,
    /// A new one could not be made.
    Start(EvalError),
}

impl Pool {
    pub(super) fn new(module: Module, data: Option<Value>, size: usize) -> Self {
        let shelf = Mutex::new(Shelf { free: Vec::with_capacity(size), made: 0 });
        Self { module, data, size, shelf, returned: Condvar::new() }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Does something with an instance, waiting for one that long if all are lent.
    pub(super) fn with<T>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Warm) -> T,
    ) -> Result<T, TakeError> {
        let mut lent = self.take(patience)?;
        lent.warm.as_mut().map(work).ok_or(TakeError::Busy)
    }

    fn take(&self, patience: Duration) -> Result<Lent<'_>, TakeError> {
        let end = Instant::now().checked_add(patience);
        let mut shelf = self.shelf();
        loop {
            if let Some(warm) = shelf.free.pop() {
                return Ok(Lent { pool: self, warm: Some(warm) });
            }
            if shelf.made < self.size {
                shelf.made += 1;
                drop(shelf);
                return self.make();
            }
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(TakeError::Busy);
            }
            let waited = self.returned.wait_timeout(shelf, left.min(Duration::from_secs(3600)));
            shelf = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Makes an instance whose place has been counted already.
    fn make(&self) -> Result<Lent<'_>, TakeError> {
        // INVARIANT: whatever happens in here, the place is given back unless an instance takes it.
        let mut lent = Lent { pool: self, warm: None };
        let made = Instance::new(&self.module).and_then(|mut instance| {
            if let Some(data) = &self.data {
                instance.set_data(data.clone())?;
            }
            Ok(instance)
        });
        lent.warm = Some(Warm { instance: made.map_err(TakeError::Start)?, state: None });
        Ok(lent)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instance on loan; it goes back when this is dropped.
struct Lent<'a> {
    pool: &'a Pool,
    /// Empty only while the instance is being made.
    warm: Option<Warm>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut shelf = self.pool.shelf();
        match self.warm.take() {
            // A panic in the middle of an evaluation leaves an instance that nobody can vouch for.
            Some(warm) if !std::thread::panicking() => shelf.free.push(warm),
            _ => shelf.made = shelf.made.saturating_sub(1),
        }
        drop(shelf);
        self.pool.returned.notify_one();
    }
}
