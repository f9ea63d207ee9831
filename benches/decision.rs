//! Decisions, from JSON text (or from an already parsed value) to an owned decision, by every engine in one run.
//!
//! Ids are `decision/<policy>/<case>/<engine>`; the case `varied` stands for all cases in rotation, each in many forms
//! ([`hexarch_benches::varied`]): the ratios that count, since one text again and again flatters everybody.
//! `BENCH_POLICIES` names a folder of further policies in the layout of the standing ones; they are measured by every
//! engine that needs no Rust written for them, and `serde-reading` is what a decision by hand over `serde_json::Value`
//! takes at least: reading the text. Each answer is compared with the expected decision before it is timed.
//! `load/<policy>/source-to-instance/ours` is the way there: from source text to a warm instance with its data.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first surprise"
)]

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use hexarch_benches::engines::{opa_wasm, ours, regorus};
use hexarch_benches::policy::{self, Case, Policy};
use hexarch_benches::{Decision, dynamic, opa, structs, typed, varied};

fn decisions(criterion: &mut Criterion) {
    let mut policies = policy::load_all(&policy::standing());
    if let Some(more) = std::env::var_os("BENCH_POLICIES") {
        policies.extend(policy::load_all(Path::new(&more)));
    }
    for policy in &policies {
        by_hand(criterion, policy);
        by_us(criterion, policy);
        by_peers(criterion, policy);
    }
}

fn by_hand(criterion: &mut Criterion, policy: &Policy) {
    if let Some(decide) = typed::load(&policy.name, &policy.data) {
        measure(criterion, policy, "typed-text", |text| decide(text.as_bytes()));
    }
    if let Some(decide) = dynamic::load(&policy.name, &policy.data) {
        measure(criterion, policy, "serde-text", |text| decide(text.as_bytes()));
    }
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    in_rotation(criterion, policy, "serde-reading", &varied::inputs(policy), read);
}

fn by_us(criterion: &mut Criterion, policy: &Policy) {
    let module = ours::compile(policy);
    let mut engine = ours::Loaded::new(&module, policy);
    measure(criterion, policy, "ours-text", |text| engine.decide(text));
    by_struct(criterion, policy, &module);
    for case in &policy.cases {
        let input = ours::Loaded::parse(&case.input);
        check(policy, case, "ours-parsed", &engine.decide_parsed(&input));
        criterion.bench_function(&id(policy, case, "ours-parsed"), |bencher| {
            bencher.iter(|| engine.decide_parsed(black_box(&input)));
        });
    }
}

/// Requests that are Rust values.
fn by_struct(criterion: &mut Criterion, policy: &Policy, module: &[u8]) {
    let of_case = |case: &Case| (case.name.clone(), vec![(case.input.clone(), case.expected.clone())]);
    let varied = ("varied".to_owned(), varied::inputs(policy));
    for (name, inputs) in policy.cases.iter().map(of_case).chain([varied]) {
        let texts: Vec<String> = inputs.iter().map(|(text, _)| text.clone()).collect();
        let engine = ours::Loaded::new(module, policy);
        let Some(mut decide) = structs::load(&policy.name, engine, &texts) else { return };
        for (at, (text, expected)) in inputs.iter().enumerate() {
            assert_eq!(decide(at), *expected, "{text}");
        }
        let mut turn = 0;
        criterion.bench_function(&format!("decision/{}/{name}/ours-struct", policy.name), |bencher| {
            bencher.iter(|| {
                turn += 1;
                decide(black_box(turn))
            });
        });
    }
}

fn by_peers(criterion: &mut Criterion, policy: &Policy) {
    if let Some(mut decide) = regorus::load(policy) {
        measure(criterion, policy, "regorus-vm-text", |text| decide(text));
    }
    let Some(module) = opa::build(policy) else { return };
    let mut in_ours = ours::Loaded::new(&module, policy);
    measure(criterion, policy, "opa-module-text", |text| in_ours.decide(text));
    let mut host = opa_wasm::Host::new(&module, &policy.data).unwrap();
    measure(criterion, policy, "opa-wasm-text", |text| host.decide(&policy.entrypoint, text));
}

/// From source text to a warm instance with its data: parse, check, plan, compile, compile to the machine's code, load.
fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    for policy in policy::load_all(&policy::standing()) {
        group.bench_function(format!("{}/source-to-module/ours", policy.name), |bencher| {
            bencher.iter(|| ours::compile(black_box(&policy)));
        });
        group.bench_function(format!("{}/source-to-instance/ours", policy.name), |bencher| {
            bencher.iter(|| ours::Loaded::new(&ours::compile(black_box(&policy)), &policy));
        });
    }
    group.finish();
}

fn measure(
    criterion: &mut Criterion,
    policy: &Policy,
    engine: &str,
    mut decide: impl FnMut(&str) -> Decision,
) {
    let inputs = varied::inputs(policy);
    for (text, expected) in &inputs {
        assert_eq!(decide(text), *expected, "{}/varied/{engine}: {text}", policy.name);
    }
    in_rotation(criterion, policy, engine, &inputs, &mut decide);
    for case in &policy.cases {
        check(policy, case, engine, &decide(&case.input));
        criterion.bench_function(&id(policy, case, engine), |bencher| {
            bencher.iter(|| decide(black_box(&case.input)));
        });
    }
}

/// All cases in rotation, in many forms.
fn in_rotation<T>(
    criterion: &mut Criterion,
    policy: &Policy,
    engine: &str,
    inputs: &[(String, Decision)],
    mut each: impl FnMut(&str) -> T,
) {
    let mut texts = inputs.iter().map(|(text, _)| text).cycle();
    criterion.bench_function(&format!("decision/{}/varied/{engine}", policy.name), |bencher| {
        bencher.iter(|| texts.next().map(|text| each(black_box(text))));
    });
}

fn check(policy: &Policy, case: &Case, engine: &str, decision: &Decision) {
    assert_eq!(*decision, case.expected, "{}", id(policy, case, engine));
}

fn id(policy: &Policy, case: &Case, engine: &str) -> String {
    format!("decision/{}/{}/{engine}", policy.name, case.name)
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = decisions, loading }
criterion_main!(benches);
