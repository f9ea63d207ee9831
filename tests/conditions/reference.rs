//! What rules with conditions mean, said a second time: a plain interpreter, and random rules and calls for it.

use serde_json::{Map, Value, json};
use test_support::Random;

/// What a condition answers, as the tables of `guard_policy` have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Held,
    NotHeld,
    Missing,
    Error,
}

enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test { field: &'static str, operator: &'static str, expected: Value },
}

struct Rule {
    id: String,
    priority: i64,
    enabled: bool,
    actions: Vec<&'static str>,
    when: Condition,
}

/// A set of rules.
pub(crate) struct Set {
    pub(crate) id: String,
    otherwise: &'static str,
    rules: Vec<Rule>,
}

/// What is to come out.
pub(crate) struct Expected {
    pub(crate) action: &'static str,
    pub(crate) rule: Option<String>,
    /// What each rule answers, in the order in which they are asked.
    pub(crate) answers: Vec<(String, Answer)>,
}

const FIELDS: &[&str] = &[
    "operation",
    "user.roles",
    "user.roles[0]",
    "context.a",
    "context.b",
    "context.b[1]",
    "context.a.n",
    "context.in-x",
];

const FUNCTIONS: &str = "long(value) := count(value) > 1\n";

const ACTIONS: &[&[&str]] = &[
    &["block"],
    &["allow"],
    &["warn"],
    &["require_confirmation"],
    &["require_confirmation", "warn"],
    &["warn", "allow"],
    &["require_confirmation", "allow"],
];

fn scalar(random: &mut Random) -> Value {
    random
        .pick(&[
            json!("a"),
            json!("ab"),
            json!(""),
            json!("5"),
            json!(5),
            json!(-1.5),
            json!(5.0),
            json!(true),
        ])
        .clone()
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(false),
        2..6 => scalar(random),
        6 => (0..random.below(3)).map(|_| value(random, depth - 1)).collect(),
        7 => (0..random.below(3)).map(|_| scalar(random)).collect(),
        _ => json!({"n": value(random, depth - 1)}),
    }
}

/// A random call. What a call need not say is often not there.
pub(crate) fn call(random: &mut Random) -> Value {
    let mut context = Map::new();
    for name in ["a", "b", "in-x"] {
        if !random.one_in(3) {
            context.insert(name.to_owned(), value(random, 2));
        }
    }
    let mut call = json!({
        "operation": random.text(&["", "a", "ab", "delete"]), "context": context, "metadata": {}, "time_ns": 1,
        "confirmed": random.one_in(2),
    });
    if random.one_in(2) {
        call["user"] =
            json!({"id": "ann", "roles": random.pick(&[json!([]), json!(["a"]), json!(["ab", "a"])])});
    }
    call
}

impl Condition {
    fn random(random: &mut Random, depth: usize) -> Self {
        let parts =
            |random: &mut Random| (0..1 + random.below(3)).map(|_| Self::random(random, depth - 1)).collect();
        match random.below(if depth == 0 { 1 } else { 5 }) {
            2 => Self::All(parts(random)),
            3 => Self::Any(parts(random)),
            4 => Self::Not(Box::new(Self::random(random, depth - 1))),
            _ => Self::test(random),
        }
    }

