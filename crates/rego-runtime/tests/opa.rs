//! The builtins give what the real OPA gives: value, text of numbers, code and text of errors.
//!
//! Calls are generated from pools of operands, all of them evaluated by one run of `opa eval`. Skipped, loudly, without the
//! binary: `OPA_BIN`, `opa` on the path, or `~/go/bin/opa`. `SEED` and `CALLS` (per builtin) vary what is generated.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_types,
    reason = "tests"
)]

#[path = "../../rego-regex/tests/generate/mod.rs"]
mod expressions;
#[allow(dead_code, unreachable_pub, reason = "likewise")]
#[path = "../../test-support/src/folder.rs"]
mod folder;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "not by its manifest, which is part of what `runtime.wasm` is stamped with"
)]
#[path = "../../test-support/src/opa.rs"]
mod found;
#[allow(dead_code, unreachable_pub, reason = "likewise")]
#[path = "../../test-support/src/places.rs"]
mod places;

use expressions::Random;
use folder::Folder;
use found::opa;
use places::setting;

use rego_runtime::{BUILTINS, Value, native};
use rego_value::json::{Escape, parse, to_string};
use std::fmt::Write as _;
use std::process::Command;

/// The operands of each builtin: n number, i small integer, s string, a array, o object, t set, T set of sets, S set or
/// array of strings, N set or array of numbers, A array of objects, v any value of JSON, c collection, d delimiters, p paths, k keys,
/// e regular expression, h text for one, f format base, b base64, j JSON text, z number text, g glob, x CIDR, y address or CIDR, m template, G graph.
const OPERANDS: &[(&str, &str)] = &[
    ("plus", "nn"),
    ("minus", "nn"),
    ("mul", "nn"),
    ("div", "nn"),
    ("rem", "nn"),
    ("abs", "n"),
    ("round", "n"),
    ("ceil", "n"),
    ("floor", "n"),
    ("equal", "vv"),
    ("neq", "vv"),
    ("gt", "vv"),
    ("gte", "vv"),
    ("lt", "vv"),
    ("lte", "vv"),
    ("count", "c"),
    ("sum", "N"),
    ("product", "N"),
    ("max", "c"),
    ("min", "c"),
    ("sort", "c"),
    ("all", "c"),
    ("any", "c"),
    ("and", "tt"),
    ("or", "tt"),
    ("intersection", "T"),
    ("union", "T"),
    ("array.concat", "aa"),
    ("array.flatten", "a"),
    ("array.reverse", "a"),
    ("array.slice", "aii"),
    ("object.get", "okv"),
    ("object.keys", "o"),
    ("object.remove", "ok"),
    ("object.filter", "ok"),
    ("object.union", "oo"),
    ("object.union_n", "A"),
    ("graph.reachable", "GS"),
    ("json.filter", "op"),
    ("json.remove", "op"),
    ("contains", "ss"),
    ("startswith", "ss"),
    ("endswith", "ss"),
    ("concat", "sS"),
    ("indexof", "ss"),
    ("substring", "sii"),
    ("lower", "s"),
    ("upper", "s"),
    ("split", "ss"),
    ("replace", "sss"),
    ("strings.replace_n", "rs"),
    ("strings.reverse", "s"),
    ("trim", "ss"),
    ("trim_left", "ss"),
    ("trim_right", "ss"),
    ("trim_prefix", "ss"),
    ("trim_suffix", "ss"),
    ("trim_space", "s"),
    ("format_int", "nf"),
    ("to_number", "z"),
    ("json.marshal", "v"),
    ("json.unmarshal", "j"),
    ("json.is_valid", "j"),
    ("glob.match", "gds"),
    ("regex.match", "eh"),
    ("re_match", "eh"),
    ("regex.is_valid", "e"),
    ("regex.find_all_string_submatch_n", "ehi"),
    ("base64.encode", "s"),
    ("base64.decode", "b"),
    ("base64.is_valid", "b"),
    ("base64url.encode", "s"),
    ("base64url.decode", "b"),
    ("bits.and", "nn"),
    ("bits.or", "nn"),
    ("bits.xor", "nn"),
    ("bits.negate", "n"),
    ("bits.lsh", "ni"),
    ("bits.rsh", "ni"),
    ("numbers.range", "ii"),
    ("net.cidr_contains", "xy"),
    ("net.cidr_intersects", "xx"),
    ("is_array", "v"),
    ("is_boolean", "v"),
    ("is_null", "v"),
    ("is_number", "v"),
    ("is_object", "v"),
    ("is_set", "v"),
    ("is_string", "v"),
    ("type_name", "v"),
    ("internal.member_2", "vc"),
    ("internal.member_3", "vvc"),
    ("set_diff", "tt"),
    ("net.cidr_overlap", "xy"),
];

