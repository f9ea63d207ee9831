//! Which rules are tests.

use regex::Regex;
use rego_compiler::CheckedProgram;
use rego_syntax::ast::{DocKind, Module, Ref, Rule, Term};

use crate::output::Location;

/// What the name of a test begins with.
const TEST: &str = "test_";

/// What the name of a test begins with that is not run yet.
const LATER: &str = "todo_test_";

/// A rule that is a test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Where it stands.
    pub location: Location,
    /// Its package, `data.a.b`.
    pub package: String,
    /// Its name in the package.
    pub name: String,
    /// It is not run yet.
    pub later: bool,
    /// Each of its document's members is a case.
    pub has_cases: bool,
    /// It has arguments, so that it cannot be asked for.
    pub is_function: bool,
    /// Its document, from `data` on.
    pub(crate) path: Vec<Term>,
}

impl Test {
    /// The whole name, `data.a.b.test_c`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.package, self.name)
    }

    /// The query that asks for its document.
    #[must_use]
    pub fn query(&self) -> String {
        Ref(self.path.clone()).to_string()
    }
}

/// The tests of a program whose whole names the filter finds, by file, row and name.
#[must_use]
pub fn find(program: &CheckedProgram, filter: Option<&Regex>) -> Vec<Test> {
    let rules =
        program.modules().iter().flat_map(|module| module.rules.iter().map(move |rule| (module, rule)));
    let mut tests: Vec<Test> = rules.filter_map(|(module, rule)| test(program, module, rule)).collect();
    tests.retain(|test| filter.is_none_or(|filter| filter.is_match(&test.query())));
    let key = |test: &Test| (test.location.file.clone(), test.location.row, test.name.clone());
    tests.sort_by_key(key);
    tests
}

fn test(program: &CheckedProgram, module: &Module, rule: &Rule) -> Option<Test> {
    let ground = rule.head.reference.ground_prefix();
    let named = |step: &Term| {
        let name = step.as_var().or_else(|| step.as_string())?;
        (name.starts_with(TEST) || name.starts_with(LATER)).then(|| name.clone())
    };
    let (at, name) = ground.iter().enumerate().find_map(|(at, step)| Some((at, named(step)?)))?;
    let own: Vec<Term> = ground.iter().take(at + 1).cloned().collect();
    let mut steps = own.clone();
    if let Some(first) = steps.first_mut()
        && let Some(name) = first.as_var().cloned()
    {
        *first = Term::string(name, first.span);
    }
    let (file, place) = program.sources().locate(rule.span)?;
    let location = Location { file: file.to_owned(), row: place.row, col: place.col, text: String::new() };
    Some(Test {
        location,
        package: module.package.path.to_string(),
        name: Ref(own).to_string(),
        later: name.starts_with(LATER),
        has_cases: rule.head.doc_kind() == DocKind::PartialObject,
        is_function: rule.head.is_function(),
        path: module.package.path.extended(steps).0,
    })
}
