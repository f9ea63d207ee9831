//! Measures decisions of a module: `decisions MODULE ENTRYPOINT DATA INPUT...`, all but the second
//! being files. Prints the time of a decision from JSON text and from a parsed value, the best of many
//! runs, for each input, and what its parts cost.
#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module};
use rego_value::json;

/// The best average time of many batches.
fn best(mut work: impl FnMut()) -> Duration {
    const BATCH: u32 = 2000;
    let mut best = Duration::MAX;
    for _ in 0..60 {
        let start = Instant::now();
        for _ in 0..BATCH {
            work();
        }
        best = best.min(start.elapsed() / BATCH);
    }
    best
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().ok_or("usage: decisions MODULE ENTRYPOINT DATA INPUT...");
    let (module, entrypoint, data) = (std::fs::read(next()?)?, next()?, std::fs::read(next()?)?);
    let engine = Engine::new(Config::default())?;
    let start = Instant::now();
    let module = Module::new(&engine, &module)?;
    let compiled = start.elapsed();
    let id = module.entrypoint(&entrypoint).ok_or("no such entrypoint")?;
    let mut instance = Instance::new(&module)?;
    instance.set_data_json(&data)?;
    println!("compile {compiled:?}, functions of the host: {:?}", module.host_functions());
    let context = EvalContext::default();
    for path in args {
        let text = std::fs::read(&path)?;
        let value = json::parse(&text).map_err(|error| format!("{path}: {error:?}"))?;
        let decision = instance.evaluate_value(id, Input::Json(&text), &context)?;
        let from_text = best(|| drop(black_box(instance.evaluate_value(id, Input::Json(&text), &context))));
        let parsed = best(|| drop(black_box(instance.evaluate_value(id, Input::Value(&value), &context))));
        let nothing = best(|| drop(black_box(instance.evaluate_value(id, Input::Undefined, &context))));
        println!("{path}: text {from_text:?}, parsed {parsed:?}, no input {nothing:?}: {decision:?}");
    }
    Ok(())
}
