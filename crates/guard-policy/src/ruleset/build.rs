//! Rules in Rust. What is built is written as the YAML that an author would have written, and read by the same reader:
//! there is one model, and nothing can be built that a file could not say.

use std::sync::Arc;

use serde_json::Value;

use crate::model::RuleAction;
use crate::problem::{Place, Problems};
use crate::yaml::{Entry, Kind, Node, Scalar, write_yaml};

use super::{Otherwise, RuleSet};

fn node(kind: Kind) -> Arc<Node> {
    Arc::new(Node { place: Place::START, kind })
}

fn text(text: impl Into<String>) -> Arc<Node> {
    node(Kind::Scalar(Scalar { text: text.into(), plain: false, literal: false }))
}

/// A number, a truth or nothing.
fn plain(text: impl Into<String>) -> Arc<Node> {
    node(Kind::Scalar(Scalar { text: text.into(), plain: true, literal: false }))
}

fn entry(key: &str, value: Arc<Node>) -> Entry {
    Entry { key: key.to_owned(), place: Place::START, value }
}

fn map(entries: Vec<Entry>) -> Arc<Node> {
    node(Kind::Map(entries))
}

fn from_json(value: &Value) -> Arc<Node> {
    match value {
        Value::Null => plain("null"),
        Value::Bool(value) => plain(value.to_string()),
        Value::Number(number) => plain(number.to_string()),
        Value::String(value) => text(value),
        Value::Array(items) => node(Kind::List(items.iter().map(from_json).collect())),
        Value::Object(members) => {
            map(members.iter().map(|(name, value)| entry(name, from_json(value))).collect())
        }
    }
}

/// A value to compare with: a text, a number or a truth. A float that is no number is refused when the rules are built.
#[derive(Debug, Clone)]
pub struct Operand(Arc<Node>);

impl From<&str> for Operand {
    fn from(value: &str) -> Self {
        Self(text(value))
    }
}

impl From<String> for Operand {
    fn from(value: String) -> Self {
        Self(text(value))
    }
}

impl From<f64> for Operand {
    fn from(value: f64) -> Self {
        Self(from_json(&serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }
}

macro_rules! plain_operands {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Operand {
            fn from(value: $kind) -> Self {
                Self(plain(value.to_string()))
            }
        }
    )*};
}

plain_operands!(bool, i32, i64, u32, u64, usize);

/// A condition that is being built.
#[derive(Debug, Clone)]
pub struct NewCondition(Arc<Node>);

impl NewCondition {
    /// Holds where all of these do.
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::group("all", parts)
    }

    /// Holds where one of these does.
    #[must_use]
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::group("any", parts)
    }

    /// Holds where this one does not.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(map(vec![entry("not", self.0)]))
    }

    fn group(key: &str, parts: impl IntoIterator<Item = Self>) -> Self {
        let parts = parts.into_iter().map(|part| part.0).collect();
        Self(map(vec![entry(key, node(Kind::List(parts)))]))
    }
}

/// A field of a call, to be compared with something.
#[derive(Debug, Clone)]
pub struct Field {
    path: String,
}

impl Field {
    /// The field at a path such as `operation` or `context.items[0].price`.
    pub fn at(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }

    fn compared(self, operator: &str, with: Arc<Node>) -> NewCondition {
        NewCondition(map(vec![entry("field", text(self.path)), entry(operator, with)]))
    }

    fn listed(self, operator: &str, items: impl IntoIterator<Item = impl Into<Operand>>) -> NewCondition {
        let items = items.into_iter().map(|item| item.into().0).collect();
        self.compared(operator, node(Kind::List(items)))
    }

    /// The value is this one.
    #[must_use]
    pub fn equals(self, value: impl Into<Operand>) -> NewCondition {
        self.compared("equals", value.into().0)
    }

    /// The value is another one.
    #[must_use]
    pub fn not_equals(self, value: impl Into<Operand>) -> NewCondition {
        self.compared("not_equals", value.into().0)
    }

    /// The value is one of these.
    #[must_use]
    pub fn is_in(self, items: impl IntoIterator<Item = impl Into<Operand>>) -> NewCondition {
        self.listed("in", items)
    }

    /// The value is none of these.
    #[must_use]
    pub fn not_in(self, items: impl IntoIterator<Item = impl Into<Operand>>) -> NewCondition {
        self.listed("not_in", items)
    }

    /// The number is above this one.
    #[must_use]
    pub fn greater_than(self, number: impl Into<Operand>) -> NewCondition {
        self.compared("greater_than", number.into().0)
    }

    /// The number is this one or above.
    #[must_use]
    pub fn at_least(self, number: impl Into<Operand>) -> NewCondition {
        self.compared("gte", number.into().0)
    }

    /// The number is below this one.
    #[must_use]
    pub fn less_than(self, number: impl Into<Operand>) -> NewCondition {
        self.compared("less_than", number.into().0)
    }

    /// The number is this one or below.
    #[must_use]
    pub fn at_most(self, number: impl Into<Operand>) -> NewCondition {
        self.compared("lte", number.into().0)
    }

    /// The number is between these, or one of them.
    #[must_use]
    pub fn between(self, low: impl Into<Operand>, high: impl Into<Operand>) -> NewCondition {
        self.listed("between", [low.into(), high.into()])
    }

    /// The text has this text in it; the list has this item.
    #[must_use]
    pub fn contains(self, value: impl Into<Operand>) -> NewCondition {
        self.compared("contains", value.into().0)
    }

    /// The text does not have this text in it; the list does not have this item.
    #[must_use]
    pub fn not_contains(self, value: impl Into<Operand>) -> NewCondition {
        self.compared("not_contains", value.into().0)
    }

