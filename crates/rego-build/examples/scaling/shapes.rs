//! Policies that grow in one direction each.

use std::fmt::Write;

/// What is built of each of them.
pub(crate) const ENTRYPOINT: &str = "scale/result";

/// The name of a shape, and its policy with so many rules (or expressions, branches, levels).
pub(crate) type Shape = (&'static str, fn(usize) -> String);

/// All shapes.
pub(crate) const SHAPES: &[Shape] = &[
    ("complete", complete),
    ("same-name", same_name),
    ("partial-set", partial_set),
    ("functions", functions),
    ("chained", chained),
    ("one-body", one_body),
    ("else", else_chain),
    ("imports", imports),
    ("nesting", nesting),
    ("literal", literal),
    ("packages-deep", deep_heads),
    ("comprehensions", comprehensions),
];

/// One line for each of `0..count`, behind the package.
fn policy(count: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = String::from("package scale\n\n");
    for index in 0..count {
        text.push_str(&line(index));
        text.push('\n');
    }
    text
}

/// Complete rules of different names, and one that asks for all.
fn complete(count: usize) -> String {
    let mut text = policy(count, |i| {
        format!(
            "rule_{i} := \"value {i}\" if {{\n\tinput.kind == \"kind {i}\"\n\tinput.user.level > {i}\n\tsome role in input.roles\n\tstartswith(role, \"role{i}\")\n}}\n"
        )
    });
    text.push_str("result := [value |\n");
    text.push_str(
        "\tsome name\n\tvalue := data.scale[name]\n\tname != \"result\"\n] if false\n\nresult := count([",
    );
    (0..count).for_each(|i| {
        let _ = write!(text, "rule_{i}, ");
    });
    text.push_str("0])\n");
    text.replace(
        "result := [value |\n\tsome name\n\tvalue := data.scale[name]\n\tname != \"result\"\n] if false\n\n",
        "",
    )
}

/// One complete rule with many definitions.
fn same_name(count: usize) -> String {
    policy(count, |i| {
        format!(
            "result := \"value {i}\" if {{\n\tinput.kind == \"kind {i}\"\n\tinput.user.level > {i}\n\tnot input.blocked[\"b{i}\"]\n}}\n"
        )
    })
}

/// One partial set with many definitions.
fn partial_set(count: usize) -> String {
    policy(count, |i| {
        format!(
            "result contains sprintf(\"message %d for %v\", [{i}, name]) if {{\n\tsome container in input.containers\n\tname := container.name\n\tcontainer.limits[\"l{i}\"] > {i}\n\tnot startswith(name, \"n{i}\")\n}}\n"
        )
    })
}

/// Functions that a rule calls.
fn functions(count: usize) -> String {
    let mut text = policy(count, |i| {
        format!(
            "f_{i}(x, y) := z if {{\n\tx > {i}\n\tz := (x * y) + {i}\n}}\n\nresult contains f_{i}(input.x, {i})\n"
        )
    });
    text.push_str("result contains 0\n");
    text
}

/// Rules each of which needs the one before.
fn chained(count: usize) -> String {
    let mut text = policy(count, |i| match i {
        0 => "rule_0 if input.start\n".to_owned(),
        _ => format!("rule_{i} if {{\n\trule_{}\n\tinput.n > {i}\n}}\n", i - 1),
    });
    let _ = writeln!(text, "result := rule_{}", count.saturating_sub(1));
    text
}

/// One rule of many expressions, written in reverse, so that safety has to sort them.
fn one_body(count: usize) -> String {
    let mut text = String::from("package scale\n\nresult := x if {\n\tx == v0 + 1\n");
    for i in 0..count {
        let _ = writeln!(text, "\tv{i} = v{} + {i}", i + 1);
    }
    let _ = writeln!(text, "\tv{count} = input.x\n}}");
    text.replace("result := x if {\n\tx == v0 + 1", "result := v0 if {")
}

/// One rule with a long chain of `else`.
fn else_chain(count: usize) -> String {
    let mut text = String::from("package scale\n\nresult := 0 if input.x == -1");
    for i in 0..count {
        let _ = write!(text, "\n\nelse := {i} if {{\n\tinput.x == {i}\n\tinput.y > {i}\n}}");
    }
    text.push('\n');
    text
}

/// Many imports, each used.
fn imports(count: usize) -> String {
    let mut text = String::from("package scale\n\n");
    for i in 0..count {
        let _ = writeln!(text, "import data.lib{i}.thing as t{i}");
    }
    text.push('\n');
    for i in 0..count {
        let _ = writeln!(text, "result contains t{i} if input.x > t{i}\n");
    }
    text
}

/// Many rules, each with a value nested ten deep and a body of comprehensions in comprehensions.
fn nesting(count: usize) -> String {
    policy(count, |i| {
        let deep =
            (0..10).fold(format!("input.x{i}"), |inner, level| format!("{{\"k{level}\": [{inner}, {i}]}}"));
        let inner = "[a | a := input.list[_]; b := [c | c := input.other[_]; c > a]; count(b) > 1]";
        format!("result contains {deep} if count({inner}) > {i}\n")
    })
}

/// One rule with a large constant.
fn literal(count: usize) -> String {
    let mut text = String::from("package scale\n\ntable := {\n");
    for i in 0..count {
        let _ = writeln!(text, "\t\"key {i}\": {{\"roles\": [\"r{i}\", \"r{}\"], \"level\": {i}}},", i + 1);
    }
    text.push_str("}\n\nresult := table[input.key].level\n");
    text
}

/// Rules whose names are references of several steps.
fn deep_heads(count: usize) -> String {
    policy(count, |i| format!("tree.branch{}.leaf{}.value{i} := {i} if input.x > {i}\n", i % 10, i % 100))
        + "result := tree[input.a][input.b]\n"
}

/// Rules of comprehensions over other rules.
fn comprehensions(count: usize) -> String {
    let mut text = policy(count, |i| {
        format!(
            "set_{i} := {{name | some item in input.items; name := item.names[_]; item.n == {i}}}\n\nresult[\"k{i}\"] := {{k: v | some k, v in set_{i}; every x in set_{} {{ x != k }}}}\n",
            (i * 7) % count.max(1)
        )
    });
    text.push_str("result[\"none\"] := 0\n");
    text
}
