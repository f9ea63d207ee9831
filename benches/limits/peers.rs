//! Beside `governor` for one rate of many keys, and `limitador` for three counters at once, both in memory.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{Quota, RateLimiter};
use guard_core::{ChargeOutcome, Clock, StateStore, SystemClock};
use guard_state::MemoryStore;
use limitador::limit::{Context, Limit};

use crate::in_turn;
use crate::load::Load;

pub(crate) fn run(rounds: usize) {
    let clock = SystemClock::new();
    let store = MemoryStore::new(Arc::new(SystemClock::new()));
    let (mut rates, mut batches) = (Load::new(clock.now(), 1), Load::new(clock.now(), 2));
    let admitted = |outcome| assert!(matches!(outcome, ChargeOutcome::Charged(_)));

    let governor = RateLimiter::keyed(Quota::per_second(NonZeroU32::new(1_000_000_000).unwrap()));
    let keys: Vec<String> = (0..1_000).map(|user| format!("user-{user}")).collect();
    let mut users = keys.iter().cycle();

    let limitador = limitador::RateLimiter::new(10_000);
    for variable in ["user", "team", "organisation"] {
        let variables = vec![variable.try_into().unwrap()];
        limitador.add_limit(Limit::new("spending", 1 << 40, 3_600, vec![], variables));
    }
    let contexts: Vec<Context<'_>> = (0..1_000)
        .map(|user| {
            Context::from(HashMap::from([
                ("user".to_owned(), format!("user-{user}")),
                ("team".to_owned(), format!("team-{}", user % 20)),
                ("organisation".to_owned(), "everybody".to_owned()),
            ]))
        })
        .collect();
    let mut asked = contexts.iter().cycle();
    let namespace = "spending".into();

    in_turn(
        rounds,
        1_000,
        &mut [
            (
                "one rate: ours",
                Box::new(|count| {
                    (0..count).for_each(|_| admitted(store.charge(&rates.rate()).wait().unwrap()));
                }),
            ),
            (
                "one rate: governor",
                Box::new(|count| {
                    (0..count).for_each(|_| governor.check_key(users.next().unwrap()).unwrap());
                }),
            ),
            (
                "three at once: ours",
                Box::new(|count| {
                    (0..count).for_each(|_| admitted(store.charge(&batches.three()).wait().unwrap()));
                }),
            ),
            (
                "three at once: limitador",
                Box::new(|count| {
                    for _ in 0..count {
                        let context = asked.next().unwrap();
                        let checked =
                            limitador.check_rate_limited_and_update(&namespace, context, 1).unwrap();
                        assert!(!checked.limited);
                    }
                }),
            ),
        ],
    );
}
