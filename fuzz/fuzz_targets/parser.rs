//! Any text as a module, as a query and as a term, in both versions of the language: a tree or diagnostics, never a
//! panic. A module that parses is checked, planned and compiled too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rego_build::{Options, Source};
use rego_syntax::ast::RegoVersion;
use rego_syntax::{FileId, ParserOptions, SourceFile};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for version in [RegoVersion::V0, RegoVersion::V1] {
        let options = ParserOptions::for_version(version);
        let file = SourceFile::new(FileId::default(), "fuzz", text);
        let _ = rego_syntax::parse_query(&file, &options).into_result();
        let _ = rego_syntax::parse_term(&file, &options).into_result();
        if rego_syntax::parse_module(&file, &options).into_result().is_ok() {
            let source = Source::new("fuzz", text);
            let _ = rego_build::build(&[source], &["p"], &Options::for_version(version));
        }
    }
});
