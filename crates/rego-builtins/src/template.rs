//! `strings.render_template`: Go's `text/template`, over values instead of Go's objects.
//!
//! `lex` cuts the text, `parse` makes the tree, `run` walks it and `functions` are what a pipeline can call. A number
//! of the data is text to Go's templates (`json.Number`): it is true even when it is 0, and compares as text.
//! What is wrong is said as Go says it, but without the column and the excerpt of the template that Go adds.

mod functions;
mod lex;
mod parse;
mod run;
mod value;

use rego_value::Value;

use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;

/// The name that OPA gives to the template.
const NAME: &str = "template";

/// `strings.render_template`
pub(crate) fn render(_: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let args = Args(args);
    let (source, data) = (args.string(1)?, args.value(2)?);
    args.object(2)?;
    if !is_json(data) {
        return Err(BuiltinError::new("the variables hold a set, or a key that is no string"));
    }
    let templates = parse::parse(source)
        .map_err(|error| BuiltinError::new(format!("template: {NAME}:{}: {}", error.line, error.problem)))?;
    let text = run::run(&templates, data).map_err(|stop| {
        let message = format!("template: {NAME}:{}: executing \"{NAME}\": {}", stop.line, stop.problem);
        BuiltinError { halt: stop.halt, ..BuiltinError::new(message) }
    })?;
    Ok(Some(text.replace(value::NO_VALUE, "<undefined>").into()))
}

/// Whether the value has a JSON form of its own: OPA hands the variables over as JSON.
fn is_json(value: &Value) -> bool {
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Set(_) => return false,
            Value::Object(members) if members.keys().any(|key| key.as_str().is_none()) => return false,
            Value::Object(members) => waiting.extend(members.values()),
            Value::Array(items) => waiting.extend(items.iter()),
            _ => {}
        }
    }
    true
}
