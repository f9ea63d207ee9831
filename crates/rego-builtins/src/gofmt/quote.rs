//! Go's quoted strings and characters.

/// Whether Go prints the character as itself: letters, marks, numbers, punctuation, symbols and the
/// ASCII space.
pub(super) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // The standard library keeps the same classes of characters for its debug form. As the second
    // character of a string, so that combining marks are not escaped for standing alone.
    let mut text = String::from("a");
    text.push(c);
    text.escape_debug().nth(1) == Some(c)
}

/// A double-quoted string, as `%q` gives it without flags.
pub(crate) fn quote(text: &str) -> String {
    double(text, false, false)
}

/// Bytes that need not be text, quoted: those that are none one by one.
pub(crate) fn quote_bytes(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| escape(&mut out, c, '"', false));
        out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    out.push('"');
    out
}

/// A string as `%q` quotes it: `sharp` prefers backquotes, `ascii` escapes all that is not ASCII.
pub(super) fn double(text: &str, sharp: bool, ascii: bool) -> String {
    if sharp && text.chars().all(|c| (c >= ' ' || c == '\t') && !matches!(c, '`' | '\u{7f}' | '\u{feff}')) {
        return format!("`{text}`");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        escape(&mut out, c, '"', ascii);
    }
    out.push('"');
    out
}

/// A character as `%q` quotes an integer.
pub(super) fn single(c: char, ascii: bool) -> String {
    let mut out = String::from("'");
    escape(&mut out, c, '\'', ascii);
    out.push('\'');
    out
}

fn escape(out: &mut String, c: char, quote: char, ascii: bool) {
    if c == quote || c == '\\' {
        out.push('\\');
        out.push(c);
    } else if is_print(c) && (c.is_ascii() || !ascii) {
        out.push(c);
    } else {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x10000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
}
