//! What a warm instance costs in memory, and how long a precompiled module takes to load.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a tool for its authors, whose figures are far below 2^52"
)]

use std::time::Instant;

use hexarch_benches::engines::ours;
use hexarch_benches::policy::{self, Policy};
use rego_engine::{
    Config, Cpu, Engine, Environment, EvalContext, Input, Instance, Module, NativeOptions, Pool, PoolConfig,
    Precompiled, PublicKey, Verified,
};
use rego_value::json;

const INSTANCES: usize = 100;
const SECRET: [u8; 32] = [7; 32];

fn main() {
    for policy in policy::load_all(&policy::standing()) {
        let engine = Engine::new(Config::default()).unwrap();
        let wasm = ours::compile(&policy);
        let module = Module::new(&engine, &wasm).unwrap();
        instances(&policy, &module);
        slots(&policy, &module);
        loading(&policy, &engine, &wasm);
    }
}

/// A decision, so that the instance has touched what it needs.
fn decide(instance: &mut Instance, policy: &Policy) {
    let input = Input::from(policy.cases[0].input.as_str());
    let answer = instance.evaluate(&policy.entrypoint, input, &EvalContext::default()).unwrap();
    assert!(!answer.is_undefined());
}

fn instances(policy: &Policy, module: &Module) {
    let data = json::parse(policy.data.as_bytes()).unwrap();
    let warm = || {
        let mut instance = Instance::new(module).unwrap();
        instance.set_data(data.clone()).unwrap();
        decide(&mut instance, policy);
        instance
    };
    let _first = warm();
    let before = resident();
    let all: Vec<Instance> = (0..INSTANCES).map(|_| warm()).collect();
    print(policy, "instance", before);
    drop(all);
}

fn slots(policy: &Policy, module: &Module) {
    let pool = Pool::new(module, PoolConfig { size: INSTANCES + 1, ..PoolConfig::default() }).unwrap();
    pool.set_data(json::parse(policy.data.as_bytes()).unwrap()).unwrap();
    nest(&pool, policy, 1);
    let before = resident();
    nest(&pool, policy, INSTANCES + 1);
    print(policy, "slot of a pool", before);
}

fn nest(pool: &Pool, policy: &Policy, depth: usize) {
    if depth > 0 {
        pool.with(|instance, _| {
            decide(instance, policy);
            nest(pool, policy, depth - 1);
        })
        .unwrap();
    }
}

fn print(policy: &Policy, what: &str, before: usize) {
    println!(
        "{}: {:.0} KB for each {what}",
        policy.name,
        (resident() - before) as f64 / 1024.0 / INSTANCES as f64
    );
}

/// Bytes of this program in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn loading(policy: &Policy, engine: &Engine, wasm: &[u8]) {
    let options = NativeOptions { cpu: Cpu::Host, sources: [0; 32] };
    let bytes = Precompiled::compile(wasm, &options).unwrap().sign(&SECRET);
    let keys = [PublicKey::of_secret(&SECRET)];
    let [mut verify, mut load, mut instance] = [f64::MAX; 3];
    for _ in 0..50 {
        let start = Instant::now();
        let verified = Verified::by_key(&bytes, &keys).unwrap();
        verify = verify.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let module = Module::from_native(engine, &verified, &Environment::default()).unwrap();
        load = load.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let mut warm = Instance::new(&module).unwrap();
        warm.set_data_json(policy.data.as_bytes()).unwrap();
        instance = instance.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{}: {} KB precompiled; signature {:.0} µs, module {:.0} µs, warm instance with its data {:.0} µs",
        policy.name,
        bytes.len() / 1024,
        verify * 1e6,
        load * 1e6,
        instance * 1e6
    );
}
