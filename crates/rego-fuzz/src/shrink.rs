//! A smaller program that still differs: fewer rules, lines and terms, and smaller documents. It works on the text and
//! knows of the language only what a bracket is: what is no Rego any more is refused by both sides, and does not differ.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rego_value::Value;
use rego_value::json::{self, Escape};

use crate::judge::{Difference, Judge};
use crate::program::Program;

/// How many candidates are tried at once; they share one module.
const BATCH: usize = 24;

/// Longer than this nobody waits for the last line.
const MOST: Duration = Duration::from_secs(60);

/// Makes a program that differs as small as it gets.
pub(crate) fn shrink(
    judge: &mut Judge,
    mut program: Program,
    mut difference: Difference,
) -> Result<(Program, Difference), String> {
    let start = Instant::now();
    let seen = judge.seen.clone();
    // Only the question that differs is asked from now on.
    program.entries = vec![difference.entry.clone()];
    program.inputs = vec![difference.input.clone()];
    let mut tried = HashSet::new();
    'again: loop {
        let ways = [without_rules, without_lines, smaller_documents, without_terms];
        let fresh = ways.into_iter().flat_map(|way| way(&program));
        let smaller = fresh.filter(|candidate| size(candidate) < size(&program));
        let candidates: Vec<Program> =
            smaller.filter(|candidate| tried.insert(candidate.to_string())).collect();
        for batch in candidates.chunks(BATCH) {
            if start.elapsed() > MOST {
                break 'again;
            }
            let found = judge.differences(batch)?;
            let differing =
                batch.iter().zip(found).filter_map(|(candidate, found)| Some((candidate, found?)));
            let smallest = differing
                .filter(|(_, found)| same_kind(found, &difference))
                .min_by_key(|(candidate, _)| size(candidate));
            if let Some((candidate, found)) = smallest {
                program = candidate.clone();
                difference = found;
                continue 'again;
            }
        }
        break;
    }
    judge.seen = seen;
    Ok((program, difference))
}

/// A crash shrinks to a crash, and a refusal to a refusal.
fn same_kind(one: &Difference, other: &Difference) -> bool {
    let kind = |difference: &Difference| {
        (std::mem::discriminant(&difference.ours), std::mem::discriminant(&difference.theirs))
    };
    kind(one) == kind(other)
}

fn size(program: &Program) -> usize {
    let texts = program.parts.iter().chain(&program.inputs);
    texts.map(|text| text.len() + 4).sum::<usize>() + program.data.len()
}

fn without_rules(program: &Program) -> Vec<Program> {
    (0..program.parts.len())
        .map(|at| {
            let mut fewer = program.clone();
            fewer.parts.remove(at);
            fewer
        })
        .collect()
}

/// Definitions, lines and expressions left out.
fn without_lines(program: &Program) -> Vec<Program> {
    let mut candidates = Vec::new();
    for separator in ["\n\n", "\n", "; ", ", "] {
        for (at, part) in program.parts.iter().enumerate() {
            let pieces: Vec<&str> = part.split(separator).collect();
            for piece in 0..pieces.len() {
                let mut kept = pieces.clone();
                kept.remove(piece);
                candidates.extend(with_part(program, at, kept.join(separator)));
            }
        }
    }
    candidates
}

/// What stands in brackets left out, or put in place of the brackets; and calls replaced by their arguments.
fn without_terms(program: &Program) -> Vec<Program> {
    let mut candidates = Vec::new();
    for (at, part) in program.parts.iter().enumerate() {
        for (open, close) in brackets(part) {
            let (Some(before), Some(inner), Some(behind)) =
                (part.get(..open), part.get(open + 1..close), part.get(close + 1..))
            else {
                continue;
            };
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
            let without_name = before.trim_end_matches(is_name);
            let bracket = part.get(open..=open).unwrap_or_default();
            let replacements = match bracket {
                "(" => vec![
                    format!("{before}{inner}{behind}"),
                    format!("{without_name}{inner}{behind}"),
                    format!("{without_name}1{behind}"),
                ],
                "[" => vec![format!("{before}[]{behind}"), format!("{before}{behind}")],
                _ => vec![format!("{before}{{}}{behind}"), format!("{before}1{behind}")],
            };
            for text in replacements {
                candidates.extend(with_part(program, at, text));
            }
        }
        // `a op b` to either side.
        for operator in [" + ", " - ", " * ", " / ", " % ", " | ", " & "] {
            for (place, _) in part.match_indices(operator) {
                let right = part.get(place + operator.len()..).unwrap_or_default();
                let left = part.get(..place).unwrap_or_default();
                let start = left.rfind(['(', '[', '{', ' ', '\t']).map_or(0, |at| at + 1);
                let kept = format!("{}{right}", left.get(..start).unwrap_or_default());
                candidates.extend(with_part(program, at, kept));
            }
        }
    }
    candidates
}

fn with_part(program: &Program, at: usize, text: String) -> Option<Program> {
    let mut fewer = program.clone();
    *fewer.parts.get_mut(at)? = text;
    Some(fewer)
}

/// The places of brackets that belong together, outside of strings.
fn brackets(text: &str) -> Vec<(usize, usize)> {
    let (mut open, mut pairs, mut quoted, mut escaped) = (Vec::new(), Vec::new(), false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' | b'{' => open.push(at),
            b')' | b']' | b'}' => pairs.extend(open.pop().map(|from| (from, at))),
            _ => {}
        }
    }
    pairs
}

fn smaller_documents(program: &Program) -> Vec<Program> {
    let mut candidates = Vec::new();
    for text in smaller_json(&program.data) {
        if text.starts_with('{') {
            candidates.push(Program { data: text, ..program.clone() });
        }
    }
    for input in &program.inputs {
        candidates.push(Program { inputs: vec![String::new()], ..program.clone() });
        candidates.extend(
            smaller_json(input).into_iter().map(|text| Program { inputs: vec![text], ..program.clone() }),
        );
    }
    candidates
}

fn smaller_json(text: &str) -> Vec<String> {
    let Ok(value) = json::parse(text.as_bytes()) else { return Vec::new() };
    smaller_values(&value, 2).iter().map(|value| json::to_string(value, Escape::Plain)).collect()
}

/// The value with one member less, or with one member smaller.
fn smaller_values(value: &Value, depth: usize) -> Vec<Value> {
    let mut smaller = Vec::new();
    match value {
        Value::Object(members) => {
            for (key, member) in members.iter() {
                let others = || members.iter().filter(|(other, _)| *other != key);
                smaller.push(Value::object(others().map(|(k, v)| (k.clone(), v.clone()))));
                if depth > 0 {
                    smaller.extend(smaller_values(member, depth - 1).into_iter().map(|less| {
                        let rest = others().map(|(k, v)| (k.clone(), v.clone()));
                        Value::object(rest.chain([(key.clone(), less)]))
                    }));
                }
            }
        }
        Value::Array(items) => {
            for at in 0..items.len() {
                let mut fewer = items.to_vec();
                fewer.remove(at);
                smaller.push(Value::array(fewer));
            }
        }
        _ => {}
    }
    smaller
}
