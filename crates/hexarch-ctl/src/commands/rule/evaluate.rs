//! `hexarch-ctl rule evaluate`: one call under rules with conditions, decided by the module that the rules become.

use std::collections::BTreeMap;
use std::io::{Read as _, Write};
use std::path::Path;

use clap::Args;
use guard_core::{Clock as _, Decision, SystemClock};
use guard_policy::{RuleSet, TRACE_ENTRYPOINT, trace_modules, translate};
use hexarch_guardrails::{DECISION_ENTRYPOINT, compile_policies};
use rego_engine::{Config, Engine, EvalContext, Instance, Module};
use rego_value::json::{Escape, to_string};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Format, Place, find};
use crate::failure::Failure;

/// What is decided about.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The call, as JSON: `operation`, `resource`, `user`, `context` and so on; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    input: String,
    /// Shows each condition, its value, and whether it held.
    #[arg(long)]
    trace: bool,
    /// How the decision is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// The largest call that is read, in bytes.
const MAX_INPUT: u64 = 16_000_000;

/// Decides, prints, and ends with 3 where the call is denied.
pub(crate) fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), Failure> {
    let rules = find(&arguments.place, config)?;
    let input = input(&arguments.input, &rules)?;
    let (decision, traced) = decide(&rules, &input, arguments.trace)?;
    let allowed = Decision::from_json(decision.to_string().as_bytes()).map_err(Failure::of)?.allowed;
    let mut out = std::io::stdout().lock();
    match arguments.format {
        Format::Json => {
            let told = match traced {
                Some(rules) => json!({"decision": decision, "rules": rules}),
                None => json!({"decision": decision}),
            };
            writeln!(out, "{told}")?;
        }
        Format::Table => {
            for name in ["action", "reason"] {
                writeln!(out, "{name:8} {}", decision.get(name).and_then(Value::as_str).unwrap_or_default())?;
            }
            let rule = decision.pointer("/metadata/rule").and_then(Value::as_str);
            if let Some(rule) = rule {
                writeln!(out, "rule     {rule}")?;
            }
            for traced in traced.as_ref().and_then(Value::as_array).into_iter().flatten() {
                trace_rule(traced, rule, &mut out)?;
            }
        }
    }
    if allowed { Ok(()) } else { Err(Failure::Exit(3, String::new())) }
}

/// The call with what it need not say itself: the rules' own id, and the time. What it does say is handed on as it is
/// written, each number with all its digits.
fn input(path: &str, rules: &RuleSet) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path {
        "-" => std::io::stdin().lock().take(MAX_INPUT + 1).read_to_string(&mut text),
        path => std::fs::File::open(path).and_then(|file| file.take(MAX_INPUT + 1).read_to_string(&mut text)),
    };
    read.map_err(|error| Failure::Failed(format!("cannot read the call in `{path}`: {error}")))?;
    if text.len() as u64 > MAX_INPUT {
        return Err(Failure::Failed(format!("the call in `{path}` has more than {MAX_INPUT} bytes")));
    }
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).map_err(|error| {
        Failure::Failed(format!(
            "the call in `{path}` is not a JSON object such as {{\"operation\": \"delete\"}}: {error}"
        ))
    })?;
    let raw = |value: Value| RawValue::from_string(value.to_string()).map_err(Failure::of);
    members.insert("policy_id".to_owned(), raw(rules.id().into())?);
    if !members.contains_key("time_ns") {
        members.insert("time_ns".to_owned(), raw(SystemClock::new().now().as_nanos().into())?);
    }
    serde_json::to_string(&members).map_err(Failure::of)
}

/// The rules as a module that decides and tells how.
pub(super) fn compiled(rules: &RuleSet) -> Result<Vec<u8>, Failure> {
    let mut modules = translate(rules.file()).modules().to_vec();
    modules.extend(trace_modules(rules.file()));
    compile_policies(&modules, &[DECISION_ENTRYPOINT, TRACE_ENTRYPOINT]).map_err(Failure::of)
}

