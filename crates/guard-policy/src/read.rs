//! The tree to the typed model: every key looked at, every problem collected.

mod fields;
mod policy;
mod rule;
mod settings;
mod values;

use std::sync::Arc;

use crate::model::PolicyFile;
use crate::problem::{Place, Problem, ProblemCode, Problems};
use crate::schema;
use crate::yaml::{self, Kind, Node};

use fields::Fields;

/// Reads and checks the text of a hexarch.yaml; `file` names it in messages and comments.
///
/// # Errors
/// All problems of the file at once, in the order of its lines.
pub(crate) fn read(file: &str, text: &str) -> Result<PolicyFile, Problems> {
    let told = |problems| Problems::new(file, text, problems);
    let root = yaml::read(text).map_err(told)?;
    let mut problems = Vec::new();
    let parsed = match root {
        Some(node) if !is_nothing(&node) => whole(file, &node, &mut problems),
        _ => {
            let problem = Problem::new(ProblemCode::Missing, Place::START, "the file is empty");
            problems.push(problem.with_help("a hexarch.yaml has at least the key `policies`"));
            None
        }
    };
    match parsed {
        Some(parsed) if problems.is_empty() => Ok(parsed),
        _ => Err(told(problems)),
    }
}

fn is_nothing(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar(scalar) if scalar.plain && scalar.text.is_empty())
}

fn whole(file: &str, root: &Arc<Node>, problems: &mut Vec<Problem>) -> Option<PolicyFile> {
    let fields = Fields::of(root, "the file", schema::FILE, problems)?;
    let settings = settings::read(&fields, problems);
    let policies = policy::read_all(&fields, root.place, settings.timezone(), problems);
    Some(PolicyFile { file: file.to_owned(), settings, policies })
}
