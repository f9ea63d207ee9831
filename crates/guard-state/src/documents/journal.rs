//! A replica's own copy of what it holds, and of what it last saw of the others: a SQLite file, or nothing.
//!
//! The file belongs to one process at a time, which holds it locked: two processes under one name would each take back
//! what the other publishes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use guard_core::{ReservationId, StateError, Timestamp, Unusable};
use rusqlite::{Connection, Transaction, params};

use crate::books::Reservation;
use crate::coded::{Garbled, charges_of, charges_text, closed_code, closed_of};
use crate::documents::doc::{Doc, name_of};
use crate::documents::own::Own;
use crate::sqlite::errors::told;

/// `HXGR`, by which SQLite's header tells our files from others'.
const APPLICATION: i64 = 0x4858_4752;
const VERSION: i64 = 1;

const NOTE: i64 = 0;
const CELL: i64 = 1;
const RESERVATION: i64 = 2;
const PEER: i64 = 3;

/// What was last seen of the other replicas: the cells of each, by their names.
pub(super) type Peers = BTreeMap<String, BTreeMap<String, Doc>>;

/// The file.
pub(super) struct Journal {
    connection: Connection,
    store: Arc<str>,
}

/// What the file held.
pub(super) struct Kept {
    pub(super) own: Own,
    pub(super) peers: Peers,
    pub(super) incarnation: Option<String>,
    pub(super) latest: Timestamp,
}

impl Journal {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, StateError> {
        let store: Arc<str> = path.display().to_string().into();
        let failed = |error: rusqlite::Error| told(&store, &error);
        let connection = Connection::open(path).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA busy_timeout = 2000; PRAGMA trusted_schema = OFF; PRAGMA locking_mode = EXCLUSIVE;",
            )
            .map_err(failed)?;
        let number = |name: &str| {
            connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).map_err(failed)
        };
        let (owner, version) = (number("application_id")?, number("user_version")?);
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(failed)?;
        let unusable = |detail: String| Unusable { store: store.to_string(), detail };
        if owner != APPLICATION && (owner != 0 || tables != 0) {
            return Err(unusable("it is a database of another kind than a replica's copy".to_owned()).into());
        }
        if version > VERSION {
            let detail = format!("it is of version {version}, and this program knows version {VERSION}");
            return Err(unusable(detail).into());
        }
        let script = format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS kept (
                 kind INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, name)
             ) STRICT, WITHOUT ROWID;
             PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};
             COMMIT;"
        );
        connection.execute_batch(&script).map_err(failed)?;
        let report: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if report != "ok" {
            return Err(unusable(format!("it is damaged ({report}); restore it from a back-up")).into());
        }
        Ok(Self { connection, store })
    }

    /// What is in the file; a new replica of this name when it is empty.
    pub(super) fn read(&self, fresh: &str) -> Result<Kept, StateError> {
        let rows = self.rows().map_err(|error| told(&self.store, &error))?;
        let garbled = |detail: Garbled| {
            StateError::from(Unusable {
                store: self.store.to_string(),
                detail: format!("it is damaged: {detail}"),
            })
        };
        let mut kept = Kept {
            own: Own::new(fresh),
            peers: Peers::new(),
            incarnation: None,
            latest: Timestamp::from_nanos(i64::MIN),
        };
        for (kind, name, value) in rows {
            take_in(&mut kept, kind, &name, &value).map_err(garbled)?;
        }
        // What is reserved is said by the reservations.
        let open: Vec<_> =
            kept.own.reservations.values().filter(|one| one.closed.is_none()).cloned().collect();
        for charge in open.iter().flat_map(|reservation| reservation.charges.iter()) {
            if let Some(cell) = kept.own.cells.get_mut(&charge.cell) {
                cell.open = cell.open.saturating_add(1);
                if charge.kind != guard_core::ChargeKind::Rate {
                    cell.reserved = cell.reserved.saturating_add(charge.amount.units());
                }
            }
        }
        Ok(kept)
    }

    fn rows(&self) -> rusqlite::Result<Vec<(i64, String, String)>> {
        let mut statement = self.connection.prepare("SELECT kind, name, value FROM kept ORDER BY kind")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    }

    /// Writes what has changed, durably.
    pub(super) fn keep(
        &mut self,
        own: &Own,
        peers: &[(String, String, Option<Doc>)],
        incarnation: Option<&str>,
        latest: Timestamp,
    ) -> Result<(), StateError> {
        let store = Arc::clone(&self.store);
        let mut work = || {
            let transaction = self.connection.transaction()?;
            put(&transaction, NOTE, "replica", Some(own.replica.to_string()))?;
            put(&transaction, NOTE, "incarnation", incarnation.map(str::to_owned))?;
            put(&transaction, NOTE, "latest", Some(latest.as_nanos().to_string()))?;
            for id in &own.changed_cells {
                let doc = own.cells.get(id).map(|cell| Doc::of(id, cell, Vec::new()));
                put(&transaction, CELL, &name_of(id), doc.as_ref().map(text))?;
            }
            for id in &own.changed_reservations {
                let value = own.reservations.get(id).map(reservation_text);
                put(&transaction, RESERVATION, &id.0.to_string(), value)?;
            }
            for (subtree, name, doc) in peers {
                put(&transaction, PEER, &format!("{subtree}/{name}"), doc.as_ref().map(text))?;
            }
            transaction.commit()
        };
        work().map_err(|error: rusqlite::Error| told(&store, &error))
    }
}

