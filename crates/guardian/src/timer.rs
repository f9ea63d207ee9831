//! Waiting for a moment, in whatever runtime or none.
//!
//! One thread of the process wakes whoever waits. It is there only while somebody does.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How long the thread stays when nobody waits.
const LINGER: Duration = Duration::from_secs(5);

/// What a wait is known by: when it ends, and a number that no other has.
type Key = (Instant, u64);

struct Timers {
    waits: Mutex<Waits>,
    changed: Condvar,
}

struct Waits {
    wakers: BTreeMap<Key, Waker>,
    next: u64,
    running: bool,
}

static TIMERS: Timers = Timers {
    waits: Mutex::new(Waits { wakers: BTreeMap::new(), next: 0, running: false }),
    changed: Condvar::new(),
};

impl Timers {
    fn lock(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread, unless it runs. Says whether there is one.
    fn start(&'static self, waits: &mut Waits) -> bool {
        if !waits.running {
            let thread = std::thread::Builder::new().name("hexarch-timer".into());
            waits.running = thread.spawn(move || self.work()).is_ok();
        }
        waits.running
    }

    fn work(&self) {
        let mut waits = self.lock();
        loop {
            let now = Instant::now();
            let later = waits.wakers.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut waits.wakers, later);
            if !due.is_empty() {
                drop(waits);
                due.into_values().for_each(guard_core::wake);
                waits = self.lock();
                continue;
            }
            let next = waits.wakers.first_key_value().map(|((end, _), _)| *end);
            let pause = next.map_or(LINGER, |end| end.saturating_duration_since(now));
            let (back, timeout) =
                self.changed.wait_timeout(waits, pause).unwrap_or_else(PoisonError::into_inner);
            waits = back;
            if timeout.timed_out() && waits.wakers.is_empty() {
                waits.running = false;
                return;
            }
        }
    }
}

/// Is ready at a moment. Dropped before, it leaves nothing behind.
#[derive(Debug)]
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Sleep {
    end: Instant,
    key: Option<Key>,
}

impl Sleep {
    /// Ready after this long.
    pub fn new(duration: Duration) -> Self {
        Self::until(after(duration))
    }

    /// Ready at this moment.
    pub fn until(end: Instant) -> Self {
        Self { end, key: None }
    }
}

/// The moment so long from now; what the clock cannot hold is a day.
pub(crate) fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or_else(|| now + Duration::from_secs(86_400))
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.end {
            return Poll::Ready(());
        }
        let mut waits = TIMERS.lock();
        let key = self.key.unwrap_or_else(|| {
            waits.next = waits.next.wrapping_add(1);
            (self.end, waits.next)
        });
        self.key = Some(key);
        waits.wakers.insert(key, context.waker().clone());
        let first = waits.wakers.first_key_value().is_some_and(|(first, _)| *first == key);
        if !TIMERS.start(&mut waits) {
            // Without a thread nobody else wakes it: it asks again and again, and still ends in time.
            context.waker().wake_by_ref();
        } else if first {
            TIMERS.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            TIMERS.lock().wakers.remove(&key);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use guard_core::block_on;

    use super::*;

    #[test]
    fn sleeps_end_in_their_order_and_leave_nothing() {
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for millis in [300, 100, 200] {
                let order = &order;
                scope.spawn(move || {
                    let begin = Instant::now();
                    block_on(Sleep::new(Duration::from_millis(millis)));
                    assert!(begin.elapsed() >= Duration::from_millis(millis));
                    order.lock().unwrap().push(millis);
                });
            }
        });
        assert_eq!(order.into_inner().unwrap(), [100, 200, 300]);
        let mut cut = Box::pin(Sleep::new(Duration::from_secs(3_600)));
        assert!(cut.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(cut);
        let far = Instant::now() + Duration::from_secs(3_000);
        assert!(TIMERS.lock().wakers.keys().all(|(end, _)| *end < far));
        block_on(Sleep::new(Duration::ZERO));
        assert!(Sleep::new(Duration::MAX).end > Instant::now());
    }

    /// One thread wakes everybody.
    #[test]
    fn a_waker_that_panics_keeps_nobody_else_asleep() {
        struct Panics;
        impl std::task::Wake for Panics {
            fn wake(self: std::sync::Arc<Self>) {
                // Without the hook, which would print for longer than the others sleep.
                std::panic::resume_unwind(Box::new("on purpose"));
            }
        }
        let end = Instant::now() + Duration::from_millis(50);
        let mut bad = Box::pin(Sleep::until(end));
        let waker = Waker::from(std::sync::Arc::new(Panics));
        assert!(bad.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let (awake, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Due at the same moment, and afterwards.
            block_on(Sleep::until(end));
            block_on(Sleep::new(Duration::from_millis(20)));
            awake.send(()).unwrap();
        });
        heard.recv_timeout(Duration::from_secs(20)).unwrap();
    }
}
