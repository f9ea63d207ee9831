//! The tree to the typed model: a file of rules, or the keys of a policy.

mod operands;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::call::to_value;
use crate::model::{Policy, PolicyFile, RuleAction, Settings};
use crate::problem::{MAX_PROBLEMS, Place, Problem, ProblemCode, Problems};
use crate::read::{Fields, approval, check_approval, document, one_of, values};
use crate::schema;
use crate::warnings::{Warning, WarningCode};
use crate::yaml::{Entry, Kind, Node, shorten};

use super::functions::{self, Functions};
use super::operators::{self, Operand, Operator};
use super::path::{FieldType, Path};
use super::{Condition, ConditionKind, ConditionRule, Conditions, Expected, Otherwise, Scalar};

/// How deep groups may nest.
const MAX_DEPTH: usize = 16;

/// How many comparisons and groups the rules of one policy may have.
const MAX_CONDITIONS: usize = 10_000;

/// What a rule that holds calls says.
const ASKS: &str = "action: require_confirmation";

const OTHERWISE: &[(&str, Otherwise)] = &[("allow", Otherwise::Allow), ("block", Otherwise::Block)];

const ACTIONS: &[(&str, RuleAction)] = &[
    ("block", RuleAction::Block),
    ("require_confirmation", RuleAction::RequireConfirmation),
    ("warn", RuleAction::Warn),
    ("allow", RuleAction::Allow),
];

/// Reads a file of rules as a file of one policy.
pub(super) fn read_set(file: &str, text: &str) -> Result<PolicyFile, Problems> {
    document(file, text, |root, problems| {
        let fields = Fields::of(root, "the file", schema::RULES_FILE, problems)?;
        let id = match fields.get("id") {
            Some(entry) => values::identifier(entry, problems),
            None => {
                let problem = Problem::new(ProblemCode::Missing, root.place, "the file has no `id`");
                problems.push(problem.with_help("callers name the rules by it, such as `id: refunds`"));
                None
            }
        };
        let description = fields.get("description").and_then(|e| values::text(e, problems));
        let enabled = fields.get("enabled").and_then(|e| values::boolean(e, problems));
        let conditions = conditions(&fields, "rules", root.place, problems);
        let approval = approval(&fields, problems);
        // Rules that cannot be read have been complained about, and may have asked.
        let asks =
            conditions.as_ref().is_none_or(|conditions| conditions.rules.iter().any(ConditionRule::asks));
        check_approval(&fields, asks, "file", ASKS, problems);
        let policy = Policy {
            id: id?.to_owned(),
            description: description.map(str::to_owned),
            enabled: enabled.unwrap_or(true),
            requires_confirmation: false,
            approval,
            timezone: "UTC".to_owned(),
            rules: Vec::new(),
            conditions: Some(conditions?),
            rego: None,
            place: root.place,
            node: as_policy(root),
            source: Some(Arc::from(file)),
        };
        let mut warnings = Vec::new();
        ties(&policy, &mut warnings);
        Some(PolicyFile {
            file: file.to_owned(),
            settings: Settings::default(),
            policies: vec![policy],
            warnings,
        })
    })
}

