//! Arguments for calls: mostly of the types that a function wants, sometimes not.

use rego_builtins::{Builtin, Type};
use rego_value::{Number, Value};
use test_support::Random;

use crate::corpus;

/// Arguments for one call.
pub(crate) fn arguments(row: &Builtin, random: &mut Random) -> Vec<Value> {
    if let Some(args) = corpus::together(row.name, random) {
        return args;
    }
    (0..row.args.len())
        .map(|position| {
            if random.one_in(25) && !corpus::bounded(row.name) {
                return value(&Type::Any, random, 2);
            }
            let texts = corpus::texts(row.name, position);
            if !texts.is_empty() && !random.one_in(4) {
                let text = *random.pick(texts);
                return Value::from(if random.one_in(4) && !corpus::bounded(row.name) {
                    mutate(text, random)
                } else {
                    text.to_owned()
                });
            }
            corpus::special(row.name, position, random)
                .unwrap_or_else(|| value(&row.args[position].ty, random, 3))
        })
        .collect()
}

/// A text with a few characters changed.
fn mutate(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(chars.len() + 1);
        let fresh =
            *random.pick(&['0', '1', '9', 'a', 'z', ' ', '.', '-', '+', ':', '/', '%', '"', '%', '*']);
        match random.below(3) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 if at < chars.len() => chars[at] = fresh,
            _ => chars.insert(at, fresh),
        }
    }
    chars.into_iter().collect()
}

const STRINGS: [&str; 24] = [
    "",
    "a",
    "b",
    "abc",
    "aaa",
    "ab",
    "bc",
    "hello world",
    "Hello",
    " x ",
    "/",
    "a/b/c",
    "1",
    "-5",
    "3.5",
    "true",
    "null",
    "äöü",
    "日本語",
    "a\u{301}",
    "\u{1f600}",
    "line\nbreak",
    "tab\t\"quote\" \\",
    "x=1&y=2 %",
];

const NUMBERS: [&str; 26] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "16",
    "100",
    "-7",
    "255",
    "1000000",
    "2147483648",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "123456789012345678901234567890",
    "0.5",
    "-1.5",
    "1.0",
    "3.14159",
    "1e3",
    "2.5e-7",
    "1e21",
    "100000000.25",
];

pub(crate) fn string(random: &mut Random) -> Value {
    if random.one_in(5) {
        let length = random.below(12);
        let text: String =
            (0..length).map(|_| *random.pick(&['a', 'b', 'c', ' ', 'é', '1', '%', '.'])).collect();
        return Value::from(text);
    }
    Value::from(*random.pick(&STRINGS))
}

pub(crate) fn number(random: &mut Random) -> Value {
    if random.one_in(3) {
        return Value::from(i64::try_from(random.below(40)).unwrap() - 10);
    }
    Value::Number(Number::parse(random.pick::<&str>(&NUMBERS)).unwrap())
}

/// A value of a type.
pub(crate) fn value(ty: &Type, random: &mut Random, depth: usize) -> Value {
    let few = |random: &mut Random| if depth == 0 { 0 } else { random.below(4) };
    match ty {
        Type::Any => {
            let simple = [Type::Null, Type::Boolean, Type::Number, Type::String, Type::Number, Type::String];
            let nested = [
                Type::Array(&Type::Any),
                Type::Set(&Type::Any),
                Type::Object { fields: &[], dynamic: Some((&Type::String, &Type::Any)) },
            ];
            if depth == 0 || random.one_in(2) {
                value(random.pick(&simple), random, depth)
            } else {
                value(random.pick(&nested), random, depth - 1)
            }
        }
        Type::Null => Value::Null,
        Type::Boolean => Value::from(random.one_in(2)),
        Type::Number => number(random),
        Type::String => string(random),
        Type::AnyOf(types) => value(random.pick(types), random, depth),
        Type::Array(of) => {
            let count = few(random);
            Value::array((0..count).map(|_| value(of, random, depth - 1)).collect::<Vec<_>>())
        }
        Type::Set(of) => {
            let count = few(random);
            Value::set((0..count).map(|_| value(of, random, depth - 1)).collect::<Vec<_>>())
        }
        Type::Tuple(types) => {
            Value::array(types.iter().map(|ty| value(ty, random, depth)).collect::<Vec<_>>())
        }
        Type::Object { fields, dynamic } => {
            let mut members: Vec<(Value, Value)> = Vec::new();
            for (name, ty) in *fields {
                members.push((Value::from(*name), value(ty, random, depth)));
            }
            if let Some((key, of)) = dynamic {
                for _ in 0..few(random) {
                    members.push((value(key, random, depth - 1), value(of, random, depth - 1)));
                }
            }
            Value::object(members)
        }
    }
}
