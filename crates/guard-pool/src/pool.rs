//! Connections, and the threads that use them, for stores that are reached over a network.
//!
//! A caller hands over an operation and waits for its answer, in whatever runtime or none. An operation whose connection
//! breaks is tried once more on a new one: operations are idempotent by their reservation.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use guard_core::{Reply, StateError, StateUnavailable, blocks};

use crate::later::{self, Waiter};

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

type Job<C, E> = Box<dyn FnOnce(&mut Link<'_, C, E>) + Send>;
type Open<C, E> = dyn Fn() -> Result<C, E> + Send + Sync;

/// What the threads and the callers share.
struct Shared<C, E> {
    store: Arc<str>,
    open: Box<Open<C, E>>,
    desk: Mutex<Desk<C, E>>,
    /// There is a job and a connection for it, or the pool has ended.
    something: Condvar,
}

struct Desk<C, E> {
    /// First come, first served.
    jobs: VecDeque<Job<C, E>>,
    /// The connections that nobody uses, each opened when it is needed.
    idle: Vec<Option<C>>,
    ended: bool,
}

impl<C, E> Shared<C, E> {
    fn desk(&self) -> MutexGuard<'_, Desk<C, E>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, with a connection; `None` when the pool has ended and everything is done.
    fn next(&self) -> Option<(Job<C, E>, Link<'_, C, E>)> {
        let mut desk = self.desk();
        loop {
            if !desk.jobs.is_empty()
                && let Some(connection) = desk.idle.pop()
                && let Some(job) = desk.jobs.pop_front()
            {
                return Some((job, Link { shared: self, connection, looks_on: true }));
            }
            if desk.ended && desk.jobs.is_empty() {
                return None;
            }
            desk = self.something.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A connection that nobody uses nor waits for.
    fn free(&self) -> Option<Link<'_, C, E>> {
        let mut desk = self.desk();
        let connection = if desk.jobs.is_empty() { desk.idle.pop()? } else { return None };
        Some(Link { shared: self, connection, looks_on: false })
    }

    fn give_back(&self, connection: Option<C>, looks_on: bool) {
        let mut desk = self.desk();
        desk.idle.push(connection);
        let (ended, wanted) = (desk.ended, !desk.jobs.is_empty() && !looks_on);
        drop(desk);
        if ended {
            self.something.notify_all();
        } else if wanted {
            self.something.notify_one();
        }
    }
}

impl<C: Send + 'static, E: Failure> Shared<C, E> {
    fn gone(&self) -> E {
        E::unavailable(&self.store, "its threads have ended, or the operation panicked".to_owned())
    }

    /// Hands an operation to the threads; where they have ended, its waiter is told so.
    fn hand_over<T: Send + 'static>(
        &self,
        operation: impl FnMut(&mut C) -> Tried<T, E> + Send + 'static,
    ) -> Waiter<Result<T, E>> {
        let (giver, waiter) = later::pair();
        let job: Job<C, E> = Box::new(move |link| giver.give(link.run(operation)));
        let mut desk = self.desk();
        if desk.ended {
            return waiter;
        }
        desk.jobs.push_back(job);
        let startable = !desk.idle.is_empty();
        drop(desk);
        if startable {
            self.something.notify_one();
        }
        waiter
    }
}

/// A connection in use, opened when it is needed. It is there for others again when this is dropped.
struct Link<'a, C, E> {
    shared: &'a Shared<C, E>,
    connection: Option<C>,
    /// Whether who has it looks for the next job when this one is done, so that nobody has to be woken for it.
    looks_on: bool,
}

impl<C: Send + 'static, E: Failure> Link<'_, C, E> {
    /// Runs an operation, on a new connection once more when the one there is broken.
    fn run<T>(&mut self, mut operation: impl FnMut(&mut C) -> Tried<T, E>) -> Result<T, E> {
        let mut error = None;
        for _ in 0..2 {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => (self.shared.open)()?,
            };
            match operation(&mut connection) {
                Tried::Done(result) => {
                    self.connection = Some(connection);
                    return result;
                }
                Tried::Broken(broken) => error = Some(broken),
            }
        }
        Err(error.unwrap_or_else(|| self.shared.gone()))
    }
}

impl<C, E> Drop for Link<'_, C, E> {
    fn drop(&mut self) {
        self.shared.give_back(self.connection.take(), self.looks_on);
    }
}

