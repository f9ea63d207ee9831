//! Texts that functions with a format of their own are worth asking about.

use rego_builtins::Builtin;
use rego_value::{Value, json};
use test_support::Random;

use crate::expressions;
use crate::generate::{number, string, value};
use crate::opa::Call;

/// Texts for an argument, by the name of the function and the argument's position from 0.
pub(crate) fn texts(name: &str, position: usize) -> &'static [&'static str] {
    match (name, position) {
        ("sprintf", 0) => &FORMATS,
        ("time.parse_ns", 0) => &LAYOUTS,
        ("time.parse_ns" | "time.parse_rfc3339_ns", _) => &TIMES,
        ("time.parse_duration_ns", 0) => &DURATIONS,
        ("units.parse" | "units.parse_bytes", 0) => &AMOUNTS,
        ("semver.compare" | "semver.is_valid", _) => &VERSIONS,
        ("uuid.parse", 0) => &UUIDS,
        ("hex.decode", 0) => &HEX,
        ("urlquery.decode" | "urlquery.decode_object", 0) => &QUERIES,
        ("net.cidr_is_valid" | "net.cidr_contains" | "net.cidr_overlap" | "net.cidr_intersects", _) => {
            &NETWORKS
        }
        // OPA expands whatever it is given, however long it takes.
        ("net.cidr_expand", _) => &SMALL_NETWORKS,
        ("glob.match", 0) => &GLOBS,
        ("glob.match", 2) => &GLOB_TEXTS,
        ("regex.replace", 1) => &EXPRESSIONS,
        ("regex.replace", 2) => {
            &["$1", "x", "${1}-$0", "$$", "[$name]", "$1x", "${1", "$é$1é", "$01${00}$0", "a$", "${}$-"]
        }
        ("regex.template_match", 0) => &["urn:<[a-z]+>:x", "a<[0-9]{2,4}>", "<a", "a>b", "plain", "<.*>"],
        ("regex.template_match", 1) => &["urn:abc:x", "a123", "plain", "urn:ABC:x"],
        ("regex.template_match", 2) => &["<", "<", "<<"],
        ("regex.template_match", 3) => &[">", ">", ""],
        (
            "regex.match" | "re_match" | "regex.find_n" | "regex.split" | "regex.find_all_string_submatch_n",
            0,
        ) => &EXPRESSIONS,
        (name, _) if name.starts_with("regex.") => &REGEX_TEXTS,
        _ => &[],
    }
}

/// Arguments that are neither plain texts nor just of a type.
pub(crate) fn special(name: &str, position: usize, random: &mut Random) -> Option<Value> {
    match (name, position) {
        ("sprintf", 1) => {
            let count = random.below(4);
            Some(Value::array((0..count).map(|_| format_operand(random)).collect::<Vec<_>>()))
        }
        ("time.format" | "time.date" | "time.clock" | "time.weekday" | "time.diff", _)
        | ("time.add_date", 0) => Some(moment(random)),
        ("net.cidr_merge" | "net.cidr_contains_matches", _) => {
            let count = random.below(5);
            // With IPv6 among them OPA's merge compares addresses of unequal length, and crashes on some.
            let family: Vec<&str> = NETWORKS.into_iter().filter(|text| !text.contains(':')).collect();
            let items = (0..count).map(|_| Value::from(*random.pick(&family))).collect::<Vec<_>>();
            Some(if random.one_in(2) { Value::array(items) } else { Value::set(items) })
        }
        ("glob.match", 1) => Some(match random.below(4) {
            0 => Value::Null,
            1 => Value::array([]),
            2 => Value::array([Value::from("/")]),
            _ => Value::array([Value::from("."), Value::from(":")]),
        }),
        ("regex.find_n" | "regex.find_all_string_submatch_n", 2) => {
            Some(Value::from(i64::try_from(random.below(5)).unwrap() - 1))
        }
        (
            "regex.match"
            | "regex.is_valid"
            | "regex.find_n"
            | "regex.split"
            | "regex.find_all_string_submatch_n",
            0,
        )
        | ("regex.replace", 1) => {
            let mut expressions = expressions::Random::new(random.bits());
            let wild = random.one_in(3);
            Some(Value::from(expressions::expression(&mut expressions, 3, wild)))
        }
        ("regex.match" | "regex.find_n" | "regex.split" | "regex.find_all_string_submatch_n", 1)
        | ("regex.replace", 0) => {
            Some(Value::from(expressions::text(&mut expressions::Random::new(random.bits()))))
        }
        ("json.patch", 1) => {
            let any = |random: &mut Random| value(&rego_builtins::Type::Any, random, 2);
            Some(Value::array([operation(random, &["add", "remove", "replace", "copy", "test"], any)]))
        }
        ("graph.reachable_paths", 0) => Some(graph(random)),
        ("graph.reachable_paths", 1) => Some(vertices(random)),
        ("json.marshal_with_options", 1) => Some(marshal_options(random)),
        ("numbers.range_step", _) => Some(Value::from(i64::try_from(random.below(300)).unwrap() - 100)),
        ("time.add_date", _) => Some(Value::from(i64::try_from(random.below(60)).unwrap() - 25)),
        _ => None,
    }
}

