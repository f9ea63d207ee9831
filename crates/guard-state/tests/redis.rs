//! The Redis store against the suite and the model, on a real server.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
#[macro_use]
mod server;
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

    state_server_suite!(
        #[ignore = "needs Redis"]
        RedisServer,
        RedisStore,
        300
    );
}
