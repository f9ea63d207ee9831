//! The rows of one transaction.

use std::sync::Arc;

use guard_core::{
    CellChange, CellFilter, CellId, CellPath, Changes, Quantity, ReservationId, Revision, Snapshot,
    StateError, Timestamp, Unusable,
};
use rusqlite::{Connection, OptionalExtension, Params, Row, Statement, params};

use crate::books::{Reservation, Rows};
use crate::cell::Cell;
use crate::coded::{
    Garbled, charges_of, charges_text, closed_code, closed_of, kind_code, kind_of, meter_code, meter_of,
};
use crate::sqlite::errors::told;
use crate::sqlite::known::{Known, Written};

/// How many revisions are remembered at least: whoever follows from one of them is told what changed and what was dropped.
const REMEMBERED: i64 = 1 << 12;

const CELL: &str = "spent, reserved, open, warned, max, kind, ends, algorithm, span, meter";

/// The statements of the operations, prepared once for a connection.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    begin: Statement<'c>,
    commit: Statement<'c>,
    version: Statement<'c>,
    cell: Statement<'c>,
    put_cell: Statement<'c>,
    count: Statement<'c>,
    recount: Statement<'c>,
    log: Statement<'c>,
    reservation: Statement<'c>,
    put_reservation: Statement<'c>,
    overdue: Statement<'c>,
    ended: Statement<'c>,
    drop_cell: Statement<'c>,
    dropped: Statement<'c>,
    forget: Statement<'c>,
    clock: Statement<'c>,
    set_clock: Statement<'c>,
    trim_log: Statement<'c>,
    trim_drops: Statement<'c>,
}

impl<'c> Statements<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            version: connection.prepare("PRAGMA data_version")?,
            cell: connection.prepare(&format!(
                "SELECT number, {CELL} FROM cells WHERE limit_name = ?1 AND key = ?2 AND window = ?3"
            ))?,
            put_cell: connection.prepare(
                "INSERT INTO cells (limit_name, key, window, spent, reserved, open, warned, max, kind, ends,
                   algorithm, span, meter)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 ON CONFLICT DO UPDATE SET spent = ?4, reserved = ?5, open = ?6, warned = ?7, max = ?8,
                   ends = ?10, meter = ?13
                 RETURNING number",
            )?,
            count: connection.prepare(
                "UPDATE cells SET spent = ?2, reserved = ?3, warned = ?4, max = ?5, meter = ?6
                 WHERE number = ?1",
            )?,
            recount: connection.prepare(
                "UPDATE cells SET spent = ?2, reserved = ?3, warned = ?4, max = ?5, meter = ?6, open = ?7,
                   ends = ?8
                 WHERE number = ?1",
            )?,
            log: connection.prepare("INSERT INTO changes VALUES (?1, ?2)")?,
            reservation: connection.prepare(
                "SELECT digest, lease_ends, closed, ended, charges FROM reservations WHERE id = ?1",
            )?,
            put_reservation: connection
                .prepare("INSERT OR REPLACE INTO reservations VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            overdue: connection.prepare(
                "SELECT id FROM reservations WHERE closed = 0 AND lease_ends <= ?1
                 ORDER BY lease_ends LIMIT ?2",
            )?,
            ended: connection.prepare(
                "SELECT number, limit_name, key, window FROM cells
                 WHERE ends IS NOT NULL AND open = 0 AND ends <= ?1",
            )?,
            drop_cell: connection.prepare("DELETE FROM cells WHERE number = ?1")?,
            dropped: connection.prepare("INSERT INTO drops VALUES (?1, ?2, ?3, ?4)")?,
            forget: connection.prepare("DELETE FROM reservations WHERE closed <> 0 AND ended <= ?1")?,
            clock: connection.prepare("SELECT latest, revision, followable FROM clock")?,
            set_clock: connection.prepare("UPDATE clock SET latest = ?1, revision = ?2, followable = ?3")?,
            trim_log: connection.prepare("DELETE FROM changes WHERE revision <= ?1")?,
            trim_drops: connection.prepare("DELETE FROM drops WHERE revision <= ?1")?,
        })
    }
}

