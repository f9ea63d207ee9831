//! The Redis store against the suite and the model, on a real server.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
#[macro_use]
mod server;
mod suite;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guard_core::{FixedClock, ReservationId, Settlement, StateError, StateStore};
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

    /// The first byte of the namespace's clock, which is its version.
    fn version(server: &RedisServer, set: Option<u8>) -> Option<u8> {
        let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        if let Some(version) = set {
            let mut call = redis::cmd("SETRANGE");
            call.arg("{suite}:clock").arg(0).arg(&[version]).exec(&mut connection).unwrap();
        }
        let clock: Vec<u8> = redis::cmd("GET").arg("{suite}:clock").query(&mut connection).unwrap();
        clock.first().copied()
    }

    fn endless() -> guard_core::Charge {
        guard_core::Charge { resets_in: None, ..charge("l", 1, 9) }
    }

    #[test]
    #[ignore = "needs Redis"]
    fn keys_of_another_version_are_left_alone() {
        let server = RedisServer::start();
        let open = store(&server, "suite", None);
        assert_eq!(version(&server, None), None);
        open.charge(&batch(1, vec![endless()])).wait().unwrap();
        assert_eq!(version(&server, None), Some(2));
        // A newer program, while this one runs.
        version(&server, Some(3));
        let error = open.charge(&batch(2, vec![endless()])).wait().unwrap_err();
        assert!(matches!(error, StateError::Unusable(_)), "{error}");
        assert!(error.to_string().contains("version 3, and this program knows 2"), "{error}");
        assert!(open.snapshot().wait().is_err());
        let config = RedisConfig { namespace: "suite".to_owned(), ..RedisConfig::new(server.url()) };
        let error = RedisStore::connect(&config).map(|_| ()).unwrap_err();
        assert!(matches!(error, StateError::Unusable(_)), "{error}");
        // Another namespace is not concerned, and nothing was lost.
        store(&server, "other", None).charge(&batch(3, vec![endless()])).wait().unwrap();
        version(&server, Some(2));
        let cells = open.snapshot().wait().unwrap().cells;
        assert_eq!(cells.iter().map(|(_, used)| used.units()).collect::<Vec<_>>(), [1]);
    }

    #[test]
    #[ignore = "needs Redis"]
    fn what_others_change_is_seen_after_the_server_was_away() {
        let mut server = RedisServer::start();
        let (one, other) = (store(&server, "suite", None), store(&server, "suite", None));
        let seen = one.revision();
        server.kill();
        std::thread::sleep(std::time::Duration::from_millis(50));
        // Nobody answers this look.
        assert_eq!(one.revision(), seen);
        server.restart();
        other.charge(&batch(1, vec![endless()])).wait().unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while one.revision() == seen {
            assert!(std::time::Instant::now() < end, "nobody looks any more");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// The first layout's clock was a hash.
    #[test]
    #[ignore = "needs Redis"]
    fn keys_of_the_first_version_are_left_alone() {
        let server = RedisServer::start();
        let open = store(&server, "suite", None);
        let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        let mut call = redis::cmd("HSET");
        call.arg("{suite}:clock").arg("revision").arg(7).arg("version").arg(1).exec(&mut connection).unwrap();
        for error in [
            open.charge(&batch(1, vec![endless()])).wait().map(|_| ()).unwrap_err(),
            open.settle(ReservationId(1), &Settlement::AsReserved).wait().map(|_| ()).unwrap_err(),
            open.snapshot().wait().map(|_| ()).unwrap_err(),
        ] {
            assert!(matches!(error, StateError::Unusable(_)), "{error}");
            let said = "version 1, and this program knows 2; use the program that wrote them";
            assert!(error.to_string().contains(said), "{error}");
        }
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
        assert_eq!(keys, ["{suite}:clock"]);
    }
}
