//! Points in time, and the port they come from.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970-01-01T00:00:00 UTC, as policies see them in `input.time_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A timestamp of `nanos` nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A timestamp of `seconds` whole seconds since the epoch; saturates at the year 2262.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// This moment and `span` more; saturates at the year 2262.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// How long from `earlier` to this moment; zero when `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns", self.0)
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The time now. Never earlier than an answer given before: a window that has closed must not open
    /// again because somebody set the machine's clock back.
    fn now(&self) -> Timestamp;
}

/// The machine's clock, held so that it never runs backwards.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl SystemClock {
    /// A clock that starts at the machine's present time.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| {
                // Not by way of the 128 bits of `as_nanos`: every check reads the time several times.
                i64::try_from(since.as_secs())
                    .ok()?
                    .checked_mul(1_000_000_000)?
                    .checked_add(since.subsec_nanos().into())
            })
            .unwrap_or(0);
        let before = self.latest.fetch_max(wall, Ordering::AcqRel);
        Timestamp(before.max(wall))
    }
}

/// A clock that stands still until it is moved: for replays, demonstrations and tests.
#[derive(Debug)]
pub struct FixedClock {
    now: AtomicI64,
}

impl FixedClock {
    /// A clock that stands at `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self { now: AtomicI64::new(now.as_nanos()) }
    }

    /// Moves the clock forward by `span`.
    pub fn advance(&self, span: Duration) {
        let later = Timestamp(self.now.load(Ordering::Acquire)).plus(span);
        self.set(later);
    }

    /// Sets the clock to `now`, which may be earlier than before: this is how a replay starts over.
    pub fn set(&self, now: Timestamp) {
        self.now.store(now.as_nanos(), Ordering::Release);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_never_runs_backwards() {
        let clock = SystemClock { latest: AtomicI64::new(i64::MAX - 5) };
        assert_eq!(clock.now(), Timestamp(i64::MAX - 5));
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp(i64::MAX).plus(Duration::from_secs(1)), Timestamp(i64::MAX));
        assert_eq!(Timestamp(1).since(Timestamp(5)), Duration::ZERO);
        assert_eq!(Timestamp::from_seconds(3).since(Timestamp::from_seconds(1)), Duration::from_secs(2));
    }

    #[test]
    fn a_fixed_clock_moves_when_told() {
        let clock = FixedClock::at(Timestamp(7));
        clock.advance(Duration::from_nanos(3));
        assert_eq!(clock.now(), Timestamp(10));
    }
}
