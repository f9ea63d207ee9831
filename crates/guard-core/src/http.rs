//! The HTTP face of limits: the fields of draft-ietf-httpapi-ratelimit-headers-10, as Structured Fields (RFC 9651), and
//! `Retry-After` (RFC 9110, section 10.2.3).
//!
//! ```text
//! RateLimit-Policy: "calls";q=100;w=60, "places";q=5;qu="concurrent-requests"
//! RateLimit: "calls";r=42;t=17, "places";r=3
//! Retry-After: 17
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::amount::Quantity;
use crate::charge::{Charge, ChargeKind};
use crate::state::{Charged, Exceeded};
use crate::violation::Violation;

/// The largest integer of a Structured Field: fifteen digits.
const LARGEST: u64 = 999_999_999_999_999;

/// One limit, as clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    name: String,
    kind: ChargeKind,
    quota: Quantity,
    window: Option<Duration>,
    remaining: Quantity,
    resets_in: Option<Duration>,
}

/// The response fields that tell a client how much it has left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitFields {
    limits: Vec<Told>,
    retry_after: Option<Duration>,
}

impl LimitFields {
    /// Of a batch that was made, each limit once. Where a batch charges several cells of one limit, it is the one that has
    /// least left. A limit that never refuses is not told of.
    pub fn of_charged(charges: &[Charge], charged: &Charged) -> Self {
        let mut limits: BTreeMap<&str, Told> = BTreeMap::new();
        for charge in charges.iter().filter(|charge| charge.max < Quantity::LARGEST) {
            let used = charged.snapshot.total(&charge.cell);
            let told = Told {
                name: charge.cell.limit.clone(),
                kind: charge.kind,
                quota: charge.max,
                window: span(charge),
                remaining: charge.max.minus(used).unwrap_or_default().max(Quantity::ZERO),
                resets_in: charge.resets_in.or(span(charge)),
            };
            match limits.get(charge.cell.limit.as_str()) {
                Some(known) if known.remaining <= told.remaining => {}
                _ => {
                    limits.insert(&charge.cell.limit, told);
                }
            }
        }
        Self { limits: limits.into_values().collect(), retry_after: None }
    }

    /// Of the limit that stopped a batch.
    pub fn of_exceeded(exceeded: &Exceeded) -> Self {
        let told = Told {
            name: exceeded.cell.limit.clone(),
            kind: exceeded.kind,
            quota: exceeded.max,
            window: None,
            remaining: exceeded.remaining.max(Quantity::ZERO),
            resets_in: exceeded.retry_after,
        };
        Self { limits: vec![told], retry_after: exceeded.retry_after }
    }

    /// Of a call that was not let through: when to come again, where that is known.
    pub fn of_violation(violation: &Violation) -> Self {
        Self { limits: Vec::new(), retry_after: violation.retry_after }
    }

    /// Says how long the window of a limit is, which a charge of a fixed window does not.
    #[must_use]
    pub fn window(mut self, limit: &str, length: Duration) -> Self {
        for told in self.limits.iter_mut().filter(|told| told.name == limit) {
            told.window = Some(length);
        }
        self
    }

    /// The value of `RateLimit-Policy`; none where there is no limit.
    pub fn rate_limit_policy(&self) -> Option<String> {
        self.list(|out, told| {
            parameter(out, "q", units(told.quota));
            if told.kind == ChargeKind::Concurrency {
                out.push_str(";qu=\"concurrent-requests\"");
            }
            if let Some(window) = told.window {
                parameter(out, "w", seconds(window));
            }
        })
    }

    /// The value of `RateLimit`; none where there is no limit.
    pub fn rate_limit(&self) -> Option<String> {
        self.list(|out, told| {
            parameter(out, "r", units(told.remaining));
            if let Some(resets_in) = told.resets_in {
                parameter(out, "t", seconds(resets_in));
            }
        })
    }

    /// The value of `Retry-After` of a call that was stopped: whole seconds, rounded up. None where waiting does not help,
    /// or nobody knows how long.
    pub fn retry_after(&self) -> Option<String> {
        self.retry_after.map(|wait| seconds(wait).max(1).to_string())
    }

    /// All of them, with their names.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("RateLimit-Policy", self.rate_limit_policy()),
            ("RateLimit", self.rate_limit()),
            ("Retry-After", self.retry_after()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn list(&self, parameters: impl Fn(&mut String, &Told)) -> Option<String> {
        let items = self.limits.iter().map(|told| {
            let mut out = string(&told.name);
            parameters(&mut out, told);
            out
        });
        let items: Vec<String> = items.collect();
        (!items.is_empty()).then(|| items.join(", "))
    }
}

fn span(charge: &Charge) -> Option<Duration> {
    charge.algorithm.span_micros().map(|span| Duration::from_micros(u64::try_from(span).unwrap_or(0)))
}

fn units(quantity: Quantity) -> u64 {
    u64::try_from(quantity.units()).unwrap_or(0).min(LARGEST)
}

/// Whole seconds, rounded up: whoever comes a moment early is refused again.
fn seconds(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0)).min(LARGEST)
}

