//! YAML as OPA reads and writes it: go-yaml v3, a port of libyaml, with OPA's own rules for what becomes JSON.
//!
//! The scanner is YAML 1.2's (`saphyr-parser`), go-yaml's is libyaml's: what both read means the same here, but a few
//! texts at the edges are refused by one of them only (`...` before the first document, tabs before a key, a lone `-`
//! in `[]`, quoted lines that are indented less than their key), and the words for a malformed text are not always
//! OPA's. `tree` keeps the nodes, `resolve` says what a plain scalar is, `decode` expands aliases and merge keys, and
//! `write` lays a value out.

mod decode;
mod resolve;
mod through_json;
mod tree;
mod write;

use rego_value::Value;

use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// How deep a document may be nested, aliases followed. OPA allows 10,000.
const MAX_DEPTH: usize = 300;

/// The first document of a text, as JSON has it. An error is without `yaml: ` where it comes from JSON.
fn read(text: &str) -> Result<Value, String> {
    let tree = tree::parse(text).map_err(|problem| format!("yaml: {problem}"))?;
    decode::decode(&tree)
}

/// `yaml.is_valid`: false for what is no string.
pub(crate) fn is_valid(_: &mut Context, args: &[Value]) -> Outcome {
    let valid = Args(args).string(1).is_ok_and(|text| read(text).is_ok());
    Ok(Some(valid.into()))
}

/// `yaml.unmarshal`
pub(crate) fn unmarshal(_: &mut Context, args: &[Value]) -> Outcome {
    read(Args(args).string(1)?).map(Some).map_err(BuiltinError::new)
}

/// `yaml.marshal`: OPA reads the value's JSON as YAML before it writes it, which has consequences (see `through_json`).
pub(crate) fn marshal(_: &mut Context, args: &[Value]) -> Outcome {
    write::document(Args(args).value(1)?)
        .map(|text| Some(text.into()))
        .map_err(|problem| BuiltinError::new(format!("yaml: {problem}")))
}
