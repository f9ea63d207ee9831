//! `rego.parse_module`: a module's tree as data.

use rego_syntax::ast::module_to_json;
use rego_syntax::{Diagnostic, FileId, ParserOptions, SourceFile};
use rego_value::{Value, json};

use crate::args::{Args, wrong_type};
use crate::context::Context;
use crate::error::BuiltinError;

/// The largest text, in bytes: a policy of this size is a mistake or an attack.
const MOST_BYTES: usize = 16 << 20;

/// `rego.parse_module`, for the current version of the language, as in OPA.
pub(crate) fn parse_module(_: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let args = Args(args);
    let name = args.string(1)?;
    // OPA counts this operand as the first one, too.
    let text = args.value(2)?;
    let text = text.as_str().ok_or_else(|| wrong_type(1, text, &["string"]))?;
    if text.len() > MOST_BYTES {
        return Err(BuiltinError::operand(2, format_args!("must have at most {MOST_BYTES} bytes")));
    }
    let file = SourceFile::new(FileId::default(), name, text);
    let options = ParserOptions { builtin_names: crate::table::names(), ..ParserOptions::default() };
    let module = rego_syntax::parse_module(&file, &options).into_result();
    let module = module.map_err(|found| BuiltinError::new(in_words(&file, &found)))?;
    let tree = json::parse(module_to_json(&module, &file).as_bytes());
    tree.map(Some).map_err(|error| BuiltinError::new(error.to_string()))
}

/// The first error as OPA says it. What OPA says after that follows from the first.
fn in_words(file: &SourceFile, found: &[Diagnostic]) -> String {
    const EMPTY: &str = "empty module";
    let Some(first) = found.first() else { return String::new() };
    let name = file.name();
    if first.message == EMPTY {
        let place = if name.is_empty() { "0" } else { name };
        return format!("{place}:0: {}: {EMPTY}", first.code);
    }
    let position = file.token_position(first.span.start);
    let place = match name {
        "" => format!("{}:{}", position.row, position.col),
        name => format!("{name}:{}", position.row),
    };
    format!("1 error occurred: {place}: {}: {}", first.code, first.message)
}
