//! What the parser makes of the places where the tree is not what is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_syntax::ast::{DocKind, ExprKind, Module, RegoVersion, RuleKind, Value};
use rego_syntax::{FileId, ParserOptions, SourceFile, parse_module, parse_query, parse_term};

fn module(text: &str, version: RegoVersion) -> Module {
    let file = SourceFile::new(FileId(0), "p.rego", format!("package p\n{text}"));
    parse_module(&file, &ParserOptions::for_version(version)).into_result().unwrap()
}

fn v1(text: &str) -> Module {
    module(text, RegoVersion::V1)
}

fn query(text: &str) -> String {
    let file = SourceFile::new(FileId(0), "query", text);
    parse_query(&file, &ParserOptions::default()).into_result().unwrap().to_string()
}

#[test]
fn infix_operators_are_calls() {
    assert_eq!(query("a + b * c - d"), "minus(plus(a, mul(b, c)), d)");
    assert_eq!(query("x := 1 < 2"), "assign(x, lt(1, 2))");
    assert_eq!(query("x = a | b & c"), "x = or(a, and(b, c))");
    assert_eq!(query("a in b in c"), "internal.member_2(internal.member_2(a, b), c)");
    assert_eq!(query("k, v in xs"), "internal.member_3(k, v, xs)");
    assert_eq!(query("-input.x"), "minus(0, input.x)");
    assert_eq!(query("(a + b) * c"), "mul(plus(a, b), c)");
}

#[test]
fn wildcards_are_numbered() {
    let rule = &v1("q contains x if { x := input[_][_] }").rules[0];
    let ExprKind::Call(terms) = &rule.body[0].kind else { panic!() };
    let steps: Vec<_> =
        terms[2].as_ref_value().unwrap().steps().iter().map(|t| t.as_var().unwrap().to_string()).collect();
    assert_eq!(steps, ["$0", "$1"]);
}

#[test]
fn sets_and_objects_are_ordered_and_without_duplicates() {
    assert_eq!(query("{3, 1, 2, 1, 1.0}"), "{1, 2, 3}");
    assert_eq!(query("{\"b\": 1, \"a\": 2, \"b\": 3}"), "{\"a\": 2, \"b\": 3}");
    assert_eq!(query("{x | x := 1}"), "{x | assign(x, 1)}");
    assert_eq!(query("set()"), "set()");
}

#[test]
fn heads_of_every_kind() {
    let rules =
        v1("a := 1\nb contains 2\nc[3] := 4\nd.e.f := 5\ng(x) := x\nh[i] if i := 6\nj[k].l := 7 if k := 8")
            .rules;
    let heads: Vec<String> = rules.iter().map(|rule| rule.head.to_string()).collect();
    let wanted =
        ["a := 1", "b contains 2", "c[3] := 4", "d.e.f := 5", "g(x) := x", "h[i] = true", "j[k].l := 7"];
    assert_eq!(heads, wanted);
    let kinds: Vec<RuleKind> = rules.iter().map(|rule| rule.head.rule_kind()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == RuleKind::MultiValue).count(), 1);
    assert_eq!(rules[2].head.doc_kind(), DocKind::PartialObject);
    assert_eq!(rules[6].head.doc_kind(), DocKind::PartialObject);
    assert_eq!(rules[0].head.name, "a");
    assert_eq!(rules[3].head.name, "");
}

#[test]
fn chained_bodies_are_rules_and_else_is_a_chain() {
    let rules = module("q { a } { b }\nr(_) = 1 { a } else = 2 { b } else = 3", RegoVersion::V0).rules;
    assert_eq!(rules.len(), 3);
    let chain = rules[2].else_rule.as_ref().unwrap();
    assert_eq!(chain.head.value.as_ref().unwrap().to_string(), "2");
    let last = chain.else_rule.as_ref().unwrap();
    assert!(last.generated_body);
    assert_ne!(rules[2].head.args, chain.head.args, "each rule has wildcards of its own");
}

#[test]
fn versions_differ_in_their_keywords() {
    let old = module("import future.keywords.in\nq { some x in [1]; x == 1 }\nif = 1", RegoVersion::V0);
    assert_eq!(old.rules.len(), 2);
    let raised = module("import rego.v1\nq if true", RegoVersion::V0);
    assert_eq!(raised.rego_version, RegoVersion::V0CompatV1);
    let logical = v1("import future.keywords.and\nimport future.keywords.or\nq if a and (b or c)");
    assert_eq!(logical.rules[0].body.to_string(), "a and (b or c)");
    let negated = v1("import future.keywords.not\nq if not { a; b }");
    assert!(matches!(negated.rules[0].body[0].kind, ExprKind::Not(_)));
}

#[test]
fn strings_resolve_their_escapes() {
    let term = |text: &str| {
        let file = SourceFile::new(FileId(0), "term", text);
        parse_term(&file, &ParserOptions::default()).into_result().unwrap().value
    };
    assert_eq!(term(r#""a\n\u00e9\ud83d\ude00\ud83d""#), Value::String("a\né😀\u{fffd}".into()));
    assert_eq!(term("`a\\n`"), Value::String("a\\n".into()));
    assert_eq!(term("1.50"), term("1.5"));
    let Value::TemplateString(template) = term(r#"$"a\{ {1} {x}""#) else { panic!() };
    assert_eq!(template.parts.len(), 4);
}

#[test]
fn annotations_are_attached() {
    let module = v1(
        "# METADATA\n# title: T\n# custom:\n#   x: [1, a]\nq := 1\n\n# METADATA\n# entrypoint: true\nr := 2",
    );
    assert_eq!(module.annotations[0].title, "T");
    assert_eq!(module.annotations[0].scope, "rule");
    assert_eq!(module.annotations[1].scope, "document");
    assert_eq!(module.rules[0].annotations, [0]);
    assert_eq!(module.rules[1].annotations, [1]);
    assert_eq!(module.annotations[0].custom["x"], serde_json::json!([1, "a"]));
}
