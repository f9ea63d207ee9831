//! The clock behind deadlines: a thread that advances wasmtime's epoch while anything is running.
//!
//! The epoch counts ticks. The thread does not wake up for each: every wake-up takes a processor from a decision, and
//! when there is one in a thousand decisions, they are what the slowest of a thousand consists of. It sleeps for as
//! many ticks as an eighth of the shortest deadline of late, and advances the epoch by as many. So a deadline is never
//! early, and late by no more than a quarter of itself and three ticks (and what the system's own timers are late).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How many ticks past the last deadline the thread keeps going before it sleeps, so that a steady stream of
/// evaluations does not touch shared memory each time; and how many a pace is kept that nobody asks for any more.
///
/// INVARIANT: no less than `SLOWEST << SHARE`, so that the deadline of whoever asked for a pace below the slowest has
/// passed when the pace is given up.
const LINGER: u64 = 256;

/// The most ticks of one sleep.
const SLOWEST: u64 = 32;

/// A pace is a deadline shifted right by this.
const SHARE: u32 = 3;

#[derive(Debug)]
struct State {
    /// When the clock was started.
    start: Instant,
    /// Ticks since the start.
    now: AtomicU64,
    /// Nanoseconds from the start to the beginning of the sleep under way.
    began: AtomicU64,
    /// How many ticks the thread is to sleep at once.
    pace: AtomicU64,
    /// How many ticks the sleep under way advances the epoch by, at most; so far is it behind the time.
    under_way: AtomicU64,
    /// The least pace that was asked for since the last review.
    wanted: AtomicU64,
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
        let state = Arc::new(State::new());
        let tick_nanos = nanos(tick.max(Duration::from_micros(100)));
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new()
            .name("rego-deadlines".to_owned())
            .spawn(move || shared.run(&engine, tick_nanos))?;
        Ok(Self { state, tick_nanos, waker: thread.thread().clone(), thread: Some(thread) })
    }

    /// Sees to it that the clock runs for as long as an evaluation with that deadline may, and often enough, and gives
    /// the number of ticks after which it is over time. Never sooner than the deadline.
    pub(crate) fn arm(&self, deadline: Duration) -> u64 {
        self.arm_ticks(self.ticks(deadline))
    }

    /// A deadline in ticks: for those who have the same one again and again, since it takes a division.
    pub(crate) fn ticks(&self, deadline: Duration) -> u64 {
        // The tick under way counts for nothing, hence one more.
        nanos(deadline).div_ceil(self.tick_nanos).min(u64::MAX / 4) + 1
    }

    /// As [`Clock::arm`], with the deadline in [ticks](Self::ticks).
    pub(crate) fn arm_ticks(&self, ticks: u64) -> u64 {
        let state = &*self.state;
        let pace = (ticks >> SHARE).clamp(1, SLOWEST);
        if state.wanted.load(Ordering::SeqCst) > pace {
            state.wanted.fetch_min(pace, Ordering::SeqCst);
        }
        // INVARIANT: `wanted` is written before `pace` is read, and the thread writes `pace` before it reads `wanted`
        // once more; so one of the two sees the other.
        let current = state.pace.load(Ordering::SeqCst);
        // INVARIANT: a sleep that begins after this advances the epoch by time that is yet to come.
        let under_way = state.under_way.load(Ordering::SeqCst);
        let behind = if current.max(under_way) <= pace { under_way } else { self.hurry(pace, under_way) };
        let ticks = ticks + behind;
        let until = state.now.load(Ordering::Relaxed) + ticks;
        if until > state.needed_until.load(Ordering::Relaxed) {
            state.needed_until.fetch_max(until + LINGER, Ordering::SeqCst);
        }
        // INVARIANT: the thread announces its sleep before it reads `needed_until` for the last time,
        // and this reads `asleep` after `needed_until` is written; so one of the two sees the other.
        if state.asleep.load(Ordering::SeqCst) {
            self.waker.unpark();
        }
        ticks
    }

    /// Ends a sleep that is too long for a deadline that asks for `pace`. Gives how many ticks the epoch may be behind
    /// the time, which the end of the sleep will make up for.
    #[cold]
    fn hurry(&self, pace: u64, under_way: u64) -> u64 {
        let state = &*self.state;
        state.pace.fetch_min(pace, Ordering::SeqCst);
        self.waker.unpark();
        let since = state.nanos().saturating_sub(state.began.load(Ordering::SeqCst));
        (since / self.tick_nanos + 1).min(under_way)
    }

    /// The tick at which an evaluation is over time that was [armed](Self::arm) just now and given so many.
    pub(crate) fn after(&self, ticks: u64) -> u64 {
        self.state.now.load(Ordering::Relaxed) + ticks
    }

    /// How long it is until such a tick, as exactly as deadlines are.
    pub(crate) fn left(&self, until: u64) -> Duration {
        let ticks = until.saturating_sub(self.state.now.load(Ordering::Relaxed));
        Duration::from_nanos(ticks.saturating_mul(self.tick_nanos))
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

/// In 64 bits: a division of 128 bits is a call, and one is done for every evaluation.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl State {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            now: AtomicU64::new(0),
            began: AtomicU64::new(0),
            pace: AtomicU64::new(SLOWEST),
            under_way: AtomicU64::new(0),
            wanted: AtomicU64::new(SLOWEST),
            needed_until: AtomicU64::new(0),
            asleep: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    fn nanos(&self) -> u64 {
        nanos(self.start.elapsed())
    }

    fn run(&self, engine: &wasmtime::Engine, tick_nanos: u64) {
        let mut review = LINGER;
        while !self.stop.load(Ordering::SeqCst) {
            let slept = self.sleep(tick_nanos);
            (0..slept).for_each(|_| engine.increment_epoch());
            let now = self.now.fetch_add(slept, Ordering::SeqCst) + slept;
            if now >= review {
                review = now + LINGER;
                self.review();
            }
            if now < self.needed_until.load(Ordering::SeqCst) {
                continue;
            }
            self.under_way.store(0, Ordering::SeqCst);
            self.asleep.store(true, Ordering::SeqCst);
            while self.needed_until.load(Ordering::SeqCst) <= now && !self.stop.load(Ordering::SeqCst) {
                thread::park();
            }
            self.asleep.store(false, Ordering::SeqCst);
        }
    }

    /// Sleeps for as many ticks as the pace has, which may become less meanwhile; gives how many they were. However
    /// late it wakes up, these are no more than the pace when it began: an evaluation that began meanwhile has been
    /// granted as many.
    fn sleep(&self, tick_nanos: u64) -> u64 {
        let most = self.pace.load(Ordering::SeqCst);
        self.under_way.store(most, Ordering::SeqCst);
        let begin = Instant::now();
        self.began.store(self.nanos(), Ordering::SeqCst);
        loop {
            let pace = self.pace.load(Ordering::SeqCst).min(most);
            let elapsed = nanos(begin.elapsed());
            let left = pace.saturating_mul(tick_nanos).saturating_sub(elapsed);
            if left == 0 || self.stop.load(Ordering::SeqCst) {
                return (elapsed / tick_nanos).clamp(1, most);
            }
            thread::park_timeout(Duration::from_nanos(left));
        }
    }

    /// Takes up the pace that was asked for since the last time.
    fn review(&self) {
        let pace = self.wanted.swap(SLOWEST, Ordering::SeqCst);
        self.pace.store(pace, Ordering::SeqCst);
        self.pace.fetch_min(self.wanted.load(Ordering::SeqCst), Ordering::SeqCst);
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
    fn a_deadline_has_room_for_the_tick_under_way_and_for_what_the_epoch_is_behind() {
        let (clock, _engine) = clock(Duration::from_millis(1));
        assert!((11..=11 + SLOWEST).contains(&clock.arm(Duration::from_millis(10))));
        assert!((2..=2 + SLOWEST).contains(&clock.arm(Duration::from_micros(1))));
        assert!((1..=1 + SLOWEST).contains(&clock.arm(Duration::ZERO)));
        assert!(clock.arm(Duration::MAX) > 1 << 40);
    }

    /// Deadlines of all lengths from two threads at odd instants, so that the pace goes up and down under way.
    #[test]
    fn no_deadline_is_early() {
        let (clock, _engine) = clock(Duration::from_micros(100));
        let watch = |seed: u64| {
            let mut random = seed;
            for _ in 0..150 {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let deadline = Duration::from_micros((random >> 33) % (100 << ((random >> 20) % 8)));
                thread::sleep(Duration::from_micros((random >> 50) % 3_000));
                let armed = Instant::now();
                let ticks = clock.arm(deadline);
                let until = clock.state.now.load(Ordering::SeqCst) + ticks;
                while clock.state.now.load(Ordering::SeqCst) < until {
                    thread::sleep(Duration::from_micros(20));
                }
                assert!(armed.elapsed() >= deadline, "{deadline:?} took {:?}", armed.elapsed());
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| watch(1));
            scope.spawn(|| watch(2));
        });
    }

    #[test]
    fn the_pace_is_that_of_the_shortest_deadline_of_late() {
        let (clock, _engine) = clock(Duration::from_micros(100));
        let pace = || clock.state.pace.load(Ordering::SeqCst);
        let reach = |wanted: u64, deadline: Duration| {
            while pace() != wanted {
                clock.arm(deadline);
                thread::sleep(Duration::from_millis(1));
            }
        };
        reach(10, Duration::from_micros(8_000));
        clock.arm(Duration::from_micros(100));
        assert_eq!(pace(), 1);
        reach(10, Duration::from_micros(8_000));
        reach(SLOWEST, Duration::from_secs(1));
    }

    #[test]
    fn time_runs_out() {
        let (clock, _engine) = clock(Duration::from_millis(1));
        let until = clock.after(clock.arm(Duration::from_millis(5)));
        assert!(clock.left(until) > Duration::ZERO);
        while clock.left(until) > Duration::ZERO {
            thread::sleep(Duration::from_millis(1));
        }
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