impl Statements<'_> {
    /// Writes a cell, into its row where that is known: then an index is touched only when what it holds has changed.
    fn write(&mut self, id: &CellId, cell: &Cell, written: Option<Written>) -> rusqlite::Result<Written> {
        let Cell { spent, reserved, open, warned, max, kind, ends, meter } = cell;
        let (algorithm, span, meter) = meter_code(meter);
        let at = ends.map(Timestamp::as_nanos);
        let row = |number| Written { number, open: *open, ends: *ends };
        let Some(Written { number, open: before, ends: ended }) = written else {
            let (id, kind) = ([&id.limit, &id.key, &id.window], kind_code(*kind));
            let [limit, key, window] = id;
            let put = params![
                limit, key, window, spent, reserved, open, warned, max, kind, at, algorithm, span, meter
            ];
            return self.put_cell.query_row(put, |found| Ok(row(found.get(0)?)));
        };
        let found = if (before, ended) == (*open, *ends) {
            self.count.execute(params![number, spent, reserved, warned, max, meter])?
        } else {
            self.recount.execute(params![number, spent, reserved, warned, max, meter, open, at])?
        };
        if found == 1 { Ok(row(number)) } else { Err(rusqlite::Error::QueryReturnedNoRows) }
    }
}

/// A transaction. Cells are read from the file once and written to it once, however many operations share it; what one
/// transaction knew of them the next one knows too, unless somebody else has written in between.
pub(super) struct Transaction<'s, 'c> {
    statements: &'s mut Statements<'c>,
    known: &'s mut Known,
    store: Arc<str>,
    replica: Arc<str>,
    latest: i64,
    revision: i64,
    followable: i64,
    before: i64,
    committed: bool,
    /// Whether SQLite has failed: then nothing of the transaction is kept.
    pub(super) failed: Option<StateError>,
}

impl<'s, 'c> Transaction<'s, 'c> {
    /// Begins; `now` becomes the store's time unless that is later already.
    pub(super) fn begin(
        statements: &'s mut Statements<'c>,
        known: &'s mut Known,
        store: &Arc<str>,
        replica: &Arc<str>,
        now: Timestamp,
    ) -> Result<Self, StateError> {
        let failed = |error| told(store, &error);
        statements.begin.execute([]).map_err(failed)?;
        let (store, replica) = (Arc::clone(store), Arc::clone(replica));
        let (latest, committed) = (now.as_nanos(), false);
        let (revision, followable, before) = (0, 0, 0);
        let mut begun = Self {
            statements,
            known,
            store,
            replica,
            latest,
            revision,
            followable,
            before,
            committed,
            failed: None,
        };
        begun.read_clock()?;
        Ok(begun)
    }

