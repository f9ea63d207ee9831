//! How a confirmation is written down in a table.

use crate::entry::Entry;

pub(crate) fn body_of(entry: &Entry) -> serde_json::Result<String> {
    serde_json::to_string(entry)
}

pub(crate) fn read_body(body: &str) -> serde_json::Result<Entry> {
    serde_json::from_str(body)
}