/// A document's text. What it is made of is always JSON.
pub(super) fn text(doc: &Doc) -> String {
    serde_json::to_string(doc).unwrap_or_default()
}

fn put(transaction: &Transaction<'_>, kind: i64, name: &str, value: Option<String>) -> rusqlite::Result<()> {
    match value {
        Some(value) => transaction
            .prepare("INSERT OR REPLACE INTO kept VALUES (?1, ?2, ?3)")?
            .execute(params![kind, name, value])?,
        None => transaction
            .prepare("DELETE FROM kept WHERE kind = ?1 AND name = ?2")?
            .execute(params![kind, name])?,
    };
    Ok(())
}

/// Digest, end of the lease, how it ended, when, and the charges.
type Written = (u64, i64, i64, i64, String);

fn reservation_text(reservation: &Reservation) -> String {
    let written: Written = (
        reservation.digest,
        reservation.lease_ends.as_nanos(),
        reservation.closed.map_or(0, closed_code),
        reservation.ended.as_nanos(),
        charges_text(&reservation.charges),
    );
    serde_json::to_string(&written).unwrap_or_default()
}

fn take_in(kept: &mut Kept, kind: i64, name: &str, value: &str) -> Result<(), Garbled> {
    let wrong = |error: serde_json::Error| format!("`{name}`: {error}");
    match (kind, name) {
        (NOTE, "replica") => kept.own.replica = value.into(),
        (NOTE, "incarnation") => kept.incarnation = Some(value.to_owned()),
        (NOTE, "latest") => {
            let latest = value.parse().map_err(|_| format!("`{value}` is no time"))?;
            kept.latest = Timestamp::from_nanos(latest);
        }
        (CELL, _) => {
            let doc: Doc = serde_json::from_str(value).map_err(wrong)?;
            // As it was written: what no longer counts is let go when it is next used.
            let cell = doc.cell(Timestamp::from_nanos(i64::MIN))?;
            kept.own.cells.insert(doc.id(), cell);
        }
        (RESERVATION, _) => {
            let id = name.parse().map_err(|_| format!("`{name}` is no reservation"))?;
            let (digest, lease_ends, closed, ended, charges): Written =
                serde_json::from_str(value).map_err(wrong)?;
            let reservation = Reservation {
                charges: charges_of(&charges)?.into(),
                digest,
                lease_ends: Timestamp::from_nanos(lease_ends),
                closed: closed_of(closed)?,
                ended: Timestamp::from_nanos(ended),
            };
            kept.own.restore(ReservationId(id), reservation);
        }
        (PEER, _) => {
            let (subtree, cell) = name.split_once('/').ok_or_else(|| format!("`{name}` is no cell"))?;
            let doc = serde_json::from_str(value).map_err(wrong)?;
            kept.peers.entry(subtree.to_owned()).or_default().insert(cell.to_owned(), doc);
        }
        _ => {}
    }
    Ok(())
}
