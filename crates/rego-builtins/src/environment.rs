//! What a policy asks about, or tells, the world around it.

use rego_value::{Object, Value};

use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// `opa.runtime`: what the context says, by default nothing.
pub(crate) fn runtime(context: &mut Context, _: &[Value]) -> Outcome {
    Ok(Some(context.runtime.clone().unwrap_or_else(|| Value::Object(Object::new()))))
}

/// `trace`: true; nobody listens outside a debugger.
pub(crate) fn trace(_: &mut Context, args: &[Value]) -> Outcome {
    Args(args).string(1)?;
    Ok(Some(true.into()))
}

/// `internal.print`: a line for each combination of the operands' values, each operand being the set of its values.
pub(crate) fn print(context: &mut Context, args: &[Value]) -> Outcome {
    let operands = Args(args).array(1)?;
    let columns: Vec<Vec<String>> = operands.iter().map(texts).collect();
    let lines = columns.iter().try_fold(1_usize, |lines, column| lines.checked_mul(column.len()));
    for line in 0..lines.unwrap_or(usize::MAX) {
        if context.output.cut {
            break;
        }
        context.output.print(combination(&columns, line).join(" "));
    }
    Ok(Some(true.into()))
}

/// What an operand of `print` may be.
fn texts(operand: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    match operand {
        Value::Set(values) if values.is_empty() => vec!["<undefined>".to_owned()],
        Value::Set(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    }
}

/// The combination with this number, of which the last column varies first.
fn combination(columns: &[Vec<String>], number: usize) -> Vec<&str> {
    let mut rest = number;
    let mut words: Vec<&str> = columns
        .iter()
        .rev()
        .map(|column| {
            let at = rest % column.len().max(1);
            rest /= column.len().max(1);
            column.get(at).map_or("", String::as_str)
        })
        .collect();
    words.reverse();
    words
}

/// `internal.test_case`: a test says which of its cases it is at. Plans that are made to say what is evaluated pass a
/// text, which no policy can (its type is an array).
pub(crate) fn test_case(context: &mut Context, args: &[Value]) -> Outcome {
    let case = Args(args).value(1)?;
    match case.as_str() {
        Some(mark) => context.output.mark(mark),
        None => context.output.case(case.clone()),
    }
    Ok(Some(true.into()))
}