/// The threads, as many as connections.
pub struct Pool<C: Send + 'static, E: Failure> {
    shared: Arc<Shared<C, E>>,
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
        let threads = threads.max(1);
        let idle = (0..threads).map(|_| None).collect();
        let desk = Mutex::new(Desk { jobs: VecDeque::new(), idle, ended: false });
        let shared = Arc::new(Shared { store, open: Box::new(open), desk, something: Condvar::new() });
        let mut pool = Self { shared, threads: Vec::new() };
        for number in 0..threads {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new()
                .name(format!("hexarch-store-{number}"))
                .spawn(move || work(&shared))
                .map_err(|error| E::unavailable(&pool.shared.store, error.to_string()))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Hands an operation over: one of the threads begins as soon as there is a connection.
    pub fn submit<T: Send + 'static>(
        &self,
        operation: impl FnMut(&mut C) -> Tried<T, E> + Send + 'static,
    ) -> Reply<'static, Result<T, E>> {
        let (shared, waiter) = (Arc::clone(&self.shared), self.shared.hand_over(operation));
        Reply::later(async move { waiter.await.unwrap_or_else(|| Err(shared.gone())) })
    }

    /// The same for operations that any thread may do: begins when somebody waits for the answer. Whoever waits on a thread
    /// of its own, and finds a connection that is free, does the operation itself, and no thread has to wake up; for those
    /// who await the answer in a runtime the threads do it. An answer that nobody has waited for when it is dropped, they
    /// do it as well.
    ///
    /// Not for what brings a runtime of its own: one inside another panics.
    pub fn ask<T: Send + 'static>(
        &self,
        operation: impl FnMut(&mut C) -> Tried<T, E> + Send + 'static,
    ) -> Reply<'static, Result<T, E>> {
        Reply::later(Asked { shared: Arc::clone(&self.shared), operation: Some(operation), waiter: None })
    }
}

/// An operation that begins when its answer is waited for.
struct Asked<
    C: Send + 'static,
    E: Failure,
    T: Send + 'static,
    O: FnMut(&mut C) -> Tried<T, E> + Send + 'static,
> {
    shared: Arc<Shared<C, E>>,
    /// Until it begins.
    operation: Option<O>,
    /// Since it was handed over.
    waiter: Option<Waiter<Result<T, E>>>,
}

// Nothing is pinned in place.
impl<C: Send, E: Failure, T: Send, O: FnMut(&mut C) -> Tried<T, E> + Send> Unpin for Asked<C, E, T, O> {}

impl<C: Send, E: Failure, T: Send, O: FnMut(&mut C) -> Tried<T, E> + Send> Future for Asked<C, E, T, O> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        let this = self.get_mut();
        if let Some(operation) = this.operation.take() {
            if blocks(context)
                && let Some(mut link) = this.shared.free()
            {
                // As on a thread of the pool: an operation that panics is answered with an error.
                let ran = catch_unwind(AssertUnwindSafe(|| link.run(operation)));
                return Poll::Ready(ran.unwrap_or_else(|_| Err(this.shared.gone())));
            }
            this.waiter = Some(this.shared.hand_over(operation));
        }
        // Polled again after it was ready, which no caller does: there is nothing more to come.
        let Some(waiter) = &mut this.waiter else { return Poll::Pending };
        Pin::new(waiter).poll(context).map(|answer| answer.unwrap_or_else(|| Err(this.shared.gone())))
    }
}

impl<C: Send + 'static, E: Failure, T: Send + 'static, O: FnMut(&mut C) -> Tried<T, E> + Send + 'static> Drop
    for Asked<C, E, T, O>
{
    fn drop(&mut self) {
        if let Some(operation) = self.operation.take() {
            drop(self.shared.hand_over(operation));
        }
    }
}

fn work<C, E>(shared: &Shared<C, E>) {
    while let Some((job, mut link)) = shared.next() {
        // Of an operation that panics the connection is gone, and whoever waits for it is told so.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut link)));
    }
}