/// Reads `conditions`, `otherwise` and `functions` of a policy.
pub(crate) fn read_in_policy(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Option<Conditions> {
    if let Some(entry) = fields.get("conditions") {
        return conditions(fields, "conditions", entry.place, problems);
    }
    for key in ["otherwise", "functions"] {
        if let Some(entry) = fields.get(key) {
            let message = format!("`{key}` belongs to `conditions`, and the policy has none");
            problems.push(Problem::new(ProblemCode::Missing, entry.place, message));
        }
    }
    None
}

/// The node of a file of rules as that of a policy, for exports: `rules` are its `conditions`.
fn as_policy(root: &Arc<Node>) -> Arc<Node> {
    renamed(root, "rules", "conditions")
}

/// The node of a policy as a file of rules.
pub(super) fn as_set(policy: &Policy) -> Arc<Node> {
    renamed(&policy.node, "conditions", "rules")
}

fn renamed(node: &Arc<Node>, from: &str, to: &str) -> Arc<Node> {
    let Kind::Map(entries) = &node.kind else { return Arc::clone(node) };
    let entry = |entry: &Entry| {
        let key = if entry.key == from { to.to_owned() } else { entry.key.clone() };
        Entry { key, ..entry.clone() }
    };
    Arc::new(Node { place: node.place, kind: Kind::Map(entries.iter().map(entry).collect()) })
}

/// What the rules of one policy share while they are read.
struct Reader<'p> {
    functions: &'p Functions,
    paths: HashMap<String, Arc<Path>>,
    conditions: usize,
    problems: &'p mut Vec<Problem>,
}

fn conditions(
    fields: &Fields<'_>,
    key: &'static str,
    start: Place,
    problems: &mut Vec<Problem>,
) -> Option<Conditions> {
    let functions = fields.get("functions").map(|entry| functions::read(entry, problems)).unwrap_or_default();
    let otherwise = fields.get("otherwise").and_then(|entry| one_of(entry, OTHERWISE, problems));
    let Some(entry) = fields.get(key) else {
        problems.push(Problem::new(ProblemCode::Missing, start, format!("the file has no key `{key}`")));
        return None;
    };
    let Kind::List(items) = &entry.value.kind else {
        let problem = entry.value.wrong_type(&format!("`{key}`"), "a list of rules");
        problems.push(problem.with_help("each rule begins with `- id: …`"));
        return None;
    };
    if items.is_empty() {
        let message = format!("`{key}` must not be an empty list");
        problems.push(Problem::new(ProblemCode::Missing, entry.place, message));
    }
    let mut reader = Reader { functions: &functions, paths: HashMap::new(), conditions: 0, problems };
    let mut rules = reader.rules(items);
    // Stable, so that rules of one priority stay in the order of the file.
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    Some(Conditions { otherwise: otherwise.unwrap_or_default(), functions: functions.text, rules })
}

/// Rules that are asked in the order of the file although their author gave one of them a priority.
pub(crate) fn ties(policy: &Policy, warnings: &mut Vec<Warning>) {
    let Some(conditions) = policy.conditions.as_ref() else { return };
    let rules: Vec<&ConditionRule> = conditions.asked().collect();
    for pair in rules.windows(2) {
        if let [before, rule] = pair
            && before.priority == rule.priority
            && (before.states_priority || rule.states_priority)
        {
            let message = format!(
                "rule `{}` on line {}: its priority {} is that of rule `{}` on line {}, which is asked first since it stands first",
                rule.id, rule.place.line, rule.priority, before.id, before.place.line
            );
            warnings.push(Warning {
                code: WarningCode::SamePriority,
                policy: policy.id.clone(),
                place: rule.place,
                other: Some(before.place),
                message,
            });
        }
    }
}

