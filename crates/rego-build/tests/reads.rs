//! What policies read of their input, from source text to the plan's analysis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rego_build::{Options, Source, check};
use rego_compiler::plan::{Query, plan};
use rego_ir::reads::{Reads, input_reads};

/// The tree as text: `whole`, or `{key: …, *: …}`; nothing for a place whose kind is enough.
fn show(reads: &Reads) -> String {
    if reads.whole {
        return "whole".to_owned();
    }
    let member = |key: &str, part: &Reads| match show(part).as_str() {
        "{}" => key.to_owned(),
        part => format!("{key}: {part}"),
    };
    let members = reads.members.iter().map(|(key, part)| member(key, part));
    let each = reads.each.iter().map(|part| member("*", part));
    format!("{{{}}}", members.chain(each).collect::<Vec<_>>().join(", "))
}

fn reads(policy: &str, entrypoint: &str) -> String {
    let program =
        check(&[Source::new("t.rego", policy)], &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    show(&input_reads(&plan(&program, &[Query::entrypoint(entrypoint)]).unwrap()))
}

/// The reads of `data.t.p` in a module with these rules.
fn of(rules: &str) -> String {
    reads(&format!("package t\n\n{rules}\n"), "t/p")
}

#[test]
fn constant_keys_are_followed() {
    assert_eq!(of("p if input.a.b == \"x\""), "{a: {b}}");
    assert_eq!(of("p if input.a == input.b.c"), "{a: whole, b: {c: whole}}");
    assert_eq!(of("p if not input.confirmed"), "{confirmed}");
    assert_eq!(of("p := input.a[\"b\"].c"), "{a: {b: {c: whole}}}");
    assert_eq!(of("p := input"), "whole");
    assert_eq!(of("p := 1"), "{}");
}

#[test]
fn many_definitions_that_share_their_locals_read_no_more_than_they_name() {
    let definition = |i: usize| {
        format!(
            "p contains {i} if {{\n\tsome c in input.list\n\tc.limits[\"l{i:03}\"] > {i}\n\tnot c.done\n}}\n"
        )
    };
    let reads = of(&(0..100).map(definition).collect::<Vec<_>>().join("\n"));
    assert!(reads.starts_with("{list: {*: {done, limits: {l000: whole, l001: whole,"), "{reads}");
    assert!(!reads.contains("limits: whole") && !reads.contains("*: whole"), "{reads}");
}

#[test]
fn rules_and_functions_pass_places_on() {
    assert_eq!(of("pod := input.request.object\n\np if pod.kind == \"Pod\""), "{request: {object: {kind}}}");
    assert_eq!(of("f(x) if x.a == 1\n\np if f(input.u)\n\np if f(input.v)"), "{u: {a}, v: {a}}");
    assert_eq!(
        of("q := input.a\n\nq := input.b\n\np if q.c == \"x\""),
        "{a: whole, b: whole}",
        "compared with each other"
    );
    assert_eq!(
        of("p if f(input)\n\nf(x) if x.a.b\n\nf(x) if x.c"),
        "{a: {b}, c}",
        "locals that are used again are told apart"
    );
}

#[test]
fn iteration_keeps_every_element() {
    let containers = "{spec: {containers: {*: {image: whole}}}}";
    assert_eq!(of("p contains c.image if some c in input.spec.containers"), containers);
    assert_eq!(of("p contains input.spec.containers[_].image"), containers);
    assert_eq!(of("p if every c in input.cs { c.ok }"), "{cs: {*: {ok}}}");
    assert_eq!(of("p contains key if some key, value in input.labels"), "{labels: {*}}");
    assert_eq!(of("p if input.labels[data.key] == \"x\""), "{labels: {*}}");
    assert_eq!(
        of("p if count(input.labels) > 1"),
        "{labels: whole}",
        "a built-in function may look at anything"
    );
    assert_eq!(of("p if [_, y] = input.pair"), "{pair: {*}}");
}

#[test]
fn what_is_stored_or_handed_out_is_read_whole() {
    assert_eq!(of("p if {\n\tx := [input.a, input.b]\n\tx[0].c\n}"), "{a: whole, b: whole}");
    assert_eq!(of("p if {\"k\": input.a}[data.k].c"), "{a: whole}");
    assert_eq!(of("p if json.filter(input, [\"a\"])"), "whole");
    assert_eq!(of("q if input.x.y == \"z\"\n\np if q with input.x as input.w"), "{w: whole, x: {y}}");
    assert_eq!(of("q if input.y == \"z\"\n\np if q with input as input.w"), "{w: whole, y}");
    assert_eq!(reads("package t\n\na := input.a\n\nb if input.b", "t"), "{a: whole, b}");
}
