//! Why a rule may refer to another: the reference that does if a variable has the right value, and what is known
//! of that variable.

use std::collections::{BTreeMap, HashMap};

use rego_syntax::ast::{Name, Ref, Rule, Term, Value};

use crate::text;
use crate::types::Type;
use crate::types::is_constant;
use crate::vars::VarSet;

/// How many conditions a description spells out.
const MAX_CONDITIONS: usize = 2;
/// How many members of a collection a description lists.
const MAX_MEMBERS: usize = 5;

/// A reference that selects a rule only if its variables have the right values.
#[derive(Clone, Debug)]
pub(crate) struct DynamicRef {
    /// As it is written.
    pub(crate) reference: Ref,
    /// Narrowed to what its variables can hold, where that leaves one reference.
    pub(crate) selecting: Ref,
    /// The variables that may have a value when it is evaluated.
    pub(crate) bound: VarSet,
    pub(crate) origins: BTreeMap<Name, Origin>,
}

/// Where a variable gets its value.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    Input(Ref),
    Rule(Ref),
    Collection(Value),
    Builtin(&'static str),
    HeadKey,
    Argument,
}

/// Whether a step takes every value there is: a variable that has none and occurs once.
pub(super) fn is_free(reference: &Ref, step: &Term, bound: &VarSet) -> bool {
    step.as_var().is_some_and(|name| {
        let occurrences = reference.iter().filter(|other| other.as_var() == Some(name)).count();
        !bound.contains(name) && occurrences == 1
    })
}

/// Finds where the variables of a reference get their values: from the head, or from the expressions before `at`.
pub(super) fn origins(rule: &Rule, at: usize, reference: &Ref) -> BTreeMap<Name, Origin> {
    let mut finder = Finder { rule, bindings: HashMap::new(), outputs: HashMap::new() };
    finder.read_body(at);
    let vars = reference.steps().iter().filter_map(Term::as_var);
    vars.filter_map(|name| Some((name.clone(), finder.origin(name)?))).collect()
}

struct Finder<'a> {
    rule: &'a Rule,
    bindings: HashMap<&'a Name, &'a Term>,
    outputs: HashMap<&'a Name, &'static str>,
}

impl<'a> Finder<'a> {
    fn read_body(&mut self, at: usize) {
        let plain = |expr: &&rego_syntax::ast::Expr| !expr.negated && expr.with.is_empty();
        for expr in self.rule.body.iter().take(at).filter(plain) {
            if let ([left, right], true) = (expr.operands(), expr.is_equality()) {
                for (var, value) in [(left, right), (right, left)] {
                    if let Some(name) = var.as_var() {
                        self.bindings.entry(name).or_insert(value);
                    }
                }
                continue;
            }
            let builtin =
                expr.operator().and_then(text::dotted).and_then(|name| rego_builtins::by_name(&name));
            let output = expr.operands().last().and_then(Term::as_var);
            if let (Some(builtin), Some(name)) = (builtin, output)
                && expr.operands().len() == builtin.args.len() + 1
            {
                self.outputs.insert(name, builtin.name);
            }
        }
    }

    fn origin(&self, name: &Name) -> Option<Origin> {
        let mut name = name;
        // Bindings that go round in a circle end here.
        for _ in 0..=self.rule.body.len() {
            if let Some(builtin) = self.outputs.get(name) {
                return Some(Origin::Builtin(builtin));
            }
            match self.bindings.get(name).map(|term| &term.value) {
                Some(Value::Var(next)) => name = next,
                Some(Value::Ref(reference)) => {
                    return self.origin_of_ref(reference).or_else(|| self.in_head(name));
                }
                _ => return self.in_head(name),
            }
        }
        None
    }

    fn origin_of_ref(&self, reference: &Ref) -> Option<Origin> {
        // Where values come from is shown, not the index they are read by.
        match (reference.head_var().map(Name::as_str), reference.as_slice()) {
            (Some("input"), _) => Some(Origin::Input(reference.constant_prefix())),
            (Some("data"), _) => Some(Origin::Rule(reference.constant_prefix())),
            (_, [collection, step]) if !is_constant(&step.value) => self.collection(collection),
            _ => None,
        }
    }

    fn collection(&self, term: &'a Term) -> Option<Origin> {
        let mut term = term;
        for _ in 0..=self.bindings.len() {
            match term.as_var() {
                Some(name) => term = self.bindings.get(name)?,
                None => break,
            }
        }
        let is_collection = matches!(term.value, Value::Array(_) | Value::Set(_) | Value::Object(_));
        (is_collection && is_constant(&term.value)).then(|| Origin::Collection(term.value.clone()))
    }

    fn in_head(&self, name: &Name) -> Option<Origin> {
        let head = &self.rule.head;
        let is = |term: &Term| term.as_var() == Some(name);
        if head.args.iter().any(is) {
            return Some(Origin::Argument);
        }
        let is_key = head.reference.steps().iter().chain(&head.key).any(is);
        is_key.then_some(Origin::HeadKey)
    }
}

