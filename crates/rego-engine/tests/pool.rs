//! Many threads on one pool: data that change under way, and more borrowers than instances.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::sync::Barrier;
use std::time::Duration;

use common::opa_module;
use rego_engine::{BorrowError, Config, Engine, EvalContext, Input, Module, Pool, PoolConfig};
use rego_value::{Value, json};

const POLICY: &str = "package t\n\nimport rego.v1\n\np := [data.count, data.fixed]\n";

fn pool(size: usize, borrow_timeout: Duration) -> Pool {
    let engine = Engine::new(Config::default()).unwrap();
    let module = Module::new(&engine, &opa_module(POLICY, &["t/p"])).unwrap();
    Pool::new(&module, PoolConfig { size, borrow_timeout }).unwrap()
}

fn count(pool: &Pool) -> i64 {
    let entrypoint = pool.module().entrypoint("t/p").unwrap();
    let evaluate = |instance: &mut rego_engine::Instance, _| {
        instance.evaluate_value(entrypoint, Input::Undefined, &EvalContext::default())
    };
    let value = pool.with(evaluate).unwrap().unwrap().unwrap();
    let parts = value.as_array().unwrap();
    assert_eq!(parts[1], Value::from("stays"));
    parts[0].as_i64().unwrap()
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_whoever_comes_after_an_update_sees_it() {
    let pool = pool(3, Duration::from_secs(20));
    pool.set_data(json::parse(br#"{"count": 0, "fixed": "stays"}"#).unwrap()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut last = 0;
                for _ in 0..300 {
                    let now = count(&pool);
                    assert!(now >= last, "{now} after {last}");
                    last = now;
                }
            });
        }
        scope.spawn(|| {
            for number in 1..=600i64 {
                pool.set_data_at(&["count"], Value::from(number)).unwrap();
                if number % 50 == 0 {
                    assert!(count(&pool) >= number);
                }
            }
        });
    });
    assert_eq!(count(&pool), 600);
    assert_eq!(pool.data_revision(), 601);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_borrower_waits_for_an_instance_but_not_for_ever() {
    let pool = pool(1, Duration::from_millis(50));
    let (inside, done) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pool.with(|_, _| {
                inside.wait();
                done.wait();
            })
            .unwrap();
        });
        inside.wait();
        let error = pool.with(|_, _| ()).unwrap_err();
        assert!(matches!(error, BorrowError::Exhausted { size: 1, .. }), "{error}");
        done.wait();
    });
    pool.with(|_, _| ()).unwrap();
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_panic_costs_one_instance_and_no_place() {
    let pool = pool(1, Duration::from_millis(50));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        pool.with(|_, _| panic!("the work failed")).unwrap();
    }));
    assert!(outcome.is_err());
    pool.with(|_, _| ()).unwrap();
}
