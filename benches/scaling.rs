//! What a decision costs as a policy or its data grow: `scaling/rules/<count>/<match>` and `scaling/entries/<count>`.
//!
//! The rules compare two members of the input with constants, as most do; the request matches the first of them, the
//! last, or none. The entries are users with their roles; the request asks for one in the middle.
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
use hexarch_benches::Decision;
use hexarch_benches::engines::ours;
use hexarch_benches::policy::Policy;

const DECISION: &str = "decision := {\"allowed\": true, \"reason\": \"\", \"action\": \"allow\"} if {\n\tallow\n} else := {\"allowed\": false, \"reason\": \"no\", \"action\": \"deny\"}\n";

fn policy(rules: &str, data: String) -> Policy {
    Policy {
        name: "scaling".to_owned(),
        source: format!("package scaling\n\nimport rego.v1\n\ndefault allow := false\n\n{rules}\n{DECISION}"),
        data,
        entrypoint: "scaling/decision".to_owned(),
        cases: Vec::new(),
    }
}

fn measure(criterion: &mut Criterion, id: &str, policy: &Policy, input: &str, allowed: bool) {
    let mut engine = ours::Loaded::new(&ours::compile(policy), policy);
    let (reason, action) = if allowed { ("", "allow") } else { ("no", "deny") };
    assert_eq!(engine.decide(input), Decision::new(allowed, reason, action), "{id}");
    criterion.bench_function(id, |bencher| bencher.iter(|| engine.decide(black_box(input))));
}

fn rules(criterion: &mut Criterion) {
    for count in [1, 10, 100, 1_000] {
        let mut text = String::new();
        for rule in 0..count {
            writeln!(
                text,
                "allow if {{\n\tinput.method == \"method-{}\"\n\tinput.user.role == \"role-{rule}\"\n}}\n",
                rule / 10
            )
            .unwrap();
        }
        let policy = policy(&text, "{}".to_owned());
        let last = count - 1;
        for (name, method, role) in [
            ("first", 0, "role-0".to_owned()),
            ("last", last / 10, format!("role-{last}")),
            ("none", 0, "other".to_owned()),
        ] {
            let input = format!(r#"{{"method":"method-{method}","user":{{"role":"{role}","name":"ada"}}}}"#);
            measure(criterion, &format!("scaling/rules/{count}/{name}"), &policy, &input, name != "none");
        }
    }
}

fn entries(criterion: &mut Criterion) {
    for count in [20, 20_000] {
        let users: Vec<String> =
            (0..count).map(|user| format!(r#""user-{user}":{{"roles":["reader","writer"]}}"#)).collect();
        let policy = policy(
            "allow if \"writer\" in data.users[input.user].roles\n",
            format!(r#"{{"users":{{{}}}}}"#, users.join(",")),
        );
        let input = format!(r#"{{"user":"user-{}"}}"#, count / 2);
        measure(criterion, &format!("scaling/entries/{count}"), &policy, &input, true);
    }
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = config(); targets = rules, entries }
criterion_main!(benches);
