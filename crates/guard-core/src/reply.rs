//! An answer that is there now or arrives later.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// What a port answers. An adapter that computes answers [`Reply::Now`], which costs nothing; one that
/// waits for I/O answers [`Reply::Later`]. Asynchronous callers await either; synchronous ones call
/// [`Reply::wait`].
///
/// The future of a `Later` must make progress whoever polls it: an adapter that needs a runtime brings its
/// own. That is what lets the synchronous interface work in a program that has none.
#[must_use = "nothing happens to an answer that nobody takes"]
pub enum Reply<'a, T> {
    /// The answer.
    Now(T),
    /// A future of the answer.
    Later(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<'a, T> Reply<'a, T> {
    /// An answer that arrives later.
    pub fn later(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Later(Box::pin(future))
    }

    /// Waits for the answer on this thread. Inside an asynchronous task this blocks the thread the task
    /// runs on: await the reply there instead.
    pub fn wait(self) -> T {
        match self {
            Self::Now(answer) => answer,
            Self::Later(future) => block_on(future),
        }
    }
}

impl<T> fmt::Debug for Reply<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now",
            Self::Later(_) => "Later",
        })
    }
}

impl<'a, T: Send + 'a> IntoFuture for Reply<'a, T> {
    type Output = T;
    type IntoFuture = Arriving<'a, T>;

    fn into_future(self) -> Arriving<'a, T> {
        match self {
            Self::Now(answer) => Arriving::Now(Some(answer)),
            Self::Later(future) => Arriving::Later(future),
        }
    }
}

/// A [`Reply`] that is being awaited.
pub enum Arriving<'a, T> {
    /// The answer, until it is taken.
    Now(Option<T>),
    /// Its future.
    Later(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<T> fmt::Debug for Arriving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Arriving")
    }
}

// Nothing is pinned in place: the answer moves out, the boxed future is pinned by its box.
impl<T> Unpin for Arriving<'_, T> {}

impl<T> Future for Arriving<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match self.get_mut() {
            // Polled again after it was ready, which no caller does: there is nothing more to come.
            Self::Now(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Self::Later(future) => future.as_mut().poll(context),
        }
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// Made once for a thread: most decisions are ready at once.
    static WAKER: Waker = unpark_this();
}

fn unpark_this() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
}

/// Runs a future to its end on this thread, parking it in between. It has no timers and no I/O of its own,
/// so it is for futures that are woken by somebody else, as those of the ports are.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut run = |waker: &Waker| {
        let mut context = Context::from_waker(waker);
        loop {
            if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
                return answer;
            }
            thread::park();
        }
    };
    // A thread that is about to end may have lost its own.
    WAKER.try_with(|waker| run(waker)).unwrap_or_else(|_| run(&unpark_this()))
}

/// Whether it is [`block_on`] that polls with this context, on this thread, and nothing in between that would wake for
/// others: such a future may do its work in place, since the thread has nothing to do but to wait for it.
pub fn blocks(context: &Context<'_>) -> bool {
    WAKER.try_with(|waker| context.waker().will_wake(waker)).unwrap_or(false)
}

/// Wakes whoever waits, from a thread that has others to serve besides. A waker is its runtime's code: where it panics,
/// which the program's panic hook has been told, the thread goes on.
pub fn wake(waker: Waker) {
    // Nothing of ours is left half-done: the waker is gone, and whoever it was to wake.
    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_reply_that_is_there_is_taken() {
        assert_eq!(Reply::Now(5).wait(), 5);
        assert_eq!(block_on(async { Reply::Now(6).await }), 6);
    }

    #[test]
    fn a_future_knows_who_polls_it() {
        use std::future::poll_fn;
        assert!(block_on(poll_fn(|context| Poll::Ready(blocks(context)))));
        let other = Waker::from(Arc::new(Unpark(thread::current())));
        for waker in [Waker::noop(), &other] {
            assert!(!blocks(&Context::from_waker(waker)));
            // Nor one that is polled by somebody who waits for several.
            let polled = |_: &mut Context<'_>| Poll::Ready(blocks(&Context::from_waker(waker)));
            assert!(!block_on(poll_fn(polled)));
        }
    }

    #[test]
    fn a_reply_from_another_thread_is_waited_for() {
        struct FromThread {
            started: bool,
            receiver: mpsc::Receiver<u32>,
            sender: mpsc::Sender<u32>,
        }
        impl Future for FromThread {
            type Output = u32;
            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
                if let Ok(answer) = self.receiver.try_recv() {
                    return Poll::Ready(answer);
                }
                if !self.started {
                    let (waker, sender) = (context.waker().clone(), self.sender.clone());
                    thread::spawn(move || {
                        thread::sleep(Duration::from_millis(20));
                        let _ = sender.send(7);
                        waker.wake();
                    });
                }
                self.started = true;
                Poll::Pending
            }
        }
        let (sender, receiver) = mpsc::channel();
        assert_eq!(Reply::later(FromThread { started: false, receiver, sender }).wait(), 7);
    }
}
