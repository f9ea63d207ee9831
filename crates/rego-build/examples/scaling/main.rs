//! How long it takes from source to module as a policy grows, phase by phase, with OPA's time beside it.
//!
//! ```sh
//! OPA_BIN=$(cargo xtask opa) cargo run -p rego-build --release --example scaling -- [SHAPE] [RULES…]
//! ```
//!
//! One row for each shape and number of rules; a time is the least of three runs on one thread, in milliseconds (one
//! run where it takes seconds): time on the processor where the system tells it, so that a busy machine does not
//! count, but for OPA's, which is the clock's. Without `OPA_BIN` the columns for OPA are empty.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_types,
    reason = "a program that measures: it prints, takes the time and starts OPA"
)]

mod shapes;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rego_compiler::plan::{self, Query};
use rego_syntax::{ParserOptions, SourceMap};

use shapes::SHAPES;

/// The phases of a build, in their order.
const PHASES: [&str; 5] = ["parse", "check", "plan", "verify", "wasm"];

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let counts: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![10, 100, 1_000, 10_000] } else { counts };
    let wanted = |name: &str| {
        let mut names = words.iter().filter(|word| word.parse::<usize>().is_err()).peekable();
        names.peek().is_none() || names.any(|word| word == name)
    };
    let opa = std::env::var_os("OPA_BIN").map(PathBuf::from);
    println!(
        "| shape | rules | KB | {} | **all** | module KB | `opa build` | `opa build -t wasm` |",
        PHASES.join(" | ")
    );
    println!("|---|{}", "--:|".repeat(PHASES.len() + 6));
    for (name, shape) in SHAPES.iter().filter(|(name, _)| wanted(name)) {
        for &count in &counts {
            let text = shape(count);
            // The depth of a policy is bounded by the parser, the stack by the thread.
            let measured = std::thread::scope(|scope| {
                let builder = std::thread::Builder::new().stack_size(64 << 20);
                builder
                    .spawn_scoped(scope, || measure(&text).map_err(|error| error.to_string()))?
                    .join()
                    .map_err(|_| "died".into())
            });
            let (times, bytes) =
                match measured.and_then(|result: Result<_, String>| result.map_err(Into::into)) {
                    Ok(measured) => measured,
                    Err(error) => {
                        let error: Box<dyn Error> = error;
                        eprintln!("{name} {count}: {error}");
                        continue;
                    }
                };
            let phases: Vec<String> = times.iter().map(|time| milliseconds(*time)).collect();
            let all: Duration = times.iter().sum();
            let [rego, wasm] = [&["build"][..], &["build", "-t", "wasm"]].map(|command| {
                let time = opa.as_deref().and_then(|opa| by_opa(opa, command, &text));
                time.map(milliseconds).unwrap_or_default()
            });
            println!(
                "| {name} | {count} | {} | {} | **{}** | {} | {rego} | {wasm} |",
                text.len() / 1024,
                phases.join(" | "),
                milliseconds(all),
                bytes / 1024,
            );
        }
    }
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    let time = time.as_secs_f64() * 1_000.0;
    if time < 10.0 { format!("{time:.1}") } else { format!("{time:.0}") }
}

/// The least time of each phase over some runs, and the size of the module.
fn measure(text: &str) -> Result<([Duration; PHASES.len()], usize), Box<dyn Error>> {
    let (mut best, bytes) = once(text)?;
    if best.iter().sum::<Duration>() < Duration::from_secs(2) {
        for _ in 0..2 {
            for (least, time) in best.iter_mut().zip(once(text)?.0) {
                *least = time.min(*least);
            }
        }
    }
    Ok((best, bytes))
}

fn once(text: &str) -> Result<([Duration; PHASES.len()], usize), Box<dyn Error>> {
    let start = Instant::now();
    let now = || on_processor().unwrap_or_else(|| start.elapsed());
    let mut last = now();
    let mut lap = || {
        let time = now().saturating_sub(last);
        last = now();
        time
    };
    let mut files = SourceMap::new();
    let file = files.add("policy.rego", text);
    let module = rego_syntax::parse_module(&file, &ParserOptions::default()).into_result().map_err(first)?;
    let parsed = lap();
    let program = rego_compiler::check(vec![module], &files, &Default::default()).map_err(first)?;
    let checked = lap();
    let policy = plan::plan(&program, &[Query::entrypoint(shapes::ENTRYPOINT)])?;
    let planned = lap();
    let policy = rego_ir::verify(policy).map_err(|errors| format!("{errors:?}"))?;
    let verified = lap();
    let module = rego_wasm::compile(&policy, &Default::default())?;
    Ok(([parsed, checked, planned, verified, lap()], module.bytes.len()))
}

/// How long this thread has run, as Linux counts it.
fn on_processor() -> Option<Duration> {
    let counters = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(counters.split(' ').next()?.parse().ok()?))
}

fn first(diagnostics: Vec<rego_syntax::Diagnostic>) -> String {
    diagnostics.first().map(|first| first.message.to_string()).unwrap_or_default()
}

/// How long OPA takes, as a process of its own; `None` when it fails or takes longer than anybody would wait.
fn by_opa(opa: &Path, command: &[&str], text: &str) -> Option<Duration> {
    let folder = std::env::temp_dir().join(format!("rego-scaling-{}", std::process::id()));
    std::fs::create_dir_all(&folder).ok()?;
    std::fs::write(folder.join("policy.rego"), text).ok()?;
    let run = || {
        let start = Instant::now();
        let mut build = Command::new("timeout");
        build.current_dir(&folder).env("GOMAXPROCS", "1").arg("120").arg(opa).args(command);
        let output = build.args(["-e", shapes::ENTRYPOINT, "policy.rego"]).output().ok()?;
        output.status.success().then(|| start.elapsed())
    };
    let mut best = run();
    if best.is_some_and(|time| time < Duration::from_secs(2)) {
        best = best.min(run()).min(best);
    }
    let _ = std::fs::remove_dir_all(&folder);
    best
}
