//! Calls written down: the rows of a decision table and the steps of a demonstration.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use guard_core::Amount;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::file::{self, LoadError, LoadOptions};
use crate::problem::{Place, Problem, ProblemCode, Problems};
use crate::read::{Fields, document, values};
use crate::schema;
use crate::yaml::{Entry, Kind, Node, Resolved};

/// What a call says about itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    /// The policy that is asked.
    pub policy: String,
    /// The function about to run.
    pub function: String,
    /// What is done; empty where the call does not say.
    pub operation: String,
    /// To what; empty where the call does not say.
    pub resource: String,
    /// What kind of thing the resource is.
    pub resource_type: Option<String>,
    /// The model that is called.
    pub model: Option<String>,
    /// The feature that is used.
    pub feature: Option<String>,
    /// The session that it belongs to, and when that began in nanoseconds since 1970-01-01T00:00:00 UTC.
    pub session: Option<(String, i64)>,
    /// Who is calling.
    pub user: Option<String>,
    /// The roles that the user has.
    pub roles: Vec<String>,
    /// What the call costs in dollars, as it was written.
    pub cost: Option<String>,
    /// How many tokens it takes.
    pub tokens: Option<u64>,
    /// Whether a person has confirmed it.
    pub confirm: bool,
    /// What else it says, its arguments among that.
    pub context: Map<String, Value>,
}

impl Call {
    /// The policy's input at a moment, in nanoseconds since 1970-01-01T00:00:00 UTC.
    pub fn input(&self, time_ns: i64) -> Value {
        let mut input = json!({
            "policy_id": self.policy,
            "function": self.function,
            "operation": self.operation,
            "resource": self.resource,
            "confirmed": self.confirm,
            "context": self.context,
            "metadata": {},
            "time_ns": time_ns,
        });
        let cost = self.cost.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let optional = [
            ("resource_type", self.resource_type.clone().map(Value::from)),
            ("model", self.model.clone().map(Value::from)),
            ("feature", self.feature.clone().map(Value::from)),
            ("session", self.session.as_ref().map(|(id, started)| json!({"id": id, "started_ns": started}))),
            ("user", self.user.as_ref().map(|id| json!({"id": id, "roles": self.roles}))),
            ("cost", cost),
            ("tokens", self.tokens.map(Value::from)),
        ];
        if let Some(members) = input.as_object_mut() {
            members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            count_cost(members);
        }
        input
    }
}

/// Gives an input with a cost the micro-dollars that the Guardian tells beside it.
pub(crate) fn count_cost(input: &mut Map<String, Value>) {
    let cost = input.get("cost").filter(|cost| cost.is_number());
    let cost = cost.and_then(|cost| cost.to_string().parse::<Amount>().ok());
    if let Some(micros) = cost.and_then(Amount::micro_dollars) {
        input.insert("cost_micros".to_owned(), micros.into());
    }
}

/// A run of calls, such as the demonstration's.
#[derive(Debug, Clone)]
pub struct Script {
    clock_ns: i64,
    steps: Vec<Step>,
}

/// One call of a script.
#[derive(Debug, Clone)]
pub struct Step {
    /// Nanoseconds from the script's clock.
    pub after_ns: i64,
    /// What the reader is to see in it.
    pub note: Option<String>,
    /// The action that the policies are to take, where the script says so.
    pub expect: Option<String>,
    /// The call.
    pub call: Call,
}

impl Script {
    /// Reads a script's file.
    ///
    /// # Errors
    /// As [`load`](crate::load).
    pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let text = file::read_text(path, options)?;
        Ok(Self::parse(&path.display().to_string(), &text)?)
    }

    /// Reads a script: `clock`, the moment it begins, and `calls`, each with `after`, the time from there.
    ///
    /// # Errors
    /// All problems of the text at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        document(file, text, |root, problems| {
            let fields = Fields::of(root, "the file", schema::SCRIPT, problems)?;
            let clock_ns = moment(fields.get("clock"), problems);
            let mut steps = Vec::new();
            for item in items(fields.get("calls"), problems) {
                let Some(fields) = Fields::of(item, "a call", schema::STEP, problems) else { continue };
                let after = fields.get("after").map(|entry| span(entry, problems));
                let note = fields.get("note").and_then(|entry| values::text(entry, problems));
                let expect = fields.get("expect").and_then(|entry| values::text(entry, problems));
                steps.push(Step {
                    after_ns: after.flatten().unwrap_or_default(),
                    note: note.map(str::to_owned),
                    expect: expect.map(str::to_owned),
                    call: read_call(&fields, problems),
                });
            }
            Some(Self { clock_ns: clock_ns.unwrap_or_default(), steps })
        })
    }

    /// The moment it begins, in nanoseconds since 1970-01-01T00:00:00 UTC.
    pub const fn clock_ns(&self) -> i64 {
        self.clock_ns
    }

    /// The calls, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

