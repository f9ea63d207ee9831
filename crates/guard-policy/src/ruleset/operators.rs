//! The comparisons, as a table: reader, schema, translation and documentation go by it.

use super::path::FieldType;

/// One comparison.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// The key in a condition.
    pub(crate) name: &'static str,
    /// A shorter key for the same.
    pub(crate) alias: Option<&'static str>,
    pub(crate) takes: Operand,
    /// The function of `rego/conditions.rego`.
    pub(crate) function: &'static str,
    /// The types of values that it compares; any, where none is named.
    pub(crate) compares: &'static [FieldType],
    /// What it asks, in a sentence.
    pub(crate) about: &'static str,
}

/// What stands behind the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A text, a number or a truth.
    Scalar,
    /// A list of those, of one type.
    Scalars,
    Number,
    /// Two numbers, the lower first.
    Bounds,
    /// A text that is not empty.
    Text,
    /// A regular expression.
    Regex,
    /// `true` or `false`.
    Truth,
    /// `true`, since the key says it all.
    True,
    /// The name of a function.
    Function,
}

const NUMBERS: &[FieldType] = &[FieldType::Number];
const TEXTS: &[FieldType] = &[FieldType::Text];
const TRUTHS: &[FieldType] = &[FieldType::Truth];
const PLAIN: &[FieldType] = &[FieldType::Text, FieldType::Number, FieldType::Truth];
const HOLDERS: &[FieldType] = &[FieldType::Text, FieldType::List];

const fn operator(
    name: &'static str,
    takes: Operand,
    function: &'static str,
    compares: &'static [FieldType],
    about: &'static str,
) -> Operator {
    Operator { name, alias: None, takes, function, compares, about }
}

const fn number(
    name: &'static str,
    alias: Option<&'static str>,
    function: &'static str,
    about: &'static str,
) -> Operator {
    Operator { name, alias, takes: Operand::Number, function, compares: NUMBERS, about }
}

/// All comparisons.
pub(crate) const OPERATORS: &[Operator] = &[
    operator("equals", Operand::Scalar, "equals", PLAIN, "The value is this one."),
    operator("not_equals", Operand::Scalar, "not_equals", PLAIN, "The value is another one."),
    operator("in", Operand::Scalars, "one_of", PLAIN, "The value is in the list."),
    operator("not_in", Operand::Scalars, "none_of", PLAIN, "The value is not in the list."),
    number("greater_than", Some("gt"), "greater_than", "The number is above this one."),
    number("gte", None, "at_least", "The number is this one or above."),
    number("less_than", Some("lt"), "less_than", "The number is below this one."),
    number("lte", None, "at_most", "The number is this one or below."),
    operator(
        "between",
        Operand::Bounds,
        "between",
        NUMBERS,
        "The number is between the two, or one of them; the lower stands first.",
    ),
    operator(
        "contains",
        Operand::Scalar,
        "includes",
        HOLDERS,
        "The text has this in it; the list has this item.",
    ),
    operator("not_contains", Operand::Scalar, "excludes", HOLDERS, "The opposite of `contains`."),
    operator("starts_with", Operand::Text, "starts_with", TEXTS, "The text begins so."),
    operator("ends_with", Operand::Text, "ends_with", TEXTS, "The text ends so."),
    operator(
        "regex",
        Operand::Regex,
        "matches",
        TEXTS,
        "The expression (Go's syntax) matches somewhere in the text; `^` and `$` tie it to the ends.",
    ),
    operator(
        "exists",
        Operand::Truth,
        "exists",
        &[],
        "`true`: the call says the field; `false`: it does not.",
    ),
    operator("is_true", Operand::True, "is_true", TRUTHS, "The value is `true`."),
    operator("is_false", Operand::True, "is_false", TRUTHS, "The value is `false`."),
    operator(
        "function",
        Operand::Function,
        "answered",
        &[],
        "The function of `functions` with this name says `true` of the value.",
    ),
];

/// The comparison that a key names.
pub(crate) fn named(key: &str) -> Option<&'static Operator> {
    OPERATORS.iter().find(|operator| operator.name == key || operator.alias == Some(key))
}
