//! What a second thread brings: decisions of P1 by one thread and by two, through one pool, in turn.
//!
//! ```sh
//! cargo bench -p hexarch-benches --bench threads -- [ROUNDS]
//! ```
//!
//! Other work on the machine takes from both and from the two threads more; so many short rounds are made, and the best
//! and the median of each are printed. `time` is the processor's: how much more of it a decision takes beside another
//! thread, which other work does not change. `alone` has two threads with nothing in common, as what the machine gives.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark stops at the first surprise; its figures are far below 2^52"
)]

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use hexarch_benches::engines::ours;
use hexarch_benches::policy::{self, Policy};
use rego_engine::{Config, Engine, EntrypointId, EvalContext, Input, Module, Pool, PoolConfig};
use rego_value::json;

const ROUND: Duration = Duration::from_millis(100);

fn main() {
    let rounds = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(20);
    let policies = policy::load_all(&policy::standing());
    let policy = &policies[0];
    let module = Module::new(&Engine::new(Config::default()).unwrap(), &ours::compile(policy)).unwrap();
    let entrypoint = module.entrypoint(&policy.entrypoint).unwrap();
    let pools: Vec<Pool> = (0..2).map(|_| pool(&module, policy)).collect();
    let shared = |_: usize| decide(&pools[0], entrypoint, policy);
    let apart = |thread: usize| decide(&pools[thread], entrypoint, policy);
    let spin = |_: usize| {
        black_box((0..400).fold(1u64, |sum, step| black_box(sum * 31 + step)));
    };
    report("one pool", rounds, &shared);
    report("a pool each", rounds, &apart);
    report("alone", rounds, &spin);
}

fn pool(module: &Module, policy: &Policy) -> Pool {
    let pool = Pool::new(module, PoolConfig { size: 2, ..PoolConfig::default() }).unwrap();
    pool.set_data(json::parse(policy.data.as_bytes()).unwrap()).unwrap();
    pool
}

fn decide(pool: &Pool, entrypoint: EntrypointId, policy: &Policy) {
    let input = Input::from(policy.cases[0].input.as_str());
    let look = |answer: Option<rego_engine::Answer<'_>>| answer.unwrap().get("allowed").is_some();
    let found = pool
        .with(|instance, _| instance.evaluate_with(entrypoint, input, &EvalContext::default(), look))
        .unwrap()
        .unwrap();
    assert!(black_box(found));
}

fn report(name: &str, rounds: usize, work: &(impl Fn(usize) + Sync)) {
    let mut ratios = Vec::new();
    let [mut one, mut two] = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let (single, double) = (throughput(1, work), throughput(2, work));
        ratios.push(double.0 / single.0);
        one.push(single);
        two.push(double);
    }
    let best = |runs: &[(f64, f64)]| runs.iter().map(|run| run.0).fold(0.0, f64::max);
    let cost = |runs: &[(f64, f64)]| runs.iter().map(|run| run.1).fold(f64::MAX, f64::min);
    ratios.sort_by(f64::total_cmp);
    println!(
        "{name:12} one {:8.0}/s  two {:8.0}/s  best {:.2}  median {:.2}  most {:.2}  time of a decision {:.2}",
        best(&one),
        best(&two),
        best(&two) / best(&one),
        ratios[ratios.len() / 2],
        ratios[ratios.len() - 1],
        cost(&two) / cost(&one),
    );
}

/// Calls a second, and nanoseconds of the processor for each.
fn throughput(threads: usize, work: &(impl Fn(usize) + Sync)) -> (f64, f64) {
    let barrier = Barrier::new(threads);
    let counts: Vec<(u64, f64, f64)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| {
                let barrier = &barrier;
                scope.spawn(move || {
                    (0..1_000).for_each(|_| work(thread));
                    barrier.wait();
                    let (start, before) = (Instant::now(), processor_time());
                    let mut count = 0;
                    while start.elapsed() < ROUND {
                        (0..100).for_each(|_| work(thread));
                        count += 100;
                    }
                    (count, start.elapsed().as_secs_f64(), processor_time() - before)
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    let speed = counts.iter().map(|(count, seconds, _)| *count as f64 / seconds).sum();
    let cost = counts.iter().map(|(count, _, time)| time * 1e9 / *count as f64).sum::<f64>() / threads as f64;
    (speed, cost)
}

/// The time this thread has had a processor, in seconds; Linux says it in nanoseconds.
fn processor_time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse::<f64>().ok())
        .map_or(0.0, |nanos| nanos / 1e9)
}
