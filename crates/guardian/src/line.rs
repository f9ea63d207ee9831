//! Calls that stand in line: for the action `queue`.
//!
//! A line belongs to one limit and to one Guardian. It is bounded, first come, first served, and nobody waits longer than
//! its time. Only the first in line asks its policy; the others wait for it to go on or to give up.

use std::collections::{HashMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::timer::{Sleep, after};

/// How soon the first in line asks again where the policy does not say when: at first, and at the longest.
const SOONEST: Duration = Duration::from_millis(10);
const LATEST: Duration = Duration::from_millis(250);

/// How a limit's line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueTerms {
    /// How many calls may wait at a time.
    pub most: usize,
    /// How long a call may wait.
    pub timeout: Duration,
}

impl Default for QueueTerms {
    /// A hundred calls, for half a minute.
    fn default() -> Self {
        Self { most: 100, timeout: Duration::from_secs(30) }
    }
}

/// Why a call does not go on waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTurn {
    /// As many wait as may.
    Full {
        /// How many that is.
        most: usize,
    },
    /// It has waited as long as it may.
    TimedOut {
        /// How long that is.
        timeout: Duration,
    },
    /// There is no room before its time is over.
    TooLate {
        /// When there is room.
        retry_after: Duration,
        /// How long it may wait.
        timeout: Duration,
    },
}

impl NoTurn {
    /// For people.
    pub(crate) fn words(self, limit: &str) -> String {
        match self {
            Self::Full { most } => format!("the line for `{limit}` is full, {most} calls wait"),
            Self::TimedOut { timeout } => {
                format!("the call has stood in line for `{limit}` for {} s", timeout.as_secs_f64())
            }
            Self::TooLate { retry_after, timeout } => format!(
                "there is no room in `{limit}` for {} s, and calls stand in line for {} s",
                retry_after.as_secs_f64(),
                timeout.as_secs_f64()
            ),
        }
    }
}

