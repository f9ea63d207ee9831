//! The PostgreSQL store against the suite and the model, on a real server.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
#[macro_use]
mod server;
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

    state_server_suite!(
        #[ignore = "needs PostgreSQL"]
        PostgresServer,
        PostgresStore,
        8
    );
}