impl Reader<'_> {
    fn rules(&mut self, items: &[Arc<Node>]) -> Vec<ConditionRule> {
        let mut rules: Vec<ConditionRule> = Vec::new();
        let mut places: HashMap<String, Place> = HashMap::new();
        for item in items {
            if self.problems.len() >= MAX_PROBLEMS || self.conditions > MAX_CONDITIONS {
                break;
            }
            let Some(rule) = self.rule(item, &mut places) else { continue };
            rules.push(rule);
        }
        rules
    }

    fn rule(&mut self, item: &Arc<Node>, places: &mut HashMap<String, Place>) -> Option<ConditionRule> {
        let fields = Fields::of(item, "a rule", schema::CONDITION_RULE, self.problems)?;
        let id = self.id(&fields, item, places);
        let text = |key: &str, problems: &mut Vec<Problem>| {
            fields.get(key).and_then(|e| values::text(e, problems)).map(str::to_owned)
        };
        let name = text("name", self.problems);
        let description = text("description", self.problems);
        let enabled = fields.get("enabled").and_then(|e| values::boolean(e, self.problems));
        let priority = fields.get("priority").and_then(|e| self.priority(e));
        let actions = self.actions(&fields, item);
        let metadata = fields.get("metadata").and_then(|e| self.metadata(e)).unwrap_or_default();
        let approval = approval(&fields, self.problems);
        check_approval(
            &fields,
            actions.contains(&RuleAction::RequireConfirmation),
            "rule",
            ASKS,
            self.problems,
        );
        let when = match fields.get("when") {
            Some(entry) => self.condition(&entry.value, 1),
            None => {
                let problem = Problem::new(ProblemCode::Missing, item.place, "the rule has no condition");
                let help = "such as `when: {field: context.amount, greater_than: 500}`";
                self.problems.push(problem.with_help(help));
                None
            }
        };
        Some(ConditionRule {
            id: id?,
            name,
            description,
            priority: priority.unwrap_or(0),
            states_priority: fields.get("priority").is_some(),
            enabled: enabled.unwrap_or(true),
            actions,
            approval,
            metadata,
            when: when?,
            place: item.place,
        })
    }

    fn id(
        &mut self,
        fields: &Fields<'_>,
        item: &Node,
        places: &mut HashMap<String, Place>,
    ) -> Option<String> {
        let Some(entry) = fields.get("id") else {
            self.problem(ProblemCode::Missing, item.place, "the rule has no `id`".to_owned(), None);
            return None;
        };
        let id = values::identifier(entry, self.problems)?;
        if let Some(first) = places.get(id) {
            let message = format!("the rule id `{id}` is taken");
            let help = format!("the rule on line {} has it", first.line);
            self.problem(ProblemCode::Duplicate, entry.value.place, message, Some(help));
        } else {
            places.insert(id.to_owned(), item.place);
        }
        Some(id.to_owned())
    }

    fn priority(&mut self, entry: &Entry) -> Option<i64> {
        const MOST: i64 = 1_000_000;
        let text = values::number(entry, "a whole number, such as 100", self.problems)?;
        let priority = text.parse::<i64>().ok().filter(|priority| (-MOST..=MOST).contains(priority));
        if priority.is_none() {
            let message =
                format!("`priority` is a whole number from -{MOST} to {MOST}, found `{}`", shorten(text));
            self.problem(ProblemCode::BadValue, entry.value.place, message, None);
        }
        priority
    }

    fn actions(&mut self, fields: &Fields<'_>, item: &Node) -> Vec<RuleAction> {
        let entry = match (fields.get("action"), fields.get("actions")) {
            (Some(_), Some(second)) => {
                let message = "`action` and `actions` say the same".to_owned();
                self.problem(
                    ProblemCode::Contradiction,
                    second.place,
                    message,
                    Some("keep one of them".to_owned()),
                );
                return Vec::new();
            }
            (Some(entry), None) | (None, Some(entry)) => entry,
            (None, None) => {
                let message = "the rule does not say what is to happen".to_owned();
                let help =
                    "give it an `action`: `block`, `require_confirmation`, `warn` or `allow`".to_owned();
                self.problem(ProblemCode::Missing, item.place, message, Some(help));
                return Vec::new();
            }
        };
        let mut actions = Vec::new();
        for (node, text) in values::texts(entry, self.problems) {
            match ACTIONS.iter().find(|(name, _)| *name == text) {
                Some((name, action)) if actions.contains(action) => {
                    let message = format!("`{name}` stands in `{}` twice", entry.key);
                    self.problem(ProblemCode::Duplicate, node.place, message, None);
                }
                Some((_, action)) => actions.push(*action),
                None => self.unknown_action(node.place, text),
            }
        }
        if actions.contains(&RuleAction::Block) && actions.len() > 1 {
            let message = "`block` leaves nothing for another action to do".to_owned();
            let help = "name it alone, or write two rules".to_owned();
            self.problem(ProblemCode::Contradiction, entry.value.place, message, Some(help));
        }
        actions
    }

    fn unknown_action(&mut self, place: Place, text: &str) {
        let message = format!("a rule with conditions has no action `{}`", shorten(text));
        let help = match text {
            "throttle" | "queue" => {
                "it needs a limit to wait for: write it beside a rate or a budget, under `rules` of a policy"
                    .to_owned()
            }
            _ => match crate::nearest::nearest(text, ACTIONS.iter().map(|(name, _)| *name)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "there are `block`, `require_confirmation`, `warn` and `allow`".to_owned(),
            },
        };
        self.problem(ProblemCode::UnknownValue, place, message, Some(help));
    }

    fn metadata(&mut self, entry: &Entry) -> Option<Map<String, Value>> {
        let Value::Object(members) = to_value(&entry.value) else {
            self.problems.push(entry.value.wrong_type("`metadata`", "a mapping of names to values"));
            return None;
        };
        for taken in ["rule", "undecided"] {
            if members.contains_key(taken) {
                let message = format!("`{taken}` in `metadata` is said by the decision itself");
                let help = Some("take another name".to_owned());
                self.problem(ProblemCode::Contradiction, entry.value.place, message, help);
            }
        }
        Some(members)
    }

    fn condition(&mut self, node: &Arc<Node>, depth: usize) -> Option<Condition> {
        self.conditions += 1;
        if depth > MAX_DEPTH {
            let message = format!("conditions nest deeper than {MAX_DEPTH}");
            self.problem(ProblemCode::TooLarge, node.place, message, None);
            return None;
        }
        if self.conditions > MAX_CONDITIONS {
            // Said once: reading stops here.
            if self.conditions == MAX_CONDITIONS + 1 {
                let message = format!("the rules have more than {MAX_CONDITIONS} conditions");
                self.problem(ProblemCode::TooLarge, node.place, message, None);
            }
            return None;
        }
        if matches!(node.kind, Kind::List(_)) {
            let problem = node.wrong_type("a condition", "a mapping");
            self.problems.push(problem.with_help("write `all:` or `any:` before the list"));
            return None;
        }
        let before = self.problems.len();
        let fields = Fields::of(node, "a condition", schema::condition_keys(), self.problems)?;
        if self.problems.len() > before {
            return None;
        }
        let Kind::Map(entries) = &node.kind else { return None };
        let group = |entry: &&Entry| matches!(entry.key.as_str(), "all" | "any" | "not");
        match (entries.iter().find(group), entries.len()) {
            (Some(entry), 1) => self.group(node, entry, depth),
            (Some(entry), _) => {
                let message = format!("`{}` stands alone in its condition", entry.key);
                let help = "write `all:` with a condition for each".to_owned();
                self.problem(ProblemCode::Contradiction, entry.place, message, Some(help));
                None
            }
            (None, _) => self.comparison(node, &fields, entries),
        }
    }

    fn group(&mut self, node: &Node, entry: &Entry, depth: usize) -> Option<Condition> {
        if entry.key == "not" {
            let part = self.condition(&entry.value, depth + 1)?;
            return Some(Condition { place: node.place, kind: ConditionKind::Not(Box::new(part)) });
        }
        let Kind::List(items) = &entry.value.kind else {
            self.problems.push(entry.value.wrong_type(&format!("`{}`", entry.key), "a list of conditions"));
            return None;
        };
        if items.is_empty() {
            let message = format!("`{}` must not be an empty list", entry.key);
            self.problem(ProblemCode::BadValue, entry.value.place, message, None);
            return None;
        }
        let parts: Vec<Option<Condition>> =
            items.iter().map(|item| self.condition(item, depth + 1)).collect();
        let parts: Vec<Condition> = parts.into_iter().collect::<Option<_>>()?;
        let kind = if entry.key == "all" { ConditionKind::All(parts) } else { ConditionKind::Any(parts) };
        Some(Condition { place: node.place, kind })
    }

    fn comparison(&mut self, node: &Node, fields: &Fields<'_>, entries: &[Entry]) -> Option<Condition> {
        let mut compared =
            entries.iter().filter_map(|entry| operators::named(&entry.key).map(|operator| (entry, operator)));
        let first = compared.next();
        if let Some((second, _)) = compared.next() {
            let message = "a condition compares once".to_owned();
            let help = "write `all:` with a condition for each comparison".to_owned();
            self.problem(ProblemCode::Contradiction, second.place, message, Some(help));
            return None;
        }
        let field = match fields.get("field") {
            Some(entry) => self.path(entry),
            None => {
                let message = "the condition names no `field`".to_owned();
                let help = "such as `field: context.amount`".to_owned();
                self.problem(ProblemCode::Missing, node.place, message, Some(help));
                None
            }
        };
        let Some((entry, operator)) = first else {
            let message = "the condition does not say what the field is compared with".to_owned();
            let names: Vec<String> = operators::OPERATORS.iter().map(|o| format!("`{}`", o.name)).collect();
            self.problem(
                ProblemCode::Missing,
                node.place,
                message,
                Some(format!("there are {}", names.join(", "))),
            );
            return None;
        };
        let expected = self.expected(entry, operator);
        let (field, expected) = (field?, expected?);
        self.fits(&field, operator, &expected, entry)?;
        Some(Condition { place: node.place, kind: ConditionKind::Test { field, operator, expected } })
    }

    fn path(&mut self, entry: &Entry) -> Option<Arc<Path>> {
        let text = values::text(entry, self.problems)?;
        if let Some(known) = self.paths.get(text) {
            return Some(Arc::clone(known));
        }
        match Path::parse(text) {
            Ok(path) => {
                let path = Arc::new(path);
                self.paths.insert(text.to_owned(), Arc::clone(&path));
                Some(path)
            }
            Err((why, help)) => {
                let message = format!("`{}` is not a path to a field: {why}", shorten(text));
                self.problem(ProblemCode::BadValue, entry.value.place, message, help);
                None
            }
        }
    }

    /// Whether the field, where its type is known, can be compared so at all.
    fn fits(&mut self, field: &Path, operator: &Operator, expected: &Expected, entry: &Entry) -> Option<()> {
        let kind = field.field_type();
        let compared = match (operator.takes, expected) {
            (Operand::Scalar, Expected::Scalar(scalar)) if operator.compares.contains(&FieldType::List) => {
                if matches!(scalar, Scalar::Text(_)) { operator.compares } else { &[FieldType::List] }
            }
            (Operand::Scalar, Expected::Scalar(scalar)) => scalar.types(),
            (Operand::Scalars, Expected::Scalars(items)) => items.first().map_or(&[][..], Scalar::types),
            _ => operator.compares,
        };
        if kind == FieldType::Any || compared.is_empty() || compared.contains(&kind) {
            return Some(());
        }
        let told: Vec<&str> = compared.iter().map(|kind| kind.told()).collect();
        let message =
            format!("`{}` is {}, and this compares {}", field.text(), kind.told(), told.join(" or "));
        self.problem(ProblemCode::WrongType, entry.place, message, None);
        None
    }

    fn problem(&mut self, code: ProblemCode, place: Place, message: String, help: Option<String>) {
        let problem = Problem::new(code, place, message);
        self.problems.push(match help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }
}

impl Scalar {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Truth(true) => "true",
            Self::Truth(false) => "false",
        }
    }

    fn types(&self) -> &'static [FieldType] {
        match self {
            Self::Text(_) => &[FieldType::Text],
            Self::Number(_) => &[FieldType::Number],
            Self::Truth(_) => &[FieldType::Truth],
        }
    }
}
