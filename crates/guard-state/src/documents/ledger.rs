//! The documents in OPA: what is published, what is read, and which OPA it is.
//!
//! ```text
//! data.<root>.incarnation            {"id": …, "born": …}: made once in the life of an OPA's data
//! data.<root>.cells.<document>.<id>  what one replica holds of one cell: <replica>.<when the document was made>, and
//!                                    behind a `_` who put it there in its place
//! ```
//!
//! A replica's cells stand together in a document of their own, which it makes under a new name whenever it does not know
//! what became of a write. A write that comes late then finds no document to go to; it can never put an old number back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use guard_core::{Deadline, StateError, StateUnavailable, Timestamp, Unusable, block_on};
use guard_opa::{Client, DataPath, OpaError, Patch, PatchOp};
use serde::Deserialize;

use crate::documents::doc::Doc;
use crate::documents::journal::text;

/// Which life of an OPA's data this is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Incarnation {
    pub(super) id: String,
    /// When it was first noticed, in nanoseconds since the epoch.
    pub(super) born: i64,
}

/// What was read.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Seen {
    #[serde(default)]
    pub(super) incarnation: Option<Incarnation>,
    #[serde(default)]
    pub(super) cells: BTreeMap<String, BTreeMap<String, Doc>>,
}

/// The wall clock, for what replicas wait for each other.
pub(super) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The replica that a document belongs to.
pub(super) fn replica_of(subtree: &str) -> &str {
    subtree.rsplit_once('.').map_or(subtree, |(replica, _)| replica)
}

/// When a document was made, in microseconds since the epoch.
pub(super) fn made_at(subtree: &str) -> i64 {
    let made = subtree.rsplit_once('.').map_or("", |(_, made)| made);
    made.split('_').next().and_then(|made| made.parse().ok()).unwrap_or(0)
}

/// Whether another replica has put it there.
pub(super) fn is_adopted(subtree: &str) -> bool {
    subtree.rsplit_once('.').is_some_and(|(_, made)| made.contains('_'))
}

/// The cells of each replica, of each the document that was published last.
pub(super) fn newest<'d>(
    documents: impl Iterator<Item = (&'d String, &'d BTreeMap<String, Doc>)>,
) -> BTreeMap<&'d str, BTreeMap<&'d str, &'d Doc>> {
    let mut replicas: BTreeMap<&str, BTreeMap<&str, &Doc>> = BTreeMap::new();
    for (subtree, docs) in documents {
        let of_replica = replicas.entry(replica_of(subtree)).or_default();
        for (name, doc) in docs {
            let newest = of_replica.entry(name).or_insert(doc);
            if newest.written < doc.written {
                *newest = doc;
            }
        }
    }
    replicas
}

pub(super) struct Ledger {
    client: Client,
    pub(super) name: Arc<str>,
    root: Vec<String>,
    timeout: Duration,
    /// The document of this replica.
    pub(super) subtree: String,
    /// The cells that stand in it.
    published: BTreeSet<String>,
    /// The number of the last publication.
    written: i64,
    /// Whether it is not known what stands in it.
    pub(super) uncertain: bool,
}

impl Ledger {
    pub(super) fn new(
        client: Client,
        name: Arc<str>,
        root: &str,
        timeout: Duration,
    ) -> Result<Self, StateError> {
        let root: Vec<String> = root.split('/').map(str::to_owned).collect();
        let is_name = |name: &String| {
            name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
        };
        if !root.iter().all(is_name) {
            let detail =
                format!("`{}` is no path of documents: names of letters, digits and `_`", root.join("/"));
            return Err(Unusable { store: name.to_string(), detail }.into());
        }
        let (subtree, published) = (String::new(), BTreeSet::new());
        Ok(Self { client, name, root, timeout, subtree, published, written: 0, uncertain: true })
    }

    fn failed(&self, error: &OpaError) -> StateError {
        StateUnavailable { store: self.name.to_string(), detail: error.to_string() }.into()
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }

    fn path(&self, below: &[&str]) -> Result<DataPath, StateError> {
        let names = self.root.iter().map(String::as_str).chain(below.iter().copied());
        DataPath::of(names).map_err(|error| self.failed(&error.into()))
    }

    /// The view by which a few cells of all replicas are read at one moment.
    fn policy(&self) -> (String, String) {
        let root = self.root.join(".");
        let text = format!(
            "package {root}_view\n\nimport rego.v1\n\nview := {{\n\t\"incarnation\": data.{root}.incarnation,\n\t\
             \"cells\": {{replica: found |\n\t\tsome replica, cells in data.{root}.cells\n\t\tfound := {{id: cell |\n\
             \t\t\tsome id in input.ids\n\t\t\tcell := cells[id]\n\t\t}}\n\t}},\n}}\n"
        );
        (format!("{root}_view"), text)
    }

