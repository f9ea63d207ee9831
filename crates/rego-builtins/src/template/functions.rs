//! The functions that Go's templates have.

use std::cmp::Ordering;

use rego_value::Value;

use super::value::{Basic, Item, NO_VALUE};
use crate::encoding::lossy;
use crate::gofmt::{self, Arg};

type Outcome = Result<Item, String>;

/// Names with the least and the most number of arguments.
const FUNCTIONS: [(&str, usize, usize); 18] = [
    ("and", 1, usize::MAX),
    ("or", 1, usize::MAX),
    ("not", 1, 1),
    ("call", 1, usize::MAX),
    ("html", 0, usize::MAX),
    ("index", 1, usize::MAX),
    ("slice", 1, usize::MAX),
    ("js", 0, usize::MAX),
    ("len", 1, 1),
    ("print", 0, usize::MAX),
    ("printf", 1, usize::MAX),
    ("println", 0, usize::MAX),
    ("urlquery", 0, usize::MAX),
    ("eq", 1, usize::MAX),
    ("ne", 2, 2),
    ("lt", 2, 2),
    ("le", 2, 2),
    ("gt", 2, 2),
];

const GREATER_OR_EQUAL: &str = "ge";

pub(super) fn exists(name: &str) -> bool {
    name == GREATER_OR_EQUAL || FUNCTIONS.iter().any(|(known, ..)| *known == name)
}

/// Whether a function can have so many arguments.
pub(super) fn check_count(name: &str, count: usize) -> Result<(), String> {
    let row = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    let (least, most) = row.map_or((2, 2), |(_, least, most)| (*least, *most));
    if (least..=most).contains(&count) {
        return Ok(());
    }
    let want = if most == usize::MAX { format!("at least {least}") } else { least.to_string() };
    Err(format!("wrong number of args for {name}: want {want} got {count}"))
}

/// Calls a function other than `and` and `or`.
pub(super) fn call(name: &str, arguments: &[Item]) -> Outcome {
    let [first, rest @ ..] = arguments else { return print(name, arguments) };
    match (name, rest) {
        ("not", _) => Ok(Item::bool(!first.is_true())),
        ("len", _) => length(first),
        ("index", []) if first.is_nil() => Err("index of untyped nil".to_owned()),
        ("index", _) => rest.iter().try_fold(first.clone(), |of, key| index(&of, key)),
        ("slice", _) => slice(first, rest),
        ("printf", _) => printf(first, rest),
        ("eq", _) => equal(first, rest).map(Item::bool),
        ("ne", _) => equal(first, rest).map(|truth| Item::bool(!truth)),
        ("lt", [second]) => order(first, second, Ordering::is_lt),
        ("le", [second]) => order(first, second, Ordering::is_le),
        ("gt", [second]) => order(first, second, Ordering::is_gt),
        (GREATER_OR_EQUAL, [second]) => order(first, second, Ordering::is_ge),
        ("call", _) if first.is_nil() => Err("call of nil".to_owned()),
        ("call", _) => Err(format!("non-function of type {}", first.type_name())),
        _ => print(name, arguments),
    }
}

fn print(name: &str, arguments: &[Item]) -> Outcome {
    let text = match name {
        "print" => joined(arguments, false)?,
        "println" => joined(arguments, true)? + "\n",
        "html" => html(&evaluated(arguments)?),
        "js" => js(&evaluated(arguments)?),
        "urlquery" => crate::encoding::query_escape(&evaluated(arguments)?),
        other => return Err(format!("function {other} has no arguments")),
    };
    Ok(Item::text(text))
}

/// As Go's `Sprint`: a blank between two that are no texts, or as `Sprintln`: a blank between all.
fn joined(arguments: &[Item], always: bool) -> Result<String, String> {
    let mut out = String::new();
    let mut before: Option<&Item> = None;
    for argument in arguments {
        let is_text = |item: &Item| item.as_text().is_some();
        if before.is_some_and(|before| always || !is_text(before) && !is_text(argument)) {
            out.push(' ');
        }
        if argument.is_nil() {
            out.push_str("<nil>")
        } else {
            argument.print(&mut out)?
        }
        before = Some(argument);
    }
    Ok(out)
}

/// The text of the arguments of an escaping function.
fn evaluated(arguments: &[Item]) -> Result<String, String> {
    if let [Item::Data(Value::String(only))] = arguments {
        return Ok(only.to_string());
    }
    let shown = |item: &Item| if item.is_nil() { Item::text(NO_VALUE) } else { item.clone() };
    let items: Vec<Item> = arguments.iter().map(shown).collect();
    joined(&items, false)
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if c.is_ascii() || gofmt::quote(&c.to_string()).contains(c) => out.push(c),
            c => out.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    out
}

fn length(item: &Item) -> Outcome {
    match item.length() {
        Some(length) => Ok(Item::Int(i64::try_from(length).unwrap_or(i64::MAX))),
        None if item.is_nil() => Err("len of nil pointer".to_owned()),
        None => Err(format!("len of type {}", item.type_name())),
    }
}

