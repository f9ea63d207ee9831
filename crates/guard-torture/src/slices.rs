//! Compares a store with the logs of processes that spent slices of it.
//!
//! The store knows slices, and not the calls that were covered by them. What a process had spent of those it held when it was
//! killed stands in its journal, which whoever comes next settles them by: then the store counts what the calls came to, and
//! nothing else. Without a journal all of it stays counted: what is there may be more than what was acknowledged, never less,
//! and never beyond a limit. What is in doubt is between nothing and the whole call.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use guard_core::{CellFilter, CellId, StateError, StateOperator};

use crate::journal::{self, Story};
use crate::judge::Verdict;
use crate::load::{Load, insist};

/// What the calls of a cell have spent: for sure, at most, and of the first how much by calls that were late.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    least: i64,
    most: i64,
    late: i64,
}

/// Judges a run whose processes spent slices of this store, and have ended. `stranded` says whether something may be left of
/// slices: where one of them was killed, or could not reach the store, and wrote nothing down.
///
/// # Errors
/// When the logs cannot be read, or the store does not answer.
pub fn judge_slices(
    store: &(impl StateOperator + ?Sized),
    load: Load,
    logs: &[impl AsRef<Path>],
    stranded: bool,
) -> Result<Verdict, String> {
    let stories = journal::read(logs).map_err(|error: io::Error| error.to_string())?;
    let mut verdict = Verdict::default();
    let mut spent: BTreeMap<Arc<CellId>, Spent> = BTreeMap::new();
    for story in stories.values() {
        verdict.admitted += u64::from(story.made);
        verdict.refused += u64::from(story.refused);
        let (least, most) = bounds(story);
        verdict.in_doubt += u64::from(least != most);
        let late = if story.settled == Some(true) { least } else { 0 };
        for cell in load.cells(story.user, story.team) {
            let sum = spent.entry(cell).or_default();
            *sum = Spent { least: sum.least + least, most: sum.most + most, late: sum.late + late };
        }
    }
    compare(store, load, &spent, stranded, &mut verdict).map_err(|error| error.to_string())?;
    Ok(verdict)
}

/// The least and the most that a call may have spent.
fn bounds(story: &Story) -> (i64, i64) {
    let Story { amount, at_once, made, refused, refunded, settled, actual, .. } = story;
    if *refused || *refunded {
        return (0, 0);
    }
    match (settled, at_once, made) {
        (Some(_), ..) => (actual.unwrap_or_default(), actual.unwrap_or_default()),
        (None, true, true) => (*amount, *amount),
        (None, true, false) => (0, *amount),
        // It was reserved, and what nobody settled is given back.
        (None, false, _) => (0, actual.unwrap_or_default()),
    }
}

fn compare(
    store: &(impl StateOperator + ?Sized),
    load: Load,
    spent: &BTreeMap<Arc<CellId>, Spent>,
    stranded: bool,
    verdict: &mut Verdict,
) -> Result<(), StateError> {
    let maxima = load.maxima();
    for (level, max) in maxima.into_iter().enumerate() {
        let limit = load.cells(0, 0).into_iter().nth(level).map(|cell| cell.limit.clone());
        let views =
            insist(|| store.list(&CellFilter { limit: limit.clone(), ..CellFilter::default() }).wait())?;
        let of_level = spent.iter().filter(|(cell, _)| Some(&cell.limit) == limit.as_ref());
        for (cell, Spent { least, most, late }) in of_level {
            let mut broken = |what: String| verdict.broken.push(format!("{cell}: {what}"));
            if least - late > max {
                broken(format!("{least} was admitted, {late} of it late, of {max}"));
            }
            let view = views.iter().find(|view| *view.cell == **cell);
            let (found, reserved) = view.map_or((0, 0), |view| (view.spent.units(), view.reserved.units()));
            if found + reserved < *least {
                broken(format!(
                    "{least} was acknowledged, and only {found} and {reserved} in slices are there"
                ));
            }
            if found + reserved - late > max {
                broken(format!("{found} and {reserved} in slices are counted of {max}"));
            }
            // What is left of slices is given back.
            if !stranded && (found > *most || reserved != 0) {
                broken(format!("{most} was spent, and {found} and {reserved} in slices are counted"));
            }
        }
    }
    Ok(())
}
