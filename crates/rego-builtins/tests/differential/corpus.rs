//! Texts that functions with a format of their own are worth asking about.

use rego_builtins::Builtin;
use rego_value::{Value, json};

use crate::generate::{Random, number, string, value};
use crate::opa::Call;

/// Texts for an argument, by the name of the function and the argument's position from 0.
pub(crate) fn texts(name: &str, position: usize) -> &'static [&'static str] {
    match (name, position) {
        ("sprintf", 0) => &FORMATS,
        ("time.parse_ns", 0) => &LAYOUTS,
        ("time.parse_ns" | "time.parse_rfc3339_ns", _) => &TIMES,
        ("time.parse_duration_ns", 0) => &DURATIONS,
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
        ("time.add_date", _) => Some(Value::from(i64::try_from(random.below(60)).unwrap() - 25)),
        _ => None,
    }
}

/// Functions whose numbers must not be just any: with these, Go overflows silently where we refuse.
pub(crate) fn bounded(name: &str) -> bool {
    name == "time.add_date"
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
        0 => i64::try_from(random.next() >> 1).unwrap(),
        1 => -i64::try_from(random.next() >> 1).unwrap(),
        2 => i64::try_from(random.next() >> 35).unwrap() * 1_000_000_000,
        // Around now, to the second.
        _ => {
            1_500_000_000_000_000_000
                + i64::try_from(random.next() >> 6).unwrap() / 1_000_000_000 * 1_000_000_000
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
