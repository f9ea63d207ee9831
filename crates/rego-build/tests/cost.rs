//! What `cost` says of a policy.
#![allow(clippy::unwrap_used, reason = "tests")]

use rego_build::{Options, Query, RuleCost, Source, check, cost};

const POLICY: &str = r#"package demo

default allow := false

allow if {
	input.operation == "read"
	input["first name"] == "ada"
}

allow if {
	"delete" == input.operation
	some role in input.user.roles
	role.name == "admin"
	is_owner(input.resource)
}

allow if count(input.list) > 3

is_owner(resource) if concat("/", [resource.kind, "x"]) == "a/x"

denied contains name if {
	input.level == 3
	some name in data.names
	sprintf("%v", [input.anything]) == name
}
"#;

#[test]
fn it_names_paths_rules_and_functions() {
    let options = Options::default();
    let program = check(&[Source::new("demo.rego", POLICY)], &options).unwrap();
    let queries = [Query::entrypoint("demo/allow"), Query::entrypoint("demo/denied")];
    let found = cost(&program, &queries, &options).unwrap();
    assert_eq!(
        found.reads,
        [
            "input.anything.**",
            "input[\"first name\"]",
            "input.level",
            "input.list.**",
            "input.operation",
            "input.resource.kind.**",
            "input.user.roles[_].name",
        ]
    );
    let rule = |name: &str, bodies, guarded| RuleCost { name: name.to_owned(), bodies, guarded };
    let mut rules = found.rules;
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(
        rules,
        [rule("data.demo.allow", 3, 2), rule("data.demo.denied", 1, 1), rule("data.demo.is_owner", 1, 0)]
    );
    assert_eq!(found.functions, ["concat", "count", "gt", "sprintf"]);
}

#[test]
fn an_input_that_is_handed_on_is_read_as_a_whole() {
    let options = Options::default();
    let program =
        check(&[Source::new("p.rego", "package p\n\nq := json.marshal(input)\n")], &options).unwrap();
    assert_eq!(cost(&program, &[Query::entrypoint("p/q")], &options).unwrap().reads, ["input.**"]);
    let nothing = check(&[Source::new("p.rego", "package p\n\nq := 1\n")], &options).unwrap();
    assert!(cost(&nothing, &[Query::entrypoint("p/q")], &options).unwrap().reads.is_empty());
}