/// No functions of one value: covered by the conformance cases.
const OTHERWISE: &[&str] = &["internal.template_string", "walk"];

/// The call in Rego's text.
fn call(name: &str, arguments: &[String]) -> String {
    match (name, arguments) {
        ("internal.member_2", [item, collection]) => format!("{item} in {collection}"),
        // Between brackets of its own, where a comma does not end it.
        ("internal.member_3", [key, item, collection]) => format!("({key}, {item} in {collection})"),
        ("set_diff", [left, right]) => format!("{left} - {right}"),
        _ => format!("{name}({})", arguments.join(", ")),
    }
}

/// The text of a number: one of those that are known to be hard, or any.
fn numeral(random: &mut Random) -> String {
    let digits = |random: &mut Random, most: usize| {
        let count = 1 + random.below(most);
        let text: String =
            (0..count).map(|_| random.text(&["0", "1", "4", "5", "9", "7"]).to_string()).collect();
        let short = text.trim_start_matches('0');
        if short.is_empty() { "0".to_owned() } else { short.to_owned() }
    };
    if random.below(2) == 0 {
        return random.text(NUMBERS).to_string();
    }
    let most = *random.pick(&[2, 4, 12, 20, 40]);
    let mut text = format!("{}{}", random.text(&["", "", "-"]), digits(random, most));
    if random.below(2) == 0 {
        text.push_str(&format!(".{}{}", "0".repeat(random.below(3)), digits(random, most)));
    }
    if random.below(3) == 0 {
        let most = *random.pick(&[3, 20, 330]);
        text.push_str(&format!(
            "{}{}{}",
            random.text(&["e", "E"]),
            random.text(&["", "+", "-"]),
            random.below(most)
        ));
    }
    text
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "-0",
    "1.0",
    "2.50",
    "0.1",
    "0.2",
    "0.3",
    "1e0",
    "1e2",
    "1.5e3",
    "-2.5",
    "-0.5",
    "0.5",
    "1.5",
    "2.5",
    "0.0",
    "-0.0",
    "0e5",
    "1e-7",
    "123456789.125",
    "1234567.5",
    "999999.5",
    "1e21",
    "1e22",
    "1e30",
    "1.7e308",
    "3.14159265358979",
    "2147483647",
    "2147483648",
    "-2147483648",
    "1073741823",
    "1073741824",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551617.5",
    "123456789012345678901234567890",
    "0.30000000000000004",
    "0.1000000000000000055511151231257827",
    "1e-320",
    "5e-10",
    "33.333333333333333333",
    "1e300",
    "-1e-300",
    "1e400",
    "6.02214076e23",
    "1.0000000000000000000000001",
    "4.35",
    "1e2000",
];
const STRINGS: &[&str] = &[
    "",
    "a",
    "b",
    "ab",
    "abc",
    "abcabc",
    "ABC",
    "Hello, World",
    "  padded\t\n",
    "ä",
    "ÄÖÜß",
    "ǅ",
    "İstanbul",
    "ŉ",
    "ᾳ",
    "Σας",
    "日本語",
    "日",
    "😀x😀",
    ",",
    "a,b,,c",
    "aaaa",
    "aa",
    "<&>\u{2028}",
    "\u{7f}\u{1}\"\\",
    "/",
    "a/b",
    "a.b.c",
    "\u{a0}x\u{2003}",
    "xyz",
    "e\u{301}",
    "1",
    "-",
    "bc",
    "cab",
    "\u{85}y",
    "l",
];

fn quoted(text: &str) -> String {
    to_string(&rego_value::Value::from(text), Escape::Plain)
}

fn list(random: &mut Random, longest: usize, mut item: impl FnMut(&mut Random) -> String) -> String {
    let items: Vec<String> = (0..random.below(longest + 1)).map(|_| item(random)).collect();
    format!("[{}]", items.join(","))
}

fn object(random: &mut Random, depth: usize) -> String {
    let mut keys = vec!["a", "b", "c", "d", "1", "a/b", "~", ""];
    let count = random.below(5);
    let members: Vec<String> = (0..count)
        .map(|_| {
            let at = random.below(keys.len());
            let key = keys.swap_remove(at);
            format!("{}:{}", quoted(key), any(random, depth))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

fn any(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 5 } else { 8 }) {
        0 => "null".into(),
        1 => ["true", "false"][random.below(2)].into(),
        2 | 3 => numeral(random),
        4 => quoted(random.text(STRINGS)),
        5 | 6 => list(random, 4, |random| any(random, depth - 1)),
        _ => object(random, depth - 1),
    }
}

/// How a JSON operand is turned into what the builtin gets.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Json,
    Set,
    SetOfSets,
}

