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

/// `internal.print`: a decision prints nothing, and goes on.
pub(crate) fn print(_: &mut Context, _: &[Value]) -> Outcome {
    Ok(Some(true.into()))
}

/// `internal.test_case`: marks where a test begins a case, for those who trace.
pub(crate) fn test_case(_: &mut Context, _: &[Value]) -> Outcome {
    Ok(Some(true.into()))
}
