//! How cells and reservations are written down where they are kept outside of the process.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use guard_core::{Algorithm, CellId, Charge, ChargeKind, Closed, Quantity};

use crate::cell::{Bucket, Meter, Sliding};

/// What is written is not what was read: the message says what.
pub(crate) type Garbled = String;

pub(crate) fn kind_code(kind: ChargeKind) -> i64 {
    match kind {
        ChargeKind::Budget => 0,
        ChargeKind::Rate => 1,
        ChargeKind::Concurrency => 2,
    }
}

pub(crate) fn kind_of(code: i64) -> Result<ChargeKind, Garbled> {
    match code {
        0 => Ok(ChargeKind::Budget),
        1 => Ok(ChargeKind::Rate),
        2 => Ok(ChargeKind::Concurrency),
        other => Err(format!("{other} is no kind of limit")),
    }
}

pub(crate) fn closed_code(closed: Closed) -> i64 {
    match closed {
        Closed::Settled => 1,
        Closed::Refunded => 2,
        Closed::Expired => 3,
    }
}

pub(crate) fn closed_of(code: i64) -> Result<Option<Closed>, Garbled> {
    match code {
        0 => Ok(None),
        1 => Ok(Some(Closed::Settled)),
        2 => Ok(Some(Closed::Refunded)),
        3 => Ok(Some(Closed::Expired)),
        other => Err(format!("{other} is no end of a reservation")),
    }
}

/// Algorithm, span in microseconds, and what of the meter there is to know.
pub(crate) fn meter_code(meter: &Meter) -> (i64, i64, String) {
    match meter {
        Meter::Fixed => (0, 0, String::new()),
        Meter::Sliding(sliding) => {
            let slots: Vec<_> =
                sliding.slots.iter().map(|(slot, amount)| format!("{slot}:{amount}")).collect();
            (1, sliding.span, slots.join(" "))
        }
        Meter::Bucket(bucket) => (2, bucket.span, bucket.since.to_string()),
    }
}

pub(crate) fn meter_of(algorithm: i64, span: i64, meter: &str) -> Result<Meter, Garbled> {
    let garbled = || format!("`{meter}` is no state of algorithm {algorithm}");
    if algorithm != 0 && span <= 0 {
        return Err(format!("a span of {span}"));
    }
    match algorithm {
        0 => Ok(Meter::Fixed),
        1 => {
            let slot = |text: &str| {
                let (slot, amount) = text.split_once(':')?;
                Some((slot.parse().ok()?, amount.parse().ok()?))
            };
            let slots: Option<VecDeque<_>> = meter.split_ascii_whitespace().map(slot).collect();
            Ok(Meter::Sliding(Box::new(Sliding { span, slots: slots.ok_or_else(garbled)? })))
        }
        2 => {
            let since = meter.parse().map_err(|_| garbled())?;
            Ok(Meter::Bucket(Box::new(Bucket { span, since })))
        }
        _ => Err(garbled()),
    }
}

/// A charge as far as it is needed after it was made: limit, key, window, amount, maximum, kind, algorithm, span.
type Written = (String, String, String, i64, i64, i64, i64, i64);

/// The charges as JSON.
pub(crate) fn charges_text(charges: &[Charge]) -> String {
    let written: Vec<Written> = charges
        .iter()
        .map(|charge| {
            let CellId { limit, key, window } = (*charge.cell).clone();
            let algorithm = match charge.algorithm {
                Algorithm::Fixed => 0,
                Algorithm::Sliding(_) => 1,
                Algorithm::Bucket(_) => 2,
            };
            let span = charge.algorithm.span_micros().unwrap_or_default();
            let (amount, max) = (charge.amount.units(), charge.ceiling().units());
            (limit, key, window, amount, max, kind_code(charge.kind), algorithm, span)
        })
        .collect();
    // Tuples of texts and integers are always JSON.
    serde_json::to_string(&written).unwrap_or_default()
}

pub(crate) fn charges_of(text: &str) -> Result<Vec<Charge>, Garbled> {
    let written: Vec<Written> = serde_json::from_str(text).map_err(|error| format!("charges: {error}"))?;
    let charge = |(limit, key, window, amount, max, kind, algorithm, span): Written| {
        let span = Duration::from_micros(u64::try_from(span).unwrap_or_default());
        let algorithm = match algorithm {
            0 => Algorithm::Fixed,
            1 => Algorithm::Sliding(span),
            2 => Algorithm::Bucket(span),
            other => return Err(format!("{other} is no algorithm")),
        };
        let cell = Arc::new(CellId { limit, key, window });
        let kind = kind_of(kind)?;
        Ok(Charge { kind, algorithm, ..Charge::new(cell, Quantity::new(amount), Quantity::new(max)) })
    };
    written.into_iter().map(charge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let cell = Arc::new(CellId { limit: "l".into(), key: "k\"\u{0}".into(), window: "w".into() });
        let one = Charge::new(cell, Quantity::new(3), Quantity::LARGEST);
        let two = Charge {
            kind: ChargeKind::Concurrency,
            algorithm: Algorithm::Bucket(Duration::from_micros(7)),
            ..one.clone()
        };
        let charges = vec![one, two];
        assert_eq!(charges_of(&charges_text(&charges)).unwrap(), charges);
        let slots = VecDeque::from([(1, 2), (5, 6)]);
        for meter in [
            Meter::Fixed,
            Meter::Sliding(Box::new(Sliding { span: 9, slots })),
            Meter::Bucket(Box::new(Bucket { span: 3, since: -4 })),
        ] {
            let (algorithm, span, text) = meter_code(&meter);
            assert_eq!(meter_of(algorithm, span, &text).unwrap(), meter);
        }
        for (algorithm, span, text) in [(1, 9, "1:x"), (1, 0, ""), (2, 9, ""), (3, 1, "")] {
            assert!(meter_of(algorithm, span, text).is_err());
        }
        assert!(charges_of("[[1]]").is_err());
    }
}
