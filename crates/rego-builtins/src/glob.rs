//! Category glob, as far as the host does it.

use rego_value::Value;

use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;

/// `glob.quote_meta`
pub(crate) fn quote_meta(_: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let mut out = String::new();
    for c in Args(args).string(1)?.chars() {
        if matches!(c, '*' | '?' | '\\' | '[' | ']' | '{' | '}') {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(Some(out.into()))
}
