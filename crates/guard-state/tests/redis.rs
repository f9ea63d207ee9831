//! The Redis store against the suite and the model, on a real server.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
mod suite;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guard_core::{FixedClock, ReservationId, Settlement, StateStore};
use guard_state::{RedisConfig, RedisStore};
use suite::{LEASE, batch, charge};
use test_support::RedisServer;

/// How many steps a round of the long histories has.
const STEPS: u128 = 100;

fn store(server: &RedisServer, namespace: &str, clock: Option<Arc<FixedClock>>) -> RedisStore {
    let config = RedisConfig {
        namespace: namespace.to_owned(),
        clock: clock.map(|clock| clock as _),
        ..RedisConfig::new(server.url())
    };
    RedisStore::connect(&config).unwrap()
}

fn fresh(clock: Arc<FixedClock>) -> (RedisStore, RedisServer) {
    let server = RedisServer::start();
    (store(&server, "suite", Some(clock)), server)
}

mod needs_redis {
    use super::*;

    state_store_suite!(
        #[ignore = "needs Redis"]
        suite_on_redis,
        fresh
    );

    #[test]
    #[ignore = "needs Redis"]
    fn every_history_ends_as_in_the_model() {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let server = RedisServer::start();
        let config =
            proptest::test_runner::Config { cases: 300, failure_persistence: None, ..Default::default() };
        proptest::test_runner::TestRunner::new(config)
            .run(&model::history(), |acts| {
                let namespace = format!("history {}", MADE.fetch_add(1, Ordering::Relaxed));
                let clock = Arc::new(FixedClock::at(suite::START));
                model::check(&acts, &store(&server, &namespace, Some(Arc::clone(&clock))), &clock);
                Ok(())
            })
            .unwrap();
    }

    fn used(store: &RedisStore) -> i64 {
        store.snapshot().wait().unwrap().total(&suite::cell("a", "all", "w")).units()
    }

    #[test]
    #[ignore = "needs Redis"]
    fn what_was_acknowledged_survives_the_server() {
        let mut server = RedisServer::start();
        let store = store(&server, "crash", None);
        let mut kept = batch(1, vec![guard_core::Charge { resets_in: None, ..charge("a", 4, 10) }]);
        store.charge(&kept).wait().unwrap();
        server.restart();
        // The connections are broken, and the scripts are forgotten.
        assert_eq!(used(&store), 4);
        store.charge(&kept).wait().unwrap();
        assert_eq!(used(&store), 4);
        kept.reservation = ReservationId(2);
        store.reserve(&kept, LEASE).wait().unwrap();
        server.restart();
        store.settle(ReservationId(2), &Settlement::AsReserved).wait().unwrap();
        assert_eq!(used(&store), 8);
        server.kill();
        let error = store.charge(&kept).wait().unwrap_err();
        assert!(matches!(error, guard_core::StateError::Unavailable(_)), "{error}");
    }

    #[test]
    #[ignore = "needs Redis"]
    fn namespaces_and_processes() {
        let server = RedisServer::start();
        let (one, two, other) =
            (store(&server, "shared", None), store(&server, "shared", None), store(&server, "other", None));
        let ever = guard_core::Charge { resets_in: None, ..charge("a", 4, 10) };
        one.charge(&batch(1, vec![ever.clone()])).wait().unwrap();
        two.charge(&batch(2, vec![ever])).wait().unwrap();
        assert_eq!((used(&one), used(&two), used(&other)), (8, 8, 0));
    }
}
