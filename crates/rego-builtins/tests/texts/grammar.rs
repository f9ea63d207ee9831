//! Texts in the languages that the functions read, mostly well formed.

use rego_value::{Number, Value};

use crate::generate::{string, value};
use test_support::Random;

/// Texts picked one after the other.
fn join(random: &mut Random, most: usize, pieces: &[&str]) -> String {
    (0..random.below(most + 1)).map(|_| *random.pick(pieces)).collect()
}

/// The text with a few characters taken out, doubled or put in.
fn damage(text: &str, random: &mut Random, fresh: &[char]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(chars.len() + 1);
        match random.below(3) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 if at < chars.len() => chars[at] = *random.pick(fresh),
            _ => chars.insert(at, *random.pick(fresh)),
        }
    }
    chars.into_iter().collect()
}

pub(crate) fn uri(random: &mut Random) -> String {
    const SCHEMES: [&str; 12] = [
        "http://",
        "https://",
        "HTTP://",
        "//",
        "",
        "mailto:",
        "postgres://",
        "a+b.c-1://",
        "1x://",
        ":",
        "file:///",
        "urn:",
    ];
    const USERS: [&str; 8] = ["", "", "", "user@", "user:pa%20ss@", "a@b:c@", "us er@", "%zz@"];
    const HOSTS: [&str; 26] = [
        "example.com",
        "EXAMPLE.com",
        "",
        "localhost",
        "1.2.3.4",
        "[::1]",
        "[fe80::1%25en0]",
        "[fe80::1%25%65n]",
        "[::ffff:1.2.3.4]",
        "[1.2.3.4]",
        "[1:2:3]",
        "[::1",
        "::1]",
        "ex%41mple",
        "ex%C3%A4mple",
        "münchen.de",
        "a b",
        "a,b:1,c",
        "[1::2::3]",
        "[12345::]",
        "[::1.2.3]",
        "[x]",
        "[::1%25]",
        "a\"b",
        "a\\b",
        "[1:2:3:4:5:6:7:8:9]",
    ];
    const PORTS: [&str; 9] = ["", "", "", ":80", ":", ":8a", ":99999", ":80:90", ":-1"];
    const PATHS: [&str; 14] = [
        "",
        "/",
        "/a/b",
        "/a%2fb",
        "/a b",
        "/ä",
        "/a%zz",
        "/%41",
        "//x",
        "/a;b=1,c",
        "a:b",
        "*",
        "/[x]",
        "/!$&'()*+,;=:@",
    ];
    const QUERIES: [&str; 8] = ["", "", "?", "?a=1&b=2", "??", "?a?b", "?ä=%zz", "?a b"];
    const FRAGMENTS: [&str; 7] = ["", "", "#", "#frag", "#a%20b", "#%zz", "#a#b"];
    let parts = [
        *random.pick(&SCHEMES),
        *random.pick(&USERS),
        *random.pick(&HOSTS),
        *random.pick(&PORTS),
        *random.pick(&PATHS),
        *random.pick(&QUERIES),
        *random.pick(&FRAGMENTS),
    ];
    let text = parts.concat();
    if random.one_in(4) {
        return damage(
            &text,
            random,
            &[':', '/', '[', ']', '%', '@', '#', '?', '\u{7f}', '\t', '0', 'é', '.'],
        );
    }
    text
}

fn glob(random: &mut Random) -> String {
    const PIECES: [&str; 24] = [
        "a", "b", "c", "ab", ".", ".*", ".+", "a*", "b+", "[a-c]", "[a-c]*", "[b-d]+", "[xyz]", "[]", "\\.",
        "\\*", "[\\]a]", "foo", "[a-b]", "é", "[0-9]+", "c*", "a+", "[\\-a]*",
    ];
    let text = join(random, 6, &PIECES);
    if random.one_in(6) { damage(&text, random, &['[', ']', '-', '*', '+', '\\', '.', 'z']) } else { text }
}