/// All lines of a Guardian.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    by_limit: Mutex<HashMap<String, VecDeque<Waiting>>>,
    /// How many wait in all of them, so that a call that nobody waits before takes no lock.
    waiting: AtomicUsize,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Waiting {
    number: usize,
    waker: Option<Waker>,
    /// Whether something has been given back since it was last told.
    poked: bool,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Waiting>>> {
        self.by_limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first of these limits for which somebody waits.
    pub(crate) fn ahead<'a>(&self, mut limits: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return None;
        }
        let lines = self.lock();
        limits.find(|limit| lines.contains_key(*limit))
    }

    /// A place at the end of a line.
    pub(crate) fn join(self: &Arc<Self>, limit: &str, terms: QueueTerms) -> Result<Place, NoTurn> {
        let mut lines = self.lock();
        if lines.get(limit).map_or(0, VecDeque::len) >= terms.most {
            return Err(NoTurn::Full { most: terms.most });
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting { number, waker: None, poked: false };
        lines.entry(limit.to_owned()).or_default().push_back(waiting);
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let end = after(terms.timeout);
        Ok(Place { lines: Arc::clone(self), limit: limit.to_owned(), number, terms, end, pause: SOONEST })
    }

    /// Something has been given back: whoever is first looks again.
    pub(crate) fn poke(&self) {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut lines = self.lock();
        let wakers: Vec<Waker> = lines
            .values_mut()
            .filter_map(|line| line.front_mut())
            .filter_map(|first| {
                first.poked = true;
                first.waker.take()
            })
            .collect();
        drop(lines);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A place in a line. Dropped, it is left, and the next one is called.
#[derive(Debug)]
pub(crate) struct Place {
    lines: Arc<Lines>,
    limit: String,
    number: usize,
    terms: QueueTerms,
    end: Instant,
    pause: Duration,
}

impl Place {
    /// Waits until it is time to ask the policy again. The first in line waits until `retry_after`, or until something is
    /// given back; any other until it is the first.
    pub(crate) async fn turn(&mut self, retry_after: Option<Duration>) -> Result<(), NoTurn> {
        let timeout = self.terms.timeout;
        let mut over = pin!(Sleep::until(self.end));
        if self.is_first() {
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoTurn::TimedOut { timeout });
            }
            if let Some(retry_after) = retry_after.filter(|wait| *wait > left) {
                return Err(NoTurn::TooLate { retry_after, timeout });
            }
            let pause = retry_after.unwrap_or(self.pause).max(Duration::from_millis(1));
            self.pause = (self.pause * 2).min(LATEST);
            let mut again = pin!(Sleep::new(pause));
            return self
                .until(over.as_mut(), |place, waker, context| {
                    place.poked(waker) || again.as_mut().poll(context).is_ready()
                })
                .await;
        }
        self.until(over.as_mut(), |place, waker, _| place.is_first_or_waits(waker)).await
    }

    async fn until(
        &self,
        mut over: Pin<&mut Sleep>,
        mut ready: impl FnMut(&Self, &Waker, &mut std::task::Context<'_>) -> bool,
    ) -> Result<(), NoTurn> {
        poll_fn(|context| {
            let waker = context.waker().clone();
            if ready(self, &waker, context) {
                return Poll::Ready(Ok(()));
            }
            let timeout = self.terms.timeout;
            over.as_mut().poll(context).map(|()| Err(NoTurn::TimedOut { timeout }))
        })
        .await
    }

    fn is_first(&self) -> bool {
        let lines = self.lines.lock();
        lines.get(&self.limit).and_then(VecDeque::front).is_some_and(|first| first.number == self.number)
    }

    fn is_first_or_waits(&self, waker: &Waker) -> bool {
        let mut lines = self.lines.lock();
        let Some(line) = lines.get_mut(&self.limit) else { return true };
        if line.front().is_some_and(|first| first.number == self.number) {
            return true;
        }
        // Numbers rise along a line.
        if let Ok(at) = line.binary_search_by_key(&self.number, |waiting| waiting.number)
            && let Some(own) = line.get_mut(at)
        {
            own.waker = Some(waker.clone());
        }
        false
    }

    /// Whether something has been given back; else it is told when it is.
    fn poked(&self, waker: &Waker) -> bool {
        let mut lines = self.lines.lock();
        let first = lines.get_mut(&self.limit).and_then(VecDeque::front_mut);
        let Some(first) = first.filter(|first| first.number == self.number) else { return true };
        first.waker = Some(waker.clone());
        std::mem::take(&mut first.poked)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.lines.lock();
        let mut next = None;
        if let Some(line) = lines.get_mut(&self.limit) {
            if let Ok(at) = line.binary_search_by_key(&self.number, |waiting| waiting.number) {
                line.remove(at);
                self.lines.waiting.fetch_sub(1, Ordering::AcqRel);
                next = line.front_mut().filter(|_| at == 0).and_then(|first| first.waker.take());
            }
            if line.is_empty() {
                lines.remove(&self.limit);
            }
        }
        drop(lines);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use guard_core::block_on;

    use super::*;

    const TERMS: QueueTerms = QueueTerms { most: 3, timeout: Duration::from_secs(20) };

    #[test]
    fn a_line_is_bounded_and_first_come_first_served() {
        let lines = Arc::new(Lines::default());
        let mut first = lines.join("l", TERMS).unwrap();
        let second = lines.join("l", TERMS).unwrap();
        let third = lines.join("l", TERMS).unwrap();
        assert_eq!(lines.join("l", TERMS).unwrap_err(), NoTurn::Full { most: 3 });
        assert!(lines.join("m", TERMS).is_ok());
        assert_eq!(lines.ahead(["x", "l"].into_iter()), Some("l"));
        block_on(first.turn(Some(Duration::from_millis(5)))).unwrap();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for (name, mut place) in [("third", third), ("second", second)] {
                let order = &order;
                scope.spawn(move || {
                    block_on(place.turn(None)).unwrap();
                    order.lock().unwrap().push(name);
                });
            }
            std::thread::sleep(Duration::from_millis(30));
            assert!(order.lock().unwrap().is_empty());
            drop(first);
        });
        assert_eq!(order.into_inner().unwrap(), ["second", "third"]);
        assert_eq!(lines.ahead(["l"].into_iter()), None);
        assert!(lines.lock().is_empty() && lines.waiting.load(Ordering::Relaxed) == 0);
    }

    #[test]
    fn nobody_waits_longer_than_its_time() {
        let lines = Arc::new(Lines::default());
        let timeout = Duration::from_millis(30);
        let terms = QueueTerms { most: 2, timeout };
        let mut first = lines.join("l", terms).unwrap();
        let mut second = lines.join("l", terms).unwrap();
        let retry_after = Duration::from_secs(5);
        assert_eq!(block_on(first.turn(Some(retry_after))), Err(NoTurn::TooLate { retry_after, timeout }));
        assert_eq!(block_on(second.turn(None)), Err(NoTurn::TimedOut { timeout }));
        assert_eq!(block_on(first.turn(None)), Err(NoTurn::TimedOut { timeout }));
    }

    #[test]
    fn what_is_given_back_calls_the_first() {
        let lines = Arc::new(Lines::default());
        let mut place = lines.join("l", TERMS).unwrap();
        let begin = Instant::now();
        std::thread::scope(|scope| {
            let other = Arc::clone(&lines);
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(20));
                other.poke();
            });
            block_on(place.turn(Some(Duration::from_secs(10)))).unwrap();
        });
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
}
