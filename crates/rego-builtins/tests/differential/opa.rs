//! Asking a real OPA: a batch of calls is one policy and one process.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rego_builtins::Builtin;
use rego_value::Value;
use rego_value::json::{self, Escape};

/// A function and its arguments.
pub(crate) struct Call {
    pub(crate) row: &'static Builtin,
    pub(crate) args: Vec<Value>,
}

impl Call {
    /// The call as Rego, each argument hidden from the type checker. The number keeps calls apart: OPA
    /// remembers the results of functions, and takes `1` for the same argument as `1.0`.
    pub(crate) fn text(&self, number: usize) -> String {
        let args: Vec<String> =
            self.args.iter().map(|arg| format!("id({number}, {})", literal(arg))).collect();
        format!("{}({})", self.row.name, args.join(", "))
    }
}

/// What a call comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As JSON.
    Value(String),
    Undefined,
    /// Code and message.
    Error(String, String),
}

/// A value as a Rego term.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Set(items) if items.is_empty() => "set()".to_owned(),
        Value::Set(items) => {
            format!("{{{}}}", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}: {}", literal(key), literal(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        // Rego's sources refuse a byte-order mark wherever it stands.
        scalar => json::to_string(scalar, Escape::Plain).replace('\u{feff}', "\\ufeff"),
    }
}

/// OPA's answers to a batch of calls, in order.
pub(crate) fn answers(opa: &Path, calls: &[Call]) -> Vec<Answer> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("rego-builtins-{}-{number}.rego", std::process::id()));
    // One call on each line, so that an error's line tells which one failed.
    let mut policy = String::from("package d\nid(_, x) := x\n");
    let first_line = policy.lines().count() + 1;
    for (i, call) in calls.iter().enumerate() {
        policy.push_str(&format!("r[{i}] := {}\n", call.text(i)));
    }
    std::fs::write(&path, &policy).unwrap();
    let output = Command::new(opa)
        .args(["eval", "--v0-compatible", "--format", "json", "--show-builtin-errors", "--data"])
        .arg(&path)
        .arg("data.d.r")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = json::parse(text.as_bytes()).unwrap_or_else(|error| {
        let problem = String::from_utf8_lossy(&output.stderr).chars().take(3000).collect::<String>();
        panic!("{error:?}: {text} {problem}")
    });
    let mut answers = vec![Answer::Undefined; calls.len()];
    for error in array(report.get_str("errors")) {
        let location = error.get_str("location").unwrap_or_else(|| panic!("{error:?}\n{policy}"));
        let row = usize::try_from(location.get_str("row").unwrap().as_i64().unwrap()).unwrap();
        assert_eq!(
            error.get_str("code").unwrap().as_str().unwrap().split('_').next(),
            Some("eval"),
            "{error:?}"
        );
        let field = |name: &str| error.get_str(name).unwrap().as_str().unwrap().to_owned();
        answers[row - first_line] = Answer::Error(field("code"), field("message"));
    }
    for result in array(report.get_str("result")) {
        let expressions = array(result.get_str("expressions"));
        let values = expressions[0].get_str("value").unwrap();
        for (key, value) in values.as_object().unwrap().iter() {
            let index: usize = key.as_str().unwrap().parse().unwrap();
            answers[index] = Answer::Value(json::to_string(value, Escape::Plain));
        }
    }
    let _ = std::fs::remove_file(&path);
    answers
}

fn array(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).map(|items| items.to_vec()).unwrap_or_default()
}
