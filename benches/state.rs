//! What it costs to change the data of warm instances: `state/<what>/<where>/<entries>`.
//!
//! `counter` sets one number, `document` replaces one document of 1 KB, each beside 20 or 20,000 other entries of data.
//! `instance` changes a single instance; `pool` changes a pool and has an instance of it follow; `pool-of-4` has four
//! instances follow, one after the other; `nothing` is the way to an instance of a pool that has nothing to follow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first surprise"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use hexarch_benches::engines::ours;
use hexarch_benches::policy::Policy;
use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module, Pool, PoolConfig};
use rego_value::{Value, json};

const POLICY: &str = "package state\n\ndecision := {\"allowed\": data.state.count < 1000000000000, \"reason\": data.document.name, \"action\": data.users[\"user-7\"].role}\n";

fn module() -> Module {
    let policy = Policy {
        name: "state".to_owned(),
        source: POLICY.to_owned(),
        data: String::new(),
        entrypoint: "state/decision".to_owned(),
        cases: Vec::new(),
    };
    Module::new(&Engine::new(Config::default()).unwrap(), &ours::compile(&policy)).unwrap()
}

/// A document of 1 KB.
fn document(name: &str) -> Value {
    let mut text = format!(r#"{{"name":"{name}","limits":{{"#);
    for limit in 0..11 {
        write!(
            text,
            r#""limit-{limit}":{{"max":{},"window":"hour","roles":["reader","admin"],"soft":0.75}},"#,
            limit * 1000
        )
        .unwrap();
    }
    text.push_str(r#""last":{"max":1,"window":"day"}},"enabled":true}"#);
    assert!((900..1150).contains(&text.len()), "{}", text.len());
    json::parse(text.as_bytes()).unwrap()
}

fn data(entries: usize) -> Value {
    let users: Vec<String> =
        (0..entries).map(|user| format!(r#""user-{user}":{{"role":"reader","seen":{user}}}"#)).collect();
    let text = format!(r#"{{"state":{{"count":0}},"document":{{}},"users":{{{}}}}}"#, users.join(","));
    json::parse(text.as_bytes()).unwrap()
}

fn instances(criterion: &mut Criterion) {
    let documents = [document("one"), document("two")];
    for entries in [20, 20_000] {
        let mut instance = Instance::new(&module()).unwrap();
        instance.set_data(data(entries)).unwrap();
        let cell = instance.cell(&["state", "count"]).unwrap();
        let mut count = 0;
        criterion.bench_function(&format!("state/counter/instance/{entries}"), |bencher| {
            bencher.iter(|| {
                count += 1;
                instance.set_cell(black_box(cell), black_box(count)).unwrap();
            });
        });
        let mut turn = documents.iter().cycle();
        criterion.bench_function(&format!("state/document/instance/{entries}"), |bencher| {
            bencher.iter(|| instance.set_data_at(&["document"], turn.next().unwrap().clone()).unwrap());
        });
        let id = instance.module().entrypoint("state/decision").unwrap();
        let answer = instance.evaluate_value(id, Input::Undefined, &EvalContext::default()).unwrap().unwrap();
        assert_eq!(answer.get_str("allowed"), Some(&Value::Bool(true)));
        assert_eq!(answer.get_str("action"), Some(&Value::from("reader")));
    }
}

/// Has so many instances follow.
fn follow(pool: &Pool, instances: usize) {
    if instances > 0 {
        pool.with(|_, _| follow(pool, instances - 1)).unwrap();
    }
}

fn pools(criterion: &mut Criterion) {
    let documents = [document("one"), document("two")];
    for (name, size) in [("pool", 1), ("pool-of-4", 4)] {
        for entries in [20, 20_000] {
            let pool = Pool::new(&module(), PoolConfig { size, ..PoolConfig::default() }).unwrap();
            pool.set_data(data(entries)).unwrap();
            let cell = pool.cell(&["state", "count"]).unwrap();
            follow(&pool, size);
            let mut count = 0;
            criterion.bench_function(&format!("state/counter/{name}/{entries}"), |bencher| {
                bencher.iter(|| {
                    count += 1;
                    pool.set_cell(black_box(cell), black_box(count)).unwrap();
                    follow(&pool, size);
                });
            });
            let mut turn = documents.iter().cycle();
            criterion.bench_function(&format!("state/document/{name}/{entries}"), |bencher| {
                bencher.iter(|| {
                    pool.set_data_at(&["document"], turn.next().unwrap().clone()).unwrap();
                    follow(&pool, size);
                });
            });
            criterion.bench_function(&format!("state/nothing/{name}/{entries}"), |bencher| {
                bencher.iter(|| follow(&pool, size));
            });
        }
    }
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = config(); targets = instances, pools }
criterion_main!(benches);
