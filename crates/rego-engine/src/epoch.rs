//! The clock behind deadlines: a thread that advances wasmtime's epoch while anything is running.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

/// How many ticks past the last deadline the thread keeps going before it sleeps, so that a steady
/// stream of evaluations does not touch shared memory each time.
const LINGER: u64 = 256;

#[derive(Debug, Default)]
struct State {
    /// Ticks since the start.
    now: AtomicU64,
    /// The tick up to which somebody needs the clock.
    needed_until: AtomicU64,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// Owns the ticking thread, which ends when the clock is dropped.
#[derive(Debug)]
pub(crate) struct Clock {
    state: Arc<State>,
    /// Not 0.
    tick_nanos: u64,
    waker: Thread,
    thread: Option<JoinHandle<()>>,
}

impl Clock {
    pub(crate) fn start(engine: wasmtime::Engine, tick: Duration) -> io::Result<Self> {
        let state = Arc::new(State::default());
        let tick = tick.max(Duration::from_micros(100));
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new()
            .name("rego-deadlines".to_owned())
            .spawn(move || run(&shared, &engine, tick))?;
        let tick_nanos = u64::try_from(tick.as_nanos()).unwrap_or(u64::MAX);
        Ok(Self { state, tick_nanos, waker: thread.thread().clone(), thread: Some(thread) })
    }

    /// Sees to it that the clock runs for as long as an evaluation with that deadline may, and gives
    /// the number of ticks after which it is over time. Never sooner than the deadline.
    pub(crate) fn arm(&self, deadline: Duration) -> u64 {
        // In 64 bits: a division of 128 bits is a call, and this is done for every evaluation.
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // The tick under way counts for nothing, hence one more.
        let ticks = nanos(deadline).div_ceil(self.tick_nanos).min(u64::MAX / 4) + 1;
        let until = self.state.now.load(Ordering::Relaxed) + ticks;
        if until > self.state.needed_until.load(Ordering::Relaxed) {
            self.state.needed_until.fetch_max(until + LINGER, Ordering::SeqCst);
        }
        // INVARIANT: the thread announces its sleep before it reads `needed_until` for the last time,
        // and this reads `asleep` after `needed_until` is written; so one of the two sees the other.
        if self.state.asleep.load(Ordering::SeqCst) {
            self.waker.unpark();
        }
        ticks
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        self.waker.unpark();
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic, and there would be nobody to tell.
            let _ = thread.join();
        }
    }
}

fn run(state: &State, engine: &wasmtime::Engine, tick: Duration) {
    while !state.stop.load(Ordering::SeqCst) {
        thread::sleep(tick);
        engine.increment_epoch();
        let now = state.now.fetch_add(1, Ordering::SeqCst) + 1;
        if now < state.needed_until.load(Ordering::SeqCst) {
            continue;
        }
        state.asleep.store(true, Ordering::SeqCst);
        while state.needed_until.load(Ordering::SeqCst) <= now && !state.stop.load(Ordering::SeqCst) {
            thread::park();
        }
        state.asleep.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(tick: Duration) -> (Clock, wasmtime::Engine) {
        let engine = wasmtime::Engine::default();
        (Clock::start(engine.clone(), tick).unwrap(), engine)
    }

    #[test]
    fn a_deadline_is_never_early_by_a_tick() {
        let (clock, _engine) = clock(Duration::from_millis(1));
        assert_eq!(clock.arm(Duration::from_millis(10)), 11);
        assert_eq!(clock.arm(Duration::from_micros(1)), 2);
        assert_eq!(clock.arm(Duration::ZERO), 1);
        assert!(clock.arm(Duration::MAX) > 1 << 40);
    }

    #[test]
    fn it_sleeps_when_nobody_needs_it_and_wakes_up_again() {
        let (clock, _engine) = clock(Duration::from_micros(100));
        clock.arm(Duration::from_millis(1));
        let asleep = || clock.state.asleep.load(Ordering::SeqCst);
        while !asleep() {
            thread::sleep(Duration::from_millis(1));
        }
        let before = clock.state.now.load(Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5));
        assert_eq!(clock.state.now.load(Ordering::SeqCst), before);
        clock.arm(Duration::from_millis(1));
        while clock.state.now.load(Ordering::SeqCst) <= before {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
