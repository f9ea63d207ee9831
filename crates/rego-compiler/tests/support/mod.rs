//! What the corpus tests share: where the corpus is, and compiling one program of it.
#![allow(dead_code, reason = "each test uses a part")]

use std::path::PathBuf;

use rego_compiler::{CheckedProgram, Options, check};
use rego_syntax::ast::RegoVersion;
use rego_syntax::{Diagnostic, ParserOptions, SourceMap, parse_module};

/// A part of the test cases.
pub(crate) fn corpus(part: &str) -> PathBuf {
    test_support::corpus().join(part)
}

/// Runs `body` on a thread whose stack is as large as a program's main thread has it.
pub(crate) fn on_main_sized_stack(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(body).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Parses and checks modules; the diagnostics of the parser stop it.
pub(crate) fn compile(
    modules: &[(String, &str)],
    version: RegoVersion,
    options: &Options,
) -> Result<CheckedProgram, (Vec<Diagnostic>, SourceMap)> {
    compile_with(modules, &ParserOptions::for_version(version), options)
}

/// The same with all choices of the parser.
pub(crate) fn compile_with(
    modules: &[(String, &str)],
    parser: &ParserOptions,
    options: &Options,
) -> Result<CheckedProgram, (Vec<Diagnostic>, SourceMap)> {
    let mut sources = SourceMap::new();
    let mut parsed = Vec::new();
    let mut wrong = Vec::new();
    for (name, text) in modules {
        let file = sources.add(name.as_str(), *text);
        match parse_module(&file, parser).into_result() {
            Ok(module) => parsed.push(module),
            Err(found) => wrong.extend(found),
        }
    }
    if !wrong.is_empty() {
        return Err((wrong, sources));
    }
    check(parsed, &sources, options).map_err(|found| (found, sources))
}

/// The version that the corpus writes as a number or a word.
pub(crate) fn version(value: Option<&serde_json::Value>) -> RegoVersion {
    match value {
        Some(serde_json::Value::Number(n)) if n.as_u64() == Some(0) => RegoVersion::V0,
        Some(serde_json::Value::String(text)) if text == "v0" => RegoVersion::V0,
        Some(serde_json::Value::Number(n)) if n.as_u64() == Some(2) => RegoVersion::V2,
        Some(serde_json::Value::String(text)) if text == "v2" => RegoVersion::V2,
        _ => RegoVersion::V1,
    }
}

/// `code row col` of a diagnostic, as the corpus writes it.
pub(crate) fn place(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    match diagnostic.place(sources) {
        Some((_, position)) => format!("{} {}:{}", diagnostic.code, position.row, position.col),
        None => format!("{} 0:0", diagnostic.code),
    }
}
