//! Pieces of Rego in the form that `opa fmt` gives them.

use crate::yaml::json_string;

/// A value of generated Rego.
pub(crate) enum Literal {
    Text(String),
    Number(u64),
    Numbers(Vec<u64>),
    Truth(bool),
    Texts(Vec<String>),
    Object(Vec<(&'static str, Literal)>),
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(text, &mut out);
    out
}

/// Nearly all texts have nothing to escape.
fn quote(text: &str, out: &mut String) {
    if text.bytes().all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\')) {
        out.extend(["\"", text, "\""]);
    } else {
        out.push_str(&json_string(text));
    }
}

/// A list in one line where it fits, else an item for each line.
pub(crate) fn list(open: char, items: &[String], close: char, indent: usize) -> String {
    const FITS: usize = 80;
    let line = items.join(", ");
    if line.len() <= FITS {
        return format!("{open}{line}{close}");
    }
    let pad = "\t".repeat(indent + 1);
    let lines: String = items.iter().map(|item| format!("{pad}{item},\n")).collect();
    format!("{open}\n{lines}{}{close}", "\t".repeat(indent))
}

impl Literal {
    /// Writes the value; an object at the outermost level has a line for each member.
    pub(crate) fn render(&self, out: &mut String) {
        let Self::Object(members) = self else { return self.write(out) };
        out.push_str("{\n");
        for (name, value) in members {
            out.push('\t');
            member(name, value, out);
            out.push_str(",\n");
        }
        out.push('}');
    }

    /// The value in one line.
    pub(crate) fn flat(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => quote(text, out),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Numbers(numbers) => {
                separated('[', numbers, ']', out, |number, out| out.push_str(&number.to_string()));
            }
            Self::Truth(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Texts(texts) => separated('[', texts, ']', out, |text, out| quote(text, out)),
            Self::Object(members) => {
                separated('{', members, '}', out, |(name, value), out| member(name, value, out));
            }
        }
    }
}

fn member(name: &str, value: &Literal, out: &mut String) {
    quote(name, out);
    out.push_str(": ");
    value.write(out);
}

fn separated<T>(open: char, items: &[T], close: char, out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push(open);
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push(close);
}

/// A comment of one line, whatever the author wrote.
pub(crate) fn comment(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# {}\n", line.trim())
}

/// `one`, `one and other`, `one, other and third`.
pub(crate) fn enumerated(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [init @ .., word] => format!("{} {last} {word}", init.join(", ")),
    }
}

/// How many bytes the token at the beginning of generated Rego has: a word, a string, a comment or one character.
pub(crate) fn token_length(rest: &str, first: char) -> usize {
    match first {
        '#' => rest.find('\n').unwrap_or(rest.len()),
        '"' => string_length(rest),
        c if c.is_ascii_alphanumeric() || c == '_' => {
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len())
        }
        other => other.len_utf8(),
    }
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
