//! Constants, as text: JSON for documents, Rego for policies. Few of each kind, so that they meet.

use super::types::Ty;
use crate::choices::Choices;

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "10",
    "5",
    "7",
    "0.5",
    "1.5",
    "-2.25",
    "100",
    "255",
    "1000000",
    "2147483648",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "123456789012345678901234567890",
    "0.1",
    "0.2",
    "1e3",
    "1.0",
    "2.50",
    "1e21",
    "3.0e-7",
    "-0.001",
    "100000000000000000000.25",
];

const STRINGS: &[&str] = &[
    "",
    "a",
    "b",
    "c",
    "k",
    "foo",
    "bar",
    "a/b/c",
    "a.b",
    "foo bar",
    "Ünï",
    "日本",
    "1",
    "1.5",
    "true",
    "A",
    " x ",
    "ab",
    "abc",
    "aa",
    "x\\ny",
    "q\\\"q",
    "\\u00e9",
    "10.0.0.0/8",
    "10.1.2.3",
];

const KEYS: &[&str] = &["a", "b", "c", "k", "foo", "id"];

pub(super) fn number(c: &mut Choices) -> String {
    if c.one_in(3) {
        return c.text(NUMBERS);
    }
    c.text(NUMBERS.get(..8).unwrap_or_default())
}

/// A string constant with its quotes.
pub(super) fn string(c: &mut Choices) -> String {
    let text = if c.one_in(3) { c.text(STRINGS) } else { c.text(STRINGS.get(..6).unwrap_or_default()) };
    format!("\"{text}\"")
}

pub(super) fn key(c: &mut Choices) -> String {
    format!("\"{}\"", c.text(KEYS))
}

/// A constant in Rego (`json`: in JSON, where a set is an array and a key a string).
pub(super) fn constant(c: &mut Choices, ty: &Ty, json: bool, depth: usize) -> String {
    let count = |c: &mut Choices| if depth == 0 { c.below(2) } else { c.below(4) };
    let inner = depth.saturating_sub(1);
    match ty {
        Ty::Num => number(c),
        Ty::Str => string(c),
        Ty::Bool => c.text(&["true", "false"]),
        Ty::Null => "null".to_owned(),
        Ty::Any => {
            let ty = Ty::some(c, depth.min(2));
            let ty = if ty == Ty::Any { Ty::Num } else { ty };
            constant(c, &ty, json, depth)
        }
        Ty::Arr(of) => {
            let items: Vec<String> = (0..count(c)).map(|_| constant(c, of, json, inner)).collect();
            format!("[{}]", items.join(", "))
        }
        Ty::Set(of) => {
            let items: Vec<String> = (0..count(c)).map(|_| constant(c, of, json, inner)).collect();
            match (json, items.is_empty()) {
                (true, _) => format!("[{}]", items.join(", ")),
                (false, true) => "set()".to_owned(),
                (false, false) => format!("{{{}}}", items.join(", ")),
            }
        }
        Ty::Obj(key_ty, of) => {
            let mut members = Vec::new();
            for _ in 0..count(c) {
                let key = match **key_ty {
                    Ty::Str => key(c),
                    _ if json => key(c),
                    ref ty => constant(c, ty, false, 0),
                };
                // A key that stands twice is an error of the parser where the values differ.
                if members.iter().all(|(other, _)| *other != key) {
                    members.push((key, constant(c, of, json, inner)));
                }
            }
            let members: Vec<String> = members.iter().map(|(key, of)| format!("{key}: {of}")).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// The documents: what every policy may ask for, mostly of the types that it expects.
pub(super) const FIELDS: &[&str] = &["n", "name", "nums", "strs", "obj", "users", "flag", "nested", "any"];

/// The type of a field of [`FIELDS`], as the generator expects it.
pub(super) fn field_type(field: &str) -> Ty {
    match field {
        "n" => Ty::Num,
        "name" => Ty::Str,
        "nums" => Ty::arr(Ty::Num),
        "strs" => Ty::arr(Ty::Str),
        "obj" => Ty::obj(Ty::Str, Ty::Num),
        "users" => Ty::arr(Ty::obj(Ty::Str, Ty::Any)),
        "flag" => Ty::Bool,
        "nested" => Ty::obj(Ty::Str, Ty::obj(Ty::Str, Ty::arr(Ty::Num))),
        _ => Ty::Any,
    }
}

/// A document of [`FIELDS`].
pub(super) fn document(c: &mut Choices) -> String {
    let mut members = Vec::new();
    for field in FIELDS {
        let value = match c.below(12) {
            11 => continue,
            10 => constant(c, &Ty::Any, true, 2),
            _ if *field == "users" => users(c),
            _ => constant(c, &field_type(field), true, 2),
        };
        members.push(format!("\"{field}\": {value}"));
    }
    format!("{{{}}}", members.join(", "))
}

fn users(c: &mut Choices) -> String {
    let user = |c: &mut Choices| {
        let (name, age) = (key(c), number(c));
        let roles = constant(c, &Ty::arr(Ty::Str), true, 1);
        format!("{{\"name\": {name}, \"age\": {age}, \"roles\": {roles}}}")
    };
    let users: Vec<String> = (0..c.below(4)).map(|_| user(c)).collect();
    format!("[{}]", users.join(", "))
}
