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
    json_string(text)
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
    /// The value; an object at the outermost level has a line for each member.
    pub(crate) fn render(&self) -> String {
        match self {
            Self::Object(members) => {
                let lines: String = members
                    .iter()
                    .map(|(name, value)| format!("\t{}: {},\n", quoted(name), value.flat()))
                    .collect();
                format!("{{\n{lines}}}")
            }
            other => other.flat(),
        }
    }

    /// The value in one line.
    pub(crate) fn flat(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Number(number) => number.to_string(),
            Self::Numbers(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                format!("[{}]", numbers.join(", "))
            }
            Self::Truth(truth) => truth.to_string(),
            Self::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                format!("[{}]", texts.join(", "))
            }
            Self::Object(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{}: {}", quoted(name), value.flat()))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
        }
    }
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