fn index(of: &Item, key: &Item) -> Outcome {
    if of.is_nil() {
        return Err("index of untyped nil".to_owned());
    }
    if let Item::Data(Value::Object(_)) = of {
        return match key {
            Item::Data(Value::String(name)) => Ok(of.member(name)),
            key if key.is_nil() => Err("value is nil; should be of type string".to_owned()),
            key => Err(format!("value has type {}; should be string", key.type_name())),
        };
    }
    if let Some(items) = of.elements() {
        let at = position(key, items.len(), false)?;
        return Ok(items.get(at).map_or(Item::Missing, |item| Item::Data(item.clone())));
    }
    match of.as_text() {
        Some(text) => {
            let at = position(key, text.len(), false)?;
            Ok(Item::Int(text.as_bytes().get(at).map_or(0, |byte| i64::from(*byte))))
        }
        None => Err(format!("can't index item of type {}", of.type_name())),
    }
}

/// An index into so many; `inclusive` allows the end.
fn position(key: &Item, length: usize, inclusive: bool) -> Result<usize, String> {
    let Item::Int(int) = key else {
        return Err(match key.is_nil() {
            true => "cannot index slice/array with nil".to_owned(),
            false => format!("cannot index slice/array with type {}", key.type_name()),
        });
    };
    let at = usize::try_from(*int).ok().filter(|at| *at < length || inclusive && *at == length);
    at.ok_or_else(|| format!("index out of range: {int}"))
}

fn slice(item: &Item, indexes: &[Item]) -> Outcome {
    if item.is_nil() {
        return Err("slice of untyped nil".to_owned());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let is_text = item.as_text().is_some();
    if is_text && indexes.len() == 3 {
        return Err("cannot 3-index slice a string".to_owned());
    }
    let items = item.elements();
    if !is_text && items.is_none() {
        return Err(format!("can't slice item of type {}", item.type_name()));
    }
    let length = item.length().unwrap_or(0);
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length, true)?;
    }
    let [from, to, most] = bounds;
    if from > to || to > most {
        let (low, high) = if from > to { (from, to) } else { (to, most) };
        return Err(format!("invalid slice index: {low} > {high}"));
    }
    Ok(match (item.as_text(), items) {
        (Some(text), _) => Item::text(lossy(text.as_bytes().get(from..to).unwrap_or_default())),
        (None, Some(items)) => Item::Data(Value::array(items.get(from..to).unwrap_or_default().to_vec())),
        (None, None) => Item::Missing,
    })
}

/// Go's verbs. What does not fit its verb is shown with the type that `sprintf` of Rego gives it.
fn printf(format: &Item, arguments: &[Item]) -> Outcome {
    let Item::Data(Value::String(format)) = format else {
        return Err(format!("wrong type for value; expected string; got {}", format.type_name()));
    };
    let mut operands = Vec::with_capacity(arguments.len());
    for argument in arguments {
        operands.push(match argument {
            Item::Int(int) => Arg::Int(*int),
            Item::Float(float) => Arg::Float(*float),
            other => {
                let mut text = String::new();
                if other.is_nil() {
                    text.push_str("<nil>")
                } else {
                    other.print(&mut text)?
                }
                Arg::Str(text)
            }
        });
    }
    Ok(Item::text(gofmt::sprintf(&with_truths(format, arguments), &operands)))
}

/// The format with `%v` for each `%t` of a truth value, which is formatted as its text.
fn with_truths(format: &str, arguments: &[Item]) -> String {
    let mut out = String::with_capacity(format.len());
    let mut arguments = arguments.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        out.push(c);
        if c != '%' {
            continue;
        }
        for c in chars.by_ref() {
            if !c.is_alphabetic() && c != '%' {
                out.push(c);
                continue;
            }
            let argument = if c == '%' { None } else { arguments.next() };
            let is_truth = matches!(argument, Some(Item::Data(Value::Bool(_))));
            out.push(if c == 't' && is_truth { 'v' } else { c });
            break;
        }
    }
    out
}

fn equal(first: &Item, rest: &[Item]) -> Result<bool, String> {
    if rest.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    let mut found = false;
    for other in rest {
        let same = match (first.basic(), other.basic()) {
            (Some(a), Some(b)) if a == b => compare(a, first, other) == Some(Ordering::Equal),
            (a, b) if a != b && !first.is_nil() && !other.is_nil() => {
                return Err("incompatible types for comparison".to_owned());
            }
            _ if first.is_nil() || other.is_nil() => first.is_nil() == other.is_nil(),
            _ => {
                let mut shown = String::new();
                first.print(&mut shown)?;
                return Err(format!("non-comparable type {shown}: {}", first.type_name()));
            }
        };
        if same {
            found = true;
            break;
        }
    }
    Ok(found)
}

fn order(first: &Item, second: &Item, holds: fn(Ordering) -> bool) -> Outcome {
    let (Some(a), Some(b)) = (first.basic(), second.basic()) else {
        return Err("invalid type for comparison".to_owned());
    };
    if a != b {
        return Err("incompatible types for comparison".to_owned());
    }
    if a == Basic::Bool {
        return Err("invalid type for comparison".to_owned());
    }
    Ok(Item::bool(compare(a, first, second).is_some_and(holds)))
}

fn compare(kind: Basic, a: &Item, b: &Item) -> Option<Ordering> {
    match (kind, a, b) {
        (Basic::Bool, Item::Data(Value::Bool(a)), Item::Data(Value::Bool(b))) => Some(a.cmp(b)),
        (Basic::Int, Item::Int(a), Item::Int(b)) => Some(a.cmp(b)),
        (Basic::Float, Item::Float(a), Item::Float(b)) => a.partial_cmp(b),
        _ => Some(a.as_text()?.cmp(&b.as_text()?)),
    }
}
