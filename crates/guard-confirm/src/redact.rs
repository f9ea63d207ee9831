//! What people are shown of a call.

use std::collections::BTreeSet;

use guard_core::{Request, is_secret_name};
use serde_json::{Map, Value, json};

use crate::error::DeskError;

const HIDDEN: &str = "(hidden)";

/// The longest text that is shown whole, in characters.
const LONGEST: usize = 400;

/// The most members of an object, or items of a list, that are shown.
const MOST: usize = 50;

/// How deep values are shown.
const DEEPEST: usize = 8;

/// The arguments of a call as people see them: a JSON object. What its name, or the caller, says is a secret is
/// hidden; what is long is cut.
pub(crate) fn shown(request: &Request) -> Result<String, DeskError> {
    let mut all = Map::new();
    let texts =
        [("resource_type", &request.resource_type), ("model", &request.model), ("feature", &request.feature)];
    for (name, value) in texts {
        if let Some(value) = value {
            all.insert(name.to_owned(), json!(short(value)));
        }
    }
    if let Some(cost) = request.cost {
        all.insert("cost".to_owned(), json!(cost.to_string()));
    }
    if let Some(tokens) = request.tokens {
        all.insert("tokens".to_owned(), json!(tokens));
    }
    for (name, value) in &request.context {
        let hide = request.secrets.contains(name) || is_secret_name(name);
        let value = match hide {
            true => json!(HIDDEN),
            false => clean(
                value.to_value().map_err(|error| DeskError::Call(error.to_string()))?,
                &request.secrets,
                0,
            ),
        };
        all.insert(short(name), value);
    }
    Ok(Value::Object(all).to_string())
}

fn clean(value: Value, secrets: &BTreeSet<String>, depth: usize) -> Value {
    match value {
        Value::Object(_) | Value::Array(_) if depth >= DEEPEST => json!("(…)"),
        Value::Object(members) => {
            let cleaned = members.into_iter().take(MOST).map(|(name, value)| {
                let hide = secrets.contains(&name) || is_secret_name(&name);
                let value = if hide { json!(HIDDEN) } else { clean(value, secrets, depth + 1) };
                (short(&name), value)
            });
            Value::Object(cleaned.collect())
        }
        Value::Array(items) => {
            items.into_iter().take(MOST).map(|item| clean(item, secrets, depth + 1)).collect()
        }
        Value::String(text) => json!(short(&text)),
        other => other,
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use guard_core::Json;

    use super::*;

    fn shown_of(context: &str, secrets: &[&str]) -> String {
        let value: Map<String, Value> = serde_json::from_str(context).unwrap();
        let mut request = Request::new("p");
        request.context = value.into_iter().map(|(name, value)| (name, Json::of(&value).unwrap())).collect();
        request.secrets = secrets.iter().map(ToString::to_string).collect();
        shown(&request).unwrap()
    }

    #[test]
    fn secrets_are_hidden_by_name_and_by_mark_at_every_depth() {
        let context = r#"{"table": "users", "apiKey": "k1", "X-Api-Key": "k2", "db": {"PASSWORD": "k3", "host": "h"},
            "list": [{"access_token": "k4"}], "iban": "k5", "inner": {"iban": "k6"}, "key": "k7", "keyboard": "shown"}"#;
        let shown = shown_of(context, &["iban"]);
        for hidden in ["k1", "k2", "k3", "k4", "k5", "k6", "k7"] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
        for kept in ["users", "\"h\"", "shown"] {
            assert!(shown.contains(kept), "{kept} in {shown}");
        }
    }

    #[test]
    fn what_is_long_or_deep_is_cut() {
        let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
        let shown = shown_of(&format!(r#"{{"text": "{}", "deep": {deep}}}"#, "é".repeat(5_000)), &[]);
        assert!(shown.len() < 1_200, "{}", shown.len());
    }
}
