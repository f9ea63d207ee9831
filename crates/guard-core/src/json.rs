//! JSON that is carried along as text.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

/// A JSON text that has been checked to be one. It is spliced into the policy's input as it stands, so
/// that no number is rounded and no tree is built on the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json(Box<str>);

/// A value that could not be written as JSON, or a text that is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a JSON value: {reason}")]
pub struct JsonError {
    /// What serde_json said.
    pub reason: String,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self { reason: error.to_string() }
    }
}

impl Json {
    /// Writes a value as JSON.
    ///
    /// # Errors
    /// When its `Serialize` fails, or it has map keys that are not strings.
    pub fn of(value: &impl Serialize) -> Result<Self, JsonError> {
        Ok(Self(serde_json::to_string(value)?.into_boxed_str()))
    }

    /// Takes a JSON text as it is.
    ///
    /// # Errors
    /// When the text is not exactly one JSON value.
    pub fn from_text(text: &str) -> Result<Self, JsonError> {
        serde_json::from_str::<serde::de::IgnoredAny>(text)?;
        Ok(Self(text.into()))
    }

    /// An object of one text.
    pub fn of_text(name: &str, text: &str) -> Self {
        // Two braces, four quotes and a colon: exactly what is needed where nothing is escaped.
        let mut out = String::with_capacity(name.len() + text.len() + 7);
        out.push('{');
        write_string(&mut out, name);
        out.push(':');
        write_string(&mut out, text);
        out.push('}');
        Self(out.into_boxed_str())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the text into a tree, for showing and matching; large numbers may be rounded in it.
    ///
    /// # Errors
    /// When it is nested deeper than serde_json reads.
    pub fn to_value(&self) -> Result<serde_json::Value, JsonError> {
        Ok(serde_json::from_str(&self.0)?)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    // Most texts stand for themselves.
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push_str(text);
        out.push('"');
        return;
    }
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_serde_json_reads_them() {
        let text = "a\"b\\c\nd\u{1}é\u{1F600}\t\r\u{7f}";
        let mut out = String::new();
        write_string(&mut out, text);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    fn only_one_whole_value_is_json() {
        assert!(Json::from_text("{\"a\": 1e400}").is_ok());
        for text in ["", "{", "1 2", "{} x", "undefined"] {
            assert!(Json::from_text(text).is_err(), "{text}");
        }
    }
}
