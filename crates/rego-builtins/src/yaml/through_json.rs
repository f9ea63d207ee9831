//! What becomes of strings on the way through JSON text that is read as YAML.

use std::borrow::Cow;

use super::tree;

/// A break to YAML, a character like any other to JSON.
const NEXT_LINE: char = '\u{85}';

/// The longest key that can stand before a colon, in characters of JSON with its quotes.
const LONGEST_KEY: usize = 1024;

/// A string as it is after that: `\u{85}` is folded as a line break is, with the blanks around it.
///
/// # Errors
/// Characters that YAML does not have.
pub(super) fn string(text: &str) -> Result<Cow<'_, str>, String> {
    if !text.chars().all(|c| c < ' ' || tree::is_allowed(c) || is_escaped(c)) {
        return Err("control characters are not allowed".to_owned());
    }
    if !text.contains(NEXT_LINE) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split(NEXT_LINE).peekable();
    let (mut breaks, mut first) = (0usize, true);
    while let Some(line) = lines.next() {
        let mut line = if first { line } else { line.trim_start_matches(' ') };
        if lines.peek().is_some() {
            line = line.trim_end_matches(' ');
        }
        if !first {
            breaks += 1;
        }
        if !line.is_empty() || lines.peek().is_none() {
            match breaks {
                0 => {}
                1 => out.push(' '),
                more => out.extend(std::iter::repeat_n('\n', more - 1)),
            }
            breaks = 0;
        }
        out.push_str(line);
        first = false;
    }
    Ok(Cow::Owned(out))
}

/// Go's JSON has an escape for it.
fn is_escaped(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// The same for a key, which must be on one line, and not too long.
///
/// # Errors
/// A key that YAML does not take for one.
pub(super) fn key(text: &str) -> Result<Cow<'_, str>, String> {
    const WRONG: &str = "did not find expected ',' or '}'";
    if text.contains(NEXT_LINE) {
        return Err(format!("line 1: {WRONG}"));
    }
    if text.chars().count() + 2 > LONGEST_KEY {
        return Err(WRONG.to_owned());
    }
    string(text)
}