pub(crate) fn globs(random: &mut Random) -> (String, String) {
    let left = glob(random);
    let right = if random.one_in(4) { damage(&left, random, &['a', 'b', '.', 'c']) } else { glob(random) };
    (left, right)
}

const PLAIN: [&str; 72] = [
    "a",
    "b c",
    "1",
    "-1",
    "+7",
    "0x1F",
    "0o17",
    "017",
    "08",
    "0b101",
    "-0b11",
    "0b-1",
    "1_000",
    "1.5",
    "-.5",
    "1e3",
    "1e400",
    ".inf",
    "-.INF",
    ".nan",
    "~",
    "null",
    "Null",
    "true",
    "FALSE",
    "yes",
    "No",
    "on",
    "y",
    "2023-01-02",
    "2023-01-02T03:04:05Z",
    "2023-1-2 3:4:5.25",
    "1:20:30",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "123456789012345678901234567890",
    "<<",
    "=",
    "\"q\\n\\u00e9\\x41\"",
    "'it''s'",
    "\"\"",
    "''",
    "!!str 12",
    "!!int \"12\"",
    "!!float 3",
    "!!bool yes",
    "!!null x",
    "!!binary aGVsbG8=",
    "!!binary x",
    "!foo bar",
    "!!timestamp 2023-01-02",
    "!!timestamp 2023-01-02T03:04:05.5+01:30",
    "! 12",
    "é",
    "日本",
    "😀",
    "a#b",
    "a: b",
    "- x",
    "?",
    "[1, 2]",
    "{a: 1, b: [c]}",
    "[a, , b]",
    "{a, b: }",
    "*x",
    "&x 5",
    "&y [1]",
    "%d",
    "@at",
    "`tick",
    "|",
];

const KEYS: [&str; 21] = [
    "a",
    "b",
    "c",
    "1",
    "1.5",
    "true",
    "\"a\"",
    "'b'",
    "0x10",
    "~",
    "2023-01-02",
    "<<",
    "? x",
    "[1]",
    "{a: b}",
    "!!str 1",
    "1e10",
    ".inf",
    "k y",
    "\"1\"",
    "yes",
];

fn block(random: &mut Random, indent: usize, depth: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    let entries = 1 + random.below(3);
    let is_sequence = random.one_in(3);
    for _ in 0..entries {
        out.push_str(&pad);
        if is_sequence {
            out.push_str("- ");
        } else {
            let key = if random.one_in(3) { *random.pick(&KEYS) } else { *random.pick(&KEYS[..3]) };
            out.push_str(key);
            out.push_str(": ");
        }
        match random.below(12) {
            0 | 1 if depth > 0 => {
                if random.one_in(4) {
                    out.push_str("&x");
                }
                out.push('\n');
                let deeper = indent + *random.pick(&[1usize, 2, 2, 2, 4]);
                block(random, deeper, depth - 1, out);
                continue;
            }
            2 => {
                let header = *random.pick(&["|", "|-", "|+", ">", ">-", ">+", "|2", ">1-"]);
                out.push_str(&format!("{header}\n{pad}   line\n{pad}    more\n\n{pad}   end"));
            }
            3 => out.push_str("*x"),
            4 => out.push_str("[*x, *y]"),
            5 => {
                let quoted =
                    *random.pick(&["\"a\n~b\"", "'a\n\n~b'", "plain\n~goes on", "\"tab\\t \\\n~x\""]);
                let quoted = &quoted.replace('~', &" ".repeat(indent + 3));
                out.push_str(quoted);
            }
            6 | 7 => out.push_str(&flow(random, 2)),
            _ => out.push_str(random.pick::<&str>(&PLAIN)),
        }
        if random.one_in(8) {
            out.push_str(" # comment");
        }
        out.push('\n');
    }
}

