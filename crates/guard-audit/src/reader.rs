//! Reading the log back, and telling whether it is as it was written.

use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};

use crate::entry::{COLUMNS, Cell, Entry, ORIGIN, VERSION, hash};
use crate::error::{StoreError, told};
use crate::file;

/// Which entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this policy.
    pub policy: Option<String>,
    /// Of this user.
    pub user: Option<String>,
    /// With one of these in the column `decision`; all without any.
    pub decisions: Vec<String>,
    /// From this moment on, in nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// The latest so many; all without it.
    pub latest: Option<u64>,
}

/// A chain that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are.
    pub count: i64,
    /// The hash of the last one, in hexadecimal: who keeps it elsewhere can tell later whether the end was cut off.
    pub head: String,
}

/// Where a chain is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The first sequence that is wrong.
    pub sequence: i64,
    /// What is wrong there.
    pub why: String,
}

/// Reads a log, also while others write it.
#[derive(Debug)]
pub struct Reader {
    name: String,
    connection: Connection,
}

impl Reader {
    /// Opens the file to read.
    ///
    /// # Errors
    /// When there is no such file, or it is no audit log.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let name = path.as_ref().display().to_string();
        let connection = file::connect_to_read(path.as_ref(), &name)?;
        Ok(Self { name, connection })
    }

    /// Hands each entry that fits to `each`, in the order of the chain, until it says `false`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entries(&self, filter: &Filter, mut each: impl FnMut(Entry) -> bool) -> Result<(), StoreError> {
        let (conditions, values) = filter.conditions();
        let columns = COLUMNS.join(", ");
        let latest = filter.latest.map_or(-1, |latest| i64::try_from(latest).unwrap_or(i64::MAX));
        let query = format!(
            "SELECT sequence, {columns} FROM (
                 SELECT sequence, {columns} FROM entries {conditions} ORDER BY sequence DESC LIMIT {latest}
             ) ORDER BY sequence"
        );
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(&query)?;
            let mut rows = statement.query(params_from_iter(values.iter()))?;
            while let Some(row) = rows.next()? {
                if !each(Entry { sequence: row.get(0)?, cells: cells(row, 1)? }) {
                    break;
                }
            }
            Ok(())
        };
        read().map_err(|error| told(&self.name, &error))
    }

    /// Walks the chain from its first entry.
    ///
    /// # Errors
    /// When the file cannot be read; a chain that is broken is an answer.
    pub fn verify(&self) -> Result<Result<Verified, Broken>, StoreError> {
        self.walk().map_err(|error| told(&self.name, &error))
    }

    fn walk(&self) -> rusqlite::Result<Result<Verified, Broken>> {
        // One transaction: what others add meanwhile is for the next time.
        let transaction = self.connection.unchecked_transaction()?;
        let (head, head_hash): (i64, Vec<u8>) =
            transaction
                .query_row("SELECT sequence, hash FROM head", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let query = format!(
            "SELECT sequence, version, before, hash, {} FROM entries ORDER BY sequence",
            COLUMNS.join(", ")
        );
        let mut statement = transaction.prepare(&query)?;
        let mut rows = statement.query([])?;
        let (mut last, mut before) = (0, ORIGIN.to_vec());
        while let Some(row) = rows.next()? {
            let found: i64 = row.get(0)?;
            if found != last + 1 {
                let (sequence, why) = match found > last {
                    true => (last + 1, "the entry is not there".to_owned()),
                    false => (found, "no entry has such a sequence".to_owned()),
                };
                return Ok(Err(Broken { sequence, why }));
            }
            match checked(row, found, &before)? {
                Ok(hash) => (last, before) = (found, hash),
                Err(why) => return Ok(Err(Broken { sequence: found, why: why.to_owned() })),
            }
        }
        if head != last || head_hash != before {
            let why = match head > last {
                true => format!("the entry is not there, and the chain's head says that there are {head}"),
                false => "the chain's head does not know the entry".to_owned(),
            };
            let sequence = if head > last { last + 1 } else { last.min(head + 1).max(1) };
            return Ok(Err(Broken { sequence, why }));
        }
        let head = before.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Ok(Verified { count: last, head }))
    }
}

/// The hash of an entry that is as it was written.
fn checked(row: &Row<'_>, sequence: i64, before: &[u8]) -> rusqlite::Result<Result<Vec<u8>, &'static str>> {
    let (version, noted, hashed): (i64, Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?, row.get(3)?);
    if version != VERSION {
        return Ok(Err("it is of a version that is not known"));
    }
    if noted != before {
        return Ok(Err("it does not follow on the entry before it"));
    }
    if hash(version, sequence, before, &cells(row, 4)?).as_slice() != hashed {
        return Ok(Err("it does not say what was written"));
    }
    Ok(Ok(hashed))
}

/// The columns of a row from a place on.
fn cells(row: &Row<'_>, first: usize) -> rusqlite::Result<Vec<Cell>> {
    (first..first + COLUMNS.len())
        .map(|place| {
            Ok(match row.get_ref(place)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(number) => Cell::Integer(number),
                ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
                // No column takes them: the table is strict.
                ValueRef::Real(_) | ValueRef::Blob(_) => Cell::Text(String::new()),
            })
        })
        .collect()
}

impl Filter {
    /// As SQL with holes, and what is in the holes.
    fn conditions(&self) -> (String, Vec<Value>) {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let mut add = |condition: String, value: Value| {
            conditions.push(condition);
            values.push(value);
        };
        if let Some(policy) = &self.policy {
            add("policy_id = ?".to_owned(), Value::Text(policy.clone()));
        }
        if let Some(user) = &self.user {
            add("user_id = ?".to_owned(), Value::Text(user.clone()));
        }
        if let Some(since) = self.since_ns {
            add("timestamp_ns >= ?".to_owned(), Value::Integer(since));
        }
        if !self.decisions.is_empty() {
            let holes = vec!["?"; self.decisions.len()].join(", ");
            conditions.push(format!("decision IN ({holes})"));
            values.extend(self.decisions.iter().cloned().map(Value::Text));
        }
        let joined = conditions.join(" AND ");
        (if joined.is_empty() { joined } else { format!("WHERE {joined}") }, values)
    }
}
