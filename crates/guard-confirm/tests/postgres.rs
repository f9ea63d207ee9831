//! The PostgreSQL store against the suite, on a real server.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[macro_use]
mod suite;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use guard_confirm::{PostgresConfig, PostgresStore};
use test_support::PostgresServer;

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

fn fresh() -> (PostgresStore, Arc<PostgresServer>) {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let server = server();
    let schema = format!("suite {}", MADE.fetch_add(1, Ordering::Relaxed));
    (PostgresStore::connect(&PostgresConfig { schema, ..PostgresConfig::new(server.url()) }).unwrap(), server)
}

mod needs_postgres {
    use super::*;

    confirm_suite!(
        #[ignore = "needs PostgreSQL"]
        suite_on_postgres,
        fresh
    );

    #[test]
    #[ignore = "needs PostgreSQL"]
    fn who_connects_does_not_wait_for_who_works() {
        let (store, server) = fresh();
        let schema = "at work".to_owned();
        let config = PostgresConfig { schema, ..PostgresConfig::new(server.url()) };
        drop(PostgresStore::connect(&config).unwrap());
        let mut works = postgres::Client::connect(&server.url(), postgres::NoTls).unwrap();
        works.batch_execute(r#"BEGIN; LOCK TABLE "at work".confirmations IN ROW EXCLUSIVE MODE"#).unwrap();
        PostgresStore::connect(&config).unwrap();
        drop(store);
    }

    #[test]
    #[ignore = "needs PostgreSQL"]
    fn a_new_schema_may_be_opened_by_many_at_once() {
        let (store, server) = fresh();
        for round in 0..5 {
            let schema = format!("many {round}");
            let config = PostgresConfig { schema, connections: 1, ..PostgresConfig::new(server.url()) };
            std::thread::scope(|scope| {
                let opened: Vec<_> =
                    (0..8).map(|_| scope.spawn(|| PostgresStore::connect(&config).map(drop))).collect();
                for opened in opened {
                    opened.join().unwrap().unwrap();
                }
            });
        }
        drop(store);
    }
}
