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

    #[test]
    #[ignore = "needs PostgreSQL"]
    fn tables_of_another_version_and_rows_that_were_never_written_are_refused() {
        let server = server();
        let held = store(&server, "damaged", None);
        held.charge(&batch(1, vec![guard_core::Charge { resets_in: None, ..charge("a", 4, 10) }]))
            .wait()
            .unwrap();
        let mut client = postgres::Client::connect(&server.url(), postgres::NoTls).unwrap();
        client.batch_execute("UPDATE damaged.cells SET kind = 9").unwrap();
        let next = batch(2, vec![guard_core::Charge { resets_in: None, ..charge("a", 1, 10) }]);
        let error = held.charge(&next).wait().unwrap_err();
        assert!(matches!(error, guard_core::StateError::Unusable(_)), "{error}");
        client.batch_execute("UPDATE damaged.cells SET kind = 0").unwrap();
        held.charge(&next).wait().unwrap();
        client.batch_execute("UPDATE damaged.version SET version = 99").unwrap();
        let config = PostgresConfig { schema: "damaged".to_owned(), ..PostgresConfig::new(server.url()) };
        let Err(error) = PostgresStore::connect(&config) else { panic!("it was opened") };
        assert!(matches!(error, guard_core::StateError::Unusable(_)), "{error}");
        assert!(error.to_string().contains("version 99"), "{error}");
    }

    /// The server rolls back some transactions for the sake of others: a few in a row are made again, and counted once. Who
    /// meets nothing else is told, and nothing is counted.
    #[test]
    #[ignore = "needs PostgreSQL"]
    fn what_the_server_rolls_back_is_made_again() {
        let server = server();
        let store = store(&server, "conflicts", None);
        let mut client = postgres::Client::connect(&server.url(), postgres::NoTls).unwrap();
        // A sequence counts on when its transaction is rolled back.
        let conflicts = "
            CREATE SEQUENCE conflicts.left;
            CREATE FUNCTION conflicts.meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('conflicts.left') <= 5 THEN RAISE EXCEPTION 'met' USING ERRCODE = '40001'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER meet BEFORE INSERT OR UPDATE ON conflicts.reservations
                FOR EACH ROW EXECUTE FUNCTION conflicts.meet();";
        client.batch_execute(conflicts).unwrap();
        let ever = |id| batch(id, vec![guard_core::Charge { resets_in: None, ..charge("a", 4, 10) }]);
        store.charge(&ever(1)).wait().unwrap();
        let met = |client: &mut postgres::Client| -> i64 {
            client.query_one("SELECT last_value FROM conflicts.left", &[]).unwrap().get(0)
        };
        assert_eq!((used(&store), met(&mut client)), (4, 6));
        client.batch_execute("ALTER SEQUENCE conflicts.left MINVALUE -1000000 RESTART -1000000").unwrap();
        let error = store.charge(&ever(2)).wait().unwrap_err();
        assert!(matches!(error, guard_core::StateError::Unavailable(_)), "{error}");
        assert_eq!(used(&store), 4);
        let tried = met(&mut client) + 1_000_000;
        assert!((8..100).contains(&tried), "{tried} times");
    }

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
