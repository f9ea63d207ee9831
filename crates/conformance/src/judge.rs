//! Whether a case passes, as the corpus' README says.

use std::collections::BTreeSet;

use rego_value::json::{self, Escape};
use rego_value::{Object, Value};

use crate::corpus::{Case, Program, Want};
use crate::javascript;
use crate::pipeline::{Fault, Pipeline};

/// Why a case does not pass, in words.
pub(crate) type Failure = String;

/// What became of a case.
pub(crate) struct Judged {
    /// Why it did not pass.
    pub(crate) failure: Option<Failure>,
    /// How many instructions of WebAssembly its evaluations took.
    pub(crate) instructions: u64,
}

impl Judged {
    /// A case that never got as far as an evaluation.
    pub(crate) fn without_evaluation(result: Result<(), Failure>) -> Self {
        Self { failure: result.err(), instructions: 0 }
    }
}

/// Runs a case and holds what came out against each of its expectations.
pub(crate) fn judge(pipeline: &Pipeline, case: &Case) -> Judged {
    if let Program::Command(run) = &case.program {
        return Judged::without_evaluation(crate::cli::judge(run));
    }
    let program = match pipeline.compile(case) {
        Ok(program) => program,
        Err(fault) => return Judged::without_evaluation(fault_is_wanted(&fault, case)),
    };
    let failure = judge_answers(case, |strict| program.evaluate(case, strict)).err();
    Judged { failure, instructions: program.instructions() }
}

/// Holds what an evaluation gives against each expectation of the case.
pub(crate) fn judge_answers(
    case: &Case,
    evaluate: impl Fn(bool) -> Result<Vec<Value>, Fault>,
) -> Result<(), Failure> {
    let wants_error = case.want.error.is_some() || case.want.error_code.is_some();
    if wants_error {
        match evaluate(case.strict_error) {
            Ok(answers) => return Err(format!("wanted an error, got {}", show(&answers))),
            Err(fault) => fault_is_wanted(&fault, case)?,
        }
    }
    if case.want.result.is_none() && case.want.defined.is_none() {
        return Ok(());
    }
    // Where a case wants both, the answers are those that came before the errors of built-in functions are raised.
    let answers = evaluate(case.strict_error && !wants_error).map_err(|fault| unwanted(&fault))?;
    answers_are_wanted(&answers, case)
}

/// Whether a case is one of the assets that OPA's runner in JavaScript judges.
fn is_asset(case: &Case) -> bool {
    case.group == "wasm"
}

fn unwanted(fault: &Fault) -> Failure {
    format!("{}: {}", fault.code, fault.message)
}

fn fault_is_wanted(fault: &Fault, case: &Case) -> Result<(), Failure> {
    let want = &case.want;
    if want.error.is_none() && want.error_code.is_none() {
        return Err(unwanted(fault));
    }
    if let Some(code) = want.error_code.as_ref().filter(|code| **code != fault.code) {
        return Err(format!("wanted the code {code}, got {}", unwanted(fault)));
    }
    // The assets' runner sees what the module aborts with; the evaluator's error says more.
    let message = fault.abort.as_ref().filter(|_| is_asset(case)).unwrap_or(&fault.message);
    match &want.error {
        Some(text) if !message.contains(text.as_str()) => {
            Err(format!("wanted the error `{text}`, got `{message}`"))
        }
        _ => Ok(()),
    }
}

fn answers_are_wanted(answers: &[Value], case: &Case) -> Result<(), Failure> {
    let want = &case.want;
    if let Some(defined) = want.defined
        && defined == answers.is_empty()
    {
        return Err(format!("wanted defined = {defined}, got {}", show(answers)));
    }
    let Some(text) = &want.result else { return Ok(()) };
    let wanted =
        json::parse(text.get().as_bytes()).map_err(|error| format!("the case's want_result: {error}"))?;
    let wanted = wanted.as_array().map(|answers| answers.to_vec()).unwrap_or_default();
    if is_asset(case) {
        let equal = javascript::answers_are_equal(&wanted, answers);
        return if equal { Ok(()) } else { Err(unequal(&wanted, answers)) };
    }
    let wanted: BTreeSet<Value> = wanted.iter().map(|answer| prepared(answer, want)).collect();
    let got: BTreeSet<Value> = answers.iter().map(|answer| prepared(answer, want)).collect();
    if wanted == got {
        return Ok(());
    }
    let (wanted, got): (Vec<_>, Vec<_>) = (wanted.into_iter().collect(), got.into_iter().collect());
    Err(unequal(&wanted, &got))
}

fn unequal(wanted: &[Value], got: &[Value]) -> Failure {
    format!("wanted {}, got {}", show(wanted), show(got))
}

/// One answer (variable to value) as it is compared: as JSON has it, and with what the case leaves open evened out.
fn prepared(answer: &Value, want: &Want) -> Value {
    let Value::Object(bindings) = answer else { return answer.clone() };
    let kept = bindings.iter().filter(|(name, _)| {
        let name = name.as_str().unwrap_or_default();
        !(want.ignore_generated_vars && name.starts_with("__localq"))
    });
    let sorted = |value: Value| match value {
        Value::Array(items) if want.sort_bindings => {
            let mut items = items.to_vec();
            items.sort();
            Value::array(items)
        }
        other => other,
    };
    Value::Object(kept.map(|(name, value)| (name.clone(), sorted(as_json(value)))).collect::<Object>())
}

/// The value as JSON has it: a set is an array in Rego's order, a key that is no string is its JSON text.
pub(crate) fn as_json(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::array(items.iter().map(as_json)),
        Value::Set(items) => Value::array(items.iter().map(as_json)),
        Value::Object(members) => Value::object(members.iter().map(|(key, member)| {
            let key = match key {
                Value::String(_) => key.clone(),
                other => Value::from(json::to_string(&as_json(other), Escape::Plain).as_str()),
            };
            (key, as_json(member))
        })),
        scalar => scalar.clone(),
    }
}

fn show(answers: &[Value]) -> String {
    let texts: Vec<String> =
        answers.iter().map(|answer| json::to_string(&as_json(answer), Escape::Plain)).collect();
    format!("[{}]", texts.join(","))
}