impl<C: Send + 'static, E: Failure> Drop for Pool<C, E> {
    fn drop(&mut self) {
        self.shared.desk().ended = true;
        self.shared.something.notify_all();
        for thread in self.threads.drain(..) {
            // What was handed over is done.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::task::Waker;
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    use guard_core::block_on;

    use super::*;

    /// A connection is the number of those opened before it.
    fn pool(threads: usize) -> Pool<usize, StateError> {
        let opened = Mutex::new(0..);
        Pool::start("test".into(), threads, move || Ok(opened.lock().unwrap().next().unwrap())).unwrap()
    }

    fn here(_: &mut usize) -> Tried<ThreadId, StateError> {
        Tried::Done(Ok(thread::current().id()))
    }

    /// An operation that tells that it has begun, and ends when it is told to.
    fn held(
        pool: &Pool<usize, StateError>,
    ) -> (Reply<'static, Result<ThreadId, StateError>>, Receiver<()>, Sender<()>) {
        let (begun, begins) = channel();
        let (end, ends) = channel::<()>();
        let reply = pool.submit(move |connection| {
            begun.send(()).unwrap();
            ends.recv().unwrap();
            here(connection)
        });
        (reply, begins, end)
    }

    fn tells(done: Sender<()>) -> impl FnMut(&mut usize) -> Tried<(), StateError> + Send {
        move |_| {
            Tried::Done(done.send(()).map_err(|error| StateError::unavailable("test", error.to_string())))
        }
    }

    #[test]
    fn who_waits_on_a_thread_of_its_own_does_it_there() {
        let pool = pool(1);
        let this = thread::current().id();
        assert_eq!(pool.ask(here).wait().unwrap(), this);
        assert_eq!(block_on(async { pool.ask(here).await }).unwrap(), this);
        assert_ne!(pool.submit(here).wait().unwrap(), this);
    }

    #[test]
    fn for_others_the_threads_do_it() {
        let pool = pool(1);
        let mut asked = pool.ask(here).into_future();
        let first = Pin::new(&mut asked).poll(&mut Context::from_waker(Waker::noop()));
        let thread = match first {
            Poll::Ready(answer) => answer,
            Poll::Pending => block_on(asked),
        };
        assert_ne!(thread.unwrap(), thread::current().id());
    }

    #[test]
    fn who_finds_no_connection_stands_in_line() {
        let pool = pool(1);
        let (reply, begins, end) = held(&pool);
        begins.recv().unwrap();
        thread::scope(|scope| {
            let waits = scope.spawn(|| (pool.ask(here).wait().unwrap(), thread::current().id()));
            thread::sleep(Duration::from_millis(20));
            assert!(!waits.is_finished());
            end.send(()).unwrap();
            let (done_by, waited) = waits.join().unwrap();
            assert_ne!(done_by, waited);
        });
        reply.wait().unwrap();
    }

    #[test]
    fn who_waits_in_line_is_served_when_a_caller_gives_its_connection_back() {
        let pool = pool(1);
        let (begun, begins) = channel();
        let (end, ends) = channel::<()>();
        thread::scope(|scope| {
            let caller = pool.ask(move |_| {
                begun.send(()).unwrap();
                Tried::Done(ends.recv().map_err(|error| StateError::unavailable("test", error.to_string())))
            });
            let caller = scope.spawn(move || caller.wait());
            begins.recv().unwrap();
            let handed_over = pool.submit(here);
            end.send(()).unwrap();
            handed_over.wait().unwrap();
            caller.join().unwrap().unwrap();
        });
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_no_reason_to_do_nothing() {
        let (done, told) = channel();
        let pool = pool(1);
        drop(pool.ask(tells(done)));
        drop(pool);
        told.recv().unwrap();
    }

    #[test]
    fn what_was_handed_over_is_done_before_the_pool_ends_and_nothing_after() {
        let (begun, begins) = channel();
        let pool = pool(2);
        let after = pool.ask(here).into_future();
        for _ in 0..20 {
            drop(pool.submit(tells(begun.clone())));
        }
        let shared = Arc::clone(&pool.shared);
        drop(pool);
        assert_eq!(begins.try_iter().count(), 20);
        drop(after);
        assert!(shared.desk().jobs.is_empty());
    }

    #[test]
    fn a_connection_that_breaks_is_replaced_once() {
        let pool = pool(1);
        let breaks = |below: usize| {
            move |connection: &mut usize| match *connection < below {
                true => Tried::Broken(StateError::unavailable("test", format!("broke {connection}"))),
                false => Tried::Done(Ok(*connection)),
            }
        };
        assert_eq!(pool.ask(breaks(1)).wait().unwrap(), 1);
        assert_eq!(pool.submit(breaks(2)).wait().unwrap(), 2);
        assert!(pool.ask(breaks(9)).wait().unwrap_err().to_string().contains("broke 3"));
        assert_eq!(pool.ask(breaks(0)).wait().unwrap(), 4);
    }

    #[test]
    fn an_operation_that_panics_takes_its_connection_with_it_and_nothing_else() {
        let panics =
            |_: &mut usize| -> Tried<(), StateError> { std::panic::resume_unwind(Box::new("on purpose")) };
        let number = |connection: &mut usize| Tried::Done(Ok::<_, StateError>(*connection));
        let pool = pool(1);
        assert!(pool.submit(panics).wait().is_err());
        assert_eq!(pool.submit(number).wait().unwrap(), 1);
        assert!(pool.ask(panics).wait().is_err());
        assert_eq!(pool.ask(number).wait().unwrap(), 2);
    }
}
