//! What the scripts are given.

use std::time::Duration;

use guard_core::{Algorithm, Batch, CellFilter, CellId, Charge, Quantity, ReservationId, Settlement};

use crate::books;
use crate::cell::{micros, window_end};
use crate::coded::kind_code;

/// What every key begins with. A brace in the namespace would move the slot's name.
pub(super) fn prefix(namespace: &str) -> String {
    format!("{{{}}}:", namespace.replace(['{', '}'], "_"))
}

/// The name of a cell: limit and key with their lengths in bytes before them, then the window.
pub(super) fn cell(id: &CellId) -> String {
    let CellId { limit, key, window } = id;
    format!("{}:{limit}{}:{key}{window}", limit.len(), key.len())
}

/// The cell of a name.
pub(super) fn cell_of(name: &str) -> Option<CellId> {
    let part = |text: &str| {
        let (length, rest) = text.split_once(':')?;
        let (part, rest) = rest.split_at_checked(length.parse().ok()?)?;
        Some((part.to_owned(), rest.to_owned()))
    };
    let (limit, rest) = part(name)?;
    let (key, window) = part(&rest)?;
    Some(CellId { limit, key, window })
}

pub(super) fn reservation(id: ReservationId) -> String {
    id.to_string()
}

pub(super) fn reserve_arguments(batch: &Batch, lease: Option<Duration>) -> Vec<String> {
    let micros_of = |span: Duration| span.as_nanos().div_ceil(1_000).min(1 << 53).to_string();
    let mut arguments = vec![
        reservation(batch.reservation),
        format!("{:016x}", books::digest(&batch.charges)),
        lease.map(micros_of).unwrap_or_default(),
    ];
    for charge in &batch.charges {
        arguments.extend(charge_arguments(charge, batch));
    }
    arguments
}

fn charge_arguments(charge: &Charge, batch: &Batch) -> [String; 8] {
    let algorithm = match charge.algorithm {
        Algorithm::Fixed => "0",
        Algorithm::Sliding(_) => "1",
        Algorithm::Bucket(_) => "2",
    };
    // One more than the largest is exact in a float, and beyond every maximum.
    let amount = charge.amount.units().min(Quantity::LARGEST.units() + 1);
    let end = window_end(charge, batch.at).map(|end| {
        let whole = micros(end);
        let rest = end.as_nanos().rem_euclid(1_000);
        (whole + i64::from(rest > 0)).to_string()
    });
    [
        cell(&charge.cell),
        amount.to_string(),
        charge.ceiling().to_string(),
        kind_code(charge.kind).to_string(),
        algorithm.to_owned(),
        charge.algorithm.span_micros().unwrap_or_default().to_string(),
        end.unwrap_or_default(),
        charge.warn_at.map(|at| at.to_string()).unwrap_or_default(),
    ]
}

pub(super) fn settle_arguments(id: ReservationId, actual: &Settlement) -> Vec<String> {
    let mut arguments = vec![reservation(id), "settle".to_owned()];
    if let Settlement::Actual(by_limit) = actual {
        arguments.extend(by_limit.iter().flat_map(|(limit, spent)| [limit.clone(), spent.to_string()]));
    }
    arguments
}

pub(super) fn filter_arguments(what: &str, filter: &CellFilter) -> Vec<String> {
    let wanted = |name: &Option<String>| name.as_ref().map(|name| format!("={name}")).unwrap_or_default();
    vec![what.to_owned(), wanted(&filter.limit), wanted(&filter.key), wanted(&filter.window)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_were_written() {
        for [limit, key, window] in
            [["a", "b", "c"], ["", "", ""], ["1:a", "é:\u{0}", "2:"], ["a:b", "", "c"]]
        {
            let id = CellId { limit: limit.into(), key: key.into(), window: window.into() };
            assert_eq!(cell_of(&cell(&id)), Some(id));
        }
        for garbled in ["", "a", "9:ab", "1:a", "1:a9:b", "1:é0:"] {
            assert_eq!(cell_of(garbled), None, "{garbled}");
        }
        assert_eq!(prefix("a{b}"), "{a_b_}:");
    }
}