    fn test(random: &mut Random) -> Self {
        // What is known not to fit is refused when it is read: fields of known types are compared with texts.
        let (field, free) = match random.below(FIELDS.len()) {
            at @ (0 | 2) => (FIELDS[at], false),
            1 => {
                let operator = random.text(&["contains", "not_contains", "exists"]);
                let expected = if operator == "exists" { json!(true) } else { json!("a") };
                return Self::Test { field: FIELDS[1], operator, expected };
            }
            at => (FIELDS[at], true),
        };
        let texts = [
            "equals",
            "not_equals",
            "in",
            "not_in",
            "contains",
            "starts_with",
            "ends_with",
            "regex",
            "exists",
        ];
        let others = ["gt", "gte", "lt", "lte", "between", "not_contains", "is_true", "is_false", "function"];
        let operator = if free && random.one_in(2) { random.text(&others) } else { random.text(&texts) };
        let text = |random: &mut Random| random.pick(&[json!("a"), json!("b"), json!("ab")]).clone();
        let expected = match operator {
            "in" | "not_in" if free && random.one_in(2) => {
                random.pick(&[json!([5, -1.5]), json!([true])]).clone()
            }
            "in" | "not_in" => random.pick(&[json!(["a", "5"]), json!(["", "ab", "delete"])]).clone(),
            "gt" | "gte" | "lt" | "lte" => random.pick(&[json!(5), json!(-1.5), json!(4.75)]).clone(),
            "between" => random.pick(&[json!([-1.5, 5]), json!([5, 5]), json!([0, 4])]).clone(),
            "starts_with" | "ends_with" => text(random),
            "regex" => random.pick(&[json!("^a"), json!("b$"), json!("b")]).clone(),
            "exists" => random.one_in(2).into(),
            "is_true" | "is_false" => true.into(),
            "function" => "long".into(),
            _ if free => scalar(random),
            _ => text(random),
        };
        Self::Test { field, operator, expected }
    }

    fn to_json(&self) -> Value {
        let list = |parts: &[Self]| parts.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::All(parts) => json!({"all": list(parts)}),
            Self::Any(parts) => json!({"any": list(parts)}),
            Self::Not(part) => json!({"not": part.to_json()}),
            Self::Test { field, operator, expected } => json!({"field": field, *operator: expected}),
        }
    }

    fn answer(&self, call: &Value) -> Answer {
        match self {
            Self::All(parts) => {
                settled(parts.iter().map(|part| part.answer(call)), Answer::NotHeld, Answer::Held)
            }
            Self::Any(parts) => {
                settled(parts.iter().map(|part| part.answer(call)), Answer::Held, Answer::NotHeld)
            }
            Self::Not(part) => opposite(part.answer(call)),
            Self::Test { field, operator, expected } => compare(field, operator, expected, call),
        }
    }
}

/// One answer that settles it, else the worst that is in the way, else the other one.
fn settled(answers: impl Iterator<Item = Answer>, settles: Answer, else_: Answer) -> Answer {
    let answers: Vec<Answer> = answers.collect();
    let first = [settles, Answer::Error, Answer::Missing].into_iter().find(|answer| answers.contains(answer));
    first.unwrap_or(else_)
}

fn opposite(answer: Answer) -> Answer {
    match answer {
        Answer::Held => Answer::NotHeld,
        Answer::NotHeld => Answer::Held,
        none => none,
    }
}

fn held(held: bool) -> Answer {
    if held { Answer::Held } else { Answer::NotHeld }
}

fn found<'c>(field: &str, call: &'c Value) -> Option<&'c Value> {
    let steps = field.replace('[', ".[");
    let mut value = call;
    for step in steps.split('.') {
        value = match step.strip_prefix('[') {
            Some(index) => value.as_array()?.get(index.trim_end_matches(']').parse::<usize>().ok()?)?,
            None => value.as_object()?.get(step)?,
        };
    }
    let unsaid = value.is_null() || (field == "operation" && value == "");
    (!unsaid).then_some(value)
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn compare(field: &str, operator: &str, expected: &Value, call: &Value) -> Answer {
    let value = found(field, call);
    if operator == "exists" {
        return held(value.is_some() == (expected == true));
    }
    let Some(value) = value else { return Answer::Missing };
    let number = |compared: fn(f64, f64) -> bool| match value {
        Value::Number(_) => held(compared(value.as_f64().unwrap(), expected.as_f64().unwrap())),
        _ => Answer::Error,
    };
    let text = |compared: fn(&str, &str) -> bool| match value {
        Value::String(value) => held(compared(value, expected.as_str().unwrap())),
        _ => Answer::Error,
    };
    match operator {
        "equals" if kind(value) == kind(expected) => held(same(value, expected)),
        "not_equals" | "not_in" | "not_contains" | "is_false" => {
            let positive = match operator {
                "not_equals" => "equals",
                "not_in" => "in",
                "not_contains" => "contains",
                _ => "is_true",
            };
            opposite(compare(field, positive, expected, call))
        }
        "in" if kind(value) == kind(&expected[0]) => {
            held(expected.as_array().unwrap().iter().any(|item| same(value, item)))
        }
        "gt" => number(|value, bound| value > bound),
        "gte" => number(|value, bound| value >= bound),
        "lt" => number(|value, bound| value < bound),
        "lte" => number(|value, bound| value <= bound),
        "between" => match value.as_f64() {
            Some(value) => {
                held(value >= expected[0].as_f64().unwrap() && value <= expected[1].as_f64().unwrap())
            }
            None => Answer::Error,
        },
        "contains" => match (value, expected) {
            (Value::String(value), Value::String(part)) => held(value.contains(part.as_str())),
            (Value::Array(items), _) if items.iter().all(|item| kind(item) == kind(expected)) => {
                held(items.iter().any(|item| same(item, expected)))
            }
            _ => Answer::Error,
        },
        "starts_with" => text(|value, part| value.starts_with(part)),
        "ends_with" => text(|value, part| value.ends_with(part)),
        "regex" => text(|value, pattern| match pattern {
            "^a" => value.starts_with('a'),
            "b$" => value.ends_with('b'),
            part => value.contains(part),
        }),
        "is_true" => value.as_bool().map_or(Answer::Error, held),
        "function" => match value {
            Value::String(text) => held(text.chars().count() > 1),
            Value::Array(items) => held(items.len() > 1),
            Value::Object(members) => held(members.len() > 1),
            _ => Answer::Error,
        },
        _ => Answer::Error,
    }
}

