//! What keeps confirmations.

use guard_core::{Reply, Timestamp};

use crate::entry::{Entry, State, Step};
use crate::error::{Refused, StoreError};

/// What a store answers.
pub type Stored<'a, T> = Reply<'a, Result<T, StoreError>>;

/// What a step came to: the confirmation as it is now, and why the step was not taken, where it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// As it is now.
    pub entry: Entry,
    /// What was in the way.
    pub refused: Option<Refused>,
}

impl Stepped {
    /// The entry, if the step was taken.
    ///
    /// # Errors
    /// With what was in the way.
    pub fn taken(self) -> Result<Entry, Refused> {
        match self.refused {
            None => Ok(self.entry),
            Some(refused) => Err(refused),
        }
    }
}

/// Which confirmations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// In this state; in any if none is given.
    pub state: Option<State>,
    /// At most so many, the latest first.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self { state: None, limit: 100 }
    }
}

/// A message that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Of what it tells.
    pub entry: Entry,
    /// How often it has been tried before.
    pub tries: u32,
}

/// Keeps confirmations. Each method is one atomic step, whoever else is at the store.
///
/// The time is the caller's: a confirmation lives for minutes, and the callers' clocks agree to the second.
pub trait Store: Send + Sync {
    /// Writes a new one down, and with it that it is to be told of, if it is.
    fn insert(&self, entry: &Entry, announce: bool) -> Stored<'static, ()>;

    /// Looks one up.
    fn get(&self, id: &str) -> Stored<'static, Option<Entry>>;

    /// Takes a step with one, or says why not; `None` when there is none. One that is not there yet is begun as
    /// `begin`, if that is given.
    fn step(
        &self,
        id: &str,
        step: &Step,
        begin: Option<&Entry>,
        now: Timestamp,
    ) -> Stored<'static, Option<Stepped>>;

    /// Those that there are, the latest first.
    fn list(&self, filter: &Filter, now: Timestamp) -> Stored<'static, Vec<Entry>>;

    /// Marks what has expired and gives it, and forgets what expired before `forget`.
    fn sweep(&self, now: Timestamp, forget: Timestamp) -> Stored<'static, Vec<Entry>>;

    /// Takes the message that has been due longest, for nobody else to take before `until`.
    fn claim(&self, now: Timestamp, until: Timestamp) -> Stored<'static, Option<Due>>;

    /// The message about this one is delivered, or given up; or, with a time, it is to be tried again then.
    fn tell(&self, id: &str, again: Option<Timestamp>) -> Stored<'static, ()>;
}
