//! What the scripts answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Algorithm, Batch, CellChange, CellId, CellPath, CellView, Changes, Charge, ChargeOutcome, Charged,
    Closed, Disagreement, Exceeded, KeyReused, Quantity, ReservationId, Revision, Settled, Snapshot,
    StateError, StateEvent, StoreOverflow, Timestamp, UnknownReservation, Unusable, Warning, WindowClosed,
};
use redis::Value;

use crate::coded::{closed_of, kind_of};
use crate::redis::keys;

/// An answer after what expired: a word, and what it says.
pub(super) struct Told {
    store: Arc<str>,
    word: String,
    rest: Vec<Value>,
}

fn text(value: Option<&Value>) -> Option<&str> {
    match value? {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

fn number(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Int(number) => Some(*number),
        other => text(Some(other))?.parse().ok(),
    }
}

fn list(value: Option<&Value>) -> Option<&[Value]> {
    match value? {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn quantity(value: Option<&Value>) -> Option<Quantity> {
    number(value).map(Quantity::new)
}

fn cell(value: Option<&Value>) -> Option<Arc<CellId>> {
    keys::cell_of(text(value)?).map(Arc::new)
}

fn expired(value: &Value) -> Option<StateEvent> {
    let [id, held @ ..] = list(Some(value))? else { return None };
    let reservation = ReservationId(u128_of(text(Some(id))?)?);
    let returned: Option<Vec<_>> =
        held.chunks(2).map(|pair| Some((cell(pair.first())?, quantity(pair.get(1))?))).collect();
    Some(StateEvent::LeaseExpired { reservation, returned: returned? })
}

/// A number of a script's, which has no fraction.
fn whole(float: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "what is not exact is refused")]
    let number = float as i64;
    #[expect(clippy::cast_precision_loss, reason = "the same")]
    let exact = number as f64 == float && number.unsigned_abs() <= 1 << 53;
    exact.then_some(number)
}

/// The number of a UUID's text.
fn u128_of(uuid: &str) -> Option<u128> {
    u128::from_str_radix(&uuid.replace('-', ""), 16).ok()
}

impl Told {
    /// What expired, and the answer.
    pub(super) fn of(value: Value, store: &Arc<str>) -> Result<(Vec<StateEvent>, Self), StateError> {
        let read = || {
            let items = match value {
                Value::Array(items) => items,
                Value::BulkString(packed) => return Some((Vec::new(), Self::charged_of(&packed, store)?)),
                _ => return None,
            };
            let mut items = items.into_iter();
            let expired: Option<Vec<_>> = list(items.next().as_ref())?.iter().map(expired).collect();
            let word = text(items.next().as_ref())?.to_owned();
            Some((expired?, Self { store: Arc::clone(store), word, rest: items.collect() }))
        };
        let (expired, told) = read().ok_or_else(|| garbled(store, "an answer without a word"))?;
        if told.word == "version" {
            return Err(told.other_version());
        }
        Ok((expired, told))
    }

    /// Of a charge with nothing else to tell: revision and totals.
    fn charged_of(packed: &[u8], store: &Arc<str>) -> Option<Self> {
        let (floats, []) = packed.as_chunks::<8>() else { return None };
        let mut numbers = floats.iter().map(|float| whole(f64::from_be_bytes(*float)).map(Value::Int));
        let revision = numbers.next()??;
        let totals = Value::Array(numbers.collect::<Option<_>>()?);
        let rest = vec![revision, totals, Value::Array(Vec::new())];
        Some(Self { store: Arc::clone(store), word: "charged".to_owned(), rest })
    }

    fn other_version(&self) -> StateError {
        let said = |position| text(self.at(position)).unwrap_or("?");
        let older = number(self.at(0)) < number(self.at(1));
        let program = if older { "the program that wrote them" } else { "a newer program" };
        let detail = format!(
            "its keys are of version {}, and this program knows {}; use {program}, or another namespace",
            said(0),
            said(1)
        );
        Unusable { store: self.store.to_string(), detail }.into()
    }

    fn at(&self, position: usize) -> Option<&Value> {
        self.rest.get(position)
    }

    fn garbled(&self) -> StateError {
        garbled(&self.store, &self.word)
    }

    pub(super) fn revision(&self) -> Option<Revision> {
        let known = matches!(self.word.as_str(), "revision" | "snapshot" | "changes" | "charged");
        let revision = number(self.at(0).filter(|_| known))?;
        Some(Revision(u64::try_from(revision).ok()?))
    }

    /// The charge that an answer is about; scripts count from one.
    fn charge<'b>(&self, batch: &'b Batch, value: Option<&Value>) -> Result<&'b Charge, StateError> {
        let position = number(value).and_then(|number| usize::try_from(number - 1).ok());
        position.and_then(|position| batch.charges.get(position)).ok_or_else(|| self.garbled())
    }

    pub(super) fn outcome(&self, batch: &Batch, replica: &Arc<str>) -> Result<ChargeOutcome, StateError> {
        match self.word.as_str() {
            "charged" => self.charged(batch, replica).map(ChargeOutcome::Charged),
            "exceeded" => self.exceeded(batch).map(ChargeOutcome::Exceeded),
            "reused" => Err(KeyReused { id: batch.reservation.to_string() }.into()),
            "closed" => {
                let CellId { limit, window, .. } = (*self.charge(batch, self.at(0))?.cell).clone();
                Err(WindowClosed { limit, window }.into())
            }
            "disagree" => {
                let CellId { limit, window, .. } = (*self.charge(batch, self.at(0))?.cell).clone();
                let on = text(self.at(1)).unwrap_or_default();
                let detail = format!("they differ in its {on}");
                Err(Disagreement { limit, window, detail }.into())
            }
            _ => Err(self.garbled()),
        }
    }

    fn charged(&self, batch: &Batch, replica: &Arc<str>) -> Result<Charged, StateError> {
        let read = || {
            let (totals, warned) = (list(self.at(1))?, list(self.at(2))?);
            let mut cells: Vec<(CellPath, Quantity)> = Vec::with_capacity(totals.len());
            for (charge, total) in batch.charges.iter().zip(totals) {
                let path = CellPath { cell: Arc::clone(&charge.cell), replica: Arc::clone(replica) };
                if let Some(total) = quantity(Some(total))
                    && !cells.iter().any(|(other, _)| *other == path)
                {
                    cells.push((path, total));
                }
            }
            let warnings = warned.chunks(2).map(|pair| {
                let charge = self.charge(batch, pair.first()).ok()?;
                let (cell, threshold) = (Arc::clone(&charge.cell), charge.warn_at?);
                Some(Warning { cell, threshold, used: quantity(pair.get(1))? })
            });
            let warnings = warnings.collect::<Option<Vec<_>>>()?;
            let snapshot = Snapshot { revision: self.revision()?, cells };
            Some(Charged { reservation: batch.reservation, snapshot, warnings })
        };
        read().ok_or_else(|| self.garbled())
    }

    fn exceeded(&self, batch: &Batch) -> Result<Exceeded, StateError> {
        let charge = self.charge(batch, self.at(0))?;
        Ok(Exceeded {
            cell: Arc::clone(&charge.cell),
            kind: charge.kind,
            max: charge.max,
            remaining: quantity(self.at(1)).ok_or_else(|| self.garbled())?,
            retry_after: number(self.at(2))
                .map(|wait| Duration::from_micros(u64::try_from(wait).unwrap_or(0))),
        })
    }

    pub(super) fn settled(&self, id: ReservationId) -> Result<Settled, StateError> {
        match self.word.as_str() {
            "unknown" => Err(UnknownReservation { id: id.to_string() }.into()),
            "overflow" => {
                Err(StoreOverflow { limit: text(self.at(0)).unwrap_or_default().to_owned() }.into())
            }
            "closed" => self.closed().ok_or_else(|| self.garbled()),
            _ => Err(self.garbled()),
        }
    }

    fn closed(&self) -> Option<Settled> {
        let before: Option<Closed> = closed_of(number(self.at(0))?).ok()?;
        let mut debt = BTreeMap::new();
        for pair in list(self.at(1))?.chunks(2) {
            let over = quantity(pair.get(1))?;
            let most = debt.entry(text(pair.first())?.to_owned()).or_insert(over);
            *most = over.max(*most);
        }
        Some(Settled { before, debt })
    }

    /// Names and totals, where a cell that is gone has none.
    fn totals(&self, replica: &Arc<str>) -> Result<Vec<CellChange>, StateError> {
        let read = || {
            let each = list(self.at(1))?.chunks(2).map(|pair| {
                let path = CellPath { cell: cell(pair.first())?, replica: Arc::clone(replica) };
                Some(CellChange { path, value: quantity(pair.get(1)) })
            });
            each.collect::<Option<Vec<_>>>()
        };
        read().ok_or_else(|| self.garbled())
    }

    pub(super) fn snapshot(&self, replica: &Arc<str>) -> Result<Snapshot, StateError> {
        let held = self.totals(replica)?.into_iter().filter_map(|change| Some((change.path, change.value?)));
        let mut cells: Vec<_> = held.collect();
        cells.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
        Ok(Snapshot { revision: self.revision().ok_or_else(|| self.garbled())?, cells })
    }

    pub(super) fn changes(&self, replica: &Arc<str>) -> Result<Changes, StateError> {
        if self.word == "snapshot" {
            return Ok(Changes::All(self.snapshot(replica)?));
        }
        let revision = self.revision().ok_or_else(|| self.garbled())?;
        Ok(Changes::Cells { revision, cells: self.totals(replica)? })
    }

    pub(super) fn views(&self) -> Result<Vec<CellView>, StateError> {
        let views: Option<Vec<_>> =
            list(self.at(0)).map(|rows| rows.iter().map(view).collect::<Option<_>>()).unwrap_or_default();
        let mut views = views.ok_or_else(|| self.garbled())?;
        views.sort_unstable_by(|one: &CellView, two| one.cell.cmp(&two.cell));
        Ok(views)
    }
}

fn view(row: &Value) -> Option<CellView> {
    let row = list(Some(row))?;
    let span = number(row.get(8))?;
    let algorithm = match number(row.get(7))? {
        0 => Algorithm::Fixed,
        1 => Algorithm::Sliding(Duration::from_micros(u64::try_from(span).ok()?)),
        _ => Algorithm::Bucket(Duration::from_micros(u64::try_from(span).ok()?)),
    };
    Some(CellView {
        cell: cell(row.first())?,
        spent: quantity(row.get(1))?,
        reserved: quantity(row.get(2))?,
        open: u32::try_from(number(row.get(3))?).ok()?,
        max: quantity(row.get(4))?,
        kind: kind_of(number(row.get(5))?).ok()?,
        algorithm,
        ends: number(row.get(6)).map(|ends| Timestamp::from_nanos(ends.saturating_mul(1_000))),
        warned: quantity(row.get(9))?,
    })
}

fn garbled(store: &str, word: &str) -> StateError {
    let detail = format!("a script's answer (`{word}`) is not one of this version");
    Unusable { store: store.to_owned(), detail }.into()
}
