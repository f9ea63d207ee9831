//! `net.lookup_ip_addr`.

use rego_value::Value;

use super::{LookupFailure, closed};
use crate::args::Args;
use crate::context::Context;
use crate::error::{BuiltinError, ErrorCode};

/// `net.lookup_ip_addr`: the addresses of a host, the same throughout an evaluation.
pub(crate) fn lookup_ip_addr(context: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let name = Args(args).string(1)?;
    let network = context.network.clone().ok_or_else(closed)?;
    if !network.allows(name) {
        return Err(BuiltinError::new(format!("disallowed host: {name}")));
    }
    let question = format!("address {name}");
    if let Some(known) = context.answer(&question) {
        return Ok(Some(known.clone()));
    }
    let addresses = match network.transport().lookup(name, context.deadline) {
        Ok(addresses) => addresses,
        Err(LookupFailure::Failed(message)) => return Err(BuiltinError::new(message)),
        Err(LookupFailure::Deadline) => {
            let message = format!("lookup {name}: i/o timeout");
            return Err(BuiltinError { code: ErrorCode::Cancel, message, halt: true });
        }
    };
    let answer = Value::set(addresses.into_iter().map(|address| Value::from(address.to_string())));
    Ok(Some(context.once(question, |_| answer)))
}