/// Functions whose arguments must not be just any: Go overflows silently, or OPA never ends.
pub(crate) fn bounded(name: &str) -> bool {
    matches!(name, "time.add_date" | "net.cidr_expand" | "numbers.range_step")
}

fn path(random: &mut Random) -> Value {
    const KEYS: [&str; 8] = ["a", "b", "c", "0", "1", "-", "2", "a~1b"];
    // Never the root: OPA crashes when it is removed.
    let count = 1 + random.below(3);
    let keys: Vec<&str> = (0..count).map(|_| *random.pick(&KEYS)).collect();
    if random.one_in(3) {
        // Elements of a set can be of any kind, and some of them change under a patch.
        let keys = keys.into_iter().map(|key| if random.one_in(4) { patched(random, 1) } else { key.into() });
        return Value::array(keys.collect::<Vec<_>>());
    }
    Value::from(keys.iter().map(|key| format!("/{key}")).collect::<String>())
}

/// All arguments of a call, where they must fit each other.
pub(crate) fn together(name: &str, random: &mut Random) -> Option<Vec<Value>> {
    if name != "json.patch" || random.one_in(4) {
        return None;
    }
    let operations: Vec<Value> =
        (0..random.below(7)).map(|_| operation(random, &OPERATIONS, |random| patched(random, 2))).collect();
    Some(vec![patched(random, 3), Value::array(operations)])
}

/// A document in which many of those paths lead somewhere. Without arrays: once one has another length, OPA goes on
/// with the elements that it had before, and crashes over some (RFC 6902 has it otherwise).
fn patched(random: &mut Random, depth: u64) -> Value {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let count = if depth == 0 { 0 } else { random.below(4) };
    let items = |random: &mut Random| (0..count).map(|_| patched(random, depth - 1)).collect::<Vec<_>>();
    match random.below(5) {
        0..=2 => {
            Value::object(items(random).into_iter().map(|item| (Value::from(*random.pick(&NAMES)), item)))
        }
        // Of collections alone: OPA crashes on its way through a scalar that was removed.
        3 => Value::set(items(random).into_iter().filter(|item| item.as_str().is_none())),
        _ => Value::from(*random.pick(&NAMES)),
    }
}

const OPERATIONS: [&str; 8] = ["add", "remove", "replace", "move", "copy", "test", "add", "add"];

fn operation(random: &mut Random, names: &[&str], value: impl Fn(&mut Random) -> Value) -> Value {
    let op = *random.pick(names);
    Value::object([
        (Value::from("op"), Value::from(op)),
        (Value::from("path"), path(random)),
        (Value::from("from"), path(random)),
        (Value::from("value"), value(random)),
    ])
}

fn vertices(random: &mut Random) -> Value {
    let count = random.below(4);
    let items = (0..count).map(|_| Value::from(*random.pick(&["a", "b", "c", "d", "e"]))).collect::<Vec<_>>();
    if random.one_in(2) { Value::array(items) } else { Value::set(items) }
}

fn graph(random: &mut Random) -> Value {
    Value::object(["a", "b", "c", "d"].map(|vertex| (Value::from(vertex), vertices(random))))
}

