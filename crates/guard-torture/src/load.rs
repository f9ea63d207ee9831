//! What a process does: its threads spend from three nested limits until there is nothing left.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guard_core::{
    Batch, CellId, Charge, ChargeOutcome, Clock, Closed, Quantity, ReservationId, Settlement, StateError,
    StateStore, SystemClock,
};
use guard_state::Store;

use crate::journal::{Entry, Journal};
use crate::random::Random;

/// How long a reservation is held.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// How long an operation that failed is tried again under the same name: longer than a server takes to start again on a
/// busy machine, with all that hundreds of runs have left in it.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(25);

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// What the random numbers begin from.
    pub seed: u64,
    /// Which run of that seed.
    pub run: u64,
    /// How many threads each process has.
    pub threads: u64,
    /// How many calls each thread makes.
    pub calls: u64,
}

impl Load {
    /// The maxima of a user, a team and the organisation: all together want about twice of the last.
    pub(crate) fn maxima(self) -> [i64; 3] {
        let wanted = i64::try_from(self.threads * self.calls).unwrap_or(i64::MAX / 8) * 2;
        [(wanted / 3).max(3), (wanted / 2).max(4), wanted.max(5)]
    }

    fn limit(self, level: &str) -> String {
        format!("torture-{:x}-{}-{level}", self.seed, self.run)
    }

    pub(crate) fn cells(self, user: u64, team: u64) -> [Arc<CellId>; 3] {
        let cell = |level: &str, key: String| {
            Arc::new(CellId { limit: self.limit(level), key, window: "total".to_owned() })
        };
        [cell("user", user.to_string()), cell("team", team.to_string()), cell("org", "all".to_owned())]
    }

    pub(crate) fn batch(self, id: u128, user: u64, team: u64, amount: i64) -> Batch {
        let cells = self.cells(user, team).into_iter().zip(self.maxima());
        let charge = |(cell, max)| Charge::new(cell, Quantity::new(amount), Quantity::new(max));
        let at = SystemClock::new().now();
        Batch { charges: cells.map(charge).collect(), at, reservation: ReservationId(id) }
    }

    pub(crate) fn settlement(self, actual: i64) -> Settlement {
        let levels = ["user", "team", "org"].map(|level| (self.limit(level), Quantity::new(actual)));
        Settlement::Actual(BTreeMap::from(levels))
    }
}

/// A process, by the arguments that its parent gave it: store, seed, run, threads, calls, process, life, log.
///
/// # Errors
/// When they are not these, and as [`worker`].
pub fn worker_of(arguments: &[String]) -> Result<(), String> {
    let [store, seed, run, threads, calls, process, life, log] = arguments else {
        return Err("STORE SEED RUN THREADS CALLS PROCESS LIFE LOG".to_owned());
    };
    let number = |text: &String| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
    let load =
        Load { seed: number(seed)?, run: number(run)?, threads: number(threads)?, calls: number(calls)? };
    worker(store, load, number(process)?, number(life)?, Path::new(log))
}

/// A process: opens the store and spends, in `life` number so many of process number so many.
///
/// # Errors
/// When the store or the log cannot be opened or written.
pub fn worker(store: &str, load: Load, process: u64, life: u64, log: &Path) -> Result<(), String> {
    let store = open(store).map_err(|error| error.to_string())?;
    spend(&*store, load, process, life, log).map_err(|error| format!("{}: {error}", log.display()))
}

/// Opens a store, whose server may just be down.
pub(crate) fn open(store: &str) -> Result<Box<dyn Store>, StateError> {
    insist(|| guard_state::open(store, Arc::new(SystemClock::new())))
}

/// The same on a store that is there.
///
/// # Errors
/// When the log cannot be written.
pub fn spend(
    store: &(impl StateStore + ?Sized),
    load: Load,
    process: u64,
    life: u64,
    log: &Path,
) -> io::Result<()> {
    let journal = Journal::open(log)?;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.threads)
            .map(|thread| {
                let journal = &journal;
                scope.spawn(move || thread_of(store, load, [process, life, thread], journal))
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
        })
    })
}

fn thread_of(
    store: &(impl StateStore + ?Sized),
    load: Load,
    who: [u64; 3],
    journal: &Journal,
) -> io::Result<()> {
    let [process, life, thread] = who;
    let mut random = Random::of(&[load.seed, load.run, process, life, thread]);
    for _ in 0..load.calls {
        let id = u128::from(random.next()) << 64 | u128::from(random.next());
        call(store, load, id, &mut random, journal)?;
    }
    Ok(())
}

/// Asks again, under the same name, as long as no answer comes.
pub(crate) fn insist<T>(mut ask: impl FnMut() -> Result<T, StateError>) -> Result<T, StateError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Err(StateError::Unavailable(_)) if Instant::now() < end => std::thread::sleep(PAUSE),
            answer => return answer,
        }
    }
}

fn call(
    store: &(impl StateStore + ?Sized),
    load: Load,
    id: u128,
    random: &mut Random,
    journal: &Journal,
) -> io::Result<()> {
    let (user, team) = (random.below(5), random.below(2));
    let amount = i64::try_from(random.below(7)).unwrap_or(0) + 1;
    // Every other run spends at once: what is given back later would hide that too much was admitted at one time.
    let at_once = load.run % 2 == 1 || random.below(2) == 0;
    let batch = load.batch(id, user, team, amount);
    journal.write(id, &Entry::Try { user, team, amount, at_once })?;
    let ask = || if at_once { store.charge(&batch).wait() } else { store.reserve(&batch, LEASE).wait() };
    let Ok(outcome) = insist(ask) else { return Ok(()) };
    if matches!(outcome, ChargeOutcome::Exceeded(_)) {
        return journal.write(id, &Entry::Refused);
    }
    journal.write(id, &Entry::Made)?;
    // As a caller would whose answer was lost: the same call again.
    if random.below(3) == 0 && insist(ask).is_err() {
        return Ok(());
    }
    match (at_once, random.below(4)) {
        // Abandoned, for its lease to return.
        (true, _) | (false, 0) => Ok(()),
        (false, 1) => {
            journal.write(id, &Entry::TryRefund)?;
            match insist(|| store.refund(ReservationId(id)).wait()) {
                Ok(_) => journal.write(id, &Entry::Refunded),
                Err(_) => Ok(()),
            }
        }
        (false, _) => {
            let actual = i64::try_from(random.below(u64::try_from(amount).unwrap_or(1) + 1)).unwrap_or(0);
            journal.write(id, &Entry::TrySettle { actual })?;
            let settlement = load.settlement(actual);
            let Ok(settled) = insist(|| store.settle(ReservationId(id), &settlement).wait()) else {
                return Ok(());
            };
            // Where an answer was lost, the first attempt may have been late; the second is told of the first alone.
            let late = matches!(settled.before, Some(Closed::Expired | Closed::Settled));
            journal.write(id, &Entry::Settled { late })?;
            if random.below(3) == 0 {
                // Whether it is answered a second time is for the judge to see.
                let _ = insist(|| store.settle(ReservationId(id), &settlement).wait());
            }
            Ok(())
        }
    }
}
