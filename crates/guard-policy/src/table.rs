//! Decision tables: what a policy is to say about a call, at a moment, in a state.
//!
//! A pack's `table.yaml` has a `clock`, for rows that name no moment of their own, and `rows`:
//!
//! ```yaml
//! clock: 2026-03-02T10:00:00Z
//! rows:
//!   - row: what a reader is to see in it
//!     at: 2026-03-02T18:00:00Z
//!     call: {policy: api_budget, resource: openai, cost: 0.50}
//!     state: {api_budget.rule_1.monthly_budget: {2026-03: 7500000}}
//!     expect:
//!       action: warn
//!       reason: 80% of the monthly budget of $10.00 is used
//!       charges: [{limit: api_budget.rule_1.monthly_budget, window: 2026-03, amount: 500000}]
//!     after: {api_budget.rule_1.monthly_budget: {2026-03: 8000000}}
//! ```
//!
//! `state` says for a limit what each window holds, as a number or by replica; a limit that is counted by
//! session is written `<limit>@<session>`. What `expect` says has to be so, member for member; `charges` is
//! complete, and without it there are none. `after` is the state once the call has run, or has been denied.
//! `refused: true` says that the store refuses what the policy allows: a sliding window or a bucket is full.
//! Any engine can run a table: it evaluates `guardrails/evaluate` with [`Row::input`] and [`Row::data`] and
//! shows the result to [`Row::check`]; a store is to hold [`Row::after`] in the end.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::call::{count_cost, items, moment, read_call, to_value};
use crate::model::PolicyFile;
use crate::problem::{Problem, ProblemCode, Problems};
use crate::read::{Fields, document, values};
use crate::schema;

/// A decision table.
#[derive(Debug, Clone)]
pub struct Table {
    rows: Vec<Row>,
}

/// One row of a decision table.
#[derive(Debug, Clone)]
pub struct Row {
    name: String,
    line: usize,
    input: Value,
    data: Value,
    expected: Value,
    after: Option<Value>,
    refused: bool,
}

/// What each window holds, all replicas together: by limit, key and window.
pub type Totals = BTreeMap<(String, String, String), i64>;

impl Table {
    /// Reads a table; `file` names it in messages.
    ///
    /// # Errors
    /// All problems of the text at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        document(file, text, |root, problems| {
            let fields = Fields::of(root, "the file", schema::TABLE, problems)?;
            let clock = moment(fields.get("clock"), problems);
            let rows = items(fields.get("rows"), problems).iter().filter_map(|item| {
                let fields = Fields::of(item, "a row", schema::ROW, problems)?;
                row(&fields, item.place.line, clock, problems)
            });
            Some(Self { rows: rows.collect() })
        })
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

fn row(fields: &Fields<'_>, line: usize, clock: Option<i64>, problems: &mut Vec<Problem>) -> Option<Row> {
    let name = fields.get("row").and_then(|entry| values::text(entry, problems)).unwrap_or_default();
    let at = moment(fields.get("at"), problems).or(clock).unwrap_or_default();
    let call = fields.get("call").and_then(|entry| {
        let fields = Fields::of(&entry.value, "a call", schema::CALL, problems)?;
        Some(read_call(&fields, problems))
    });
    let given = |key: &str| fields.get(key).map(|entry| to_value(&entry.value));
    let state = given("state").unwrap_or_else(|| json!({}));
    let expected = given("expect");
    let place = crate::problem::Place { line, column: 1 };
    if expected.as_ref().is_none_or(|expected| !expected["action"].is_string()) {
        problems.push(Problem::new(ProblemCode::Missing, place, "the row expects no `action`"));
    }
    Some(Row {
        name: name.to_owned(),
        line,
        input: call?.input(at),
        data: json!({"hexarch": {"state": cells(&state)}}),
        expected: expected?,
        after: given("after").map(|state| cells(&state)),
        refused: fields.get("refused").and_then(|entry| values::boolean(entry, problems)).unwrap_or(false),
    })
}

