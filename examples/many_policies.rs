//! What a decision costs among few policies and among many: `cargo run --release --example many_policies -- 10 10000`.
//!
//! Prints for each number of policies how long the Guardian took to build, and the median time of a check: of policies
//! that differ in names and numbers only, and of policies that differ in which keys they have as well.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use hexarch_guardrails::Guardian;

/// Checks that are timed, after as many that are not.
const CHECKS: usize = 20_000;

/// Keys of rules, of which a mixed policy has those whose bits are set in its number.
const KEYS: [&str; 8] = [
    "requests_per_hour: 900000",
    "daily_budget: 900000",
    "monthly_budget: 9000000",
    "max_tokens_per_request: 4000",
    "allowed_users: [ana, \"@owner\"]",
    "concurrent_limit: 40",
    "allowed_hours: \"00:00-24:00\"",
    "forbidden_days: []",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counts: Vec<usize> = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let counts = if counts.is_empty() { vec![10, 1_000] } else { counts };
    for (kind, write) in [("alike", alike as fn(usize) -> String), ("mixed", mixed)] {
        let mut first = None;
        for &policies in &counts {
            let policies_text: String = (0..policies).map(write).collect();
            let text = format!("logging: {{enabled: false}}\npolicies:\n{policies_text}");
            let begun = Instant::now();
            let guardian = Guardian::builder().policy_text("hexarch.yaml", text).build()?;
            let built = begun.elapsed();
            let median = median(&guardian, policies)?;
            let first = *first.get_or_insert(median);
            println!(
                "{policies:6} policies, {kind}: built in {:9.1} ms, a check {:7.2} µs, {:.2} of the first",
                built.as_secs_f64() * 1e3,
                median.as_secs_f64() * 1e6,
                median.as_secs_f64() / first.as_secs_f64()
            );
        }
    }
    Ok(())
}

fn alike(number: usize) -> String {
    format!(
        "  - id: policy_{number}\n    rules:\n      - resource: api-{number}\n        requests_per_day: 1000000\n      \
         - operation: delete\n        action: require_confirmation\n"
    )
}

/// So many mixed policies differ in their keys; then they begin again.
const MIXED: usize = 64 * 64;

/// A policy of two rules.
fn mixed(number: usize) -> String {
    let keys = |bits: usize| {
        let keys = KEYS.iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 == 1);
        keys.map(|(_, key)| format!("        {key}\n")).collect::<String>()
    };
    let mut text = format!(
        "  - id: policy_{number}\n    rules:\n      - resource: api-{number}\n{}",
        keys(number % 64 + 1)
    );
    write!(text, "      - operation: delete\n{}", keys(number / 64 % 64 + 1)).unwrap_or_default();
    text
}

/// The median of checks of ten policies all over the file, with the same keys however many there are.
fn median(guardian: &Guardian, policies: usize) -> Result<Duration, Box<dyn std::error::Error>> {
    let rounds = policies.saturating_sub(10) / MIXED;
    let asked: Vec<(String, String)> = (0..policies.min(10))
        .map(|tenth| tenth + tenth * rounds / 9 * MIXED)
        .map(|number| (format!("policy_{number}"), format!("api-{number}")))
        .collect();
    let mut took = Vec::with_capacity(CHECKS);
    for round in 0..2 * CHECKS / asked.len() {
        for (policy, resource) in &asked {
            let begun = Instant::now();
            let check = guardian.check(policy)?.operation("read").resource(resource.as_str()).user("ana");
            check.cost("0.000001").tokens(10).run(|| ())?;
            if round >= CHECKS / asked.len() {
                took.push(begun.elapsed());
            }
        }
    }
    took.sort_unstable();
    Ok(took.get(took.len() / 2).copied().unwrap_or_default())
}
