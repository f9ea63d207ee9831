//! Modules and JSON schemas that are made here, checked by us and by a real `opa check`: whether they are accepted, and
//! each error's code, place and message.
//!
//! `SEED` repeats a run, `CASES` sets the number of schemas.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::path::Path;
use std::process::Command;

use rego_compiler::{Options, PrintCalls};
use rego_syntax::ast::RegoVersion;
use rego_syntax::{Features, ParserOptions};
use serde_json::{Value as Json, json};
use test_support::{Folder, Random, opa, setting};

/// `code row:col message` of each error that OPA reports.
/// Nothing where OPA crashes, which it does on schemas that refer back to themselves.
fn of_opa(opa: &Path, folder: &Folder, module: &str, arguments: &[&str]) -> Option<Vec<String>> {
    folder.write("policy.rego", module);
    let mut command = Command::new(opa);
    command.current_dir(folder.path()).args(["check", "--format", "json", "policy.rego"]).args(arguments);
    let output = command.output().unwrap();
    if output.status.code() == Some(2) {
        return None;
    }
    let text = [output.stdout, output.stderr].concat();
    let report: Json = serde_json::from_slice(&text).unwrap_or(json!({"errors": []}));
    let errors = report["errors"].as_array().cloned().unwrap_or_default();
    let line = |error: &Json| {
        let place = &error["location"];
        let (row, col) = (place["row"].as_u64().unwrap_or(0), place["col"].as_u64().unwrap_or(0));
        format!("{} {row}:{col} {}", error["code"].as_str().unwrap(), error["message"].as_str().unwrap())
    };
    Some(errors.iter().map(line).collect())
}

fn of_us(module: &str, version: RegoVersion, options: &Options) -> Vec<String> {
    of_us_with(module, &ParserOptions::for_version(version), options)
}

fn of_us_with(module: &str, parser: &ParserOptions, options: &Options) -> Vec<String> {
    match support::compile_with(&[("policy.rego".to_owned(), module)], parser, options) {
        Ok(_) => Vec::new(),
        Err((found, sources)) => found
            .iter()
            .map(|error| format!("{} {}", support::place(error, &sources), error.message))
            .collect(),
    }
}

