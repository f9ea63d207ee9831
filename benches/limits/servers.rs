//! Redis and PostgreSQL, beside the least that either takes for one step.

use std::sync::Arc;
use std::time::Instant;

use ::postgres::{Client, NoTls};
use ::redis::{Client as RedisClient, Script};
use guard_core::{ChargeOutcome, Clock, Quantity, StateStore, SystemClock};
use guard_state::{Leased, LeasedConfig, PostgresConfig, PostgresStore, RedisConfig, RedisStore};
use test_support::{Folder, PostgresServer, RedisServer};

use crate::in_turn;
use crate::load::Load;

fn charged(store: &impl StateStore, load: &mut Load, count: u64) {
    for _ in 0..count {
        let outcome = store.charge(&load.three()).wait().unwrap();
        assert!(matches!(outcome, ChargeOutcome::Charged(_)));
    }
}

pub(crate) fn redis(rounds: usize) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&RedisConfig::new(server.url())).unwrap();
    let mut load = Load::new(SystemClock::new().now(), 1);
    let mut connection = RedisClient::open(server.url()).unwrap().get_connection().unwrap();
    let mut other = RedisClient::open(server.url()).unwrap().get_connection().unwrap();
    let nothing = Script::new("return 1");
    let writes = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let medians = in_turn(
        rounds,
        20,
        &mut [
            (
                "bare EVALSHA that does nothing",
                Box::new(|count| {
                    for _ in 0..count {
                        let () = nothing.key("bare").arg(1).invoke(&mut connection).unwrap();
                    }
                }),
            ),
            (
                "bare EVALSHA that adds to one number",
                Box::new(|count| {
                    for _ in 0..count {
                        let _: i64 = writes.key("bare").arg(1).invoke(&mut other).unwrap();
                    }
                }),
            ),
            ("charge three", Box::new(|count| charged(&store, &mut load, count))),
        ],
    );
    if let [nothing, writes, ours] = medians.as_slice() {
        println!("  ratio: {:.2} of the one that writes, {:.2} of the other", ours / writes, ours / nothing);
    }
}

pub(crate) fn postgres(rounds: usize) {
    let server = PostgresServer::start();
    let store = PostgresStore::connect(&PostgresConfig::new(server.url())).unwrap();
    let mut load = Load::new(SystemClock::new().now(), 1);
    let mut client = Client::connect(&server.url(), NoTls).unwrap();
    client.batch_execute("CREATE TABLE bare (spent bigint); INSERT INTO bare VALUES (0)").unwrap();
    let add = client.prepare("UPDATE bare SET spent = spent + $1").unwrap();
    let medians = in_turn(
        rounds.div_ceil(4),
        10,
        &mut [
            (
                "bare transaction that adds to one number",
                Box::new(|count| {
                    for _ in 0..count {
                        let mut transaction = client.transaction().unwrap();
                        transaction.execute(&add, &[&1_i64]).unwrap();
                        transaction.commit().unwrap();
                    }
                }),
            ),
            ("charge three", Box::new(|count| charged(&store, &mut load, count))),
        ],
    );
    if let [bare, ours] = medians.as_slice() {
        println!("  ratio: {:.2}", ours / bare);
    }
}

/// Slices of at most 10,000 calls of a Redis, so that the organisation's is fetched again and again: with a journal, and
/// without.
pub(crate) fn leased(rounds: usize) {
    let server = RedisServer::start();
    let folder = Folder::new("bench-slices");
    for (name, journal) in [("no journal", None), ("journal", Some(folder.path().to_owned()))] {
        let namespace = name.to_owned();
        let store =
            RedisStore::connect(&RedisConfig { namespace, ..RedisConfig::new(server.url()) }).unwrap();
        let config = LeasedConfig { largest: Quantity::new(10_000), journal, ..LeasedConfig::default() };
        let clock = Arc::new(SystemClock::new());
        let mut load = Load::new(clock.now(), 1);
        let leased = Leased::new(store, config, clock).unwrap();
        let mut took: Vec<u128> = (0..10_000 + rounds * 2_000)
            .map(|_| {
                let batch = load.three();
                let begun = Instant::now();
                let outcome = leased.charge(&batch).wait().unwrap();
                let took = begun.elapsed().as_nanos();
                assert!(matches!(outcome, ChargeOutcome::Charged(_)));
                took
            })
            // The first slice of each user.
            .skip(10_000)
            .collect();
        took.sort_unstable();
        for (part, place) in [("p50", 50), ("p90", 90), ("p99", 99)] {
            let at = took.get(took.len() * place / 100).unwrap();
            println!("  {name}: charge three, each by itself: {part} {:.2} µs", *at as f64 / 1e3);
        }
    }
}
