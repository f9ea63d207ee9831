//! The YAML of a METADATA block, as the types that its keys must have.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};
use serde_yaml::Value;

/// The keys of a block. Unknown keys are ignored, and a key without a value counts as missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Raw {
    pub(super) scope: Text,
    pub(super) title: Text,
    pub(super) description: Text,
    pub(super) entrypoint: Option<bool>,
    pub(super) organizations: Option<Vec<Text>>,
    pub(super) related_resources: Option<Vec<Value>>,
    pub(super) authors: Option<Vec<Value>>,
    pub(super) schemas: Option<Vec<BTreeMap<Text, Value>>>,
    pub(super) compile: Option<BTreeMap<Text, Value>>,
    pub(super) custom: Option<BTreeMap<Text, Value>>,
    pub(super) labels: Option<BTreeMap<Text, Value>>,
}

/// A string; other scalars are taken as their text.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text(pub(super) String);

/// Why the text is no such block.
pub(super) struct Error {
    pub(super) message: String,
    /// The line that OPA names, if it names one.
    pub(super) line: Option<usize>,
}

pub(super) fn read(text: &str) -> Result<Raw, Error> {
    let value = serde_yaml::from_str::<Value>(text);
    if let Err(error) = value {
        // A syntax error: lines are counted from 0, and line 0 is not named.
        let line = error.location().map(|at| at.line().saturating_sub(1)).filter(|line| *line > 0);
        return Err(Error { message: syntax_message(&error.to_string(), line), line });
    }
    serde_yaml::from_str::<Option<Raw>>(text).map(Option::unwrap_or_default).map_err(|error| Error {
        message: format!("yaml: unmarshal errors: {error}"),
        line: error.location().map(|at| at.line()),
    })
}

/// The message in the order in which OPA's reader of YAML puts it: the line, and what is wrong there.
fn syntax_message(text: &str, line: Option<usize>) -> String {
    // What the scanner finds is counted from 1, what the parser finds from 0.
    const OF_SCANNER: [&str; 4] = ["found ", "mapping values", "could not find", "block "];
    let problem = text.split(" at line ").next().unwrap_or(text);
    let of_scanner = OF_SCANNER.iter().any(|start| problem.starts_with(start));
    match line {
        Some(line) => format!("yaml: line {}: {problem}", line + usize::from(of_scanner)),
        None => format!("yaml: {problem}"),
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Text, E> {
        if value.is_finite() { Ok(Text(value.to_string())) } else { Err(E::custom("a string is expected")) }
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Text, E> {
        Ok(Text::default())
    }
}

/// A YAML value as JSON.
///
/// # Errors
/// The path of a mapping whose keys are not all strings.
pub(super) fn to_json(value: &Value, path: &mut Vec<String>) -> Result<serde_json::Value, String> {
    match value {
        Value::Null => Ok(serde_json::Value::Null),
        Value::Bool(b) => Ok((*b).into()),
        Value::String(s) => Ok(s.as_str().into()),
        Value::Number(n) => {
            Ok(serde_json::to_value(n).map_err(serde_json::Error::custom).unwrap_or_default())
        }
        Value::Sequence(items) => {
            let mut out = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                out.push(to_json(item, path)?);
                path.pop();
            }
            Ok(out.into())
        }
        Value::Mapping(entries) => {
            let mut out = serde_json::Map::new();
            for (key, item) in entries {
                let Value::String(key) = key else {
                    return Err(format!("invalid map key type(s): {}", path.join("/")));
                };
                path.push(key.clone());
                out.insert(key.clone(), to_json(item, path)?);
                path.pop();
            }
            Ok(out.into())
        }
        Value::Tagged(tagged) => to_json(&tagged.value, path),
    }
}