fn marshal_options(random: &mut Random) -> Value {
    let mut members = Vec::new();
    if random.one_in(2) {
        members.push((Value::from("indent"), Value::from(*random.pick(&["", " ", "  ", "-"]))));
    }
    if random.one_in(2) {
        members.push((Value::from("prefix"), Value::from(*random.pick(&["", ">", "  "]))));
    }
    if random.one_in(2) {
        members.push((Value::from("pretty"), Value::from(random.one_in(2))));
    }
    Value::object(members)
}

fn format_operand(random: &mut Random) -> Value {
    match random.below(5) {
        0 => value(&rego_builtins::Type::Any, random, 2),
        1 => string(random),
        _ => number(random),
    }
}

fn moment(random: &mut Random) -> Value {
    let ns = match random.below(4) {
        0 => i64::try_from(random.bits() >> 1).unwrap(),
        1 => -i64::try_from(random.bits() >> 1).unwrap(),
        2 => i64::try_from(random.bits() >> 35).unwrap() * 1_000_000_000,
        // Around now, to the second.
        _ => {
            1_500_000_000_000_000_000
                + i64::try_from(random.bits() >> 6).unwrap() / 1_000_000_000 * 1_000_000_000
        }
    };
    let mut parts = vec![Value::from(ns)];
    if random.one_in(3) {
        return parts.remove(0);
    }
    parts.push(Value::from(*random.pick(&ZONES)));
    if random.one_in(2) {
        parts.push(Value::from(*random.pick(&LAYOUTS)));
    }
    Value::array(parts)
}

/// Calls worth making in every run.
pub(crate) fn fixed(row: &'static Builtin) -> Vec<Call> {
    let texts: &[&str] = match row.name {
        "sprintf" => &[
            r#"["%d %s %v", [1, "x", [1, "a", null, {"k": true}]]]"#,
            r#"["%d", ["x"]]"#,
            r#"["%s", [1]]"#,
            r#"["%5.2f|%-8s|%08d|%+d|%x|%X|%o|%b|%c|%q|%U|%e|%g", [3.14159, "ab", 42, 5, 255, 255, 8, 5, 65, "q\"x", 9731, 12345.678, 0.0000001]]"#,
            r#"["%%", []]"#,
            r#"["%d", []]"#,
            r#"["x", [1, "a", 2.5]]"#,
            r#"["%[2]*[1]d|%[3]v|%*d", [1, 2]]"#,
            r#"["%!|%z|%", [1]]"#,
            r#"["%v %v %v", [1.0, 1e3, 123456789012345678901234567890]]"#,
            r#"["%d %s", [1.5, 18446744073709551616]]"#,
        ],
        _ => &[],
    };
    texts
        .iter()
        .map(|text| Call { row, args: json::parse(text.as_bytes()).unwrap().as_array().unwrap().to_vec() })
        .collect()
}

const FORMATS: [&str; 46] = [
    "%d",
    "%s",
    "%v",
    "%q",
    "%x",
    "%X",
    "%f",
    "%t",
    "%e",
    "%g",
    "%G",
    "%E",
    "%b",
    "%o",
    "%O",
    "%c",
    "%U",
    "%T",
    "%5d",
    "%-5d|",
    "%05d",
    "%+d",
    "% d",
    "%#x",
    "%#o",
    "%#q",
    "%+q",
    "%.3s",
    "%10.3s|",
    "%-10s|",
    "%6.2f",
    "%.0f",
    "%+.1e",
    "%#g",
    "%08.3f",
    "%+08.1f",
    "%x %X",
    "%v and %v",
    "%s=%d",
    "%[2]v %[1]v",
    "%[3]d",
    "%*d",
    "%.*f",
    "%%",
    "%w",
    "%#v %+v",
];

const LAYOUTS: [&str; 26] = [
    "RFC3339",
    "RFC3339Nano",
    "ANSIC",
    "UnixDate",
    "RubyDate",
    "RFC822",
    "RFC822Z",
    "RFC850",
    "RFC1123",
    "RFC1123Z",
    "2006-01-02",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05.000Z07:00",
    "01/02/06 3:04PM",
    "Jan _2, 2006 at 3:04pm (MST)",
    "Monday 2 January 2006",
    "2006 002",
    "__2 2006 15:04:05,999",
    "20060102150405",
    "-070000 -07:00:00 -0700 -07:00 -07",
    "Z070000 Z07:00:00 Z0700 Z07:00 Z07",
    "15h04m05s.000000",
    "2006-01-02T15:04:05.999999999 -0700 MST",
    "02 Jan 06 15:04 -07",
    "1/2/2006 3:4:5",
    "no fields",
];

