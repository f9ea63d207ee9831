//! The rows of one transaction.

use std::sync::Arc;

use guard_core::{
    CellChange, CellFilter, CellId, CellPath, Changes, Quantity, ReservationId, Revision, Snapshot,
    StateError, Timestamp, Unusable,
};
use postgres::types::ToSql;
use postgres::{Client, Row, Statement};

use crate::books::{Reservation, Rows};
use crate::cell::Cell;
use crate::coded::{
    Garbled, charges_of, charges_text, closed_code, closed_of, kind_code, kind_of, meter_code, meter_of,
};

/// How many dropped cells are remembered, so that evaluators can be told to drop them too.
const REMEMBERED_DROPS: i64 = 1 << 12;

/// Ended reservations are forgotten once in so many changes.
const FORGET_EVERY: i64 = 256;

const CELL: &str = "spent, reserved, open, warned, max, kind, ends, algorithm, span, meter";

/// A connection and its prepared statements.
pub(super) struct Connected {
    client: Client,
    clock: Statement,
    set_clock: Statement,
    cell: Statement,
    put_cell: Statement,
    reservation: Statement,
    put_reservation: Statement,
    overdue: Statement,
    drop_ended: Statement,
    dropped: Statement,
    forget: Statement,
    totals: Statement,
    drops: Statement,
    trim_drops: Statement,
}

impl Connected {
    pub(super) fn new(mut client: Client) -> Result<Self, postgres::Error> {
        let mut prepare = |text: &str| client.prepare(text);
        Ok(Self {
            // The row's lock is the transaction's turn: nobody else reads or writes meanwhile.
            clock: prepare(
                "SELECT latest, revision, followable,
                   (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
                   (SELECT min(lease_ends) FROM reservations WHERE closed = 0),
                   (SELECT min(ends) FROM cells WHERE open = 0)
                 FROM clock FOR UPDATE OF clock",
            )?,
            set_clock: prepare("UPDATE clock SET latest = $1, revision = $2, followable = $3")?,
            cell: prepare(&format!("SELECT {CELL} FROM cells WHERE id = $1"))?,
            put_cell: prepare(
                "INSERT INTO cells VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                 ON CONFLICT (id) DO UPDATE SET spent = $5, reserved = $6, open = $7, warned = $8, max = $9,
                   ends = $11, meter = $14, changed = $15",
            )?,
            reservation: prepare(
                "SELECT digest, lease_ends, closed, ended, charges FROM reservations WHERE id = $1",
            )?,
            put_reservation: prepare(
                "INSERT INTO reservations VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE
                 SET digest = $2, lease_ends = $3, closed = $4, ended = $5, charges = $6",
            )?,
            overdue: prepare(
                "SELECT id FROM reservations WHERE closed = 0 AND lease_ends <= $1
                 ORDER BY lease_ends LIMIT $2",
            )?,
            drop_ended: prepare(
                "DELETE FROM cells WHERE open = 0 AND ends <= $1 RETURNING id, limit_name, key, window_name",
            )?,
            dropped: prepare("INSERT INTO drops VALUES ($1, $2, $3, $4, $5)")?,
            forget: prepare("DELETE FROM reservations WHERE closed <> 0 AND ended <= $1")?,
            totals: prepare(
                "SELECT changed, limit_name, key, window_name, spent + reserved FROM cells WHERE changed > $1
                 ORDER BY limit_name, key, window_name",
            )?,
            drops: prepare(
                "SELECT revision, limit_name, key, window_name FROM drops WHERE revision > $1
                 AND NOT EXISTS (SELECT 1 FROM cells WHERE cells.id = drops.id)",
            )?,
            trim_drops: prepare("DELETE FROM drops WHERE revision <= $1")?,
            client,
        })
    }
}

/// Why a transaction was not made.
pub(super) enum Failed {
    /// The server, or the connection.
    Database(postgres::Error),
    /// The operation, or what is stored.
    Told(StateError),
}

/// A transaction. It is rolled back by the server unless it is committed.
pub(super) struct Turn<'c> {
    connected: &'c mut Connected,
    store: Arc<str>,
    replica: Arc<str>,
    latest: i64,
    revision: i64,
    followable: i64,
    before: i64,
    /// The first lease's end, and the first window's.
    due: (Option<i64>, Option<i64>),
    pub(super) failed: Option<Failed>,
}

