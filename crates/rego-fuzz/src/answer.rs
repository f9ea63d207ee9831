//! What an evaluation, or a compilation, comes to; and when two of them are the same.

use rego_value::json::{self, Escape};
use rego_value::{Object, Value};

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The rule's value as JSON, numbers with their text.
    Value(String),
    /// Undefined.
    Undefined,
    /// OPA's code and message.
    Error { code: String, message: String },
    /// The policy is refused: the code of the first error, and the message.
    Refused { code: String, message: String },
    /// OPA's server fell over the program.
    Crashed,
    /// Something that must never happen: a trap, a timeout, a malformed module.
    Broken(String),
}

impl Answer {
    /// A value as JSON has it.
    pub(crate) fn of(value: &Value) -> Self {
        Self::Value(json::to_string(&as_json(value), Escape::Plain))
    }

    /// Whether the two mean the same.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Broken(_), _) | (_, Self::Broken(_)) => false,
            // Nothing to compare with.
            (_, Self::Crashed) => true,
            (Self::Refused { code, .. }, Self::Refused { code: theirs, .. }) => code == theirs,
            (Self::Error { code, message }, Self::Error { code: their_code, message: theirs }) => {
                // OPA's server lists the conflicting values and their places behind the message.
                let theirs = theirs.split(":\n").next().unwrap_or_default();
                code == their_code && (message == theirs || both_refuse_expression(message, theirs))
            }
            _ => self == other,
        }
    }

    /// Whether it is an error of the evaluation.
    pub(crate) fn is_error(&self) -> bool {
        matches!(self, Self::Error { .. })
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(text) => f.write_str(text),
            Self::Undefined => f.write_str("undefined"),
            Self::Crashed => f.write_str("OPA crashed"),
            Self::Error { code, message } => write!(f, "{code}: {message}"),
            Self::Refused { code, message } => write!(f, "refused: {code}: {message}"),
            Self::Broken(text) => write!(f, "BROKEN: {text}"),
        }
    }
}

/// What is wrong with a regular expression is said in the words of its parser, which is not Go's here.
fn both_refuse_expression(ours: &str, theirs: &str) -> bool {
    let refusal = |text: &str| text.split_once(": error parsing regexp: ").map(|(name, _)| name.to_owned());
    refusal(ours).is_some() && refusal(ours) == refusal(theirs)
}

/// The value as JSON has it: a set is an array in Rego's order, a key that is no string is its JSON text.
fn as_json(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::array(items.iter().map(as_json)),
        Value::Set(items) => Value::array(items.iter().map(as_json)),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, member)| {
                    let key = match key {
                        Value::String(_) => key.clone(),
                        other => Value::from(json::to_string(&as_json(other), Escape::Plain).as_str()),
                    };
                    (key, as_json(member))
                })
                .collect::<Object>(),
        ),
        scalar => scalar.clone(),
    }
}