fn parameter(out: &mut String, name: &str, value: u64) {
    // Writing to a string cannot fail.
    let _ = write!(out, ";{name}={value}");
}

/// A String of a Structured Field (RFC 9651, section 3.3.3). What is not printable ASCII, which it cannot hold, is
/// percent-encoded, and so is `%`.
fn string(name: &str) -> String {
    let mut out = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b'%' => out.push_str("%25"),
            b' '..=b'~' => out.push(char::from(byte)),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::charge::{Algorithm, CellId, ReservationId};
    use crate::state::{CellPath, Revision, Snapshot};

    fn charge(limit: &str, key: &str, max: i64) -> Charge {
        let cell = CellId { limit: limit.into(), key: key.into(), window: "w".into() };
        Charge::new(Arc::new(cell), Quantity::new(1), Quantity::new(max))
    }

    fn charged(cells: &[(&Charge, i64)]) -> Charged {
        let path = |charge: &Charge| CellPath { cell: Arc::clone(&charge.cell), replica: "r".into() };
        let cells = cells.iter().map(|(charge, used)| (path(charge), Quantity::new(*used))).collect();
        let snapshot = Snapshot { revision: Revision(1), cells };
        Charged { reservation: ReservationId(1), snapshot, warnings: Vec::new() }
    }

    #[test]
    fn a_call_that_was_admitted_is_told_what_is_left() {
        let minute = Duration::from_secs(60);
        let calls = Charge {
            kind: ChargeKind::Rate,
            algorithm: Algorithm::Sliding(minute),
            ..charge("calls", "ann", 100)
        };
        let places = Charge { kind: ChargeKind::Concurrency, ..charge("places", "all", 5) };
        let money = Charge { resets_in: Some(Duration::from_millis(16_001)), ..charge("money", "all", 9) };
        let made = charged(&[(&calls, 58), (&places, 2), (&money, 12)]);
        let fields = LimitFields::of_charged(&[calls, places, money], &made).window("money", minute);
        assert_eq!(
            fields.fields(),
            [
                (
                    "RateLimit-Policy",
                    r#""calls";q=100;w=60, "money";q=9;w=60, "places";q=5;qu="concurrent-requests""#
                        .to_owned()
                ),
                ("RateLimit", r#""calls";r=42;t=60, "money";r=0;t=17, "places";r=3"#.to_owned()),
            ]
        );
    }

    #[test]
    fn of_several_cells_of_one_limit_the_one_that_has_least_left_is_told() {
        let (user, team) = (charge("money", "ann", 10), charge("money", "team", 50));
        let free = charge("free", "all", i64::MAX);
        let made = charged(&[(&user, 4), (&team, 48), (&free, 7)]);
        let fields = LimitFields::of_charged(&[user, team, free], &made);
        assert_eq!(fields.rate_limit().unwrap(), r#""money";r=2"#);
        assert_eq!(LimitFields::of_charged(&[], &made).fields(), []);
    }

    #[test]
    fn a_call_that_was_stopped_is_told_when_to_come_again() {
        let exceeded = |retry_after| Exceeded {
            cell: charge("requests", "all", 0).cell,
            kind: ChargeKind::Rate,
            max: Quantity::new(10),
            remaining: Quantity::ZERO,
            retry_after,
        };
        let fields = LimitFields::of_exceeded(&exceeded(Some(Duration::from_millis(2_100))));
        assert_eq!(
            fields.fields(),
            [
                ("RateLimit-Policy", r#""requests";q=10"#.to_owned()),
                ("RateLimit", r#""requests";r=0;t=3"#.to_owned()),
                ("Retry-After", "3".to_owned()),
            ]
        );
        assert_eq!(LimitFields::of_exceeded(&exceeded(None)).retry_after(), None);
        let at_once = LimitFields::of_exceeded(&exceeded(Some(Duration::ZERO)));
        assert_eq!(at_once.retry_after().unwrap(), "1");
        let long = LimitFields::of_exceeded(&exceeded(Some(Duration::MAX)));
        assert_eq!(long.retry_after().unwrap(), LARGEST.to_string());
    }

    #[test]
    fn names_are_written_as_the_fields_can_hold_them() {
        assert_eq!(string(r#"a "b" \c"#), r#""a \"b\" \\c""#);
        assert_eq!(string("é\r\nX-Evil: 1%"), r#""%C3%A9%0D%0AX-Evil: 1%25""#);
        assert_eq!(units(Quantity::LARGEST), LARGEST);
    }
}