fn flow(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return (*random.pick(&PLAIN[..52])).to_owned();
    }
    let items: Vec<String> = (0..random.below(4)).map(|_| flow(random, depth - 1)).collect();
    if random.one_in(2) {
        return format!("[{}]", items.join(", "));
    }
    let members: Vec<String> =
        items.iter().map(|item| format!("{}: {item}", random.pick::<&str>(&KEYS))).collect();
    format!("{{{}}}", members.join(", "))
}

pub(crate) fn yaml(random: &mut Random) -> String {
    let mut out = String::new();
    if random.one_in(6) {
        out.push_str(random.pick::<&str>(&["---\n", "%YAML 1.1\n---\n", "# c\n", "\n", "--- ", "\u{feff}"]));
    }
    match random.below(8) {
        0 => out.push_str(random.pick::<&str>(&PLAIN)),
        1 => out.push_str(&flow(random, 3)),
        2 => out.push_str(
            "base: &x {a: 1, b: 2}\nother: &y\n  c: 3\nmerged:\n  <<: *x\n  b: 5\nlist:\n  <<: [*x, *y, {d: 4}]\n",
        ),
        _ => {
            if random.one_in(2) {
                out.push_str("anchors: [&x {a: 1, q: 2}, &y [3]]\n");
            }
            block(random, 0, 3, &mut out);
        }
    }
    if random.one_in(10) {
        out.push_str(random.pick::<&str>(&["---\nb: 1\n", "...\n", "---\n[", "\n\n"]));
    }
    out
}

pub(crate) fn damaged_yaml(text: &str, random: &mut Random) -> String {
    const FRESH: [char; 30] = [
        ':', '-', '[', ']', '{', '}', '\n', ' ', '\t', '"', '\'', '&', '*', '!', '#', '|', '%', '\u{1}', ',',
        '?', '\\', '<', '>', 'x', 'u', '0', '\r', '\u{85}', '.', 'é',
    ];
    let mut text = damage(text, random, &FRESH);
    if random.one_in(6) {
        let keep = random.below(text.chars().count() + 1);
        text = text.chars().take(keep).collect();
    }
    text
}

const STRINGS: [&str; 52] = [
    "",
    "a",
    "true",
    "yes",
    "y",
    "Off",
    "null",
    "~",
    "1",
    "1.5",
    "0x1f",
    "1_000",
    "1e3",
    ".5",
    "+.inf",
    ".nan",
    "2001-01-01",
    "2001-01-01T00:00:00Z",
    "1:20",
    "1:20.5",
    "-1:2:3",
    "<<",
    "=",
    "- a",
    "-",
    "--- x",
    "...",
    "a: b",
    "a:b",
    "a:",
    "#x",
    "a #b",
    "a#b",
    "@x",
    "%x",
    "!x",
    "&x",
    "*x",
    "[x",
    "x]",
    "{x",
    "'q'",
    "it's",
    "\"q\"",
    "a,b",
    "?x",
    "? x",
    "|",
    ">",
    "`",
    "key with space",
    "?",
];

const CHARS: [char; 26] = [
    'a', 'b', ' ', ' ', '\n', '\n', '\t', '\r', ':', '#', '-', '\'', '"', '\\', 'é', '日', '😀', '\u{85}',
    '\u{2028}', '\u{a0}', '\u{feff}', '\u{1}', '\u{7f}', '0', '9', ',',
];

fn text(random: &mut Random) -> String {
    match random.below(4) {
        0 => (0..random.below(8)).map(|_| *random.pick(&CHARS)).collect(),
        1 => string(random).as_str().unwrap().to_owned(),
        2 if random.one_in(8) => "long ".repeat(20 + random.below(12)),
        2 => {
            format!("{}{}", random.pick::<&str>(&["a", "a1", "a10", "a01", "A", "_", "10"]), random.below(12))
        }
        _ => (*random.pick(&STRINGS)).to_owned(),
    }
}

/// A value whose strings and numbers are hard to lay out.
pub(crate) fn for_yaml(random: &mut Random) -> Value {
    nested(random, 3)
}

