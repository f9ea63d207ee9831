//! Compares a store with the logs.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use guard_core::{CellFilter, CellId, Closed, ReservationId, StateError, StateOperator, StateStore};

use crate::journal::{self, Story};
use crate::load::{Load, insist};

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is not as it has to be; empty for a store that held.
    pub broken: Vec<String>,
    /// Calls that were admitted.
    pub admitted: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Calls of which nobody had heard whether they were charged, before the store was asked.
    pub in_doubt: u64,
}

/// Judges a run whose processes have ended and whose leases have run out.
///
/// # Errors
/// When the logs cannot be read, or the store does not answer.
pub fn judge(
    store: &(impl StateStore + StateOperator + ?Sized),
    load: Load,
    logs: &[impl AsRef<Path>],
) -> Result<Verdict, String> {
    judge_replicas(&[(store, logs)], load)
}

/// The same where every process has a ledger of its own: its store with its logs. Each is asked for its own reservations, and
/// each has to see the same sums.
///
/// # Errors
/// As [`judge`].
pub fn judge_replicas<S: StateStore + StateOperator + ?Sized>(
    replicas: &[(&S, &[impl AsRef<Path>])],
    load: Load,
) -> Result<Verdict, String> {
    let mut verdict = Verdict::default();
    // What was spent in each cell, and how much of it by calls that were late.
    let mut spent: BTreeMap<Arc<CellId>, (i64, i64)> = BTreeMap::new();
    for (store, logs) in replicas {
        let stories = journal::read(logs).map_err(|error: io::Error| error.to_string())?;
        for (id, story) in &stories {
            verdict.admitted += u64::from(story.made);
            verdict.refused += u64::from(story.refused);
            let counted = counted(*store, *id, story, &mut verdict)?;
            for cell in load.cells(story.user, story.team) {
                let (sum, late) = spent.entry(cell).or_default();
                *sum += counted.spent;
                *late += if counted.may_be_late { counted.spent } else { 0 };
            }
        }
    }
    for (number, (store, _)) in replicas.iter().enumerate() {
        let told = verdict.broken.len();
        compare(*store, load, &spent, &mut verdict).map_err(|error| error.to_string())?;
        if replicas.len() > 1 {
            let new = verdict.broken.iter_mut().skip(told);
            new.for_each(|what| *what = format!("as replica {number} sees it, {what}"));
        }
    }
    Ok(verdict)
}

struct Counted {
    spent: i64,
    may_be_late: bool,
}

/// What a call has to have spent. What is in doubt the store is asked by its reservation: giving back what was settled
/// says so, and changes nothing.
fn counted(
    store: &(impl StateStore + ?Sized),
    id: u128,
    story: &Story,
    verdict: &mut Verdict,
) -> Result<Counted, String> {
    let none = Counted { spent: 0, may_be_late: false };
    if story.refused || story.refunded {
        return Ok(none);
    }
    if let Some(late) = story.settled {
        return Ok(Counted { spent: story.actual.unwrap_or_default(), may_be_late: late });
    }
    if story.made && story.at_once {
        return Ok(Counted { spent: story.amount, may_be_late: false });
    }
    let acknowledged = story.made && story.actual.is_none();
    verdict.in_doubt += u64::from(!acknowledged);
    match insist(|| store.refund(ReservationId(id)).wait()) {
        Ok(ended) if ended.before == Some(Closed::Settled) => {
            let spent = if story.at_once { Some(story.amount) } else { story.actual };
            if spent.is_none() {
                verdict.broken.push(format!("reservation {id:032x} is settled, and nobody settled it"));
            }
            Ok(Counted { spent: spent.unwrap_or_default(), may_be_late: !story.at_once })
        }
        Ok(ended) => {
            if ended.before.is_none() {
                verdict.broken.push(format!("reservation {id:032x} is open after its lease has run out"));
            }
            Ok(none)
        }
        Err(StateError::UnknownReservation(_)) if !story.made => Ok(none),
        Err(StateError::UnknownReservation(_)) => {
            verdict.broken.push(format!("reservation {id:032x} was acknowledged and is unknown"));
            Ok(none)
        }
        Err(error) => Err(error.to_string()),
    }
}

fn compare(
    store: &(impl StateStore + StateOperator + ?Sized),
    load: Load,
    spent: &BTreeMap<Arc<CellId>, (i64, i64)>,
    verdict: &mut Verdict,
) -> Result<(), StateError> {
    for level in 0..3 {
        let max = load.maxima().into_iter().nth(level).unwrap_or_default();
        let limit = load.cells(0, 0).into_iter().nth(level).map(|cell| cell.limit.clone());
        let filter = CellFilter { limit, ..CellFilter::default() };
        let views = insist(|| store.list(&filter).wait())?;
        for view in &views {
            let (acknowledged, late) = spent.get(&view.cell).copied().unwrap_or_default();
            let mut broken = |what: String| verdict.broken.push(format!("{}: {what}", view.cell));
            let found = view.spent.units();
            if found < acknowledged {
                broken(format!("{acknowledged} was acknowledged, and only {found} is there"));
            }
            if found > acknowledged {
                broken(format!("{acknowledged} was acknowledged, and {found} is counted"));
            }
            if found - late > max {
                broken(format!("{found} was admitted, {late} of it late, of {max}"));
            }
            if view.reserved.units() != 0 || view.open != 0 {
                broken(format!("{} is reserved after all leases", view.reserved));
            }
        }
        let listed = |cell: &CellId| views.iter().any(|view| *view.cell == *cell);
        let level_limit = filter.limit.as_deref();
        for (cell, (acknowledged, _)) in spent {
            if Some(cell.limit.as_str()) == level_limit && *acknowledged > 0 && !listed(cell) {
                verdict.broken.push(format!("{cell}: {acknowledged} was acknowledged, and the cell is gone"));
            }
        }
    }
    Ok(())
}
