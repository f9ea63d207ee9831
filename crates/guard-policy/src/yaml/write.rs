//! A tree back to text, for exports. Numbers are written as they were read.

use super::{Kind, Node, Resolved, Scalar};

/// The tree as YAML in block style, `indent` levels deep, aliases unfolded. Every text is quoted unless it
/// is a plain word, so that no reader takes it for something else.
pub(crate) fn write_yaml(node: &Node, indent: usize, out: &mut String) {
    match &node.kind {
        Kind::Scalar(scalar) => {
            out.push_str(&scalar_yaml(scalar));
            out.push('\n');
        }
        Kind::List(items) if items.is_empty() => out.push_str("[]\n"),
        Kind::Map(entries) if entries.is_empty() => out.push_str("{}\n"),
        Kind::List(items) => {
            for (position, item) in items.iter().enumerate() {
                pad(out, indent, position);
                out.push_str("- ");
                write_yaml(item, indent + 1, out);
            }
        }
        Kind::Map(entries) => {
            for (position, entry) in entries.iter().enumerate() {
                pad(out, indent, position);
                out.push_str(&word_or_quoted(&entry.key));
                out.push(':');
                let nested = match &entry.value.kind {
                    Kind::Scalar(_) => false,
                    Kind::List(items) => !items.is_empty(),
                    Kind::Map(entries) => !entries.is_empty(),
                };
                if nested {
                    out.push('\n');
                    out.push_str(&"  ".repeat(indent + 1));
                } else {
                    out.push(' ');
                }
                write_yaml(&entry.value, indent + 1, out);
            }
        }
    }
}

/// The first line of a block stands behind what introduced it.
fn pad(out: &mut String, indent: usize, position: usize) {
    if position > 0 {
        out.push_str(&"  ".repeat(indent));
    }
}

fn scalar_yaml(scalar: &Scalar) -> String {
    match scalar.resolve() {
        Resolved::Null => "null".to_owned(),
        Resolved::Bool(value) => value.to_string(),
        Resolved::Number(text) => text.to_owned(),
        Resolved::Text(text) => word_or_quoted(text),
    }
}

fn word_or_quoted(text: &str) -> String {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'));
    let spoken_for = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if word && !spoken_for { text.to_owned() } else { json_string(text) }
}

/// The tree as indented JSON.
pub(crate) fn write_json(node: &Node, indent: usize, out: &mut String) {
    let items: Vec<(Option<&str>, &Node)> = match &node.kind {
        Kind::Scalar(scalar) => {
            return match scalar.resolve() {
                Resolved::Null => out.push_str("null"),
                Resolved::Bool(value) => out.push_str(if value { "true" } else { "false" }),
                Resolved::Number(text) => out.push_str(&json_number(text)),
                Resolved::Text(text) => out.push_str(&json_string(text)),
            };
        }
        Kind::List(items) => items.iter().map(|item| (None, &**item)).collect(),
        Kind::Map(entries) => entries.iter().map(|entry| (Some(entry.key.as_str()), &*entry.value)).collect(),
    };
    let (open, close) = if matches!(node.kind, Kind::List(_)) { ('[', ']') } else { ('{', '}') };
    out.push(open);
    for (position, (key, value)) in items.iter().enumerate() {
        out.push_str(if position > 0 { ",\n" } else { "\n" });
        out.push_str(&"  ".repeat(indent + 1));
        if let Some(key) = key {
            out.push_str(&json_string(key));
            out.push_str(": ");
        }
        write_json(value, indent + 1, out);
    }
    if !items.is_empty() {
        out.push('\n');
        out.push_str(&"  ".repeat(indent));
    }
    out.push(close);
}

/// YAML lets a number begin with zeros; JSON does not.
fn json_number(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let trimmed = digits.trim_start_matches('0');
    let zero = if trimmed.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
    format!("{sign}{zero}{trimmed}")
}

/// A JSON string, which is also one of YAML and of Rego.
pub(crate) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    const SAMPLE: &str = "a: [1, 007, -0.50, 'x: y', {b: {}, c: []}, [], true, ~]\n\"d e\": \"é\\n\\\"\"\nf: {g: no, h: [[1], [2]]}\n";

    #[test]
    fn what_is_written_reads_back_as_the_same() {
        let node = read(SAMPLE, &mut Vec::new()).unwrap().unwrap();
        let mut yaml = String::new();
        write_yaml(&node, 0, &mut yaml);
        let mut json = String::new();
        write_json(&node, 0, &mut json);
        let again = read(&yaml, &mut Vec::new()).unwrap().unwrap();
        let mut json_again = String::new();
        write_json(&again, 0, &mut json_again);
        assert_eq!(json, json_again, "{yaml}");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a": [1, 7, -0.5, "x: y", {"b": {}, "c": []}, [], true, null], "d e": "é\n\"",
                "f": {"g": "no", "h": [[1], [2]]}})
        );
    }
}
