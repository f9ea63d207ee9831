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

pub(super) fn clock_key(prefix: &str) -> String {
    format!("{prefix}clock")
}

pub(super) fn reservation_key(prefix: &str, id: ReservationId) -> String {
    format!("{prefix}r:{}", reservation(id))
}

/// The keys that a batch is about: its reservation, and each charge's cell.
pub(super) fn reserve_keys(prefix: &str, batch: &Batch) -> Vec<String> {
    let cells = batch.charges.iter().map(|charge| format!("{prefix}c:{}", cell(&charge.cell)));
    std::iter::once(reservation_key(prefix, batch.reservation)).chain(cells).collect()
}

/// The digest, the lease and the charges, as `reserve.lua` unpacks them.
pub(super) fn reserve_arguments(batch: &Batch, lease: Option<Duration>) -> Vec<u8> {
    let micros_of = |span: Duration| {
        float(i64::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX).min(1 << 53))
    };
    let mut arguments = Vec::with_capacity((2 + batch.charges.len() * 7) * 8);
    arguments.extend(books::digest(&batch.charges).to_be_bytes());
    arguments.extend(lease.map_or(-1.0, micros_of).to_be_bytes());
    batch.charges.iter().for_each(|charge| push_charge(&mut arguments, charge, batch));
    arguments
}

/// Kind, algorithm, amount, maximum, span, end and threshold.
fn push_charge(charges: &mut Vec<u8>, charge: &Charge, batch: &Batch) {
    let algorithm = match charge.algorithm {
        Algorithm::Fixed => 0.0,
        Algorithm::Sliding(_) => 1.0,
        Algorithm::Bucket(_) => 2.0,
    };
    // One more than the largest is exact in a float, and beyond every maximum.
    let amount = charge.amount.units().min(Quantity::LARGEST.units() + 1);
    let end = window_end(charge, batch.at).map(|end| {
        let whole = micros(end);
        let rest = end.as_nanos().rem_euclid(1_000);
        whole + i64::from(rest > 0)
    });
    for number in [
        float(kind_code(charge.kind)),
        algorithm,
        float(amount),
        float(charge.ceiling().units()),
        float(charge.algorithm.span_micros().unwrap_or_default()),
        end.map_or(f64::INFINITY, float),
        charge.warn_at.map_or(f64::INFINITY, |at| float(at.units())),
    ] {
        charges.extend(number.to_be_bytes());
    }
}

/// The number that a script has for it.
#[expect(
    clippy::cast_precision_loss,
    reason = "quantities and times until 2255 are exact, and no other matters"
)]
fn float(number: i64) -> f64 {
    number as f64
}

pub(super) fn settle_arguments(id: ReservationId, actual: &Settlement) -> Vec<Vec<u8>> {
    let mut arguments = vec![reservation(id), "settle".to_owned()];
    if let Settlement::Actual(by_limit) = actual {
        arguments.extend(by_limit.iter().flat_map(|(limit, spent)| [limit.clone(), spent.to_string()]));
    }
    bytes(arguments)
}

pub(super) fn bytes(texts: Vec<String>) -> Vec<Vec<u8>> {
    texts.into_iter().map(String::into_bytes).collect()
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
