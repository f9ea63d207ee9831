//! The key `audit`.

use crate::model::{Audit, AuditDurability, AuditStore};
use crate::problem::{Problem, ProblemCode};
use crate::schema;
use crate::yaml::Entry;

use super::fields::{Fields, one_of};
use super::values;

const DURABILITIES: &[(&str, AuditDurability)] = &[
    ("before_outcome", AuditDurability::BeforeOutcome),
    ("grouped", AuditDurability::Grouped),
    ("async", AuditDurability::Async),
];

/// How many records may wait where the file does not say.
const QUEUE: u64 = 10_000;

pub(super) fn read(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Audit> {
    let fields = Fields::of(&entry.value, "`audit`", schema::AUDIT, problems)?;
    let durability = fields.get("durability").and_then(|entry| one_of(entry, DURABILITIES, problems));
    let queue = fields.get("queue_limit").and_then(|entry| values::count(entry, "records", problems));
    let Some(named) = fields.get("store") else {
        let problem = Problem::new(ProblemCode::Missing, entry.place, "`audit` has no `store`");
        problems.push(problem.with_help("such as `store: sqlite:audit.db`"));
        return None;
    };
    let store = store(named, problems)?;
    if store == AuditStore::None {
        for key in ["durability", "queue_limit"] {
            if let Some(entry) = fields.get(key) {
                let message = format!("the store `none` keeps nothing, and takes no `{key}`");
                problems.push(Problem::new(ProblemCode::Contradiction, entry.place, message));
            }
        }
    }
    Some(Audit {
        store,
        durability: durability.unwrap_or_default(),
        queue: queue.unwrap_or(QUEUE),
        place: named.value.place,
    })
}

fn store(entry: &Entry, problems: &mut Vec<Problem>) -> Option<AuditStore> {
    let text = values::text(entry, problems)?;
    match text.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Some(AuditStore::Sqlite { path: path.to_owned() }),
        _ if text == "none" => Some(AuditStore::None),
        _ => {
            let message = "`store` takes `sqlite:PATH` or `none`";
            let problem = Problem::new(ProblemCode::BadValue, entry.value.place, message);
            problems.push(problem.with_help("such as `sqlite:audit.db`"));
            None
        }
    }
}