    fn read_clock(&mut self) -> Result<(), StateError> {
        let version = self.statements.version.query_row([], |row| row.get(0));
        let version = self.tell(version)?;
        // INVARIANT: nobody else writes from here to the end of the transaction.
        self.known.at(version);
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let clock = self.statements.clock.query_row([], read);
        let (latest, revision, followable): (i64, i64, i64) = self.tell(clock)?;
        self.latest = self.latest.max(latest);
        (self.revision, self.followable, self.before) = (revision, followable, revision);
        Ok(())
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.latest)
    }

    /// Makes it durable.
    pub(super) fn commit(mut self) -> Result<Revision, StateError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        self.write_down()?;
        // A time that nothing happened at need not be remembered: it would cost a sync.
        if self.revision != self.before {
            self.trim()?;
            let clock = params![self.latest, self.revision, self.followable];
            let set = self.statements.set_clock.execute(clock);
            self.tell(set)?;
        }
        let committed = self.statements.commit.execute([]);
        self.tell(committed)?;
        self.committed = true;
        Ok(Revision(u64::try_from(self.revision).unwrap_or_default()))
    }

    /// Forgets what changed long ago, many revisions at a time.
    fn trim(&mut self) -> Result<(), StateError> {
        let oldest = self.revision.saturating_sub(REMEMBERED);
        if oldest / REMEMBERED > self.followable / REMEMBERED {
            let trimmed = self.statements.trim_log.execute([oldest]);
            self.tell(trimmed)?;
            let trimmed = self.statements.trim_drops.execute([oldest]);
            self.tell(trimmed)?;
            self.followable = oldest;
        }
        Ok(())
    }

    fn tell<T>(&mut self, result: rusqlite::Result<T>) -> Result<T, StateError> {
        result.map_err(|error| {
            let error = told(&self.store, &error);
            self.failed = Some(error.clone());
            error
        })
    }

    fn understood<T>(&mut self, read: Result<T, Garbled>) -> Result<T, StateError> {
        read.map_err(|detail| {
            let detail = format!("it holds what was never written: {detail}; restore it from a back-up");
            let error = StateError::from(Unusable { store: self.store.to_string(), detail });
            self.failed = Some(error.clone());
            error
        })
    }

    fn next_revision(&mut self) -> i64 {
        self.revision += 1;
        self.revision
    }

    /// Writes the cells that have changed to the file, and which they are.
    fn write_down(&mut self) -> Result<(), StateError> {
        if self.known.is_written() {
            return Ok(());
        }
        let mut numbers = Vec::new();
        while let Some((id, cell, written)) = self.known.next_changed() {
            let put = self.statements.write(&id, cell, *written).map(|put| *written = Some(put));
            numbers.extend(written.map(|written| written.number));
            self.tell(put)?;
        }
        // Integers are in a list as JSON has them.
        let logged = self.statements.log.execute(params![self.revision, format!("{numbers:?}")]);
        self.tell(logged).map(|_| ())
    }

    /// Forgets cells when too many are known.
    fn make_room(&mut self) -> Result<(), StateError> {
        if self.known.is_full() {
            self.write_down()?;
            self.known.forget();
        }
        Ok(())
    }

    fn path(&self, limit: String, key: String, window: String) -> CellPath {
        let cell = Arc::new(CellId { limit, key, window });
        CellPath { cell, replica: Arc::clone(&self.replica) }
    }

    /// All cells.
    pub(super) fn snapshot(&mut self) -> Result<Snapshot, StateError> {
        let query = "SELECT limit_name, key, window, spent + reserved FROM cells
             ORDER BY limit_name, key, window";
        let cells = self.totals(query, [])?;
        Ok(Snapshot { revision: self.revision()?, cells })
    }

    fn totals(
        &mut self,
        query: &str,
        parameters: impl Params,
    ) -> Result<Vec<(CellPath, Quantity)>, StateError> {
        self.write_down()?;
        let rows = self.statements.connection.prepare(query).and_then(|mut statement| {
            let rows = statement
                .query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            rows.collect::<rusqlite::Result<Vec<(String, String, String, i64)>>>()
        });
        let each = self.tell(rows)?.into_iter();
        let each =
            each.map(|(limit, key, window, used)| (self.path(limit, key, window), Quantity::new(used)));
        Ok(each.collect())
    }

    /// What changed after a revision.
    pub(super) fn changes_since(&mut self, revision: Revision) -> Result<Changes, StateError> {
        let after = i64::try_from(revision.0).unwrap_or(i64::MAX);
        if after < self.followable || after > self.revision {
            return Ok(Changes::All(self.snapshot()?));
        }
        let query = "SELECT limit_name, key, window, spent + reserved FROM cells WHERE number IN (
               SELECT each.value FROM changes, json_each(changes.cells) AS each WHERE changes.revision > ?1)
             ORDER BY limit_name, key, window";
        let changed = self.totals(query, [after])?;
        let mut cells: Vec<CellChange> =
            changed.into_iter().map(|(path, used)| CellChange { path, value: Some(used) }).collect();
        // Of a cell that has been opened again since, its newer change tells what it holds.
        let query = "SELECT limit_name, key, window FROM drops WHERE revision > ?1 AND NOT EXISTS (
               SELECT 1 FROM cells WHERE cells.limit_name = drops.limit_name AND cells.key = drops.key
               AND cells.window = drops.window)";
        let rows = self.statements.connection.prepare(query).and_then(|mut statement| {
            let rows = statement.query_map([after], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<rusqlite::Result<Vec<(String, String, String)>>>()
        });
        for (limit, key, window) in self.tell(rows)? {
            cells.push(CellChange { path: self.path(limit, key, window), value: None });
        }
        Ok(Changes::Cells { revision: self.revision()?, cells })
    }

    fn drop_ended(&mut self, now: Timestamp) -> Result<(), StateError> {
        self.write_down()?;
        let ended = self.statements.ended.query_map([now.as_nanos()], |row| {
            Ok((row.get(0)?, CellId { limit: row.get(1)?, key: row.get(2)?, window: row.get(3)? }))
        });
        let ended = ended.and_then(|rows| rows.collect::<rusqlite::Result<Vec<(i64, CellId)>>>());
        for (number, id) in self.tell(ended)? {
            let dropped = self.statements.drop_cell.execute([number]);
            self.tell(dropped)?;
            self.known.dropped(&id);
            let revision = self.next_revision();
            let noted = self.statements.dropped.execute(params![revision, id.limit, id.key, id.window]);
            self.tell(noted)?;
        }
        Ok(())
    }
}

impl Drop for Transaction<'_, '_> {
    fn drop(&mut self) {
        if !self.committed {
            self.known.forget();
        }
        if !self.statements.connection.is_autocommit() {
            // What cannot be rolled back now is when the file is opened next.
            let _ = self.statements.connection.execute_batch("ROLLBACK");
        }
    }
}

/// The columns of [`CELL`] from `first` on.
type Columns = (i64, i64, u32, i64, i64, i64, Option<i64>, i64, i64, String);