fn operand(random: &mut Random, kind: char) -> (String, Shape) {
    let text = |random: &mut Random| quoted(random.text(STRINGS));
    let set_or_array = |random: &mut Random| if random.below(3) == 0 { Shape::Set } else { Shape::Json };
    let json = match kind {
        't' => return (list(random, 6, |random| any(random, 1)), Shape::Set),
        'T' => return (list(random, 3, |random| list(random, 5, |random| random.text(&NUMBERS[..12]).to_string())), Shape::SetOfSets),
        'S' => return (list(random, 4, text), set_or_array(random)),
        'N' => return (list(random, 5, numeral), set_or_array(random)),
        // A wrong kind now and then; but no large number where it would be a length.
        'i' if random.below(12) == 0 => text(random),
        _ if kind != 'i' && random.below(12) == 0 => any(random, 2),
        'n' => numeral(random),
        'i' => random.text(&["0", "1", "2", "3", "5", "-1", "-2", "10", "1.0", "70", "1.5", "1e1"]).to_string(),
        's' => text(random),
        'e' | 'h' => {
            let mut expressions = Random::new(random.bits());
            let wild = random.below(3) == 0;
            quoted(&match kind {
                'e' => expressions::expression(&mut expressions, 3, wild),
                _ => expressions::text(&mut expressions),
            })
        }
        'a' => list(random, 5, |random| any(random, 2)),
        'A' => list(random, 4, |random| object(random, 2)),
        'o' => object(random, 3),
        'v' => any(random, 3),
        'c' => return (any(random, 3), set_or_array(random)),
        'd' => random.text(&["null", "[]", "[\".\"]", "[\"/\"]", "[\",\",\".\"]", "[\"ab\"]"]).to_string(),
        'p' => list(random, 3, |random| {
            let simple = ["\"a\"", "\"a/b\"", "\"/a/b/c\"", "\"b/1\"", "\"a~1b\"", "\"~0\"", "\"\"", "[\"a\",\"b\"]", "[\"a\"]", "[\"c\",\"0\"]", "[]"];
            random.text(&simple).to_string()
        }),
        'k' => return match random.below(4) {
            0 => (quoted(random.text(&["a", "b", "zz"])), Shape::Json),
            1 => (object(random, 0), Shape::Json),
            2 => (list(random, 3, |random| quoted(random.text(&["a", "b", "c", "1"]))), Shape::Set),
            _ => (list(random, 3, |random| quoted(random.text(&["a", "b", "c", "1"]))), Shape::Json),
        },
        'r' => {
            let pairs: Vec<String> = (0..random.below(4)).map(|_| format!("{}:{}", text(random), text(random))).collect();
            format!("{{{}}}", pairs.join(","))
        }
        'f' => random.text(&["2", "8", "10", "16", "3", "10.0"]).to_string(),
        'b' => quoted(random.text(&["", "YQ==", "YWI=", "YWJj", "YWJ", "YQ", "Y", "YQ=", "YW=J", "_-8=", "+/8=", "YW\nJj", "YQ==x", "a b", "4pyT", "/w=="])),
        'j' => quoted(random.text(&[
            "1", " [1, 2.0,\"\\u00e9\\ud83d\\ude00\"] ", "{\"a\":1,\"a\":2}", "{", "[1,]", "nul", "\"\\x\"", "01", "1e5", "-", "1 2", "",
            "{\"a\" 1}", "[1 2]", "\"\\ud800\"", "1e999999", "true", "[[[]]]", "{1:2}", "\"a", "1.", "\"\u{1}\"", "[", "{\"a\":1,}", "tru e",
        ])),
        'z' => return (if random.below(3) == 0 { any(random, 1) } else {
            quoted(random.text(&["1", "-1", "1.5", "1e3", "1E-3", "abc", "", " 1", "inf", "-Infinity", "NaN", "1e309", "-1e999999", "0x10", "12345678901234567890123", "--1", "+-1"]))
        }, Shape::Json),
        'g' => quoted(random.text(&[
            "*", "**", "a*", "*c", "?", "??", "[abc]", "[!a]*", "[a-c]*", "{a,abc}", "{a*,*c}", "a.*.c", "*.*", "a/**", "", "\\*", "a{b,}c", "{x,{a,b}}c",
            "日*", "[", "{a", "[a-", "a,b*",
        ])),
        'x' => quoted(random.text(&["10.0.0.0/8", "10.1.0.0/16", "192.168.1.5/24", "0.0.0.0/0", "1.2.3.4/32", "::/0", "2001:db8::/32", "::ffff:10.0.0.0/104", "fe80::1/64", "10.0.0.0/33", "10.0.0/8", "x", "10.0.0.0", "::/80", "10.0.0.0/08"])),
        'y' => quoted(random.text(&["10.1.2.3", "10.1.0.0/16", "192.168.1.77", "::1", "2001:db8::1", "::ffff:10.1.1.1", "10.0.0.0/7", "2001:db8:1::/48", "x", "1.2.3.4/31", "::/80", "fe80::%eth0", "010.1.1.1", "::ffff:10.0.0.0/104"])),
        'G' => "{\"a\":[\"b\",\"c\"],\"b\":[\"d\"],\"c\":[\"a\"],\"d\":[],\"ab\":[\"abc\"],\"abc\":[\"ab\",\"zz\"],\"1\":[1]}".into(),
        other => panic!("no pool for `{other}`"),
    };
    (json, Shape::Json)
}

