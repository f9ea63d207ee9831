//! An answer that one thread gives to whoever waits, in whatever runtime or none.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
enum Shared<T> {
    Waiting(Option<Waker>),
    Answered(T),
    /// The giver is gone, or the answer is taken.
    Over,
}

/// Gives the answer.
#[derive(Debug)]
pub struct Giver<T>(Arc<Mutex<Shared<T>>>);

/// Waits for it. `None` when the giver went without.
#[derive(Debug)]
pub struct Waiter<T>(Arc<Mutex<Shared<T>>>);

/// Both ends.
pub fn pair<T>() -> (Giver<T>, Waiter<T>) {
    let shared = Arc::new(Mutex::new(Shared::Waiting(None)));
    (Giver(Arc::clone(&shared)), Waiter(shared))
}

fn lock<T>(shared: &Mutex<Shared<T>>) -> MutexGuard<'_, Shared<T>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Giver<T> {
    /// Gives it, once.
    pub fn give(self, answer: T) {
        self.put(Shared::Answered(answer));
    }

    fn put(&self, state: Shared<T>) {
        let mut shared = lock(&self.0);
        if let Shared::Waiting(waker) = &mut *shared {
            let waker = waker.take();
            *shared = state;
            drop(shared);
            if let Some(waker) = waker {
                guard_core::wake(waker);
            }
        }
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.put(Shared::Over);
    }
}

impl<T> Future for Waiter<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut shared = lock(&self.0);
        match std::mem::replace(&mut *shared, Shared::Over) {
            Shared::Answered(answer) => Poll::Ready(Some(answer)),
            Shared::Over => Poll::Ready(None),
            Shared::Waiting(_) => {
                *shared = Shared::Waiting(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_arrives_once_and_a_giver_that_dies_is_noticed() {
        let (giver, waiter) = pair();
        let thread = std::thread::spawn(move || guard_core::block_on(waiter));
        giver.give(7);
        assert_eq!(thread.join().unwrap(), Some(7));
        let (giver, waiter) = pair::<u8>();
        drop(giver);
        assert_eq!(guard_core::block_on(waiter), None);
    }

    /// The giver is a thread that has others to answer.
    #[test]
    fn a_waker_that_panics_does_not_end_the_giver() {
        struct Panics;
        impl std::task::Wake for Panics {
            fn wake(self: Arc<Self>) {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
        }
        let (giver, mut waiter) = pair();
        let waker = Waker::from(Arc::new(Panics));
        let mut context = Context::from_waker(&waker);
        assert!(Pin::new(&mut waiter).poll(&mut context).is_pending());
        giver.give(7);
        assert_eq!(guard_core::block_on(waiter), Some(7));
    }
}