fn columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Columns> {
    let at = |column: usize| first + column;
    Ok((
        row.get(at(0))?,
        row.get(at(1))?,
        row.get(at(2))?,
        row.get(at(3))?,
        row.get(at(4))?,
        row.get(at(5))?,
        row.get(at(6))?,
        row.get(at(7))?,
        row.get(at(8))?,
        row.get(at(9))?,
    ))
}

fn cell_of(columns: Columns) -> Result<Cell, Garbled> {
    let (spent, reserved, open, warned, max, kind, ends, algorithm, span, meter) = columns;
    let (kind, meter) = (kind_of(kind)?, meter_of(algorithm, span, &meter)?);
    Ok(Cell { spent, reserved, open, warned, max, kind, ends: ends.map(Timestamp::from_nanos), meter })
}

impl Rows for Transaction<'_, '_> {
    fn cell(&mut self, id: &Arc<CellId>) -> Result<Option<Cell>, StateError> {
        if let Some(cell) = self.known.cell(id) {
            return Ok(cell.clone());
        }
        self.make_room()?;
        let name = params![id.limit, id.key, id.window];
        let row = self.statements.cell.query_row(name, |row| Ok((row.get(0)?, columns(row, 1)?))).optional();
        let row = self.tell(row)?;
        let read = row.map(|(number, columns)| {
            let cell = cell_of(columns)?;
            Ok((Written { number, open: cell.open, ends: cell.ends }, cell))
        });
        let read = self.understood(read.transpose())?;
        let cell = read.as_ref().map(|(_, cell)| cell.clone());
        self.known.read(id, read);
        Ok(cell)
    }

    fn put_cell(&mut self, id: &Arc<CellId>, cell: Cell) -> Result<(), StateError> {
        self.make_room()?;
        self.next_revision();
        self.known.put(id, cell);
        Ok(())
    }

    fn cells(&mut self, filter: &CellFilter) -> Result<Vec<(Arc<CellId>, Cell)>, StateError> {
        self.write_down()?;
        let query = format!(
            "SELECT limit_name, key, window, {CELL} FROM cells
             WHERE (?1 IS NULL OR limit_name = ?1) AND (?2 IS NULL OR key = ?2)
             AND (?3 IS NULL OR window = ?3)"
        );
        let rows = self.statements.connection.prepare(&query).and_then(|mut statement| {
            let wanted = params![filter.limit, filter.key, filter.window];
            let rows = statement.query_map(wanted, |row| {
                let id = CellId { limit: row.get(0)?, key: row.get(1)?, window: row.get(2)? };
                Ok((Arc::new(id), columns(row, 3)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        let rows = self.tell(rows)?;
        let cells = rows.into_iter().map(|(id, columns)| Ok((id, cell_of(columns)?))).collect();
        self.understood(cells)
    }

    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>, StateError> {
        let row = self.statements.reservation.query_row([id.0.to_be_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        });
        let row: Option<(i64, i64, i64, i64, String)> = self.tell(row.optional())?;
        let read = row.map(|(digest, lease_ends, closed, ended, charges)| {
            Ok(Reservation {
                charges: charges_of(&charges)?.into(),
                digest: digest.cast_unsigned(),
                lease_ends: Timestamp::from_nanos(lease_ends),
                closed: closed_of(closed)?,
                ended: Timestamp::from_nanos(ended),
            })
        });
        self.understood(read.transpose())
    }

    fn put_reservation(&mut self, id: ReservationId, reservation: Reservation) -> Result<(), StateError> {
        let put = self.statements.put_reservation.execute(params![
            id.0.to_be_bytes(),
            reservation.digest.cast_signed(),
            reservation.lease_ends.as_nanos(),
            reservation.closed.map_or(0, closed_code),
            reservation.ended.as_nanos(),
            charges_text(&reservation.charges)
        ]);
        self.tell(put).map(|_| ())
    }

    fn overdue(&mut self, now: Timestamp, most: usize) -> Result<Vec<ReservationId>, StateError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = self.statements.overdue.query_map(params![now.as_nanos(), most], |row| {
            Ok(ReservationId(u128::from_be_bytes(row.get(0)?)))
        });
        let rows = rows.and_then(|rows| rows.collect::<rusqlite::Result<Vec<_>>>());
        self.tell(rows)
    }

    fn sweep(&mut self, now: Timestamp, forget: Timestamp) -> Result<(), StateError> {
        self.drop_ended(now)?;
        let forgotten = self.statements.forget.execute([forget.as_nanos()]);
        self.tell(forgotten).map(|_| ())
    }

    fn revision(&mut self) -> Result<Revision, StateError> {
        Ok(Revision(u64::try_from(self.revision).unwrap_or_default()))
    }

    fn replica(&self) -> Arc<str> {
        Arc::clone(&self.replica)
    }
}
