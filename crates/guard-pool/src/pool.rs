//! Threads that each hold one connection, for stores that are reached over a network.
//!
//! A caller hands over an operation and waits for its answer, in whatever runtime or none. An operation whose connection
//! breaks is tried once more on a new one: operations are idempotent by their reservation.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use guard_core::{Reply, StateError, StateUnavailable};

use crate::later;

/// An error type that can say that a store is not there.
pub trait Failure: Clone + Send + Sync + 'static {
    /// The store of that name does not answer.
    fn unavailable(store: &str, detail: String) -> Self;
}

impl Failure for StateError {
    fn unavailable(store: &str, detail: String) -> Self {
        StateUnavailable { store: store.to_owned(), detail }.into()
    }
}

/// What an operation comes to on one connection.
#[derive(Debug)]
pub enum Tried<T, E> {
    /// It is done, or refused.
    Done(Result<T, E>),
    /// The connection is broken; whether it was done is not known.
    Broken(E),
}

type Job<C, E> = Box<dyn FnOnce(&mut Link<C, E>) + Send>;
type Open<C, E> = dyn Fn() -> Result<C, E> + Send + Sync;

/// A connection, opened when it is needed.
pub struct Link<C, E> {
    store: Arc<str>,
    open: Arc<Open<C, E>>,
    connection: Option<C>,
}

impl<C, E: Failure> Link<C, E> {
    /// Runs an operation, on a new connection once more when the one there is broken.
    fn run<T>(&mut self, mut operation: impl FnMut(&mut C) -> Tried<T, E>) -> Result<T, E> {
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
        Err(error.unwrap_or_else(|| gone(&self.store)))
    }
}

fn gone<E: Failure>(store: &str) -> E {
    E::unavailable(store, "its threads have ended".to_owned())
}

/// The threads.
pub struct Pool<C, E> {
    store: Arc<str>,
    jobs: Option<Sender<Job<C, E>>>,
    threads: Vec<JoinHandle<()>>,
}

impl<C: Send + 'static, E: Failure> Pool<C, E> {
    /// Starts so many threads. Nothing is connected yet.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        store: Arc<str>,
        threads: usize,
        open: impl Fn() -> Result<C, E> + Send + Sync + 'static,
    ) -> Result<Self, E> {
        let (jobs, queue) = channel::<Job<C, E>>();
        let queue = Arc::new(Mutex::new(queue));
        let open: Arc<Open<C, E>> = Arc::new(open);
        let mut pool = Self { store, jobs: Some(jobs), threads: Vec::new() };
        for number in 0..threads.max(1) {
            let (queue, open) = (Arc::clone(&queue), Arc::clone(&open));
            let store = Arc::clone(&pool.store);
            let thread = std::thread::Builder::new()
                .name(format!("hexarch-store-{number}"))
                .spawn(move || work(&queue, Link { store, open, connection: None }))
                .map_err(|error| E::unavailable(&pool.store, error.to_string()))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Hands an operation over.
    pub fn submit<T: Send + 'static>(
        &self,
        operation: impl FnMut(&mut C) -> Tried<T, E> + Send + 'static,
    ) -> Reply<'static, Result<T, E>> {
        let (giver, waiter) = later::pair();
        let job: Job<C, E> = Box::new(move |link| giver.give(link.run(operation)));
        let gone: E = gone(&self.store);
        match self.jobs.as_ref().map(|jobs| jobs.send(job)) {
            Some(Ok(())) => Reply::later(async move { waiter.await.unwrap_or(Err(gone)) }),
            _ => Reply::Now(Err(gone)),
        }
    }
}

fn work<C, E>(queue: &Mutex<Receiver<Job<C, E>>>, mut link: Link<C, E>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(&mut link),
            Err(_) => return,
        }
    }
}

impl<C, E> Drop for Pool<C, E> {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // What was handed over is done; a thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}