fn decide(rules: &RuleSet, input: &str, trace: bool) -> Result<(Value, Option<Value>), Failure> {
    let bytes = compiled(rules)?;
    let engine = Engine::new(Config::default()).map_err(Failure::of)?;
    let module = Module::new(&engine, &bytes).map_err(Failure::of)?;
    let mut instance = Instance::new(&module).map_err(Failure::of)?;
    let data = translate(rules.file()).data().to_string();
    instance.set_data_json(data.as_bytes()).map_err(Failure::of)?;
    let mut ask = |entrypoint: &str| -> Result<Value, Failure> {
        let answer =
            instance.evaluate(entrypoint, input.into(), &EvalContext::default()).map_err(Failure::of)?;
        let answer =
            answer.result().ok_or_else(|| Failure::Failed("the rules gave no decision".to_owned()))?;
        serde_json::from_str(&to_string(answer, Escape::Plain)).map_err(Failure::of)
    };
    let decision = ask(DECISION_ENTRYPOINT)?;
    if !trace {
        return Ok((decision, None));
    }
    let mut traced = ask(TRACE_ENTRYPOINT)?;
    let rules = traced.get_mut(rules.id()).map(Value::take).unwrap_or_else(|| json!([]));
    Ok((decision, Some(rules)))
}

fn trace_rule(traced: &Value, decides: Option<&str>, out: &mut impl Write) -> std::io::Result<()> {
    let text = |name: &str| traced[name].as_str().unwrap_or_default();
    let actions = traced["actions"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let decides = if decides == Some(text("rule")) { ", decides" } else { "" };
    writeln!(
        out,
        "\n{:9} {} (line {}, priority {}): {}{decides}",
        mark(traced.pointer("/when/answer").unwrap_or(&Value::Null)),
        text("rule"),
        traced["line"],
        traced["priority"],
        actions.collect::<Vec<_>>().join(", ")
    )?;
    tree(&traced["when"], 1, out)
}

/// A condition, and those that it is made of, each with its answer where it has one.
pub(super) fn tree(condition: &Value, indent: usize, out: &mut impl Write) -> std::io::Result<()> {
    let pad = "  ".repeat(indent);
    let operator = condition["operator"].as_str().unwrap_or_default();
    let mark = mark(&condition["answer"]);
    let line = &condition["line"];
    match condition["conditions"].as_array() {
        Some(parts) => {
            writeln!(out, "{mark:9}{pad}{operator} (line {line})")?;
            // Nesting is bounded by the reader.
            parts.iter().try_for_each(|part| tree(part, indent + 1, out))
        }
        None => {
            let field = condition["field"].as_str().unwrap_or_default();
            let why = why(condition);
            writeln!(out, "{mark:9}{pad}{field} {operator} {}{why} (line {line})", condition["expected"])
        }
    }
}

/// The value that was found, or what is in the way of comparing it.
fn why(condition: &Value) -> String {
    match (&condition["answer"], condition.get("value")) {
        (Value::Array(trouble), _) => {
            let reasons: Vec<&str> = trouble.iter().filter_map(|one| one["reason"].as_str()).collect();
            format!(": {}", reasons.join(", "))
        }
        (_, Some(Value::Null)) => ", and the call does not say it".to_owned(),
        (_, Some(value)) => format!(", and it is {}", shortened(value)),
        (_, None) => String::new(),
    }
}

/// A value may be as long as a call.
fn shortened(value: &Value) -> String {
    const SHOWN: usize = 120;
    let text = value.to_string();
    if text.chars().nth(SHOWN).is_none() { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

/// The answer in a word.
fn mark(answer: &Value) -> &'static str {
    match answer {
        Value::Bool(true) => "held",
        Value::Bool(false) => "not held",
        Value::Array(trouble) if trouble.iter().any(|one| one["kind"] == "error") => "error",
        Value::Array(_) => "missing",
        _ => "",
    }
}
