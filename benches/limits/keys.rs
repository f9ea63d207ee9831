//! A million keys in the memory store: what they take, and what their end takes.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guard_core::{
    Batch, CellId, Charge, ChargeOutcome, FixedClock, Quantity, ReservationId, StateStore, Timestamp,
};
use guard_state::MemoryStore;

const KEYS: u128 = 1_000_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// In a process of its own, whose memory is nothing else's.
pub(crate) fn run() {
    let ourselves = std::env::current_exe().unwrap();
    for keys in ["0", "1000000"] {
        let ended = Command::new(&ourselves).args(["keys-alone", keys]).status().unwrap();
        assert!(ended.success());
    }
}

pub(crate) fn alone(keys: u128) {
    let start = Timestamp::from_seconds(1_000_000);
    let clock = Arc::new(FixedClock::at(start));
    let store = MemoryStore::new(Arc::clone(&clock) as _);
    let before = resident();
    let charge = |number: u128, at: Timestamp, window: &str| {
        let cell = CellId {
            limit: "spending/user".to_owned(),
            key: format!("user-{number:07}"),
            window: window.to_owned(),
        };
        let one = Charge::new(Arc::new(cell), Quantity::new(1), Quantity::new(9));
        let charges = Arc::new([Charge { resets_in: Some(HOUR), ..one }]);
        let reservation = ReservationId(u128::from(at.as_nanos().unsigned_abs()) << 64 | (number + 1));
        let outcome = store.charge(&Batch { charges, at, reservation }).wait().unwrap();
        assert!(matches!(outcome, ChargeOutcome::Charged(_)));
    };
    (0..keys).for_each(|number| charge(number, start, "first"));
    println!("  {keys} keys: {} MB", resident().saturating_sub(before) / 1_000);
    clock.advance(Duration::from_secs(1));
    timed("a charge", |number| charge(number, start, "first"), 10_000);
    // All of them end at once.
    clock.advance(HOUR);
    let now = start.plus(HOUR + Duration::from_secs(1));
    timed("a charge when all have ended", |number| charge(number, now, "second"), 10_000);
    assert!(keys < KEYS || store.snapshot().wait().unwrap().cells.len() == 10_000);
}

fn timed(name: &str, charge: impl Fn(u128), count: u128) {
    let mut took: Vec<u128> = (0..count)
        .map(|number| {
            let begun = Instant::now();
            charge(number);
            begun.elapsed().as_nanos()
        })
        .collect();
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 1_000).copied().unwrap_or_default() as f64 / 1e3;
    println!("    {name}: p50 {:.2} µs, p99.9 {:.0} µs", at(500), at(999));
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
