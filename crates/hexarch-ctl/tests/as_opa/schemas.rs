//! `--schema`: a file, a folder, and references out of them.

use crate::support::{differences, same};

const INPUT: &str = r#"{"type": "object", "properties": {"x": {"type": "string"}}}"#;
const NUMBER: &str = r#"{"type": "object", "properties": {"y": {"type": "integer"}}}"#;
const REMOTE: &str = r#"{"properties": {"r": {"$ref": "http://127.0.0.1:1/x.json#/definitions/q"}}}"#;

const POLICY: &str = "# METADATA
# schemas:
#   - input: schema.ok
#   - data.foo: schema.a.b.c
package p

q if input.x + 1 == 2
r if data.foo.y == \"a\"
s if data.foo.z == \"a\"
";

/// A module whose METADATA says that this schema is the input's.
fn using(schema: &str) -> String {
    format!("# METADATA\n# schemas:\n#   - input: schema.{schema}\npackage p\n\nq if input.x == 2\n")
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_folder_of_schemas_is_named_by_its_paths() {
    let files = [
        ("schemas/ok.json", INPUT),
        ("schemas/a/b/c.json", NUMBER),
        ("schemas/y.yaml", "properties:\n  x:\n    type: string\n"),
        ("p.rego", POLICY),
        ("yaml.rego", &using("y")),
        ("missing.rego", &using("nope.x")),
        ("plain.rego", "package p\n\nq if input.x == 2\n"),
        ("broken/x.json", "{"),
    ];
    let runs = [
        "check -s schemas p.rego",
        "check -s schemas -f json p.rego",
        "check -s schemas yaml.rego",
        "check -s schemas missing.rego",
        "check missing.rego",
        "check -s schemas plain.rego",
        "check -s schemas/ok.json plain.rego",
        "check -s nowhere plain.rego",
        "check -s broken plain.rego",
        "eval -s schemas -d p.rego data.p.q",
        "eval -s schemas/ok.json -d plain.rego data.p.q",
        "test -s schemas p.rego",
    ];
    same("schemas", &files, &runs);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_what_is_wrong_with_a_schema_is_said() {
    let files = [
        ("s/nowhere.json", r##"{"$ref": "#/definitions/x"}"##),
        ("s/file.json", r#"{"$ref": "other.json"}"#),
        ("s/type.json", r#"{"type": "thing"}"#),
        ("s/words.json", r#"{"properties": {"a": {"minLength": -1}}}"#),
        ("s/meta.json", r##"{"$ref": "http://json-schema.org/draft-07/schema#"}"##),
        ("nowhere.rego", &using("nowhere")),
        ("file.rego", &using("file")),
        ("type.rego", &using("type")),
        ("words.rego", &using("words")),
    ];
    let runs = [
        "check -s s nowhere.rego",
        "check -s s/nowhere.json nowhere.rego",
        "check -s s file.rego",
        "check -s s type.rego",
        "check -s s words.rego",
        "check -s s/words.json words.rego",
    ];
    same("wrong-schemas", &files, &runs);
}

/// The capabilities of OPA as far as they matter here.
const NO_NET: &str = r#"{"builtins": [
    {"name": "equal", "infix": "==", "decl": {"type": "function",
     "args": [{"type": "any"}, {"type": "any"}], "result": {"type": "boolean"}}},
    {"name": "eq", "infix": "=", "decl": {"type": "function",
     "args": [{"type": "any"}, {"type": "any"}], "result": {"type": "boolean"}}}
], "features": ["rego_v1"], "allow_net": ["example.com"]}"#;

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_reference_to_a_host_is_refused() {
    let files = [("s/remote.json", REMOTE), ("remote.rego", &using("remote")), ("capabilities.json", NO_NET)];
    same(
        "remote-schemas",
        &files,
        &[
            "check -s s --capabilities capabilities.json remote.rego",
            "check -s s/remote.json --capabilities capabilities.json remote.rego",
            "eval -s s --capabilities capabilities.json -d remote.rego data.p.q",
        ],
    );
    // Ours never asks a host for a schema, OPA does where nothing forbids it.
    let found = differences(
        "allowed-remote-schemas",
        &files,
        &["check -s s remote.rego"],
        &[(
            "Get \"http://127.0.0.1:1/x.json\": dial tcp 127.0.0.1:1: connect: connection refused",
            "remote reference loading disabled: http://127.0.0.1:1/x.json",
        )],
    );
    assert!(found.is_empty(), "{found}");
}