impl<'c> Turn<'c> {
    /// Waits for its turn; the time is the given one or the server's.
    pub(super) fn begin(
        connected: &'c mut Connected,
        store: &Arc<str>,
        replica: &Arc<str>,
        given: Option<Timestamp>,
    ) -> Result<Self, postgres::Error> {
        connected.client.batch_execute("BEGIN")?;
        let row = connected.client.query_one(&connected.clock, &[])?;
        let (latest, revision, followable): (i64, i64, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let server: i64 = row.try_get(3)?;
        let due = (row.try_get(4)?, row.try_get(5)?);
        let now = given.map_or(server.saturating_mul(1_000), Timestamp::as_nanos);
        let (store, replica) = (Arc::clone(store), Arc::clone(replica));
        let latest = latest.max(now);
        Ok(Self {
            connected,
            store,
            replica,
            latest,
            revision,
            followable,
            before: revision,
            due,
            failed: None,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.latest)
    }

    pub(super) fn commit(mut self) -> Result<Revision, Failed> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let commit = |turn: &mut Self| -> Result<(), postgres::Error> {
            if turn.revision != turn.before {
                let oldest = turn.revision.saturating_sub(REMEMBERED_DROPS);
                if oldest / REMEMBERED_DROPS > turn.followable / REMEMBERED_DROPS {
                    turn.connected.client.execute(&turn.connected.trim_drops, &[&oldest])?;
                    turn.followable = oldest;
                }
                let clock: [&(dyn ToSql + Sync); 3] = [&turn.latest, &turn.revision, &turn.followable];
                turn.connected.client.execute(&turn.connected.set_clock, &clock)?;
            }
            turn.connected.client.batch_execute("COMMIT")
        };
        commit(&mut self).map_err(Failed::Database)?;
        Ok(Revision(self.revision.unsigned_abs()))
    }

    pub(super) fn roll_back(self) -> Result<(), postgres::Error> {
        self.connected.client.batch_execute("ROLLBACK")
    }

    /// Keeps what failed for the end; what the operation is told meanwhile is heard by nobody.
    fn tell<T>(&mut self, result: Result<T, postgres::Error>) -> Result<T, StateError> {
        result.map_err(|error| {
            let told = super::told(&self.store, &error);
            self.failed = Some(Failed::Database(error));
            told
        })
    }

    fn understood<T>(&mut self, read: Result<T, Garbled>) -> Result<T, StateError> {
        read.map_err(|detail| {
            let detail = format!("it holds what was never written: {detail}");
            let error = StateError::from(Unusable { store: self.store.to_string(), detail });
            self.failed = Some(Failed::Told(error.clone()));
            error
        })
    }

    fn query(
        &mut self,
        which: fn(&Connected) -> &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StateError> {
        let statement = which(self.connected).clone();
        let rows = self.connected.client.query(&statement, parameters);
        self.tell(rows)
    }

    fn path(&self, cell: CellId) -> CellPath {
        CellPath { cell: Arc::new(cell), replica: Arc::clone(&self.replica) }
    }

    /// All cells.
    pub(super) fn snapshot(&mut self) -> Result<Snapshot, StateError> {
        let cells = self.totals(-1)?.into_iter().map(|(_, path, used)| (path, used)).collect();
        Ok(Snapshot { revision: self.revision()?, cells })
    }

    fn totals(&mut self, after: i64) -> Result<Vec<(i64, CellPath, Quantity)>, StateError> {
        let rows = self.query(|connected| &connected.totals, &[&after])?;
        let read = rows.iter().map(|row| Ok((number(row, 0)?, names(row, 1)?, number(row, 4)?)));
        let read = self.understood(read.collect::<Result<Vec<_>, Garbled>>())?;
        let path = |(changed, cell, used)| (changed, self.path(cell), Quantity::new(used));
        let mut totals: Vec<_> = read.into_iter().map(path).collect();
        totals.sort_unstable_by(|(_, one, _), (_, two, _)| one.cmp(two));
        Ok(totals)
    }

    /// What changed after a revision.
    pub(super) fn changes_since(&mut self, revision: Revision) -> Result<Changes, StateError> {
        let after = i64::try_from(revision.0).unwrap_or(i64::MAX);
        if after < self.followable || after > self.revision {
            return Ok(Changes::All(self.snapshot()?));
        }
        let mut found: Vec<(i64, CellChange)> = Vec::new();
        for (changed, path, used) in self.totals(after)? {
            found.push((changed, CellChange { path, value: Some(used) }));
        }
        let rows = self.query(|connected| &connected.drops, &[&after])?;
        let read = rows.iter().map(|row| Ok((number(row, 0)?, names(row, 1)?)));
        for (dropped, cell) in self.understood(read.collect::<Result<Vec<_>, Garbled>>())? {
            found.push((dropped, CellChange { path: self.path(cell), value: None }));
        }
        found.sort_unstable_by_key(|(changed, _)| *changed);
        let cells = found.into_iter().map(|(_, change)| change).collect();
        Ok(Changes::Cells { revision: self.revision()?, cells })
    }
}

/// The key of a cell's row. Names of any length and any characters are in the row as bytes: an index of PostgreSQL holds
/// a third of a page, and its texts no NUL.
fn row_key(id: &CellId) -> Vec<u8> {
    let scope = format!("{}:{}{}", id.limit.len(), id.limit, id.window);
    ReservationId::of_key(&scope, &id.key).0.to_be_bytes().to_vec()
}

fn number(row: &Row, column: usize) -> Result<i64, Garbled> {
    row.try_get(column).map_err(|error| error.to_string())
}

fn text(row: &Row, column: usize) -> Result<String, Garbled> {
    row.try_get(column).map_err(|error| error.to_string())
}

/// Limit, key and window from a column on.
fn names(row: &Row, first: usize) -> Result<CellId, Garbled> {
    let name = |column: usize| {
        let bytes: Vec<u8> = row.try_get(column).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|error| error.to_string())
    };
    Ok(CellId { limit: name(first)?, key: name(first + 1)?, window: name(first + 2)? })
}

fn cell_of(row: &Row, first: usize) -> Result<Cell, Garbled> {
    let at = |column: usize| number(row, first + column);
    let ends: Option<i64> = row.try_get(first + 6).map_err(|error| error.to_string())?;
    Ok(Cell {
        spent: at(0)?,
        reserved: at(1)?,
        open: u32::try_from(at(2)?).map_err(|error| error.to_string())?,
        warned: at(3)?,
        max: at(4)?,
        kind: kind_of(at(5)?)?,
        ends: ends.map(Timestamp::from_nanos),
        meter: meter_of(at(7)?, at(8)?, &text(row, first + 9)?)?,
    })
}

fn reservation_of(row: &Row) -> Result<Reservation, Garbled> {
    Ok(Reservation {
        charges: charges_of(&text(row, 4)?)?.into(),
        digest: number(row, 0)?.cast_unsigned(),
        lease_ends: Timestamp::from_nanos(number(row, 1)?),
        closed: closed_of(number(row, 2)?)?,
        ended: Timestamp::from_nanos(number(row, 3)?),
    })
}

impl Rows for Turn<'_> {
    fn cell(&mut self, id: &Arc<CellId>) -> Result<Option<Cell>, StateError> {
        let rows = self.query(|connected| &connected.cell, &[&row_key(id)])?;
        let cell = rows.first().map(|row| cell_of(row, 0)).transpose();
        self.understood(cell)
    }