    /// Publishes the view, and the mark of this life of OPA's data unless it has one.
    pub(super) fn prepare(&self) -> Result<(), StateError> {
        let (id, policy) = self.policy();
        let put = self.client.put_policy(&id, &policy, self.deadline());
        block_on(put).map_err(|error| self.failed(&error))?;
        let born = wall().as_nanos();
        let mark = format!(r#"{{"id":"{}","born":{born}}}"#, super::random_name());
        let path = self.path(&["incarnation"])?;
        block_on(self.client.create_data(&path, &mark, self.deadline()))
            .map_err(|error| self.failed(&error))?;
        Ok(())
    }

    /// Publishes all that this replica holds, as a document of a new name.
    pub(super) fn renew(&mut self, replica: &str, docs: &BTreeMap<String, Doc>) -> Result<(), StateError> {
        let made = (wall().as_nanos() / 1_000).max(made_at(&self.subtree) + 1);
        let subtree = format!("{replica}.{made}");
        self.uncertain = true;
        // Later than all that this replica published in an earlier life: no publication takes less than a microsecond.
        self.written = made.max(self.written.saturating_add(1));
        let written = self.written;
        let stamped = docs.iter().map(|(id, doc)| (id.clone(), Doc { written, ..doc.clone() })).collect();
        self.put_whole(&subtree, &stamped)?;
        self.published = docs.keys().cloned().collect();
        (self.subtree, self.uncertain) = (subtree, false);
        Ok(())
    }

    fn put_whole(&self, subtree: &str, docs: &BTreeMap<String, Doc>) -> Result<(), StateError> {
        let path = self.path(&["cells", subtree])?;
        block_on(self.client.put_data(&path, &whole(docs), self.deadline()))
            .map_err(|error| self.failed(&error))
    }

    /// Publishes what another replica held when it was last seen by this one, of this name: as a document of its own, since
    /// others may have seen more of other cells.
    pub(super) fn adopt(
        &self,
        replica: &str,
        made: i64,
        by: &str,
        docs: &BTreeMap<String, Doc>,
    ) -> Result<(), StateError> {
        let path = self.path(&["cells", &format!("{replica}.{made}_{by}")])?;
        let docs = whole(docs);
        block_on(self.client.create_data(&path, &docs, self.deadline()))
            .map(|_| ())
            .map_err(|error| self.failed(&error))
    }

    /// Publishes these cells of this replica, all at once; those without a document are taken away.
    pub(super) fn publish(&mut self, cells: &BTreeMap<String, Option<Doc>>) -> Result<(), StateError> {
        let mut patches = Vec::with_capacity(cells.len());
        let written = self.written.saturating_add(1);
        for (id, doc) in cells {
            let op = match doc {
                Some(doc) => PatchOp::Add(text(&Doc { written, ..doc.clone() })),
                None if self.published.contains(id) => PatchOp::Remove,
                None => continue,
            };
            let path = DataPath::of([id.as_str()]).map_err(|error| self.failed(&error.into()))?;
            patches.push(Patch { path, op });
        }
        if patches.is_empty() {
            return Ok(());
        }
        self.written = written;
        let path = self.path(&["cells", &self.subtree])?;
        if let Err(error) = block_on(self.client.patch_data(&path, &patches, self.deadline())) {
            // Whether it was made, or still will be, is not known.
            self.uncertain = true;
            return Err(self.failed(&error));
        }
        for (id, doc) in cells {
            if doc.is_some() {
                self.published.insert(id.clone());
            } else {
                self.published.remove(id);
            }
        }
        Ok(())
    }

    /// Takes cells of another replica away, or all of it. That they are gone already is as good.
    pub(super) fn tidy(&self, subtree: &str, cells: Option<&[String]>) -> Result<(), StateError> {
        let path = self.path(&["cells", subtree])?;
        let done = match cells {
            None => block_on(self.client.delete_data(&path, self.deadline())),
            Some(cells) => {
                let remove =
                    |id: &String| DataPath::of([id.as_str()]).map(|path| Patch { path, op: PatchOp::Remove });
                let patches: Result<Vec<_>, _> = cells.iter().map(remove).collect();
                let patches = patches.map_err(|error| self.failed(&error.into()))?;
                block_on(self.client.patch_data(&path, &patches, self.deadline()))
            }
        };
        match done {
            Err(error) if !error.is_not_found() => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }

    /// Whether nothing of this replica stands there.
    pub(super) fn is_empty(&self) -> bool {
        self.published.is_empty() && !self.uncertain
    }

    /// These cells of all replicas, or all cells, as of one moment. Of a replica without any of them there is the name.
    pub(super) fn read(&self, ids: Option<&BTreeSet<String>>) -> Result<Seen, StateError> {
        let text = match ids {
            Some(ids) => {
                let (package, _) = self.policy();
                let names: Vec<&str> = package.split('.').chain(["view"]).collect();
                let path = DataPath::of(names).map_err(|error| self.failed(&error.into()))?;
                let ids: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
                let input = format!("{{\"ids\":[{}]}}", ids.join(","));
                block_on(self.client.ask(&path, &input, self.deadline()))
            }
            None => block_on(self.client.get_data(&self.path(&[])?, self.deadline())),
        };
        match text {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                let detail = format!("its documents are not as this program writes them: {error}");
                Unusable { store: self.name.to_string(), detail }.into()
            }),
            // Nothing is there: it has been started anew.
            Err(OpaError::Undefined { .. }) => Ok(Seen::default()),
            Err(error) => Err(self.failed(&error)),
        }
    }
}

fn whole(docs: &BTreeMap<String, Doc>) -> String {
    let docs: Vec<String> = docs.iter().map(|(id, doc)| format!("\"{id}\":{}", text(doc))).collect();
    format!("{{{}}}", docs.join(","))
}