const TIMES: [&str; 34] = [
    "2023-01-02T15:04:05Z",
    "2023-01-02T15:04:05.123456789+02:00",
    "2023-01-02T15:04:05-07:00",
    "2023-02-29T00:00:00Z",
    "2024-02-29T23:59:59Z",
    "1600-01-01T00:00:00Z",
    "2300-01-01T00:00:00Z",
    "1677-09-21T00:12:43.145224192Z",
    "2262-04-11T23:47:16.854775807Z",
    "2262-04-11T23:47:16.854775808Z",
    "Mon Jan  2 15:04:05 2006",
    "Mon Jan 2 15:04:05 MST 2006",
    "Mon Jan 02 15:04:05 -0700 2006",
    "02 Jan 06 15:04 MST",
    "02 Jan 06 15:04 -0700",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 GMT",
    "Mon, 02 Jan 2006 15:04:05 GMT+3",
    "Mon, 02 Jan 2006 15:04:05 +0100",
    "2023-07-04",
    "2023-07-04 12:30:00",
    "07/04/23 1:30PM",
    "2023 060",
    "2024 060",
    "20230704123000",
    "2023-07-04T24:00:00Z",
    "2023-07-04T12:60:00Z",
    "2023-13-04T12:00:00Z",
    "2023-07-04T12:00:00+25:00",
    "7/4/2023 1:2:3",
    "Jul  4, 2023 at 1:30pm (UTC)",
    "no fields",
    "tuesday 4 july 2023",
    "2023-07-04T12:00:00,5Z",
];

const DURATIONS: [&str; 24] = [
    "1h",
    "1h30m",
    "-1.5h",
    "300ms",
    "1us",
    "1µs",
    "5ns",
    "0",
    "",
    "1",
    "h",
    "1x",
    "1d",
    "2w",
    "1y",
    "1.5d2h",
    "-1d",
    "1h 30m",
    "9223372036854775807ns",
    "9223372036854775808ns",
    "-9223372036854775808ns",
    "400y",
    ".5s",
    "1.d",
];

// Without zones whose rules changed in recent versions of the tz database, of which OPA may have another.
const ZONES: [&str; 14] = [
    "UTC",
    "",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Nowhere/Land",
    "america/new_york",
    "Etc/GMT+5",
    "../etc",
    "Pacific/Apia",
];

const AMOUNTS: [&str; 39] = [
    "10",
    "10K",
    "10k",
    "10Ki",
    "10KiB",
    "1.5MB",
    "0.1m",
    "100m",
    "1M",
    "1m",
    "10mb",
    "1GiB",
    "2Ti",
    "3p",
    "1E",
    "1e3",
    "1e3k",
    "1e",
    "12.345",
    "-5K",
    "+5K",
    ".5G",
    "5.",
    "",
    "K",
    "10 MB",
    "10XB",
    "\"10Mi\"",
    "1e99999999",
    "1e999999",
    "-1.5e40000ki",
    "1e-40000",
    "-9e-999999Gi",
    "98765432109876543210987654321e31000M",
    "1.23456789012345678M",
    "0.0001m",
    "1ki",
    "1b",
    "1ib",
];

const VERSIONS: [&str; 22] = [
    "1.2.3",
    "v1.2.3",
    "1.2.4",
    "1.10.0",
    "1.2",
    "1.2.3.4",
    "1.2.3-alpha",
    "1.2.3-alpha.1",
    "1.2.3-alpha.beta",
    "1.2.3-1",
    "1.2.3-01",
    "1.2.3+build",
    "1.2.3-rc.1+build.5",
    "01.2.3",
    "1.2.3-",
    "1.2.3+",
    "",
    "a.b.c",
    "1.2.-3",
    "1.2.3-alpha..1",
    "9223372036854775808.0.0",
    "1.0.0-alpha.11",
];

