//! A Guardian's check of a policy with three budgets, charged in one step; and what of it is the store's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use guard_core::{ChargeOutcome, Clock, Settlement, StateStore, SystemClock};
use guard_state::MemoryStore;
use hexarch_guardrails::Guardian;

use crate::in_turn;
use crate::load::Load;

pub(crate) const POLICY: &str = "
logging: {enabled: false}
timezone: UTC
policies:
  - id: budget
    rules:
      - {id: month, resource: openai, monthly_budget: 1000000}
      - {id: day, resource: openai, daily_budget: 100000}
      - {id: hour, resource: openai, hourly_budget: 10000}
";

pub(crate) fn run(rounds: usize) {
    let guardian = Guardian::builder().policy_text("hexarch.yaml", POLICY).build().unwrap();
    let checked = || {
        guardian.check("budget").unwrap().operation("chat").resource("openai").cost("0.000001").unwrap_check()
    };
    let decided = || {
        let check = guardian.check("budget").unwrap().operation("chat").resource("openai");
        assert!(check.cost("0.000001").decide().unwrap().decision.allowed);
    };
    checked();
    let store = MemoryStore::new(Arc::new(SystemClock::new()));
    let clock = SystemClock::new();
    let (mut reserved, mut charged) = (Load::new(clock.now(), 1), Load::new(clock.now(), 2));
    in_turn(
        rounds,
        500,
        &mut [
            ("Guardian, three budgets", Box::new(|count| (0..count).for_each(|_| checked()))),
            ("Guardian, the decision alone", Box::new(|count| (0..count).for_each(|_| decided()))),
            (
                "memory: reserve three, settle them",
                Box::new(|count| {
                    for _ in 0..count {
                        let batch = reserved.three();
                        let outcome = store.reserve(&batch, Duration::from_secs(600)).wait().unwrap();
                        assert!(matches!(outcome, ChargeOutcome::Charged(_)));
                        store.settle(batch.reservation, &Settlement::AsReserved).wait().unwrap();
                    }
                }),
            ),
            (
                "memory: charge three",
                Box::new(|count| {
                    for _ in 0..count {
                        let outcome = store.charge(&charged.three()).wait().unwrap();
                        assert!(matches!(outcome, ChargeOutcome::Charged(_)));
                    }
                }),
            ),
        ],
    );
    let mut took: Vec<u128> = (0..200_000)
        .map(|_| {
            let begun = Instant::now();
            checked();
            begun.elapsed().as_nanos()
        })
        .collect();
    took.sort_unstable();
    for (name, place) in [("p50", 50), ("p90", 90), ("p99", 99)] {
        let at = took.get(took.len() * place / 100).unwrap();
        println!("  Guardian, each check by itself: {name} {:.2} µs", *at as f64 / 1e3);
    }
}

/// A check whose end is not interesting.
trait Run {
    fn unwrap_check(self);
}

impl Run for hexarch_guardrails::Check {
    fn unwrap_check(self) {
        self.run(|| ()).unwrap();
    }
}