/// `limit: {window: used}` as the cells of a key and, where the row names none, one replica.
fn cells(state: &Value) -> Value {
    let mut limits: Map<String, Value> = Map::new();
    for (name, windows) in state.as_object().into_iter().flatten() {
        let (limit, key) = name.split_once('@').unwrap_or((name, "all"));
        let members = windows.as_object().into_iter().flatten().map(|(window, used)| {
            let replicas = if used.is_object() { used.clone() } else { json!({"table": used}) };
            (window.clone(), replicas)
        });
        let windows = Value::Object(members.collect());
        match limits.get_mut(limit).and_then(Value::as_object_mut) {
            Some(keys) => {
                keys.insert(key.to_owned(), windows);
            }
            None => {
                limits.insert(limit.to_owned(), json!({key: windows}));
            }
        }
    }
    Value::Object(limits)
}

/// The sum of each cell; a cell with something that is no whole number in it is left out.
fn totals(state: &Value) -> Totals {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut totals = Totals::new();
    for (limit, keys) in members(state) {
        for (key, windows) in members(&keys) {
            for (window, replicas) in members(&windows) {
                let sum = members(&replicas).values().map(Value::as_i64).sum::<Option<i64>>();
                if let Some(sum) = sum {
                    totals.insert((limit.clone(), key.clone(), window), sum);
                }
            }
        }
    }
    totals
}

impl Row {
    /// What a reader is to see in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line it begins on, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The policy's input.
    pub const fn input(&self) -> &Value {
        &self.input
    }

    /// The input that the Guardian sends: with the cost that the file's prices give to a call without one, or that they
    /// give none.
    pub fn priced_input(&self, file: &PolicyFile) -> Value {
        let mut input = self.input.clone();
        let member = |name: &str| self.input.get(name);
        if let (None | Some(Value::Null), Some(prices)) = (member("cost"), file.settings().prices())
            && let Some(model) = member("model").and_then(Value::as_str)
            && let Some(tokens) = member("tokens").and_then(Value::as_u64)
            && let Some(members) = input.as_object_mut()
        {
            let cost = prices.dollars(model, tokens).and_then(|text| serde_json::from_str(&text).ok());
            match cost {
                Some(cost) => members.insert("cost".to_owned(), cost),
                None => members.insert("unpriced".to_owned(), prices.to_string().into()),
            };
            count_cost(members);
        }
        input
    }

    /// The data document, with the state before the call.
    pub const fn data(&self) -> &Value {
        &self.data
    }

    /// What the state holds before the call.
    pub fn before(&self) -> Totals {
        totals(self.data.pointer("/hexarch/state").unwrap_or(&Value::Null))
    }

    /// What it holds once the call has run, or has been denied, under this decision.
    pub fn after(&self, decision: &Value) -> Totals {
        let mut after = self.before();
        let runs = decision["allowed"] == true && !self.refused;
        let charges = decision.get("charges").and_then(Value::as_array).filter(|_| runs);
        // What a running call occupies is free again once it has run.
        let kept = |charge: &&Value| charge["kind"] != "concurrency";
        for charge in charges.into_iter().flatten().filter(kept) {
            let text = |name: &str| charge[name].as_str().unwrap_or_default().to_owned();
            let amount = charge["amount"].as_i64().unwrap_or_default();
            *after.entry((text("limit"), text("key"), text("window"))).or_default() += amount;
        }
        after
    }

    /// Whether the store refuses what the policy allows.
    pub const fn refused(&self) -> bool {
        self.refused
    }

    /// Compares a decision, and the state after it, with what the row expects.
    ///
    /// # Errors
    /// What differs, for a person.
    pub fn check(&self, decision: &Value) -> Result<(), String> {
        if let Some(expected) = self.after.as_ref().map(totals) {
            let after = self.after(decision);
            if let Some(((limit, key, window), value)) =
                expected.iter().find(|(cell, value)| after.get(*cell) != Some(*value))
            {
                let found = after.get(&(limit.clone(), key.clone(), window.clone()));
                return Err(format!("{limit}@{key} {window} holds {found:?} afterwards, expected {value}"));
            }
        }
        self.check_decision(decision)
    }