fn options() -> Options {
    Options { print: PrintCalls::Keep, error_limit: Some(10), ..Options::default() }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn schema(random: &mut Random, depth: usize) -> Json {
    let scalar = ["string", "number", "integer", "boolean", "null"];
    if depth == 0 {
        return match random.below(7) {
            0 => json!({}),
            // Of two types that stand twice OPA names either.
            1 => {
                let first = random.below(scalar.len() - 1);
                json!({"type": [scalar[first], scalar[first + 1]]})
            }
            2 => json!({"enum": [1, "x"]}),
            _ => json!({"type": random.text(&scalar)}),
        };
    }
    let inner = |random: &mut Random| schema(random, depth - 1);
    match random.below(11) {
        0 => json!({"anyOf": [inner(random), inner(random)]}),
        1 => json!({"allOf": [object(random, depth), object(random, depth)]}),
        2 => json!({"type": "array", "items": inner(random)}),
        3 => json!({"type": "array", "items": [inner(random), inner(random)]}),
        4 => json!({"$ref": "#/definitions/x"}),
        5 => json!({"items": inner(random)}),
        6 => schema(random, 0),
        7 => json!({"type": "object"}),
        _ => object(random, depth),
    }
}

fn object(random: &mut Random, depth: usize) -> Json {
    let mut properties = serde_json::Map::new();
    for _ in 0..=random.below(3) {
        properties.insert((*random.text(&NAMES)).to_owned(), schema(random, depth - 1));
    }
    match random.below(4) {
        0 => json!({"properties": properties}),
        1 => {
            json!({"type": "object", "properties": properties, "additionalProperties": false, "required": ["a"]})
        }
        _ => json!({"type": "object", "properties": properties}),
    }
}

fn path(random: &mut Random) -> String {
    let mut path = String::from("input");
    for _ in 0..=random.below(3) {
        match random.below(6) {
            0 => path.push_str("[0]"),
            1 => path.push_str("[_]"),
            2 => path.push_str("[\"a\"]"),
            _ => path.push_str(&format!(".{}", random.text(&NAMES))),
        }
    }
    path
}

fn rules(random: &mut Random) -> String {
    let mut text = String::from("package p\n");
    for rule in 0..1 + random.below(4) {
        let (left, right) = (path(random), path(random));
        let body = match random.below(6) {
            0 => format!("startswith({left}, {right})"),
            1 => format!("{left} + {right} == 3"),
            2 => format!("{left} == \"x\""),
            3 => format!("count({left}) > 1"),
            4 => format!("some x in {left}; upper(x)"),
            _ => format!("{left} == {right}"),
        };
        text.push_str(&format!("\nr{rule} if {{ {body} }}\n"));
    }
    text
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_schemas_say_what_they_say_to_opa() {
    let (opa, folder) = (opa(), Folder::new("rego-compiler-schemas"));
    let (seed, cases) = (setting("SEED", 20_261_122), setting("CASES", 200));
    println!("SEED={seed} CASES={cases}");
    let mut random = Random::new(seed);
    let (mut wrong, mut rejected, mut crashed) = (Vec::new(), 0, 0);
    for _ in 0..cases {
        let mut schema = object(&mut random, 3);
        schema["definitions"] = json!({"x": schema_of_definition(&mut random)});
        let module = rules(&mut random);
        folder.write("schema.json", schema.to_string());
        let Some(theirs) = of_opa(opa, &folder, &module, &["--schema", "schema.json"]) else {
            crashed += 1;
            continue;
        };
        let options = Options { schemas: Some(vec![(Vec::new(), schema.clone())]), ..options() };
        let ours = of_us(&module, RegoVersion::V1, &options);
        rejected += usize::from(!theirs.is_empty());
        if ours != theirs {
            wrong.push(format!("{schema}\n{module}\n  OPA:  {theirs:#?}\n  here: {ours:#?}"));
        }
    }
    let shown = wrong.iter().take(6).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(wrong.is_empty(), "SEED={seed}: {} of {cases} differ\n{shown}", wrong.len());
    println!("{} agree, {rejected} of them rejected; OPA crashed on {crashed}", cases - crashed);
}

/// What `#/definitions/x` is; it may refer to itself.
fn schema_of_definition(random: &mut Random) -> Json {
    match random.below(4) {
        0 => {
            json!({"type": "object", "properties": {"a": {"$ref": "#/definitions/x"}, "b": {"type": "string"}}})
        }
        _ => schema(random, 1),
    }
}

/// The language's newest parts, right and wrong.
const MODULES: [(&str, &[&str]); 30] = [
    ("package p\nimport rego.v2\nq if { input.a and input.b }\n", &[]),
    ("package p\nimport rego.v2\nq if { input.a or not input.b }\n", &[]),
    ("package p\nimport rego.v2\nq if not { x := 1; x == 2 }\n", &[]),
    ("package p\nimport rego.v2\nimport rego.v1\nq := 1\n", &[]),
    ("package p\nimport future.keywords.not\nq if { not { input.x; y } }\n", &[]),
    (
        "package p\nimport future.keywords.and\nimport future.keywords.or\nq if { (input.a or input.b) and input.c }\n",
        &[],
    ),
    ("package p\nimport future.keywords.and\nq if { x := 1 and y == 1 }\n", &[]),
    ("package p\nimport future.keywords.or\nq if { input.a or { y := 1; y == z } }\n", &[]),
    ("package p\nimport future.keywords.nosuch\nq := 1\n", &[]),
    ("package p\nq if { input.a and input.b }\n", &[]),
    ("package p\nq := $\"a {input.b} c\"\n", &[]),
    ("package p\nq := $\"a {x} c\"\n", &[]),
    ("package p\nq := $\"a {1 + \"x\"} c\"\n", &[]),
    ("package p\nq := $`a {input.b\n} c`\n", &[]),
    ("package p\nq := $\"a {} c\"\n", &[]),
    ("package p\nq := input.package.if.not\n", &[]),
    ("package p\nimport data.if.contains\nq := contains\n", &[]),
    ("package p.if\nq.default := 1\n", &[]),
    ("package p\na.b.c[x].d := 1 if some x in [1, 2]\na.b.c.z := 2\n", &[]),
    ("package p\na.b.c[x].d := 1 if some x in [1, 2]\na.b.c contains 3\n", &[]),
    ("package p\na[b] contains c if { b := 1 }\n", &[]),
    ("package p\na.b(x) := x\na.b.c := 1\n", &[]),
    ("package p\ntest_x[note] if { some note in [\"a\"]; note == \"b\" }\n", &[]),
    ("package p\ntest_x[note] if { some note, c in {\"a\": 1}; c == 1 }\ntest_y := 1\n", &["--strict"]),
    ("package p\nimport data.x\nq := 1\n", &["--strict"]),
    ("package p\nq if { x := 1 }\n", &["--strict"]),
    ("package p\nq { input.x }\n", &[]),
    ("package p\nq { input.x }\nr[x] { x := 1 }\nd := any([true])\n", &["--v0-compatible"]),
    ("package p\nimport rego.v1\nq if { any([true]) }\n", &["--v0-compatible"]),
    (
        "package p\nimport future.keywords\nq contains x if { some x in input }\ninput := 1\n",
        &["--v0-compatible", "--strict"],
    ),
];

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_newest_and_the_oldest_language() {
    let (opa, folder) = (opa(), Folder::new("rego-compiler-language"));
    let mut wrong = Vec::new();
    for (module, arguments) in MODULES {
        let theirs = of_opa(opa, &folder, module, arguments).unwrap();
        let version = if arguments.contains(&"--v0-compatible") { RegoVersion::V0 } else { RegoVersion::V1 };
        let options = Options { strict: arguments.contains(&"--strict"), ..options() };
        let ours = of_us(module, version, &options);
        if ours.first() != theirs.first() {
            wrong.push(format!("{arguments:?}\n{module}\n  OPA:  {theirs:#?}\n  here: {ours:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), MODULES.len(), wrong.join("\n\n"));
}

/// Modules that METADATA gives schemas, with `x.json` and `sub/y.json` in the folder of schemas.
const ANNOTATED: [&str; 8] = [
    "package p\n# METADATA\n# schemas:\n# - input: schema.x\nq if input.a == 1\n",
    "package p\n# METADATA\n# schemas:\n# - input: schema.x\nq if input.nosuch == 1\n",
    "package p\n# METADATA\n# schemas:\n# - input.sub: schema.sub.y\nq if { input.sub.b; input.other; input.sub.c }\n",
    "package p\n# METADATA\n# schemas:\n# - input: schema.nosuch\nq if input.a\n",
    "package p\n# METADATA\n# schemas:\n# - data.foo: schema.x\nq if data.foo.z\n",
    "package p\n# METADATA\n# schemas:\n# - input: {type: object, properties: {n: {type: number}}}\nq if startswith(input.n, \"x\")\n",
    "# METADATA\n# scope: package\n# schemas:\n# - input: schema.x\npackage p\nq if input.z\nr if input.b\n",
    "# METADATA\n# scope: subpackages\n# schemas:\n# - input: schema.x\npackage p\n# METADATA\n# scope: document\n# schemas:\n# - input.a: {type: string}\nq if input.a + 1 == 2\n",
];

#[test]
#[ignore = "needs OPA"]
fn needs_opa_schemas_of_annotations() {
    let (opa, folder) = (opa(), Folder::new("rego-compiler-annotated"));
    let x = json!({"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "string"}}});
    let y = json!({"type": "object", "properties": {"b": {"type": "boolean"}}});
    folder.write("schemas/x.json", x.to_string());
    folder.write("schemas/sub/y.json", y.to_string());
    let schemas = vec![(vec!["x".to_owned()], x), (vec!["sub".to_owned(), "y".to_owned()], y)];
    for module in ANNOTATED {
        let theirs = of_opa(opa, &folder, module, &["--schema", "schemas"]).unwrap();
        let ours = of_us(module, RegoVersion::V1, &Options { schemas: Some(schemas.clone()), ..options() });
        assert_eq!(ours, theirs, "{module}");
    }
}

/// Modules for an OPA that lacks `count`, template strings, keywords in references and `and`, and has functions of its
/// own.
const LIMITED: [&str; 12] = [
    "package p\nq := count([1])\n",
    "package p\nq := sum([1])\n",
    "package p\nq := $\"a {input.b}\"\n",
    "package p\nq := input.if\n",
    "package p\nimport future.keywords.and\nq := 1\n",
    "package p\nimport future.keywords.or\nq if { input.a or input.b }\n",
    "package p\nimport future.keywords.in\nq := 1 in [1]\n",
    "package p\nimport future.keywords\nq if { input.a or input.b }\n",
    "package p\nq := host.check(\"x\", 1)\n",
    "package p\nq := host.check(1, 1)\n",
    "package p\nq if { r := host.check(\"x\", 1); r.name == 1 }\n",
    "package p\nmock(_, _) := {\"name\": \"n\"}\nq if host.check(\"x\", 1) with host.check as mock\n",
];

#[test]
#[ignore = "needs OPA"]
fn needs_opa_capabilities() {
    let (opa, folder) = (opa(), Folder::new("rego-compiler-capabilities"));
    let output = Command::new(opa).args(["capabilities", "--current"]).output().unwrap();
    let mut capabilities: Json = serde_json::from_slice(&output.stdout).unwrap();
    let rows = capabilities["builtins"].as_array_mut().unwrap();
    rows.retain(|row| row["name"] != "count");
    rows.push(json!({"name": "host.check", "decl": {
        "type": "function",
        "args": [{"type": "string"}, {"type": "any", "of": [{"type": "number"}, {"type": "null"}]}],
        "result": {"type": "object", "static": [{"key": "name", "value": {"type": "string"}}]},
    }}));
    capabilities["features"] = json!(["rego_v1", "rego_v2", "rego_v2_import"]);
    capabilities["future_keywords"] = json!(["not", "or"]);
    folder.write("capabilities.json", capabilities.to_string());
    let names = capabilities["builtins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned());
    let options = Options {
        capabilities: Some(names.collect()),
        host_builtins: rego_compiler::declared_builtins(&capabilities).unwrap(),
        ..options()
    };
    let features = Features { keywords_in_refs: false, template_strings: false, ..Features::default() };
    let parser = ParserOptions {
        features,
        known_future_keywords: Some(vec!["not".to_owned(), "or".to_owned()]),
        ..ParserOptions::default()
    };
    let mut wrong = Vec::new();
    for module in LIMITED {
        let theirs = of_opa(opa, &folder, module, &["--capabilities", "capabilities.json"]).unwrap();
        let ours = of_us_with(module, &parser, &options);
        if ours.first() != theirs.first() {
            wrong.push(format!("{module}\n  OPA:  {theirs:#?}\n  here: {ours:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n\n"));
}
