//! Paths to fields of a call: `operation`, `context.items[0].price`.

use crate::nearest::nearest;

/// A path that is known to be well formed, and to begin with something that a call says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    text: String,
    steps: Vec<Step>,
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Name(String),
    Index(u32),
}

/// The type of a field, as far as it is known before a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldType {
    Text,
    Number,
    Truth,
    List,
    /// Whatever the caller says.
    Any,
}

impl FieldType {
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Truth => "true or false",
            Self::List => "a list",
            Self::Any => "anything",
        }
    }
}

/// What a call says of itself, and of what type that is. Those with parts have a list of them.
enum Root {
    Plain(FieldType),
    Parts(&'static [(&'static str, FieldType)]),
    Free,
}

const ROOTS: &[(&str, Root)] = &[
    ("policy_id", Root::Plain(FieldType::Text)),
    ("function", Root::Plain(FieldType::Text)),
    ("operation", Root::Plain(FieldType::Text)),
    ("resource", Root::Plain(FieldType::Text)),
    ("resource_type", Root::Plain(FieldType::Text)),
    ("model", Root::Plain(FieldType::Text)),
    ("feature", Root::Plain(FieldType::Text)),
    ("user", Root::Parts(&[("id", FieldType::Text), ("roles", FieldType::List)])),
    ("session", Root::Parts(&[("id", FieldType::Text), ("started_ns", FieldType::Number)])),
    ("cost", Root::Plain(FieldType::Number)),
    ("tokens", Root::Plain(FieldType::Number)),
    ("confirmed", Root::Plain(FieldType::Truth)),
    ("context", Root::Free),
    ("metadata", Root::Free),
    ("time_ns", Root::Plain(FieldType::Number)),
];

/// The longest path, in bytes, and the most steps: what a person writes is far from either.
const MAX_LENGTH: usize = 512;
const MAX_STEPS: usize = 32;

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it, and what to do about it.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let plain = |message: String| (message, None);
        if text.len() > MAX_LENGTH {
            return Err(plain(format!("a path has at most {MAX_LENGTH} bytes")));
        }
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut rest) =
                part.split_at_checked(part.find('[').unwrap_or(part.len())).unwrap_or((part, ""));
            check_name(name, part).map_err(plain)?;
            steps.push(Step::Name(name.to_owned()));
            while !rest.is_empty() {
                let Some((digits, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
                else {
                    return Err(plain("`[` and `]` hold an index such as `[0]`".to_owned()));
                };
                steps.push(Step::Index(index(digits).map_err(plain)?));
                rest = after;
            }
        }
        if steps.len() > MAX_STEPS {
            return Err(plain(format!("a path has at most {MAX_STEPS} steps")));
        }
        let path = Self { text: text.to_owned(), steps };
        path.field_type_or_problem()?;
        Ok(path)
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Of what type the field is, as far as that is known.
    pub(crate) fn field_type(&self) -> FieldType {
        self.field_type_or_problem().unwrap_or(FieldType::Any)
    }

    /// Whether a call that does not say it may have an empty text there.
    pub(crate) fn empty_is_missing(&self) -> bool {
        self.field_type() == FieldType::Text && self.steps.iter().all(|step| matches!(step, Step::Name(_)))
    }

    fn field_type_or_problem(&self) -> Result<FieldType, (String, Option<String>)> {
        let Some((Step::Name(first), rest)) = self.steps.split_first() else {
            return Err(("the path is empty".to_owned(), None));
        };
        let Some((_, root)) = ROOTS.iter().find(|(name, _)| name == first) else {
            let help = match nearest(first, ROOTS.iter().map(|(name, _)| *name)) {
                Some(meant) => {
                    format!("did you mean `{meant}`? Arguments of the call are in `context.{}`", self.text)
                }
                None => format!("arguments of the call are in the context: `context.{}`", self.text),
            };
            return Err((format!("a call has no field `{first}`"), Some(help)));
        };
        match (root, rest) {
            (Root::Free, _) => Ok(FieldType::Any),
            (Root::Plain(kind), []) => Ok(*kind),
            (Root::Plain(kind), _) => Err((format!("`{first}` is {} and has no parts", kind.told()), None)),
            (Root::Parts(parts), [Step::Name(part), after @ ..]) => {
                let Some((_, kind)) = parts.iter().find(|(name, _)| name == part) else {
                    let names: Vec<String> =
                        parts.iter().map(|(name, _)| format!("`{first}.{name}`")).collect();
                    let help = format!("there are {}", names.join(" and "));
                    return Err((format!("`{first}` has no part `{part}`"), Some(help)));
                };
                match (kind, after) {
                    (_, []) => Ok(*kind),
                    (FieldType::List, [Step::Index(_)]) => Ok(FieldType::Text),
                    _ => Err((format!("`{first}.{part}` is {} and has no such part", kind.told()), None)),
                }
            }
            (Root::Parts(parts), _) => {
                let names: Vec<String> = parts.iter().map(|(name, _)| format!("`{first}.{name}`")).collect();
                Err((format!("`{first}` is a mapping"), Some(format!("there are {}", names.join(" and ")))))
            }
        }
    }
}

