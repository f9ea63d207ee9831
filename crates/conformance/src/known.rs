//! The list of cases that do not pass yet: a line each, `group/id  cause`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::workers::Verdict;

/// Known failures: `group/id` to cause.
#[derive(Default)]
pub(crate) struct Known(pub(crate) BTreeMap<String, String>);

const HEADER: &str = "# Conformance cases that do not pass yet, each with its cause. The harness asserts that each still fails.\n\
                      # One that passes is taken off the list: `cargo xtask conformance --update-known`.\n";

/// Separates the case from its cause; ids hold spaces, never a tab.
const SEPARATOR: char = '\t';

/// Reads the list.
pub(crate) fn load(path: &Path) -> Result<Known, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut known = Known::default();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((case, cause)) = line.split_once(SEPARATOR) else {
            return Err(format!("{}:{}: wants `group/id<tab>cause`", path.display(), number + 1));
        };
        known.0.insert(case.to_owned(), cause.to_owned());
    }
    Ok(known)
}

/// Writes the failures of a whole run as the new list.
pub(crate) fn write(path: &Path, verdicts: &[Verdict]) -> Result<(), String> {
    let mut text = HEADER.to_owned();
    for verdict in verdicts {
        if let Some(failure) = &verdict.failure {
            let cause: String = failure.lines().next().unwrap_or_default().chars().take(160).collect();
            text.push_str(&format!("{}{SEPARATOR}{}\n", verdict.name(), cause.replace(SEPARATOR, " ")));
        }
    }
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
