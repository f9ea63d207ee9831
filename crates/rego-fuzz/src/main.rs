//! Random policies, answered by our modules and by a real OPA: `cargo xtask fuzz`.
//!
//! Programs are generated from a seed (`generate`), compiled by us many to a module (`ours`) and pushed to an OPA
//! server one by one (`opa`); each rule of each program is asked for, with each of its inputs. A program for which an
//! answer differs is made as small as it gets (`shrink`) and printed with both answers.

mod answer;
mod arguments;
mod choices;
mod generate;
mod http;
mod judge;
mod opa;
mod ours;
mod program;
mod shrink;

use std::process::ExitCode;
use std::time::Instant;

use arguments::Arguments;
use choices::Choices;
use judge::Judge;
use opa::Opa;
use ours::Ours;
use test_support::Random;

/// So many programs share a module.
const BATCH: usize = 60;

/// After so many differences the rest can wait.
const MOST_DIFFERENCES: usize = 5;

/// The compiler recurses with the nesting of the source.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    let run = || arguments::parse(std::env::args().skip(1)).and_then(|arguments| run(&arguments));
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run);
    let done = match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err("the fuzzer died".to_owned()),
        Err(error) => Err(format!("no thread: {error}")),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("rego-fuzz: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs what the arguments ask for; `Ok(false)` when an answer differs.
fn run(arguments: &Arguments) -> Result<bool, String> {
    let start = Instant::now();
    println!("rego-fuzz: --seed {} --programs {}", arguments.seed, arguments.programs);
    let mut seeds = Random::new(arguments.seed);
    let mut judge = Judge::new(Ours::new()?, Opa::start(&arguments.opa)?, arguments.print);
    for _ in 0..arguments.skip {
        let _skipped = seeds.bits();
    }
    let (mut done, mut different) = (0, 0);
    while done < arguments.programs && different < arguments.differences {
        let count = BATCH.min(arguments.programs - done);
        let programs: Vec<_> = (0..count).map(|_| generate::program(Choices::new(seeds.bits()))).collect();
        if arguments.print {
            programs.iter().for_each(|program| println!("{program}\n"));
        }
        let found = judge.differences(&programs)?;
        for (index, (program, found)) in programs.into_iter().zip(found).enumerate() {
            let Some(difference) = found else { continue };
            different += 1;
            let (program, difference) = shrink::shrink(&mut judge, program, difference)?;
            println!(
                "\ndifference {different}: program {} of --seed {}\n{program}\n# input: {}\n# ours of {:?}: {}\n# OPA's: {}\n# OPA's plan, compiled by us: {}",
                arguments.skip + done + index,
                arguments.seed,
                if difference.input.is_empty() { "none" } else { &difference.input },
                difference.entry,
                difference.ours,
                difference.theirs,
                difference.of_plan,
            );
        }
        done += count;
        if (done / BATCH).is_multiple_of(20) {
            eprintln!("rego-fuzz: {done} programs in {:.0} s", start.elapsed().as_secs_f32());
        }
    }
    let seen = &judge.seen;
    println!(
        "rego-fuzz: {done} programs ({} refused by both, {} over which OPA falls), {} answers compared: {} values, {} undefined, {} errors; \
         {} met an error that OPA's interpreter finds without its index only, or its plan; \
         {} were answered otherwise by a new server of OPA; {different} programs differ; {:.0} s",
        seen.refused,
        seen.crashed,
        seen.values + seen.undefined + seen.errors,
        seen.values,
        seen.undefined,
        seen.errors,
        seen.order,
        seen.stale,
        start.elapsed().as_secs_f32(),
    );
    Ok(different == 0)
}