fn check_name(name: &str, part: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(if part.is_empty() {
            "a name is missing beside a `.`".to_owned()
        } else {
            "an index follows a name, as in `items[0]`".to_owned()
        });
    }
    match name.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, ']' | '"' | '\'' | '`')) {
        Some(c) => Err(format!("a name cannot have {c:?} in it")),
        None => Ok(()),
    }
}

fn index(digits: &str) -> Result<u32, String> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let leading = digits.len() > 1 && digits.starts_with('0');
    match digits.parse::<u32>() {
        Ok(index) if plain && !leading => Ok(index),
        _ if digits.starts_with('-') => Err(format!("an index counts from 0, found `[{digits}]`")),
        _ => Err(format!("an index is a whole number such as `[0]`, found `[{digits}]`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_names_and_indexes() {
        for text in [
            "operation",
            "context.amount",
            "context.items[0].price",
            "context.m[1][2]",
            "user.roles[0]",
            "context.größe-in-m",
            "session.started_ns",
        ] {
            assert_eq!(Path::parse(text).unwrap().text(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for (text, expected) in [
            ("", "a name is missing beside a `.`"),
            ("context..b", "a name is missing beside a `.`"),
            ("context.", "a name is missing beside a `.`"),
            ("context.a[-1]", "an index counts from 0, found `[-1]`"),
            ("context.a[x]", "an index is a whole number such as `[0]`, found `[x]`"),
            ("context.a[]", "an index is a whole number such as `[0]`, found `[]`"),
            ("context.a[01]", "an index is a whole number such as `[0]`, found `[01]`"),
            ("context.a[99999999999]", "an index is a whole number such as `[0]`, found `[99999999999]`"),
            ("context.a[0", "`[` and `]` hold an index such as `[0]`"),
            ("context.a[0]b", "`[` and `]` hold an index such as `[0]`"),
            ("context.[0]", "an index follows a name, as in `items[0]`"),
            ("context.a]", "a name cannot have ']' in it"),
            ("context.a b", "a name cannot have ' ' in it"),
            ("amount", "a call has no field `amount`"),
            ("operation.x", "`operation` is a text and has no parts"),
            ("user", "`user` is a mapping"),
            ("user.name", "`user` has no part `name`"),
            ("user.id[0]", "`user.id` is a text and has no such part"),
        ] {
            assert_eq!(Path::parse(text).unwrap_err().0, expected, "{text}");
        }
        assert!(Path::parse(&format!("context.{}", "a".repeat(600))).is_err());
        assert!(Path::parse(&format!("context.a{}", "[0]".repeat(40))).is_err());
    }
}
