//! What a decision costs among few policies and among many: `cargo run --release --example many_policies -- 10 10000`.
//!
//! Prints for each number of policies how long the Guardian took to build, and the median time of a check.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use hexarch_guardrails::Guardian;

/// Checks that are timed, after as many that are not.
const CHECKS: usize = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counts: Vec<usize> = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let mut first = None;
    for policies in if counts.is_empty() { vec![10, 1_000] } else { counts } {
        let mut text = String::from("logging: {enabled: false}\npolicies:\n");
        for number in 0..policies {
            write!(
                text,
                "  - id: policy_{number}\n    rules:\n      - resource: api-{number}\n        \
                 requests_per_day: 1000000\n      - operation: delete\n        action: require_confirmation\n"
            )?;
        }
        let begun = Instant::now();
        let guardian = Guardian::builder().policy_text("hexarch.yaml", text).build()?;
        let built = begun.elapsed();
        let median = median(&guardian, policies)?;
        let first = *first.get_or_insert(median);
        println!(
            "{policies:6} policies: built in {:9.1} ms, a check {:7.2} µs, {:.2} of the first",
            built.as_secs_f64() * 1e3,
            median.as_secs_f64() * 1e6,
            median.as_secs_f64() / first.as_secs_f64()
        );
    }
    Ok(())
}

/// The median of checks of policies all over the file.
fn median(guardian: &Guardian, policies: usize) -> Result<Duration, Box<dyn std::error::Error>> {
    let asked: Vec<(String, String)> = (0..10)
        .map(|tenth| tenth * policies.saturating_sub(1) / 9)
        .map(|number| (format!("policy_{number}"), format!("api-{number}")))
        .collect();
    let mut took = Vec::with_capacity(CHECKS);
    for round in 0..2 * CHECKS / asked.len() {
        for (policy, resource) in &asked {
            let begun = Instant::now();
            guardian.check(policy)?.operation("read").resource(resource.as_str()).run(|| ())?;
            if round >= CHECKS / asked.len() {
                took.push(begun.elapsed());
            }
        }
    }
    took.sort_unstable();
    Ok(took.get(took.len() / 2).copied().unwrap_or_default())
}