    fn check_decision(&self, decision: &Value) -> Result<(), String> {
        let mut expected = self.expected.clone();
        if let Some(members) = expected.as_object_mut() {
            let runs = matches!(members.get("action").and_then(Value::as_str), Some("allow" | "warn"));
            members.insert("allowed".to_owned(), runs.into());
            members.entry("charges").or_insert_with(|| json!([]));
        }
        let mut actual = decision.clone();
        if let Some(members) = actual.as_object_mut() {
            members.entry("charges").or_insert_with(|| json!([]));
        }
        match difference("decision", &expected, &actual) {
            None => Ok(()),
            Some(difference) => Err(format!("{difference}; the decision is {decision}")),
        }
    }
}

/// The first place where `actual` does not have what `expected` asks for. Objects may have more members;
/// lists are as long as they are expected to be.
fn difference(path: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected.iter().find_map(|(name, value)| {
            difference(&format!("{path}.{name}"), value, actual.get(name).unwrap_or(&Value::Null))
        }),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            expected.iter().zip(actual).enumerate().find_map(|(index, (expected, actual))| {
                difference(&format!("{path}[{index}]"), expected, actual)
            })
        }
        _ if expected == actual => None,
        _ => Some(format!("{path} is {actual}, expected {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "
clock: 2026-03-02T10:00:00Z
rows:
  - row: first
    call: {policy: p, resource: openai, cost: 0.5, user: ann, roles: [admin]}
    state: {p.rule_1.monthly_budget: {2026-03: 7, 2026-02: {a: 1, b: 2}}}
    expect: {action: warn, charges: [{limit: l, amount: 5}]}
  - row: second
    at: 2026-03-02T10:00:01Z
    call: {policy: p, confirm: true}
    expect: {action: block, reason: no}
";

    #[test]
    fn rows_become_inputs_and_data() {
        let table = Table::parse("table.yaml", TABLE).unwrap();
        let [first, second] = table.rows() else { panic!("two rows") };
        assert_eq!(first.input()["cost"], json!(0.5));
        assert_eq!(first.input()["user"], json!({"id": "ann", "roles": ["admin"]}));
        assert_eq!(first.input()["time_ns"], json!(1_772_445_600_000_000_000_i64));
        assert_eq!(
            first.data()["hexarch"]["state"]["p.rule_1.monthly_budget"],
            json!({"all": {"2026-03": {"table": 7}, "2026-02": {"a": 1, "b": 2}}})
        );
        assert_eq!(second.input()["time_ns"], json!(1_772_445_601_000_000_000_i64));
        assert_eq!(second.input()["confirmed"], json!(true));
    }

    #[test]
    fn a_decision_has_to_be_what_is_expected() {
        let table = Table::parse("table.yaml", TABLE).unwrap();
        let [first, second] = table.rows() else { panic!("two rows") };
        let charge = json!({"limit": "l", "amount": 5, "max": 9});
        first.check(&json!({"allowed": true, "action": "warn", "reason": "r", "charges": [charge]})).unwrap();
        for wrong in [
            json!({"allowed": true, "action": "warn"}),
            json!({"allowed": false, "action": "warn", "charges": [charge]}),
            json!({"allowed": true, "action": "warn", "charges": [charge, charge]}),
            json!(null),
        ] {
            assert!(first.check(&wrong).is_err(), "{wrong}");
        }
        second.check(&json!({"allowed": false, "action": "block", "reason": "no"})).unwrap();
        let told = second.check(&json!({"allowed": false, "action": "block", "reason": "yes"})).unwrap_err();
        assert!(told.starts_with("decision.reason is \"yes\", expected \"no\""), "{told}");
    }

    #[test]
    fn problems_have_places() {
        let problems = Table::parse("t", "rows:\n  - call: {plicy: p}\n    expect: {}\n").unwrap_err();
        let told: Vec<String> =
            problems.iter().map(|p| format!("{}:{} {}", p.place.line, p.place.column, p.message)).collect();
        assert_eq!(told, ["2:1 the row expects no `action`", "2:12 a call has no key `plicy`"]);
    }
}
