//! What the user sees: the source and the rendered diagnostics, side by side.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_syntax::ast::RegoVersion;
use rego_syntax::{ParserOptions, SourceMap, parse_module, render_all};

fn shown(text: &str, version: RegoVersion) -> String {
    let mut sources = SourceMap::new();
    let file = sources.add("policy.rego", text);
    let parsed = parse_module(&file, &ParserOptions::for_version(version));
    format!("{text}\n{:-<60}\n{}", "", render_all(&parsed.diagnostics, &sources))
}

macro_rules! snapshots {
    ($($name:ident: $version:ident $text:expr;)+) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!(shown($text, RegoVersion::$version));
            }
        )+
    };
}

snapshots! {
    a_body_without_if: V1 "package p\n\nallow {\n\tinput.ok\n}\n";
    a_set_without_contains: V1 "package p\n\ndeny[msg] {\n\tmsg := \"no\"\n}\n";
    all_errors_of_a_file: V1 "package p\n\na := [1, 2\n\nb := {\"x\": }\n\nc if {\n\tinput.x ==\n}\n\nd := 1\n";
    an_unclosed_string: V1 "package p\n\nallow if input.user == \"bob\n";
    an_unclosed_bracket_at_the_end: V1 "package p\n\nallow := [1, 2";
    a_tab_before_the_caret: V1 "package p\n\nallow if {\n\tx := 1 2\n}\n";
    characters_of_several_bytes: V1 "package p\n\nallow if \"grüße\" == \"😀\" 3\n";
    a_missing_import_in_v0: V0 "package p\n\nallow if { input.ok }\n";
    a_hint: V1 "package p\n\nallow if input.a and input.b\n";
    a_wrong_import: V1 "package p\n\nimport foo.bar\nimport rego.v3\n";
    a_default_that_is_no_constant: V1 "package p\n\ndefault allow := input.x\n";
    too_much_nesting: V1 &format!("package p\n\nx := {}\n", "[".repeat(300));
    an_empty_file: V1 "";
    wrong_annotations: V1 "package p\n\n# METADATA\n# authors:\n# - 1\nx := 1\n\n# METADATA\n# scope: package\ny := 1\n";
    a_template_string: V1 "package p\n\nx := $\"a {y := 1} b\"\n";
}

#[test]
fn as_json() {
    let mut sources = SourceMap::new();
    let file = sources.add("policy.rego", "package p\n\nallow { input.ok }\n");
    let parsed = parse_module(&file, &ParserOptions::default());
    let json: Vec<_> = parsed.diagnostics.iter().map(|d| d.to_json(&sources)).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}
