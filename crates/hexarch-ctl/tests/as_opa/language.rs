//! What is newest in the language, in both of its versions.

use crate::support::{differences, same};

/// Checks each module, and evaluates its package, as v1 and as v0.
fn both_versions(name: &str, modules: &[&str]) {
    let mut found = String::new();
    for (at, module) in modules.iter().enumerate() {
        let runs = [
            "check p.rego",
            "check --v0-compatible p.rego",
            "check --strict p.rego",
            "eval -d p.rego data.p",
            "eval --v0-compatible -d p.rego data.p",
            "test -v p.rego",
            "test -v --v0-compatible p.rego",
        ];
        found += &differences(&format!("{name}-{at}"), &[("p.rego", module)], &runs, &[]);
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_template_strings() {
    let modules = [
        "package p\n\nx := $\"a {1 + 1} b\"\n",
        "package p\n\nname := \"you\"\n\nx := $\"hello {name}, {[1, \"a\", {2}]}\"\n",
        "package p\n\nx := $\"{data.p.missing} and {input.y}\"\n",
        "package p\n\nx := $`raw {1}\\n \\{2}`\n",
        "package p\n\nx := $\"an \\{escaped} {\"nested\"} brace\"\n",
        "package p\n\nx := $\"{y | y = [1, 2][_]}\"\n",
        "package p\n\nx := $\"unclosed {1\"\n",
        "package p\n\nx := $\"{}\"\n",
        "package p\n\nf(x) = $\"<{x}>\"\n\ny := f(true)\n",
        "package p\n\nx := $\"{z}\"\n",
        "package p\n\nimport rego.v1\n\nx := $\"{1}{null}\"\n",
        "package p\n\nx[$\"k{1}\"] = 1\n",
    ];
    both_versions("templates", &modules);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_newest_imports() {
    let modules = [
        "package p\n\nimport rego.v2\n\nx := 1\n",
        "package p\n\nimport rego.v2\n\nx if 1 == 1 and 2 == 2\n",
        "package p\n\nimport rego.v2\n\nx if not 1 == 2 or false\n",
        "package p\n\nimport rego.v1\nimport rego.v2\n\nx := 1\n",
        "package p\n\nimport rego.v3\n\nx := 1\n",
        "package p\n\nimport rego.v2 as q\n\nx := 1\n",
        "package p\n\nimport future.keywords.and\n\nx if true and true\n",
        "package p\n\nimport future.keywords.and\nimport future.keywords.if\n\nx if { 1 == 1 and 2 == 2 }\n",
        "package p\n\nimport future.keywords.or\nimport future.keywords.if\n\nx if { 1 == 3 or 2 == 2 }\n",
        "package p\n\nimport future.keywords.not\nimport future.keywords.if\n\nx if { not 1 == 3 }\n\ny if not false\n",
        "package p\n\nimport future.keywords.and\nimport future.keywords.or\nimport future.keywords.not\nimport future.keywords.if\n\nx if (1 == 1 or 2 == 3) and not 1 == 2\n",
        "package p\n\nimport future.keywords.or\n\nx := y { y := 1 == 2 or 2 == 2 }\n",
        "package p\n\nimport future.keywords.xor\n\nx := 1\n",
        "package p\n\nimport future.keywords\n\nx if true\n",
        "package p\n\nand := 1\n\nx := and\n",
        "package p\n\nimport future.keywords.and\n\nand := 1\n",
    ];
    both_versions("imports", &modules);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_parametrised_tests() {
    let modules = [
        "package p\n\ntest_sum[case] if {\n\tsome case, c in {\"one\": {\"a\": 1, \"s\": 2}, \"two\": {\"a\": 2, \"s\": 3}}\n\tc.a + 1 == c.s\n}\n",
        "package p\n\ntest_sum[case] if {\n\tsome case, c in {\"one\": {\"a\": 1, \"s\": 2}, \"two\": {\"a\": 2, \"s\": 4}}\n\tc.a + 1 == c.s\n}\n",
        "package p\n\ntest_sum[case][i] if {\n\tsome case in [\"x\", \"y\"]\n\tsome i in [1, 2]\n\ti < 2\n}\n",
        "package p\n\ntest_sum[case] { c := {\"one\": 1, \"two\": 2}[case]; c < 2 }\n",
        "package p\n\nimport future.keywords\n\ntest_sum[case] if {\n\tsome case, c in {\"one\": 1, \"two\": 2}\n\tc < 3\n}\n",
    ];
    both_versions("cases", &modules);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_strict_errors_say_where_they_came_up() {
    let module = "package p

parsed := to_number(\"a\")

found if {
	some x in [\"(\", \"a\"]
	regex.match(x, \"a\")
}

deep := f(\"x\")

f(x) := y if y := to_number(concat(\"\", [x, \"1\"]))

typed := substring(\"a\", input.n, 1)

caught if not to_number(\"b\")
";
    let runs = [
        "eval --strict-builtin-errors -d p.rego data.p.parsed",
        "eval --strict-builtin-errors -d p.rego data.p.found",
        "eval --strict-builtin-errors -d p.rego data.p.deep",
        "eval --strict-builtin-errors -d p.rego -i input.json data.p.typed",
        "eval --strict-builtin-errors -d p.rego data.p.caught",
        "eval -d p.rego data.p.deep",
    ];
    same("strict-errors", &[("p.rego", module), ("input.json", r#"{"n": "x"}"#)], &runs);
}
