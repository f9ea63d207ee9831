//! Variations of a case: the same decision from texts that differ, so that no engine is timed on one text that the
//! branch predictor knows by heart.
//!
//! Members are shuffled at every depth, and strings that do not matter get other lengths. Which those are is found by
//! trying: a string matters when the decision differs after it was changed, by our engine or by hand-written Rust, which
//! need not agree beyond the cases: with an unknown tier, say, where Rego finds nothing to deny.

use serde_json::Value;

use crate::engines::ours;
use crate::policy::Policy;
use crate::{Decision, dynamic};

/// Variations for a policy, at least; all of its cases in turn.
pub const COUNT: usize = 64;

/// Where the sequence of variations starts.
pub const SEED: u64 = 20_261_122;

/// Texts with the decisions that they must give.
///
/// # Panics
///
/// When a case is no JSON.
#[must_use]
pub fn inputs(policy: &Policy) -> Vec<(String, Decision)> {
    let mut engine = ours::Loaded::new(&ours::compile(policy), policy);
    let by_hand = dynamic::load(&policy.name, &policy.data);
    let mut holds = |text: &str, expected: &Decision| {
        engine.decide(text) == *expected
            && by_hand.as_ref().is_none_or(|decide| decide(text.as_bytes()) == *expected)
    };
    let mut random = Random(SEED);
    let mut inputs = Vec::new();
    let rounds = COUNT.div_ceil(policy.cases.len());
    let cases: Vec<(Value, Vec<String>)> = policy
        .cases
        .iter()
        .map(|case| {
            let value: Value = serde_json::from_str(&case.input).unwrap();
            let free = free_strings(&value, &case.expected, &mut holds);
            (value, free)
        })
        .collect();
    for _ in 0..rounds {
        for (case, (value, free)) in policy.cases.iter().zip(&cases) {
            let mut value = value.clone();
            for pointer in free {
                if let Some(text) = value.pointer_mut(pointer) {
                    *text = Value::String("abcdefgh".chars().cycle().take(random.below(48)).collect());
                }
            }
            let mut text = String::new();
            write(&value, &mut random, &mut text);
            assert!(holds(&text, &case.expected), "{}/{}: {text}", policy.name, case.name);
            inputs.push((text, case.expected.clone()));
        }
    }
    inputs
}

/// Pointers to the strings whose change changes no decision.
fn free_strings(
    value: &Value,
    expected: &Decision,
    holds: &mut impl FnMut(&str, &Decision) -> bool,
) -> Vec<String> {
    let mut pointers = Vec::new();
    strings(value, String::new(), &mut pointers);
    pointers.retain(|pointer| {
        ["", "another text of some length"].iter().all(|text| {
            let mut changed = value.clone();
            if let Some(place) = changed.pointer_mut(pointer) {
                *place = Value::from(*text);
            }
            holds(&changed.to_string(), expected)
        })
    });
    pointers
}

fn strings(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(pointer),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| strings(item, format!("{pointer}/{at}"), found));
        }
        Value::Object(members) => members.iter().for_each(|(key, item)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            strings(item, format!("{pointer}/{key}"), found);
        }),
        _ => {}
    }
}

/// Writes a value with its members in any order.
fn write(value: &Value, random: &mut Random, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            for at in (1..members.len()).rev() {
                members.swap(at, random.below(at + 1));
            }
            out.push('{');
            for (at, (key, item)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(item, random, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, random, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % bound as u64).unwrap_or_default()
    }
}
