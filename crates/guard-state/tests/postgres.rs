//! The PostgreSQL store against the suite and the model, on a real server.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
mod suite;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use guard_core::{FixedClock, ReservationId, Settlement, StateStore};
use guard_state::{PostgresConfig, PostgresStore};
use suite::{LEASE, batch, charge};
use test_support::PostgresServer;

/// How many steps a round of the long histories has.
const STEPS: u128 = 10;

fn store(server: &PostgresServer, namespace: &str, clock: Option<Arc<FixedClock>>) -> PostgresStore {
    let config = PostgresConfig {
        schema: namespace.to_owned(),
        clock: clock.map(|clock| clock as _),
        ..PostgresConfig::new(server.url())
    };
    PostgresStore::connect(&config).unwrap()
}

/// A server is made within a second: all tests share it, each in a schema of its own, and the last one stops it.
fn server() -> Arc<PostgresServer> {
    static SERVER: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
    let mut shared = SERVER.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(PostgresServer::start());
        *shared = Arc::downgrade(&server);
        server
    })
}

fn fresh(clock: Arc<FixedClock>) -> (PostgresStore, Arc<PostgresServer>) {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let server = server();
    let schema = format!("suite {}", MADE.fetch_add(1, Ordering::Relaxed));
    (store(&server, &schema, Some(clock)), server)
}

mod needs_postgres {
    use super::*;

    state_store_suite!(
        #[ignore = "needs PostgreSQL"]
        suite_on_postgres,
        fresh
    );

    #[test]
    #[ignore = "needs PostgreSQL"]
    fn every_history_ends_as_in_the_model() {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let server = PostgresServer::start();
        let config =
            proptest::test_runner::Config { cases: 8, failure_persistence: None, ..Default::default() };
        proptest::test_runner::TestRunner::new(config)
            .run(&model::history(), |acts| {
                let namespace = format!("history {}", MADE.fetch_add(1, Ordering::Relaxed));
                let clock = Arc::new(FixedClock::at(suite::START));
                model::check(&acts, &store(&server, &namespace, Some(Arc::clone(&clock))), &clock);
                Ok(())
            })
            .unwrap();
    }

    fn used(store: &PostgresStore) -> i64 {
        store.snapshot().wait().unwrap().total(&suite::cell("a", "all", "w")).units()
    }

    #[test]
    #[ignore = "needs PostgreSQL"]
    fn what_was_acknowledged_survives_the_server() {
        let mut server = PostgresServer::start();
        let store = store(&server, "crash", None);
        let mut kept = batch(1, vec![guard_core::Charge { resets_in: None, ..charge("a", 4, 10) }]);
        store.charge(&kept).wait().unwrap();
        server.restart();
        // The connections are broken.
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
    #[ignore = "needs PostgreSQL"]
    fn namespaces_and_processes() {
        let server = PostgresServer::start();
        let (one, two, other) =
            (store(&server, "shared", None), store(&server, "shared", None), store(&server, "other", None));
        let ever = guard_core::Charge { resets_in: None, ..charge("a", 4, 10) };
        one.charge(&batch(1, vec![ever.clone()])).wait().unwrap();
        two.charge(&batch(2, vec![ever])).wait().unwrap();
        assert_eq!((used(&one), used(&two), used(&other)), (8, 8, 0));
    }
}
