//! Waiting for a decision, in whatever runtime or none.
//!
//! One thread looks at the store for all who wait, more and more seldom; a decision made in this process has it look at
//! once. There is no thread where nobody waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use guard_core::{Clock, Timestamp};
use guard_pool::later::{self, Giver};

use crate::entry::State;
use crate::store::Store;

const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(500);

pub(crate) struct Watch {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    watching: Mutex<Watching>,
    poked: Condvar,
}

#[derive(Default)]
struct Watching {
    waiters: Vec<Waiter>,
    running: bool,
    /// Whether to look at once.
    poked: bool,
    stopped: bool,
}

struct Waiter {
    id: String,
    /// When a confirmation that may not be written down yet expires.
    unwritten: Option<Timestamp>,
    end: Instant,
    giver: Giver<()>,
}

impl Watch {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let (watching, poked) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { store, clock, watching, poked }) }
    }

    /// Something was decided here.
    pub(crate) fn poke(&self) {
        self.shared.lock().poked = true;
        self.shared.poked.notify_all();
    }

    /// Arrives when it is decided or the time is over. The caller asks which.
    pub(crate) fn until_decided(
        &self,
        id: String,
        unwritten: Option<Timestamp>,
        within: Duration,
    ) -> later::Waiter<()> {
        let now = Instant::now();
        let end = now.checked_add(within).unwrap_or_else(|| now + Duration::from_secs(86_400));
        let (giver, waiter) = later::pair();
        let mut watching = self.shared.lock();
        watching.waiters.push(Waiter { id, unwritten, end, giver });
        watching.poked = true;
        self.shared.poked.notify_all();
        if !watching.running {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("hexarch-confirm".to_owned());
            watching.running = thread.spawn(move || shared.work()).is_ok();
        }
        if !watching.running {
            // Without a thread nobody looks: the caller does, at once.
            watching.waiters.clear();
        }
        waiter
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.poked.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Watching> {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut pause = SHORTEST;
        loop {
            let waiters = {
                let mut watching = self.lock();
                if watching.waiters.is_empty() || watching.stopped {
                    watching.running = false;
                    watching.waiters.clear();
                    return;
                }
                watching.poked = false;
                std::mem::take(&mut watching.waiters)
            };
            let (over, waiting): (Vec<_>, Vec<_>) =
                waiters.into_iter().partition(|waiter| self.is_over(waiter));
            over.into_iter().for_each(|waiter| waiter.giver.give(()));
            let mut watching = self.lock();
            watching.waiters.extend(waiting);
            let until_end = watching.waiters.iter().map(|waiter| waiter.end).min();
            if let Some(end) = until_end {
                let wait = pause.min(end.saturating_duration_since(Instant::now()));
                let idle = |watching: &mut Watching| !watching.poked && !watching.stopped;
                let waited = self.poked.wait_timeout_while(watching, wait, idle);
                let timed_out = waited.unwrap_or_else(PoisonError::into_inner).1.timed_out();
                pause = if timed_out { (pause * 3 / 2).min(LONGEST) } else { SHORTEST };
            }
        }
    }

    fn is_over(&self, waiter: &Waiter) -> bool {
        if Instant::now() >= waiter.end {
            return true;
        }
        let now = self.clock.now();
        match (self.store.get(&waiter.id).wait(), waiter.unwritten) {
            (Ok(Some(entry)), _) => entry.state_at(now) != State::Pending,
            (Ok(None), Some(expires)) => now >= expires,
            (Ok(None), None) => true,
            // A store that does not answer may soon.
            (Err(_), _) => false,
        }
    }
}