fn nested(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 5 } else { 9 }) {
        0 => value(&rego_builtins::Type::Any, random, 0),
        1 => {
            const NUMBERS: [&str; 10] = [
                "1e21",
                "123456789012345678901",
                "1.5e-7",
                "1e-5",
                "100000.5",
                "1234567.5",
                "18446744073709551615",
                "-1",
                "9223372036854775808",
                "0.1",
            ];
            Value::Number(Number::parse(random.pick::<&str>(&NUMBERS)).unwrap())
        }
        2..=4 => Value::from(text(random)),
        5 | 6 => {
            let count = random.below(4);
            Value::array((0..count).map(|_| nested(random, depth - 1)).collect::<Vec<_>>())
        }
        _ => {
            let count = random.below(6);
            let members = (0..count).map(|_| (Value::from(text(random)), nested(random, depth - 1)));
            Value::object(members.collect::<Vec<_>>())
        }
    }
}

const STATEMENTS: [&str; 34] = [
    "p := 1",
    "p contains x if some x in input.xs",
    "default q := {\"a\": [1, 2.50, null]}",
    "f(x, [y]) := x + y if x > y",
    "f(x) := 1 if x == 2 else := 3 if { true }",
    "r[x].y := z if { x := input[z]; z == 1 }",
    "s := {a | a := input[_]}",
    "t := $\"a {input.b} c\"",
    "u if { not p; not q[1] with input as {}; every k, v in [1] { k < v } }",
    "v := {k: 1e3 | some k, _ in data.x}",
    "w := [x | x := {1, 2, \"s\"}[_]]",
    "x.y.z := true",
    "import data.a.b as c",
    "import rego.v1",
    "import input.x",
    "# comment",
    "a := 1 # trailing",
    "b if x",
    "c { d }",
    "d := {\"a\": set(), \"b\": {}}",
    "e := -1 * (2 + input.a[\"b c\"])",
    "g(_) := `raw`",
    "h := count([1]) if { print(\"x\", 1) }",
    "i := x if { x = 1; walk(input, [p, v]) }",
    "j contains {\"k\": 1} if input",
    "k := [",
    "l := }",
    "m = 1",
    "n := \"\\u00e9\\n\"",
    "o := input.x in {1}",
    "o := (1, 2) in {1}",
    "é := 1",
    "if := 1",
    "p := 01",
];

pub(crate) fn module(random: &mut Random) -> String {
    let mut text =
        String::from(*random.pick(&["package a\n", "package a.b[\"c\"]\n", "# first\npackage x\n\n", ""]));
    for _ in 0..random.below(5) {
        text.push_str(random.pick::<&str>(&STATEMENTS));
        text.push_str(random.pick::<&str>(&["\n", "\n\n", "\n", " "]));
    }
    if random.one_in(6) {
        return damage(
            &text,
            random,
            &['{', '}', '(', ')', '"', ',', ':', '=', '[', ']', ' ', '\n', '1', '.'],
        );
    }
    text
}

const OPERANDS: [&str; 36] = [
    ".",
    "$",
    ".a",
    ".b",
    ".n",
    ".zero",
    ".list",
    ".map",
    ".map.k",
    ".map.none",
    ".none",
    ".none.x",
    ".null",
    ".null.x",
    ".yes",
    ".no",
    "$.a",
    "1",
    "-2",
    "0",
    "1.5",
    "0x10",
    "'x'",
    "\"text\"",
    "`raw`",
    "\"q\\n\\\"\\u00e9\"",
    "true",
    "nil",
    "(len .list)",
    "(index .list 1)",
    "(printf \"%v\" .n)",
    "(.map).k",
    ".list.x",
    "1e3",
    "$x",
    ".empty",
];

