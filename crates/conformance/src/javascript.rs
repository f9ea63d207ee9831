//! The Wasm assets as OPA judges them: its runner (`v1/test/wasm/assets/test.js`) is JavaScript, which reads the module's
//! JSON before it compares.

use rego_value::json::{self, Escape};
use rego_value::{Set, Value};

/// Whether the answers are the wanted ones: as many, and each wanted one among them.
pub(crate) fn answers_are_equal(wanted: &[Value], got: &[Value]) -> bool {
    let found = |wanted: &Value| got.iter().any(|got| is_equal(wanted, got));
    wanted.len() == got.len() && wanted.iter().all(found)
}

/// Equality after JSON and JavaScript: numbers are doubles, an object's keys are texts. A set was an array to the runner,
/// in the order in which OPA's library happened to keep it; here any order will do.
fn is_equal(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Number(_), Value::Number(_)) => double(wanted) == double(got),
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len() && wanted.iter().zip(got.iter()).all(|(w, g)| is_equal(w, g))
        }
        (Value::Array(wanted), Value::Set(got)) => is_permutation(wanted, got),
        (Value::Object(wanted), Value::Object(got)) => {
            wanted.len() == got.len()
                && got.iter().all(|(name, got)| {
                    wanted.get(&text_key(name)).is_some_and(|wanted| is_equal(wanted, got))
                })
        }
        _ => wanted == got,
    }
}

fn is_permutation(wanted: &[Value], got: &Set) -> bool {
    let mut left: Vec<&Value> = got.iter().collect();
    wanted.iter().all(|wanted| {
        let found = left.iter().position(|got| is_equal(wanted, got));
        found.map(|at| left.swap_remove(at)).is_some()
    }) && left.is_empty()
}

fn text_key(key: &Value) -> Value {
    match key {
        Value::String(_) => key.clone(),
        other => Value::from(json::to_string(other, Escape::Plain)),
    }
}

fn double(number: &Value) -> Option<f64> {
    json::to_string(number, Escape::Plain).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_doubles_and_sets_have_no_order_but_all_else_counts() {
        let value = |text: &str| json::parse(text.as_bytes()).unwrap();
        let set = Value::set([Value::from(0), Value::from(1)]);
        assert!(is_equal(&value("0.6666666666666666"), &value("0.6666666666666666667")));
        assert!(!is_equal(&value("0.6666666666666666"), &value("0.666666666666667")));
        assert!(is_equal(&value("[1,0]"), &set) && !is_equal(&value("[1,1]"), &set));
        assert!(!is_equal(&value("[1,0]"), &value("[0,1]")) && !is_equal(&value("[0]"), &set));
        assert!(!is_equal(&value("1"), &value("\"1\"")));
        assert!(!answers_are_equal(&[value("1")], &[value("1"), value("1")]));
    }
}
