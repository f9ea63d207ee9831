//! The key `state`.

use crate::model::{Secret, State, StateStore};
use crate::problem::{Problem, ProblemCode};
use crate::schema;
use crate::yaml::Entry;

use super::fields::{Fields, one_of};
use super::values;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Memory,
    Sqlite,
    Redis,
    Postgres,
    Opa,
}

const WORDS: &[(&str, Word)] = &[
    ("memory", Word::Memory),
    ("sqlite", Word::Sqlite),
    ("redis", Word::Redis),
    ("postgres", Word::Postgres),
    ("opa", Word::Opa),
];

/// Where limits are counted. `sidecar` says whether the file names an OPA.
pub(super) fn read(entry: &Entry, sidecar: bool, problems: &mut Vec<Problem>) -> Option<State> {
    let fields = Fields::of(&entry.value, "`state`", schema::STATE, problems)?;
    let Some(named) = fields.get("store") else {
        let problem = Problem::new(ProblemCode::Missing, entry.place, "`state` has no `store`");
        problems.push(problem.with_help("such as `store: sqlite`"));
        return None;
    };
    let word = one_of(named, WORDS, problems)?;
    let text = |key: &str, problems: &mut Vec<Problem>| {
        fields.get(key).and_then(|entry| values::text(entry, problems)).map(str::to_owned)
    };
    let (path, url) = (text("path", problems), text("url", problems));
    let leased = fields.get("leased").and_then(|entry| values::boolean(entry, problems)).unwrap_or(false);
    let taken: &[&str] = match word {
        Word::Memory => &[],
        Word::Sqlite => &["path"],
        Word::Redis | Word::Postgres if leased => &["path", "url", "leased"],
        Word::Redis | Word::Postgres => &["url", "leased"],
        Word::Opa => &["url", "path"],
    };
    let name = WORDS.iter().find(|(_, other)| *other == word).map_or("", |(name, _)| *name);
    for key in ["path", "url", "leased"].into_iter().filter(|key| !taken.contains(key)) {
        if let Some(entry) = fields.get(key) {
            let message = format!("the store `{name}` takes no `{key}`");
            problems.push(Problem::new(ProblemCode::Contradiction, entry.place, message));
        }
    }
    let mut missing = |key: &str, example: &str| {
        let message = format!("the store `{name}` needs `{key}`");
        let problem = Problem::new(ProblemCode::Missing, named.place, message);
        problems.push(problem.with_help(format!("such as `{key}: {example}`")));
        None
    };
    let journal = path.clone().filter(|_| leased);
    let store = match (word, path, url) {
        (Word::Memory, ..) => Some(StateStore::Memory),
        (Word::Sqlite, Some(path), _) => Some(StateStore::Sqlite { path }),
        (Word::Sqlite, None, _) if fields.get("path").is_none() => missing("path", "hexarch-state.db"),
        (Word::Redis | Word::Postgres, _, Some(url)) => server(word, fields.get("url")?, url, problems),
        (Word::Redis, _, None) if fields.get("url").is_none() => missing("url", "redis://127.0.0.1:6379/0"),
        (Word::Postgres, _, None) if fields.get("url").is_none() => {
            missing("url", "postgres://hexarch@127.0.0.1:5432/hexarch")
        }
        (Word::Opa, copy, Some(url)) => {
            let url = super::settings::url(fields.get("url")?, problems).filter(|_| !url.is_empty())?;
            Some(StateStore::Opa { url: Some(url), copy })
        }
        (Word::Opa, _, None) if !sidecar && fields.get("url").is_none() => {
            missing("url", "http://127.0.0.1:8181")
        }
        (Word::Opa, copy, None) => Some(StateStore::Opa { url: None, copy }),
        _ => None,
    };
    Some(State { store: store?, leased, journal, place: Some(named.value.place) })
}

/// A server's address, which begins as its store's addresses do.
fn server(word: Word, entry: &Entry, url: String, problems: &mut Vec<Problem>) -> Option<StateStore> {
    let schemes: &[&str] = match word {
        Word::Redis => &["redis://"],
        _ => &["postgres://", "postgresql://"],
    };
    if !schemes.iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme)) {
        let schemes = schemes.iter().map(|scheme| format!("`{scheme}`")).collect::<Vec<_>>().join(" or ");
        // An address may hold a password: it is not repeated.
        let message = format!("`url` takes an address that begins with {schemes}");
        problems.push(Problem::new(ProblemCode::BadValue, entry.value.place, message));
        return None;
    }
    Some(match word {
        Word::Redis => StateStore::Redis { url: Secret(url) },
        _ => StateStore::Postgres { url: Secret(url) },
    })
}
