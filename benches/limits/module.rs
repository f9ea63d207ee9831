//! What of a check is the module's: the decision of the policy of three budgets, with its windows and its state at hand.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use guard_policy::{RegoPackage, parse, translate};
use rego_build::{Options, PlanOptions, Source, Target, build};
use rego_engine::{Answer, Config, Engine, EvalContext, Input, Instance, Module};
use rego_value::json;

use crate::check::POLICY;
use crate::in_turn;

/// The call of the check.
const INPUT: &str = r#"{"policy_id": "budget", "function": "", "operation": "chat", "resource": "openai", "cost": 0.000001, "cost_micros": 1,
    "confirmed": false, "context": {}, "metadata": {}, "time_ns": 1795000000123456789}"#;

/// The windows of that moment, each with something spent.
const STATE: &str = r#"{"budget.month.monthly_budget": {"all": {"2026-11": {"local": 1000}}},
    "budget.day.daily_budget": {"all": {"2026-11-18": {"local": 1000}}},
    "budget.hour.hourly_budget": {"all": {"498611": {"local": 1000}}}}"#;

pub(crate) fn run(rounds: usize) {
    let file = parse("hexarch.yaml", POLICY).unwrap();
    let package = translate(&file);
    let bytes = compiled(&package);
    let module = Module::new(&Engine::new(Config::default()).unwrap(), &bytes).unwrap();
    if std::env::var_os("PERF_MAP").is_some() {
        leave_map(&module);
    }
    let mut instance = Instance::new(&module).unwrap();
    let context = EvalContext { deadline: Some(Duration::from_secs(1)), ..EvalContext::default() };
    let input = Input::Json(INPUT.as_bytes());
    let calendar = module.entrypoint("guardrails/calendar").unwrap();
    let windows = instance.evaluate_value(calendar, input, &context).unwrap().unwrap();
    let data = format!(
        r#"{{"hexarch": {{"state": {STATE}, "calendar": {}}}}}"#,
        json::to_string(&windows, json::Escape::Plain)
    );
    instance.set_data_json(data.as_bytes()).unwrap();
    let evaluate = module.entrypoint("guardrails/evaluate").unwrap();
    let decision = instance.evaluate_value(evaluate, input, &context).unwrap().unwrap();
    println!("  {} bytes of module; {}", bytes.len(), json::to_string(&decision, json::Escape::Plain));
    let allowed = |answer: Option<Answer<'_>>| answer.and_then(|answer| answer.get("allowed")?.as_bool());
    in_turn(
        rounds,
        500,
        &mut [(
            "the module alone, three budgets",
            Box::new(|count| {
                for _ in 0..count {
                    assert_eq!(
                        instance.evaluate_with(evaluate, input, &context, allowed).unwrap(),
                        Some(true)
                    );
                }
            }),
        )],
    );
}

/// With the files of the folder `REGO_DIR` in place of the library's, so that a change of it is measured without a build.
fn compiled(package: &RegoPackage) -> Vec<u8> {
    let folder = std::env::var_os("REGO_DIR").unwrap_or_default();
    let sources: Vec<Source> = package
        .modules()
        .iter()
        .map(|module| {
            let file = Path::new(&folder).join(Path::new(module.name()).file_name().unwrap());
            let text = std::fs::read_to_string(file).unwrap_or_else(|_| module.text().to_owned());
            Source::new(module.name(), text)
        })
        .collect();
    let wasm = PlanOptions { target: Target::Engine, name_runtime: true };
    match build(&sources, package.entrypoints(), &Options { wasm, ..Options::default() }) {
        Ok(module) => module.bytes,
        Err(error) => panic!("{error}"),
    }
}

/// Tells `perf` where the module's code lies.
fn leave_map(module: &Module) {
    let mut map = String::new();
    for (name, address, length) in module.machine_code() {
        writeln!(map, "{address:x} {length:x} wasm:{name}").unwrap();
    }
    let _ = std::fs::write(format!("/tmp/perf-{}.map", std::process::id()), map);
}
