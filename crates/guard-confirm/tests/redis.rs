//! The Redis store against the suite, on a real server.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[macro_use]
mod suite;

use guard_confirm::{RedisConfig, RedisStore};
use test_support::RedisServer;

fn fresh() -> (RedisStore, RedisServer) {
    let server = RedisServer::start();
    // Redis forgets by the server's clock, and the suite's stands in 2023.
    let keep = std::time::Duration::from_secs(20 * 365 * 86_400);
    (RedisStore::connect(&RedisConfig { keep, ..RedisConfig::new(server.url()) }).unwrap(), server)
}

mod needs_redis {
    use super::*;

    confirm_suite!(
        #[ignore = "needs Redis"]
        suite_on_redis,
        fresh
    );
}