    fn put_cell(&mut self, id: &Arc<CellId>, cell: Cell) -> Result<(), StateError> {
        self.revision += 1;
        let changed = self.revision;
        let (algorithm, span, meter) = meter_code(&cell.meter);
        let (key, kind) = (row_key(id), kind_code(cell.kind));
        let (open, ends) = (i64::from(cell.open), cell.ends.map(Timestamp::as_nanos));
        let (limit, name, window) = (id.limit.as_bytes(), id.key.as_bytes(), id.window.as_bytes());
        self.query(
            |connected| &connected.put_cell,
            &[
                &key,
                &limit,
                &name,
                &window,
                &cell.spent,
                &cell.reserved,
                &open,
                &cell.warned,
                &cell.max,
                &kind,
                &ends,
                &algorithm,
                &span,
                &meter,
                &changed,
            ],
        )
        .map(|_| ())
    }

    fn cells(&mut self, filter: &CellFilter) -> Result<Vec<(Arc<CellId>, Cell)>, StateError> {
        let query = format!("SELECT limit_name, key, window_name, {CELL} FROM cells");
        let rows = self.connected.client.query(&query, &[]);
        let rows = self.tell(rows)?;
        let read = rows.iter().map(|row| Ok((Arc::new(names(row, 0)?), cell_of(row, 3)?)));
        let cells = self.understood(read.collect::<Result<Vec<_>, Garbled>>())?;
        Ok(cells.into_iter().filter(|(id, _)| filter.fits(id)).collect())
    }

    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>, StateError> {
        let rows = self.query(|connected| &connected.reservation, &[&id.0.to_be_bytes().to_vec()])?;
        let read = rows.first().map(reservation_of).transpose();
        self.understood(read)
    }