impl Set {
    pub(crate) fn random(id: &str, random: &mut Random) -> Self {
        let rule = |number: usize, random: &mut Random| Rule {
            // Ids that become the same name in Rego unless care is taken.
            id: format!("{}{number}", random.text(&["r-", "r_", "r."])),
            priority: i64::try_from(random.below(4)).unwrap() - 1,
            enabled: !random.one_in(6),
            actions: random.pick(ACTIONS).to_vec(),
            when: Condition::random(random, 3),
        };
        let rules = (0..1 + random.below(6)).map(|number| rule(number, random)).collect();
        Self { id: id.to_owned(), otherwise: random.text(&["allow", "block"]), rules }
    }

    pub(crate) fn to_json(&self) -> Value {
        let rules = self.rules.iter().map(|rule| {
            json!({
                "id": rule.id, "priority": rule.priority, "enabled": rule.enabled, "actions": rule.actions,
                "when": rule.when.to_json(),
            })
        });
        let rules: Vec<Value> = rules.collect();
        json!({"id": self.id, "otherwise": self.otherwise, "functions": FUNCTIONS, "rules": rules})
    }
}

/// What a set of rules decides about a call.
pub(crate) fn decide(set: &Set, call: &Value) -> Expected {
    let mut rules: Vec<&Rule> = set.rules.iter().filter(|rule| rule.enabled).collect();
    rules.sort_by_key(|rule| -rule.priority);
    let answers: Vec<(String, Answer)> =
        rules.iter().map(|rule| (rule.id.clone(), rule.when.answer(call))).collect();
    let mut warned: Option<String> = None;
    for (rule, (id, answer)) in rules.iter().zip(&answers) {
        let does = |action: &str| rule.actions.contains(&action);
        let ends = match answer {
            Answer::NotHeld => continue,
            Answer::Missing | Answer::Error => Some("block"),
            Answer::Held if does("block") => Some("block"),
            Answer::Held if does("require_confirmation") && call["confirmed"] != true => {
                Some("require_confirmation")
            }
            Answer::Held => {
                if does("warn") && warned.is_none() {
                    warned = Some(id.clone());
                }
                does("allow").then_some("allow")
            }
        };
        match ends {
            None => {}
            Some("allow") if warned.is_some() => return Expected { action: "warn", rule: warned, answers },
            Some(action) => {
                let rule = Some(id.clone());
                return Expected { action, rule, answers };
            }
        }
    }
    if set.otherwise == "block" {
        return Expected { action: "block", rule: None, answers };
    }
    match warned {
        Some(rule) => Expected { action: "warn", rule: Some(rule), answers },
        None => Expected { action: "allow", rule: None, answers },
    }
}
