//! The tables as a text for people.

use super::conditions::{CONDITION_RULE, RULES_FILE, condition_keys};
use super::{Key, Takes, tables};
use crate::ruleset::OperandKind;

const HEAD: &str = "\
# The keys of hexarch.yaml

Generated from the tables that the reader goes by (`crates/guard-policy/src/schema/tables.rs`); a test holds it to them.
Whatever is not here is refused with its line: a guard that is read and not enforced would only look like one. Rows that
show what each key decides are in `policies/*/table.yaml` and `crates/guard-policy/tests/keys/*/table.yaml`; they run on a
real OPA and on the module.
";

/// Every key, what it takes and what it does; in Markdown.
pub(crate) fn reference() -> String {
    let mut out = HEAD.to_owned();
    for (title, keys) in [
        ("The file", tables::FILE),
        ("A policy", tables::POLICY),
        ("A rule", tables::RULE),
        ("`logging`", tables::LOGGING),
        ("`opa`", tables::OPA),
        ("`opa.tls`", tables::OPA_TLS),
        ("`audit`", tables::AUDIT),
        ("`state`", tables::STATE),
    ] {
        out.push_str(&format!("\n## {title}\n\n| key | takes | what it does |\n|---|---|---|\n"));
        for key in keys {
            out.push_str(&row(key));
        }
    }
    out
}

/// The keys of rules with conditions, in Markdown.
pub(crate) fn conditions_reference() -> String {
    let mut out = String::new();
    let sections =
        [("A file of rules", RULES_FILE), ("A rule", CONDITION_RULE), ("A condition", condition_keys())];
    for (title, keys) in sections {
        out.push_str(&format!("\n### {title}\n\n| key | takes | what it does |\n|---|---|---|\n"));
        for key in keys {
            out.push_str(&row(key));
        }
    }
    out
}

fn row(key: &Key) -> String {
    format!("| `{}` | {} | {} |\n", key.name, told(&key.takes), key.about)
}

fn told(takes: &Takes) -> String {
    match takes {
        Takes::Text => "a text".to_owned(),
        Takes::Name => "a name".to_owned(),
        Takes::Truth => "`true` or `false`".to_owned(),
        Takes::Dollars => "dollars, such as 9.99".to_owned(),
        Takes::Count => "a whole number".to_owned(),
        Takes::Percent => "1 to 100".to_owned(),
        Takes::Seconds => "seconds, such as 0.25".to_owned(),
        Takes::Number => "a number".to_owned(),
        Takes::Texts => "a text or a list".to_owned(),
        Takes::Hours => "`22:00-06:00` or a list".to_owned(),
        Takes::Days => "`monday`, `mon` or a list".to_owned(),
        Takes::Words(words) => {
            let plain = words.iter().filter(|word| !word.contains(char::is_uppercase));
            plain.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Takes::Action => {
            let words = crate::read::ACTION_WORDS.iter().map(|word| format!("`{word}`"));
            format!("{}, `warn_at_80%`", words.collect::<Vec<_>>().join(", "))
        }
        Takes::Mapping(_) => "a mapping".to_owned(),
        Takes::List(_) => "a list".to_owned(),
        Takes::FailMode => "`closed`, `open`, or a mapping".to_owned(),
        Takes::Anything => "anything".to_owned(),
        Takes::Integer => "a whole number".to_owned(),
        Takes::WordList(words) => {
            format!(
                "{}, or a list",
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            )
        }
        Takes::Object => "a mapping".to_owned(),
        Takes::Condition => "a condition".to_owned(),
        Takes::Conditions => "a list of conditions".to_owned(),
        Takes::Operand(kind) => told_operand(*kind).to_owned(),
    }
}

const fn told_operand(kind: OperandKind) -> &'static str {
    match kind {
        OperandKind::Scalar => "a text, a number, `true` or `false`",
        OperandKind::Scalars => "a list of those, all of one type",
        OperandKind::Number => "a number",
        OperandKind::Bounds => "two numbers: `[1, 10]`",
        OperandKind::Text => "a text",
        OperandKind::Regex => "a regular expression",
        OperandKind::Truth => "`true` or `false`",
        OperandKind::True => "`true`",
        OperandKind::Function => "a name",
    }
}
