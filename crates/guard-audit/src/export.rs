//! Entries as lines of JSON and of CSV.

use serde_json::{Map, Value};

use crate::entry::{COLUMNS, Cell, Entry};

/// The columns that hold JSON.
const DOCUMENTS: [&str; 3] = ["context", "metadata", "decision_metadata"];

/// An entry as a JSON object: its sequence, and its columns by their names.
pub fn json_row(entry: &Entry) -> Value {
    let mut members = Map::from_iter([("sequence".to_owned(), Value::from(entry.sequence))]);
    for (name, cell) in COLUMNS.iter().zip(&entry.cells) {
        let value = match cell {
            Cell::Null => Value::Null,
            Cell::Integer(number) if *name == "runs" => Value::Bool(*number != 0),
            Cell::Integer(number) => Value::from(*number),
            Cell::Text(text) if DOCUMENTS.contains(name) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
            }
            Cell::Text(text) => Value::from(text.as_str()),
        };
        members.insert((*name).to_owned(), value);
    }
    Value::Object(members)
}

/// The first line of a CSV (RFC 4180).
pub fn csv_head() -> String {
    format!("sequence,{}\r\n", COLUMNS.join(","))
}

/// An entry as a line of it.
pub fn csv_row(entry: &Entry) -> String {
    let mut line = entry.sequence.to_string();
    for cell in &entry.cells {
        line.push(',');
        match cell {
            Cell::Null => {}
            Cell::Integer(number) => line.push_str(&number.to_string()),
            Cell::Text(text) => line.push_str(&field(text)),
        }
    }
    line + "\r\n"
}

/// A text that no spreadsheet takes for a formula, in quotes where it has to be.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula_is_left() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,b \"c\"\n"), "\"a,b \"\"c\"\"\n\"");
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(field("@x,y"), "\"'@x,y\"");
    }
}
