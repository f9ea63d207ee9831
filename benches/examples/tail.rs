//! The slowest decisions among many, with all processors busy: a histogram, and what the slow ones coincide with.
//!
//! ```sh
//! cargo run -p hexarch-benches --profile profiling --example tail -- [DECISIONS] [THREADS]
//! ```
//!
//! Each decision of P1 is timed by itself. After one that takes more than ten times the median, the thread asks the
//! system whether it was taken off its processor meanwhile, of its own accord or not, or had a page given: what remains
//! is the program's own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a tool for its authors, whose figures are far below 2^52"
)]

use std::hint::black_box;
use std::time::Instant;

use hexarch_benches::engines::ours;
use hexarch_benches::policy;
use rego_engine::{Config, Engine, EvalContext, Input, Module, Pool, PoolConfig};
use rego_value::json;

/// Nanoseconds that one step of the histogram has, and how many there are.
const STEP: u64 = 50;
const STEPS: usize = 4_000;

struct Tail {
    histogram: Vec<u64>,
    /// Nanoseconds of the slow ones, and why.
    slow: Vec<(u64, &'static str)>,
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let decisions = arguments.next().unwrap_or(10_000_000);
    let threads = arguments.next().unwrap_or(2);
    let policies = policy::load_all(&policy::standing());
    let policy = &policies[0];
    let module = Module::new(&Engine::new(Config::default()).unwrap(), &ours::compile(policy)).unwrap();
    let entrypoint = module.entrypoint(&policy.entrypoint).unwrap();
    let pool = Pool::new(&module, PoolConfig { size: threads as usize, ..PoolConfig::default() }).unwrap();
    pool.set_data(json::parse(policy.data.as_bytes()).unwrap()).unwrap();
    let decide = || {
        let input = Input::from(policy.cases[0].input.as_str());
        let look = |answer: Option<rego_engine::Answer<'_>>| answer.unwrap().get("allowed").is_some();
        let work = |instance: &mut rego_engine::Instance, _| {
            instance.evaluate_with(entrypoint, input, &EvalContext::default(), look)
        };
        assert!(black_box(pool.with(work).unwrap().unwrap()));
    };
    let start = Instant::now();
    let tails: Vec<Tail> = std::thread::scope(|scope| {
        let handles: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| measure(decisions / threads, decide))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    report(&tails, start.elapsed().as_secs_f64());
}

fn measure(decisions: u64, decide: impl Fn()) -> Tail {
    let mut tail = Tail { histogram: vec![0; STEPS], slow: Vec::new() };
    let limit = {
        let mut times: Vec<u64> = (0..20_000).map(|_| time(&decide)).collect();
        times.sort_unstable();
        times[10_000] * 10
    };
    let mut before = interruptions();
    for _ in 0..decisions {
        let nanos = time(&decide);
        let step = usize::try_from(nanos / STEP).unwrap_or(STEPS).min(STEPS - 1);
        tail.histogram[step] += 1;
        if nanos > limit {
            let now = interruptions();
            let why = match () {
                () if now[0] > before[0] => "preempted by other work",
                () if now[1] > before[1] => "gave up its processor",
                () if now[2] > before[2] => "a page was given",
                () => "an interrupt, or the machine's host",
            };
            tail.slow.push((nanos, why));
            before = interruptions();
        }
    }
    tail
}

fn time(decide: &impl Fn()) -> u64 {
    let start = Instant::now();
    decide();
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// How often this thread was preempted, gave up its processor and had a page given, as Linux counts.
fn interruptions() -> [u64; 3] {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let count = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
    };
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    let faults = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(7)?.parse().ok());
    [count("nonvoluntary_ctxt_switches:"), count("voluntary_ctxt_switches:"), faults.unwrap_or(0)]
}

fn report(tails: &[Tail], seconds: f64) {
    let histogram: Vec<u64> =
        (0..STEPS).map(|step| tails.iter().map(|tail| tail.histogram[step]).sum()).collect();
    let total: u64 = histogram.iter().sum();
    let at = |part: f64| {
        let mut left = (total as f64 * part) as u64;
        let step = histogram.iter().position(|count| match left.checked_sub(*count) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        });
        (step.unwrap_or(STEPS) as u64 + 1) * STEP
    };
    let median = at(0.5);
    println!("{total} decisions by {} threads in {seconds:.1} s", tails.len());
    for (name, part) in [("median", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)] {
        println!("{name:8} {:8} ns  {:6.1} x median", at(part), at(part) as f64 / median as f64);
    }
    let slow: Vec<_> = tails.iter().flat_map(|tail| &tail.slow).collect();
    println!(
        "slower than ten medians: {} of {total}, the slowest {} ns",
        slow.len(),
        slow.iter().map(|(nanos, _)| *nanos).max().unwrap_or(0)
    );
    let mut whys: Vec<&str> = slow.iter().map(|(_, why)| *why).collect();
    whys.sort_unstable();
    for group in whys.chunk_by(|one, next| one == next) {
        println!("{:8} {}", group.len(), group[0]);
    }
}