const CALLS: [&str; 34] = [
    "len",
    "not",
    "and",
    "or",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "index",
    "slice",
    "print",
    "println",
    "html",
    "js",
    "urlquery",
    "printf \"%v-%v\"",
    "printf \"%v|%v\" 1",
    "printf \"%5t %v\" .yes",
    "printf",
    "index .list",
    "index .map",
    "slice .a 1",
    "eq .a",
    "eq 1 2",
    "nosuch",
    "call",
    "and .yes",
    "or .no",
    "print .list",
    "html .html",
    "len .a |",
    "eq .n",
];

fn operand(random: &mut Random) -> &'static str {
    OPERANDS[random.below(OPERANDS.len())]
}

fn pipeline(random: &mut Random) -> String {
    let mut stages = Vec::new();
    for stage in 0..=random.below(2) {
        let text = match random.below(3) {
            0 if stage == 0 => operand(random).to_owned(),
            1 => format!("{} {}", random.pick::<&str>(&CALLS), operand(random)),
            _ => format!("{} {} {}", random.pick::<&str>(&CALLS), operand(random), operand(random)),
        };
        stages.push(text);
    }
    stages.join(" | ")
}

fn action(random: &mut Random, depth: usize) -> String {
    let (open, close) =
        (*random.pick(&["{{", "{{", "{{- ", "{{ "]), *random.pick(&["}}", "}}", " -}}", " }}"]));
    let inner = |random: &mut Random| if depth == 0 { "x".to_owned() } else { nodes(random, depth - 1) };
    match random.below(12) {
        0 => {
            let otherwise = match random.below(3) {
                0 => String::new(),
                1 => format!("{{{{else}}}}{}", inner(random)),
                _ => format!("{{{{else if {}}}}}{}", pipeline(random), inner(random)),
            };
            format!("{open}if {}{close}{}{otherwise}{{{{end}}}}", pipeline(random), inner(random))
        }
        1 => format!("{open}with {}{close}{}{{{{else}}}}none{{{{end}}}}", pipeline(random), inner(random)),
        2 => {
            let over = *random.pick(&[
                ".list",
                ".map",
                ".empty",
                ".none",
                "3",
                ".a",
                "$i, $x := .list",
                "$x := .map",
                ".null",
            ]);
            let stop = *random.pick(&["", "{{break}}", "{{continue}}", "{{if eq . \"b\"}}{{break}}{{end}}"]);
            format!("{open}range {over}{close}{stop}{}{{{{else}}}}empty{{{{end}}}}", inner(random))
        }
        3 => format!("{open}$x := {}{close}{{{{$x}}}}{{{{$x = 2}}}}{{{{$x}}}}", pipeline(random)),
        4 => "{{/* comment */}}".to_owned(),
        5 => format!("{{{{define \"t\"}}}}[{{{{.}}}}]{{{{end}}}}{{{{template \"t\" {}}}}}", operand(random)),
        6 => format!("{{{{block \"b\" {}}}}}<{{{{.}}}}>{{{{end}}}}", operand(random)),
        _ => format!("{open}{}{close}", pipeline(random)),
    }
}

fn nodes(random: &mut Random, depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..=random.below(2) {
        out.push_str(random.pick::<&str>(&["", "a ", " \n b", "text", "{", "é"]));
        out.push_str(&action(random, depth));
    }
    out.push_str(random.pick::<&str>(&["", " tail", "\n"]));
    out
}

pub(crate) fn template(random: &mut Random) -> String {
    let text = nodes(random, 2);
    if random.one_in(8) {
        return damage(
            &text,
            random,
            &['{', '}', '.', '|', '(', ')', '"', '$', '-', ' ', '\n', '@', ':', '='],
        );
    }
    text
}

pub(crate) fn template_data() -> Value {
    let text = br#"{"a": "text", "b": "", "n": 12, "zero": 0, "list": ["a", "b", 3, null], "map": {"k": "v", "l": [1, {"m": true}]},
        "null": null, "yes": true, "no": false, "empty": [], "html": "<a href='x'>\"&=\u00e9</a>"}"#;
    rego_value::json::parse(text).unwrap()
}