const UUIDS: [&str; 11] = [
    "4c7b8a5e-2f3d-4b6a-9c1d-0e2f4a6b8c0d",
    "b3f1c8d0-6d52-11ee-b962-0242ac120002",
    "000003e8-6d52-21ee-b900-325096b39f47",
    "urn:uuid:b3f1c8d0-6d52-11ee-b962-0242ac120002",
    "{b3f1c8d0-6d52-11ee-b962-0242ac120002}",
    "b3f1c8d06d5211eeb9620242ac120002",
    "b3f1c8d0-6d52-11ee-d962-0242ac120002",
    "b3f1c8d0-6d52-51ee-f962-0242ac120002",
    "00000000-0000-0000-0000-000000000000",
    "not-a-uuid",
    "b3f1c8d0-6d52-11ee-b962-0242ac12000g",
];

const HEX: [&str; 8] = ["", "6869", "6869a", "zz", "48656C6C6F", "c3a9", "0g", "é1"];

const QUERIES: [&str; 12] = [
    "",
    "a=1&b=2",
    "a=1&a=2",
    "a",
    "a=%20b+c",
    "%zz",
    "a=%4",
    "a;b=1",
    "&&a=1&",
    "=x",
    "a=b=c",
    "%C3%A9=%E2%82%AC",
];

const NETWORKS: [&str; 26] = [
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.3/32",
    "192.168.0.0/24",
    "192.168.1.0/24",
    "192.168.0.0/23",
    "192.168.1.77",
    "10.0.0.1",
    "172.16.5.4/28",
    "0.0.0.0/0",
    "::/0",
    "fd00::/8",
    "fd00:1::/32",
    "::1/128",
    "2001:db8::/126",
    "::ffff:10.0.0.0/104",
    "::ffff:10.1.2.3",
    "fe80::1",
    "2001:db8::1",
    "10.0.0.0/33",
    "10.0.0/8",
    "010.0.0.0/8",
    "x",
    "",
    "10.0.0.0/",
    "192.168.1.128/25",
];

const GLOBS: [&str; 24] = [
    "*",
    "**",
    "a*",
    "*.com",
    "*.*.com",
    "**.com",
    "a?c",
    "[abc]",
    "[a-c]x",
    "[!a-c]x",
    "{a,b}c",
    "{a*,b}",
    "a\\*b",
    "",
    "api.*.com",
    "*:*",
    "user-*",
    "{openai,anthropic}.*",
    "?",
    "a.b",
    "/users/*/x",
    "/users/**",
    "*é*",
    "a,b",
];

const GLOB_TEXTS: [&str; 16] = [
    "",
    "a",
    "abc",
    "a.com",
    "api.github.com",
    "x.y.z.com",
    "a*b",
    "ax",
    "dx",
    "bc",
    "user-1",
    "openai.chat",
    "/users/1/x",
    "/users/1/y/x",
    "a:b",
    "é",
];

const EXPRESSIONS: [&str; 34] = [
    "a",
    "a+",
    "(a)(b)?",
    "^a.*z$",
    "[a-c]+",
    "\\d+",
    "\\w+",
    "\\s",
    "\\bfoo\\b",
    "(?i)ABC",
    "(?P<name>b+)",
    "a|b|c",
    "",
    "x*",
    "[^a]",
    "[[:alpha:]]+",
    "a{2,3}",
    "(a+)(b+)",
    ".",
    "^$",
    "\\.",
    "\\Qa.b\\E",
    "[\\d.]+",
    "(?s).+",
    "(?m)^b",
    "\\p{L}+",
    "[é]",
    "(?:ab)+",
    "a*?",
    "[a\\-z]",
    "\\x41",
    "^[^@]+@[^@]+$",
    "b?",
    "\\S+",
];

const REGEX_TEXTS: [&str; 18] = [
    "",
    "a",
    "aaa",
    "abc",
    "ab",
    "foo bar",
    "foobar",
    "ABC abc",
    "a.b",
    "123 456",
    "x1y22z333",
    "line\nbreak",
    "ééa",
    "bbb",
    "user@example.com",
    "A-Z",
    "  ",
    "a1b2",
];

const SMALL_NETWORKS: [&str; 5] =
    ["10.1.2.3/32", "192.168.0.0/28", "172.16.5.4/30", "2001:db8::/126", "10.0.0.0/33"];