    fn put_reservation(&mut self, id: ReservationId, reservation: Reservation) -> Result<(), StateError> {
        let (id, digest) = (id.0.to_be_bytes().to_vec(), reservation.digest.cast_signed());
        let (lease_ends, ended) = (reservation.lease_ends.as_nanos(), reservation.ended.as_nanos());
        let closed = reservation.closed.map_or(0, closed_code);
        let charges = charges_text(&reservation.charges);
        self.query(
            |connected| &connected.put_reservation,
            &[&id, &digest, &lease_ends, &closed, &ended, &charges],
        )
        .map(|_| ())
    }

    fn overdue(&mut self, now: Timestamp, most: usize) -> Result<Vec<ReservationId>, StateError> {
        if self.due.0.is_none_or(|first| first > now.as_nanos()) {
            return Ok(Vec::new());
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = self.query(|connected| &connected.overdue, &[&now.as_nanos(), &most])?;
        let id = |row: &Row| {
            let bytes: Vec<u8> = row.try_get(0).map_err(|error| error.to_string())?;
            let bytes = <[u8; 16]>::try_from(bytes).map_err(|_| "a reservation's name".to_owned())?;
            Ok(ReservationId(u128::from_be_bytes(bytes)))
        };
        let read = rows.iter().map(id).collect::<Result<Vec<_>, Garbled>>();
        self.understood(read)
    }

    fn sweep(&mut self, now: Timestamp, forget: Timestamp) -> Result<(), StateError> {
        // A lease that has just been returned may have been the last on a cell that ended.
        let returned = self.revision != self.before;
        if returned || self.due.1.is_some_and(|first| first <= now.as_nanos()) {
            let rows = self.query(|connected| &connected.drop_ended, &[&now.as_nanos()])?;
            for row in &rows {
                self.revision += 1;
                let revision = self.revision;
                let columns = (0..4).map(|column| row.try_get::<_, Vec<u8>>(column));
                let columns = self.tell(columns.collect::<Result<Vec<_>, _>>())?;
                if let [id, limit, key, window] = columns.as_slice() {
                    self.query(|connected| &connected.dropped, &[&revision, id, limit, key, window])?;
                }
            }
        }
        if self.revision % FORGET_EVERY == 0 {
            self.query(|connected| &connected.forget, &[&forget.as_nanos()])?;
        }
        Ok(())
    }

    fn revision(&mut self) -> Result<Revision, StateError> {
        Ok(Revision(self.revision.unsigned_abs()))
    }

    fn replica(&self) -> Arc<str> {
        Arc::clone(&self.replica)
    }
}