fn module_value(json: &str, shape: Shape) -> Value {
    let host = parse(json.as_bytes()).unwrap();
    // As OPA does, with the first of several equal numbers.
    let set = |value: &rego_value::Value| {
        let mut items: Vec<rego_value::Value> = Vec::new();
        for item in value.as_array().unwrap().iter() {
            if !items.contains(item) {
                items.push(item.clone());
            }
        }
        rego_value::Value::set(items)
    };
    let host = match (shape, host.as_array()) {
        (Shape::Set, Some(_)) => set(&host),
        (Shape::SetOfSets, Some(items)) => rego_value::Value::set(items.iter().map(set)),
        _ => host,
    };
    let mut text = String::new();
    rego_value::text::write(&host, ",", ":", &mut text);
    // Go's quotes are no JSON's; only sets need this form.
    if shape == Shape::Json {
        native::parse(json).unwrap()
    } else {
        native::parse(&rego_with_json_strings(&host)).unwrap()
    }
}

/// Rego text whose strings are JSON's.
fn rego_with_json_strings(value: &rego_value::Value) -> String {
    use rego_value::Value as V;
    match value {
        V::Set(items) if items.is_empty() => "set()".into(),
        V::Set(items) => {
            format!("{{{}}}", items.iter().map(rego_with_json_strings).collect::<Vec<_>>().join(","))
        }
        V::Array(items) => {
            format!("[{}]", items.iter().map(rego_with_json_strings).collect::<Vec<_>>().join(","))
        }
        V::Object(members) => {
            let member =
                |(key, value)| format!("{}:{}", rego_with_json_strings(key), rego_with_json_strings(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
        scalar => to_string(scalar, Escape::Plain),
    }
}

#[test]
fn every_builtin_is_generated() {
    for (name, _) in BUILTINS {
        assert!(OPERANDS.iter().any(|(known, _)| known == name) || OTHERWISE.contains(name), "{name}");
    }
}

/// A call: the builtin, and its operands.
type Case = (&'static str, Vec<(String, Shape)>);

/// What the real OPA made of a call: its value, or that it is undefined; the first error of the call.
type Answer = (String, Option<(String, String)>);

/// So many calls are one policy: OPA takes the square of their number to prepare it.
const BATCH: usize = 3_000;

/// The policy with a rule for each call, and its input.
fn written(cases: &[Case]) -> (String, String) {
    let (mut policy, mut input) = (String::from("package t\nimport future.keywords.in\n"), String::from("["));
    for (row, (name, operands)) in cases.iter().enumerate() {
        let operand = |(at, (json, shape)): (usize, &(String, Shape))| match shape {
            Shape::Set if json.starts_with('[') => format!("{{x | some x in input[{row}][{at}]}}"),
            Shape::SetOfSets => format!("{{{{x | some x in s}} | some s in input[{row}][{at}]}}"),
            _ => format!("input[{row}][{at}]"),
        };
        let arguments: Vec<String> = operands.iter().enumerate().map(operand).collect();
        writeln!(policy, "r{row} := {}", call(name, &arguments)).unwrap();
        let json: Vec<&str> = operands.iter().map(|(json, _)| json.as_str()).collect();
        write!(input, "{}[{}]", if row > 0 { "," } else { "" }, json.join(",")).unwrap();
    }
    input.push(']');
    (policy, input)
}

/// The real OPA's answers.
fn of_opa(cases: &[Case]) -> Vec<Answer> {
    let (policy, input) = written(cases);
    let folder = Folder::new("rego-runtime-opa");
    folder.write("p.rego", policy);
    folder.write("input.json", input);
    let mut eval = Command::new(opa());
    eval.current_dir(folder.path()).args([
        "eval",
        "--timeout",
        "120s",
        "--v0-compatible",
        "--format",
        "json",
    ]);
    eval.args(["--show-builtin-errors", "-d", "p.rego", "-i", "input.json", "data.t"]);
    let output = eval.output().unwrap();
    let answer =
        parse(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let get = |value: &rego_value::Value, path: &[&str]| {
        path.iter().try_fold(value.clone(), |value, key| match key.parse::<i64>() {
            Ok(index) => value.get(&rego_value::Value::from(index)).cloned(),
            Err(_) => value.get_str(key).cloned(),
        })
    };
    let values = get(&answer, &["result", "0", "expressions", "0", "value"]).unwrap_or_else(|| {
        panic!("{}", String::from_utf8_lossy(&output.stdout).chars().take(3000).collect::<String>())
    });
    let mut errors = std::collections::BTreeMap::new();
    if let Some(list) = answer.get_str("errors").and_then(|errors| errors.as_array().cloned()) {
        for error in list.iter() {
            let row = get(error, &["location", "row"]).and_then(|row| row.as_i64()).unwrap() - 3;
            let text = |key: &str| {
                error.get_str(key).and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
            };
            errors.entry(row as usize).or_insert((text("code"), text("message")));
        }
    }
    let value = |row| values.get_str(&format!("r{row}"));
    let value = |row| value(row).map_or("undefined".into(), |value| to_string(value, Escape::Plain));
    (0..cases.len()).map(|row| (value(row), errors.remove(&row))).collect()
}

/// Our answer.
fn of_us((name, operands): &Case) -> Answer {
    native::reset();
    let arguments: Vec<Value> = operands.iter().map(|(json, shape)| module_value(json, *shape)).collect();
    let (value, error) = native::call(name, &arguments).unwrap();
    let value = if value.is_defined() { native::json(value) } else { "undefined".into() };
    let code = |code| ["", "eval_builtin_error", "eval_type_error"][code as usize].to_owned();
    (value, error.map(|(kind, text)| (code(kind), text)))
}

/// Both answers, where they differ.
fn difference(case: &Case, ours: &Answer, theirs: &Answer) -> Option<String> {
    let (name, operands) = case;
    // Which of several equal numbers of the sets in a set is kept is left open, and a Go string may end in the
    // middle of a character.
    let same = ours.0 == theirs.0
        || (operands.iter().any(|(_, shape)| *shape == Shape::SetOfSets)
            && parse(ours.0.as_bytes()).ok() == parse(theirs.0.as_bytes()).ok())
        || (name.contains("replace") && theirs.0.contains('\u{fffd}'));
    if same && ours.1 == theirs.1 {
        return None;
    }
    let shown = |(json, shape): &(String, Shape)| {
        format!("{json}{}", if *shape == Shape::Json { "" } else { " (set)" })
    };
    let shown: Vec<String> = operands.iter().map(shown).collect();
    Some(format!(
        "{name}({})\n  ours   {} {:?}\n  theirs {} {:?}",
        shown.join(", "),
        ours.0,
        ours.1,
        theirs.0,
        theirs.1
    ))
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_builtins_agree_with_opa() {
    let (seed, calls) = (setting("SEED", 1), setting("CALLS", 200));
    println!("SEED={seed} CALLS={calls}");
    let mut random = Random::new(seed);
    let only = std::env::var("ONLY").ok();
    let mut cases: Vec<Case> = Vec::new();
    for (name, kinds) in OPERANDS.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| *name == only))
    {
        for _ in 0..calls {
            cases.push((name, kinds.chars().map(|kind| operand(&mut random, kind)).collect()));
        }
    }
    let (mut differences, mut failed) = (Vec::new(), 0);
    for batch in cases.chunks(BATCH) {
        for (case, theirs) in batch.iter().zip(of_opa(batch)) {
            let ours = of_us(case);
            failed += usize::from(ours.1.is_some());
            differences.extend(difference(case, &ours, &theirs));
        }
    }
    println!("{} calls, {failed} of them errors", cases.len());
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences[..differences.len().min(60)].join("\n")
    );
}
