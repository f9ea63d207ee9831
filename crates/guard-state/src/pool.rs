//! Threads that each hold one connection, for stores that are reached over a network.
//!
//! A caller hands over an operation and waits for its answer, in whatever runtime or none. An operation whose connection
//! breaks is tried once more on a new one: operations are idempotent by their reservation.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use guard_core::{Reply, StateError, StateUnavailable};

use crate::later;

/// What an operation comes to on one connection.
pub(crate) enum Tried<T> {
    /// It is done, or refused.
    Done(Result<T, StateError>),
    /// The connection is broken; whether it was done is not known.
    Broken(StateError),
}

type Job<C> = Box<dyn FnOnce(&mut Link<C>) + Send>;
type Open<C> = dyn Fn() -> Result<C, StateError> + Send + Sync;

/// A connection, opened when it is needed.
pub(crate) struct Link<C> {
    open: Arc<Open<C>>,
    connection: Option<C>,
}

impl<C> Link<C> {
    /// Runs an operation, on a new connection once more when the one there is broken.
    fn run<T>(&mut self, mut operation: impl FnMut(&mut C) -> Tried<T>) -> Result<T, StateError> {
        let mut error = None;
        for _ in 0..2 {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => (self.open)()?,
            };
            match operation(&mut connection) {
                Tried::Done(result) => {
                    self.connection = Some(connection);
                    return result;
                }
                Tried::Broken(broken) => error = Some(broken),
            }
        }
        Err(error.unwrap_or_else(|| gone("store")))
    }
}

fn gone(store: &str) -> StateError {
    let detail = "its threads have ended".to_owned();
    StateUnavailable { store: store.to_owned(), detail }.into()
}

/// The threads.
pub(crate) struct Pool<C> {
    store: Arc<str>,
    jobs: Option<Sender<Job<C>>>,
    threads: Vec<JoinHandle<()>>,
}

impl<C: Send + 'static> Pool<C> {
    /// Starts so many threads. Nothing is connected yet.
    pub(crate) fn start(
        store: Arc<str>,
        threads: usize,
        open: impl Fn() -> Result<C, StateError> + Send + Sync + 'static,
    ) -> Result<Self, StateError> {
        let (jobs, queue) = channel::<Job<C>>();
        let queue = Arc::new(Mutex::new(queue));
        let open: Arc<Open<C>> = Arc::new(open);
        let mut pool = Self { store, jobs: Some(jobs), threads: Vec::new() };
        for number in 0..threads.max(1) {
            let (queue, open) = (Arc::clone(&queue), Arc::clone(&open));
            let thread = std::thread::Builder::new()
                .name(format!("hexarch-state-{number}"))
                .spawn(move || work(&queue, Link { open, connection: None }))
                .map_err(|error| StateUnavailable {
                    store: pool.store.to_string(),
                    detail: error.to_string(),
                })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Hands an operation over.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        operation: impl FnMut(&mut C) -> Tried<T> + Send + 'static,
    ) -> Reply<'static, Result<T, StateError>> {
        let (giver, waiter) = later::pair();
        let job: Job<C> = Box::new(move |link| giver.give(link.run(operation)));
        let gone = gone(&self.store);
        match self.jobs.as_ref().map(|jobs| jobs.send(job)) {
            Some(Ok(())) => Reply::later(async move { waiter.await.unwrap_or(Err(gone)) }),
            _ => Reply::Now(Err(gone)),
        }
    }
}

fn work<C>(queue: &Mutex<Receiver<Job<C>>>, mut link: Link<C>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(&mut link),
            Err(_) => return,
        }
    }
}

impl<C> Drop for Pool<C> {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // What was handed over is done; a thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}