    /// The text begins so.
    #[must_use]
    pub fn starts_with(self, beginning: &str) -> NewCondition {
        self.compared("starts_with", text(beginning))
    }

    /// The text ends so.
    #[must_use]
    pub fn ends_with(self, end: &str) -> NewCondition {
        self.compared("ends_with", text(end))
    }

    /// The expression, in Go's syntax, matches somewhere in the text.
    #[must_use]
    pub fn regex(self, expression: &str) -> NewCondition {
        self.compared("regex", text(expression))
    }

    /// The call says the field.
    #[must_use]
    pub fn exists(self) -> NewCondition {
        self.compared("exists", plain("true"))
    }

    /// The call does not say the field.
    #[must_use]
    pub fn is_missing(self) -> NewCondition {
        self.compared("exists", plain("false"))
    }

    /// The value is `true`.
    #[must_use]
    pub fn is_true(self) -> NewCondition {
        self.compared("is_true", plain("true"))
    }

    /// The value is `false`.
    #[must_use]
    pub fn is_false(self) -> NewCondition {
        self.compared("is_false", plain("true"))
    }

    /// The function of that name, see [`RuleSetBuilder::functions`], says `true` of the value.
    #[must_use]
    pub fn satisfies(self, function: &str) -> NewCondition {
        self.compared("function", text(function))
    }
}

/// What is said of a rule as of a set of them: who approves what it holds, and whatever else has a key.
macro_rules! said_by_key {
    () => {
        /// Who may approve what is held: ids of users and `@role`s.
        #[must_use]
        pub fn approvers(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
            self.with("approvers", node(Kind::List(names.into_iter().map(text).collect())))
        }

        /// Whether the one who asks may not approve it.
        #[must_use]
        pub fn four_eyes(self, four_eyes: bool) -> Self {
            self.with("four_eyes", plain(four_eyes.to_string()))
        }

        /// How many different people have to approve it.
        #[must_use]
        pub fn approvals(self, approvals: u32) -> Self {
            self.with("approvals", plain(approvals.to_string()))
        }

        /// What is said again replaces what was said before.
        fn with(mut self, key: &str, value: Arc<Node>) -> Self {
            self.entries.retain(|entry| entry.key != key);
            self.entries.push(entry(key, value));
            self
        }
    };
}

/// A rule that is being built.
#[derive(Debug, Clone)]
pub struct NewRule {
    entries: Vec<Entry>,
    actions: Vec<RuleAction>,
    when: NewCondition,
}

impl NewRule {
    /// A rule; it needs an action.
    pub fn new(id: impl Into<String>, when: NewCondition) -> Self {
        Self { entries: vec![entry("id", text(id))], actions: Vec::new(), when }
    }

    /// What people call it.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with("name", text(name))
    }

    /// Why it is there; told with what it does.
    #[must_use]
    pub fn description(self, description: impl Into<String>) -> Self {
        self.with("description", text(description))
    }

    /// Rules of a higher priority are asked first; 0 without one.
    #[must_use]
    pub fn priority(self, priority: i64) -> Self {
        self.with("priority", plain(priority.to_string()))
    }

    /// Whether it is asked at all.
    #[must_use]
    pub fn enabled(self, enabled: bool) -> Self {
        self.with("enabled", plain(enabled.to_string()))
    }

    /// What it does to a call for which its condition holds; may be called again for a further action.
    #[must_use]
    pub fn action(mut self, action: RuleAction) -> Self {
        self.actions.push(action);
        self
    }

    said_by_key!();

    /// Something else to be told with the decision.
    #[must_use]
    pub fn metadata(self, metadata: &serde_json::Map<String, Value>) -> Self {
        self.with("metadata", from_json(&Value::Object(metadata.clone())))
    }

    fn node(self) -> Arc<Node> {
        let mut entries = self.entries;
        entries.push(entry("when", self.when.0));
        match self.actions.as_slice() {
            [] => {}
            [action] => entries.push(entry("action", text(action.as_str()))),
            actions => {
                let words = actions.iter().map(|action| text(action.as_str())).collect();
                entries.push(entry("actions", node(Kind::List(words))));
            }
        }
        map(entries)
    }
}

/// A set of rules that is being built.
#[derive(Debug, Clone)]
pub struct RuleSetBuilder {
    entries: Vec<Entry>,
    rules: Vec<Arc<Node>>,
}

impl RuleSetBuilder {
    pub(super) fn new(id: String) -> Self {
        Self { entries: vec![entry("id", text(id))], rules: Vec::new() }
    }

    /// What the rules are for.
    #[must_use]
    pub fn description(self, description: impl Into<String>) -> Self {
        self.with("description", text(description))
    }

    /// What happens to a call that no rule allows or stops; it runs without this.
    #[must_use]
    pub fn otherwise(self, otherwise: Otherwise) -> Self {
        self.with("otherwise", text(otherwise.as_str()))
    }

    /// Functions of your own, in Rego, each of one argument: see [`Field::satisfies`].
    #[must_use]
    pub fn functions(self, rego: impl Into<String>) -> Self {
        self.with("functions", text(rego))
    }

    said_by_key!();

    /// One rule more.
    #[must_use]
    pub fn rule(mut self, rule: NewRule) -> Self {
        self.rules.push(rule.node());
        self
    }

    /// The rules, checked as those of a file are. Lines in messages, traces and warnings are those of
    /// [`RuleSet::to_yaml`].
    ///
    /// # Errors
    /// All problems at once, with the lines of the YAML that the rules make.
    pub fn build(self) -> Result<RuleSet, Problems> {
        let mut entries = self.entries;
        entries.push(entry("rules", node(Kind::List(self.rules))));
        let mut yaml = String::new();
        write_yaml(&map(entries), 0, &mut yaml);
        RuleSet::parse("rules.yaml", &yaml)
    }
}
