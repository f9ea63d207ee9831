//! The tree to the typed model: every key looked at, every problem collected.

mod audit;
mod confirmation;
mod fields;
mod guards;
mod policy;
mod prices;
mod rule;
mod settings;
mod state;
pub(crate) mod values;

use std::sync::Arc;

use crate::beside::Beside;
use crate::model::{Policy, PolicyFile, RateAlgorithm, Settings, StateStore};
use crate::problem::{Place, Problem, ProblemCode, Problems};
use crate::schema;
use crate::warnings::warnings;
use crate::yaml::{self, Kind, Node};

pub(crate) use confirmation::{approval, check_approval};
pub(crate) use fields::{Fields, one_of};
pub(crate) use rule::ACTION_WORDS;

/// Reads and checks the text of a hexarch.yaml; `file` names it in messages and comments, and `files` are those
/// that it may name.
///
/// # Errors
/// All problems of the file at once, in the order of its lines.
pub(crate) fn read(file: &str, text: &str, files: &Beside<'_>) -> Result<PolicyFile, Problems> {
    document(file, text, |root, problems| whole(file, root, files, problems))
}

/// Reads a YAML document and builds something of its tree, with all problems of both at once.
pub(crate) fn document<T>(
    file: &str,
    text: &str,
    build: impl FnOnce(&Arc<Node>, &mut Vec<Problem>) -> Option<T>,
) -> Result<T, Problems> {
    let mut problems = Vec::new();
    let built = match yaml::read(text, &mut problems) {
        Ok(Some(root)) if !is_nothing(&root) => build(&root, &mut problems),
        Ok(_) => {
            problems.push(Problem::new(ProblemCode::Missing, Place::START, "the file is empty"));
            None
        }
        Err(fatal) => {
            problems.push(fatal);
            None
        }
    };
    match built {
        Some(built) if problems.is_empty() => Ok(built),
        _ => Err(Problems::new(file, text, problems)),
    }
}

fn is_nothing(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar(scalar) if scalar.plain && scalar.text.is_empty())
}

fn whole(
    file: &str,
    root: &Arc<Node>,
    files: &Beside<'_>,
    problems: &mut Vec<Problem>,
) -> Option<PolicyFile> {
    let fields = Fields::of(root, "the file", schema::FILE, problems)?;
    let settings = settings::read(&fields, files, problems);
    let policies = policy::read_all(&fields, root.place, settings.timezone(), files, problems);
    shared_buckets(&settings, &policies, problems);
    // Of a file that is refused anyway nobody asks what its rules do to each other.
    let warnings = if problems.is_empty() { warnings(&policies) } else { Vec::new() };
    Some(PolicyFile { file: file.to_owned(), settings, policies, warnings })
}

/// The replicas of a store in OPA's documents count each by itself, and each would let the bucket fill again.
fn shared_buckets(settings: &Settings, policies: &[Policy], problems: &mut Vec<Problem>) {
    if !matches!(settings.state().store(), StateStore::Opa { .. }) {
        return;
    }
    let limits = policies.iter().flat_map(|policy| policy.rules()).flat_map(|rule| rule.limits());
    for limit in limits.filter(|limit| limit.algorithm() == RateAlgorithm::TokenBucket) {
        let message = format!(
            "the store `opa` counts no `token_bucket`, and `{}` is one: it would fill again once for each replica",
            limit.key()
        );
        let problem = Problem::new(ProblemCode::Contradiction, limit.place(), message);
        problems.push(problem.with_help("take `sliding_window`, or another store"));
    }
}