/// Names for a description: of the rule that refers, of the one referred to, and of variables.
pub(crate) struct Shown<'a> {
    /// The rule with the reference.
    pub(crate) from: &'a str,
    /// The rule that it may select.
    pub(crate) to: &'a str,
    /// The path of that rule.
    pub(crate) path: &'a Ref,
    /// Gives a reference its names of the source.
    pub(crate) source: &'a dyn Fn(Ref) -> Ref,
}

/// A step of a reference and the value it needs.
struct Condition {
    at: usize,
    term: Term,
    value: Term,
}

impl DynamicRef {
    /// `data.a[x] refers to data.a.b if x is "b" (x comes from input.x)`. `elsewhere` says in which rule.
    pub(crate) fn describe(&self, shown: &Shown<'_>, elsewhere: bool) -> String {
        let length = self.reference.len().min(shown.path.len());
        let reference = (shown.source)(Ref(self.reference.iter().take(length).cloned().collect()));
        let place = if elsewhere { format!(" in {}", shown.from) } else { String::new() };
        let begin = format!("{}{place}", text::of_ref(&reference));
        match self.conditions(&reference, shown.path) {
            Some(conditions) if (1..=MAX_CONDITIONS).contains(&conditions.len()) => {
                let conditions: Vec<String> =
                    conditions.iter().map(|condition| self.describe_condition(condition, shown)).collect();
                format!("{begin} refers to {} if {}", shown.to, conditions.join(" and "))
            }
            _ => format!("{begin} could refer to {}", shown.to),
        }
    }

    /// Nothing where they can not all hold.
    fn conditions(&self, reference: &Ref, path: &Ref) -> Option<Vec<Condition>> {
        let mut found: Vec<Condition> = Vec::new();
        let steps = self.selecting.iter().zip(path.iter()).enumerate().skip(1);
        for (at, (step, wanted)) in steps.filter(|(_, (_, wanted))| is_constant(&wanted.value)) {
            if is_constant(&step.value) || is_free(&self.selecting, step, &self.bound) {
                continue;
            }
            let term = reference.get(at)?.clone();
            match found.iter().find(|known| known.term == term) {
                Some(known) if known.value == *wanted => {}
                Some(_) => return None,
                None => found.push(Condition { at, term, value: wanted.clone() }),
            }
        }
        found.iter().all(|condition| self.is_possible(condition)).then_some(found)
    }

    fn origin_at(&self, at: usize) -> Option<&Origin> {
        self.reference.get(at).and_then(Term::as_var).and_then(|name| self.origins.get(name))
    }

    fn is_possible(&self, condition: &Condition) -> bool {
        match self.origin_at(condition.at) {
            Some(Origin::Collection(values)) => members(values).contains(&&condition.value),
            Some(Origin::Builtin(name)) => builtin_may_return(name, &condition.value.value),
            _ => true,
        }
    }

    fn describe_condition(&self, condition: &Condition, shown: &Shown<'_>) -> String {
        let term = condition.term.to_string();
        let is = format!("{term} is {}", condition.value);
        match self.note(condition, &term, shown) {
            Some(note) => format!("{is} ({note})"),
            None => is,
        }
    }

    fn note(&self, condition: &Condition, term: &str, shown: &Shown<'_>) -> Option<String> {
        if let Some(Value::Ref(reference)) = self.reference.get(condition.at).map(|term| &term.value) {
            let is_rule = reference.head_var().is_some_and(|head| head == "data");
            return is_rule.then(|| "rule values aren't known at compile time".to_owned());
        }
        Some(match self.origin_at(condition.at)? {
            Origin::Input(path) => {
                format!("{term} comes from {}", text::of_ref(&(shown.source)(path.clone())))
            }
            Origin::Rule(path) => {
                format!(
                    "{term} comes from rule {}, whose value isn't known at compile time",
                    text::of_ref(path)
                )
            }
            Origin::Collection(values) => match members(values).len() {
                n if n > MAX_MEMBERS => format!("{term} is one of {n} values"),
                _ => format!("{term} is one of {}", values),
            },
            Origin::Builtin(name) => format!("{term} is computed by {name}"),
            Origin::HeadKey => format!("{term} is a key of {}", shown.from),
            Origin::Argument => format!("{term} is an argument of {}", shown.from),
        })
    }
}

fn members(values: &Value) -> Vec<&Term> {
    match values {
        Value::Array(items) | Value::Set(items) => items.iter().collect(),
        Value::Object(entries) => entries.iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    }
}

fn builtin_may_return(name: &str, value: &Value) -> bool {
    let result = rego_builtins::by_name(name).and_then(|builtin| builtin.result.as_ref());
    let ty = match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        _ => return true,
    };
    result.is_none_or(|result| Type::from(result.ty).contains(&ty))
}
