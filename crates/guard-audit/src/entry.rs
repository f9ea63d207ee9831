//! An entry, and what its hash covers.

use std::collections::BTreeSet;

use guard_core::Record;
use sha2::{Digest, Sha256};

use crate::hide;

/// The version of the columns and of the hash.
pub(crate) const VERSION: i64 = 1;

/// What the first entry has for the hash before it.
pub(crate) const ORIGIN: [u8; 32] = [0; 32];

/// The columns of an entry behind its sequence, in the order in which the hash covers them.
pub const COLUMNS: [&str; 19] = [
    "kind",
    "decision_id",
    "timestamp_ns",
    "policy_id",
    "function_name",
    "decision",
    "action",
    "reason",
    "runs",
    "limit_id",
    "user_id",
    "confirmed_by",
    "context",
    "metadata",
    "decision_metadata",
    "duration_us",
    "engine",
    "module_digest",
    "data_revision",
];

/// Those of [`COLUMNS`] that hold whole numbers; the others are texts.
pub(crate) const NUMBERS: [&str; 4] = ["timestamp_ns", "runs", "duration_us", "data_revision"];

/// What stands in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text; JSON where the column is `context`, `metadata` or `decision_metadata`.
    Text(String),
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the chain, from 1.
    pub sequence: i64,
    /// What it says, by [`COLUMNS`].
    pub cells: Vec<Cell>,
}

impl Entry {
    /// The cell of a column.
    pub fn cell(&self, column: &str) -> Option<&Cell> {
        let place = COLUMNS.iter().position(|name| *name == column)?;
        self.cells.get(place)
    }

    /// The text in a column; none where it is empty or a number.
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.cell(column)? {
            Cell::Text(text) => Some(text),
            Cell::Null | Cell::Integer(_) => None,
        }
    }

    /// The number in a column.
    pub fn number(&self, column: &str) -> Option<i64> {
        match self.cell(column)? {
            Cell::Integer(number) => Some(*number),
            Cell::Null | Cell::Text(_) => None,
        }
    }
}

/// The columns of a record, without what is secret.
pub(crate) fn cells(record: &Record) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let perhaps = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()));
    let nothing = BTreeSet::new();
    let own = record.decision_metadata.as_ref();
    vec![
        text(record.kind.as_str()),
        Cell::Text(record.decision_id.to_string()),
        Cell::Integer(record.timestamp.as_nanos()),
        text(&record.policy_id),
        text(&record.function),
        text(record.decision.as_str()),
        text(record.action.as_str()),
        text(&record.reason),
        Cell::Integer(i64::from(record.runs)),
        perhaps(record.limit.as_deref()),
        perhaps(record.user_id.as_deref()),
        perhaps(record.confirmed_by.as_deref()),
        Cell::Text(hide::members(&record.context, &record.secrets)),
        Cell::Text(hide::members(&record.metadata, &record.secrets)),
        own.map_or(Cell::Null, |json| Cell::Text(hide::one(json, &nothing))),
        Cell::Integer(i64::try_from(record.duration.as_micros()).unwrap_or(i64::MAX)),
        perhaps(record.engine),
        perhaps(record.module_digest.as_deref()),
        record
            .data_revision
            .map_or(Cell::Null, |revision| Cell::Integer(i64::try_from(revision.0).unwrap_or(i64::MAX))),
    ]
}

/// SHA-256 over the version, the sequence, the hash before and each column: a byte for its type, and then the number, or
/// the text with its length before it, so that no two lists of columns have the same bytes. Numbers are 64 bits, the least
/// first.
pub(crate) fn hash(version: i64, sequence: i64, before: &[u8], cells: &[Cell]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"hexarch-audit");
    digest.update(version.to_le_bytes());
    digest.update(sequence.to_le_bytes());
    digest.update((before.len() as u64).to_le_bytes());
    digest.update(before);
    digest.update((cells.len() as u64).to_le_bytes());
    for cell in cells {
        match cell {
            Cell::Null => digest.update([0]),
            Cell::Integer(number) => {
                digest.update([1]);
                digest.update(number.to_le_bytes());
            }
            Cell::Text(text) => {
                digest.update([2]);
                digest.update((text.len() as u64).to_le_bytes());
                digest.update(text);
            }
        }
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_columns_have_one_hash() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let lists = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text("abc")],
            vec![text("ab"), text("c"), Cell::Null],
            vec![text("ab"), Cell::Null, text("c")],
            vec![Cell::Integer(0)],
            vec![text("")],
            vec![Cell::Null],
            vec![],
        ];
        let mut hashes: Vec<_> = lists.iter().map(|cells| hash(1, 1, &ORIGIN, cells)).collect();
        hashes.push(hash(2, 1, &ORIGIN, &[]));
        hashes.push(hash(1, 2, &ORIGIN, &[]));
        hashes.push(hash(1, 1, &[1; 32], &[]));
        let different: BTreeSet<_> = hashes.iter().collect();
        assert_eq!(different.len(), hashes.len());
    }
}