/// The items of the list at `entry`; that there is one is required.
pub(crate) fn items<'a>(entry: Option<&'a Entry>, problems: &mut Vec<Problem>) -> &'a [Arc<Node>] {
    match entry.map(|entry| (&entry.value.kind, entry)) {
        Some((Kind::List(items), _)) => items,
        Some((_, entry)) => {
            problems.push(entry.value.wrong_type(&format!("`{}`", entry.key), "a list"));
            &[]
        }
        None => {
            problems.push(Problem::new(ProblemCode::Missing, Place::START, "the file has no list of cases"));
            &[]
        }
    }
}

/// A moment as RFC 3339 writes it.
pub(crate) fn moment(entry: Option<&Entry>, problems: &mut Vec<Problem>) -> Option<i64> {
    let entry = entry?;
    let text = values::text(entry, problems)?;
    let read = Timestamp::from_str(text).ok().and_then(|time| i64::try_from(time.as_nanosecond()).ok());
    if read.is_none() {
        let message = format!("`{}` takes a moment such as `2026-03-02T09:00:00Z`", entry.key);
        problems.push(Problem::new(ProblemCode::BadValue, entry.value.place, message));
    }
    read
}

/// A length of time such as `90s` or `8h 30m`.
fn span(entry: &Entry, problems: &mut Vec<Problem>) -> Option<i64> {
    let text = values::text(entry, problems)?;
    let read = SignedDuration::from_str(text).ok().and_then(|span| i64::try_from(span.as_nanos()).ok());
    if read.is_none() {
        let message = format!("`{}` takes a length of time such as `90s` or `8h 30m`", entry.key);
        problems.push(Problem::new(ProblemCode::BadValue, entry.value.place, message));
    }
    read
}

/// The keys of [`schema::CALL`].
pub(crate) fn read_call(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Call {
    let mut text = |key: &str| fields.get(key).and_then(|e| values::text(e, problems)).map(str::to_owned);
    let mut call = Call {
        policy: text("policy").unwrap_or_default(),
        function: text("function").unwrap_or_default(),
        operation: text("operation").unwrap_or_default(),
        resource: text("resource").unwrap_or_default(),
        resource_type: text("resource_type"),
        model: text("model"),
        feature: text("feature"),
        user: text("user"),
        ..Call::default()
    };
    let session = text("session");
    let started = moment(fields.get("started"), problems).unwrap_or_default();
    call.session = session.map(|id| (id, started));
    call.context = fields
        .get("context")
        .and_then(|entry| match to_value(&entry.value) {
            Value::Object(members) => Some(members),
            _ => {
                problems.push(entry.value.wrong_type("`context`", "a mapping of names to values"));
                None
            }
        })
        .unwrap_or_default();
    call.roles = fields.get("roles").map(|e| values::names(e, problems)).unwrap_or_default();
    call.cost = fields
        .get("cost")
        .and_then(|e| values::number(e, "a number of dollars", problems))
        .map(str::to_owned);
    call.tokens = fields.get("tokens").and_then(|e| values::count(e, "tokens", problems));
    call.confirm = fields.get("confirm").and_then(|e| values::boolean(e, problems)).unwrap_or(false);
    call
}

/// A tree as a JSON value.
pub(crate) fn to_value(node: &Node) -> Value {
    match &node.kind {
        Kind::List(items) => items.iter().map(|item| to_value(item)).collect(),
        Kind::Map(entries) => {
            let members: Map<String, Value> =
                entries.iter().map(|entry| (entry.key.clone(), to_value(&entry.value))).collect();
            Value::Object(members)
        }
        Kind::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => value.into(),
            Resolved::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            Resolved::Text(text) => text.into(),
        },
    }
}
