//! The store in Redis, for processes of several machines: one script per operation, called by its hash.
//!
//! All keys of a namespace have it in braces, so that a cluster keeps them in one slot. What is acknowledged survives a
//! crash of the server as far as the server writes it down: `appendfsync always`.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use guard_core::{Reply, Timestamp};
use guard_pool::{Pool, Tried};
use redis::{Client, Connection, FromRedisValue, Script, Value};

use crate::entry::{Entry, State, Step, of_micros, to_micros};
use crate::error::{Refused, StoreError};
use crate::rows::{body_of, read_body};
use crate::store::{Due, Filter, Stepped, Store, Stored};

macro_rules! script {
    ($file:literal) => {
        LazyLock::new(|| Script::new(concat!(include_str!("redis/prelude.lua"), include_str!($file))))
    };
}

static INSERT: LazyLock<Script> = script!("redis/insert.lua");
static STEP: LazyLock<Script> = script!("redis/step.lua");
static LOOK: LazyLock<Script> = script!("redis/look.lua");
static OUTBOX: LazyLock<Script> = script!("redis/outbox.lua");

/// Which Redis, and how to use it.
#[derive(Clone)]
pub struct RedisConfig {
    /// Its address, such as `redis://127.0.0.1:6379/0`.
    pub url: String,
    /// What the keys begin with, in braces.
    pub namespace: String,
    /// How many connections.
    pub connections: usize,
    /// How long a connection, and an answer, may take.
    pub timeout: Duration,
    /// How long a confirmation is kept after it expired, for those who ask who answered it.
    pub keep: Duration,
}

impl RedisConfig {
    /// The Redis at this address, two connections, two seconds for an answer; kept for 30 days.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: "hexarch".to_owned(),
            connections: 2,
            timeout: Duration::from_secs(2),
            keep: Duration::from_secs(30 * 86_400),
        }
    }
}

/// Keeps confirmations in Redis.
pub struct RedisStore {
    pool: Pool<Connection, StoreError>,
    name: Arc<str>,
    prefix: Arc<str>,
    keep: Duration,
}

impl RedisStore {
    /// Connects and sees that the scripts run.
    ///
    /// # Errors
    /// When the address is not one, or Redis does not answer.
    pub fn connect(config: &RedisConfig) -> Result<Self, StoreError> {
        let client = Client::open(config.url.as_str()).map_err(|error| told("redis", &error))?;
        // A password in the address is nobody's to read in a log.
        let name: Arc<str> = format!("redis {}", client.get_connection_info().addr()).into();
        let (timeout, shown) = (config.timeout, Arc::clone(&name));
        let open = move || connect(&client, timeout).map_err(|error| told(&shown, &error));
        let pool = Pool::start(Arc::clone(&name), config.connections, open)?;
        let prefix = format!("{{{}}}:confirm:", config.namespace).into();
        let store = Self { pool, name, prefix, keep: config.keep };
        store.get("").wait()?;
        Ok(store)
    }

    /// Runs a script with these arguments after the prefix and the time.
    fn run<T: Send + 'static>(
        &self,
        script: &'static LazyLock<Script>,
        now: Timestamp,
        arguments: Vec<String>,
        read: impl Fn(Vec<Value>) -> Result<T, String> + Send + 'static,
    ) -> Stored<'static, T> {
        let (name, prefix) = (Arc::clone(&self.name), Arc::clone(&self.prefix));
        self.pool.submit(move |connection| {
            let mut call = script.prepare_invoke();
            call.key(format!("{prefix}all")).arg(&*prefix).arg(to_micros(now));
            for argument in &arguments {
                call.arg(argument);
            }
            match call.invoke::<Vec<Value>>(connection) {
                Err(error) if error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error() => {
                    Tried::Broken(told(&name, &error))
                }
                Err(error) => Tried::Done(Err(told(&name, &error))),
                Ok(answer) => Tried::Done(
                    read(answer).map_err(|detail| StoreError::Unusable { store: name.to_string(), detail }),
                ),
            }
        })
    }

    /// What `begin` in the scripts wants after the id.
    fn beginning(&self, entry: &Entry) -> Result<[String; 6], StoreError> {
        let unusable = |error: serde_json::Error| StoreError::Unusable {
            store: self.name.to_string(),
            detail: error.to_string(),
        };
        let keep = to_micros(entry.expires.plus(self.keep)).div_euclid(1_000);
        Ok([
            body_of(entry).map_err(unusable)?,
            to_micros(entry.asked).to_string(),
            to_micros(entry.expires).to_string(),
            entry.rules.approvals.to_string(),
            entry.link.clone().unwrap_or_default(),
            keep.to_string(),
        ])
    }
}

fn connect(client: &Client, timeout: Duration) -> redis::RedisResult<Connection> {
    let connection = client.get_connection_with_timeout(timeout)?;
    connection.set_read_timeout(Some(timeout))?;
    connection.set_write_timeout(Some(timeout))?;
    Ok(connection)
}

fn told(name: &str, error: &redis::RedisError) -> StoreError {
    StoreError::Unavailable { store: name.to_owned(), detail: error.to_string() }
}

/// An entry as the scripts' `fields` gives it.
fn entry_of(value: Value) -> Result<Entry, String> {
    let fields: [String; 6] = Vec::<String>::from_redis_value(value)
        .map_err(|error| error.to_string())?
        .try_into()
        .map_err(|fields: Vec<_>| format!("an entry of {} fields", fields.len()))?;
    let [body, state, votes, link, attempt, decided] = fields;
    let garbled = |error: serde_json::Error| format!("an entry is garbled: {error}");
    let mut entry = read_body(&body).map_err(garbled)?;
    entry.state = State::named(&state).ok_or_else(|| format!("`{state}` is no state"))?;
    entry.votes = votes.lines().map(serde_json::from_str).collect::<Result<_, _>>().map_err(garbled)?;
    entry.link = (!link.is_empty()).then_some(link);
    entry.attempt = attempt;
    entry.decided = match decided.as_str() {
        "" => None,
        text => Some(of_micros(text.parse().map_err(|_| format!("`{text}` is no time"))?)),
    };
    Ok(entry)
}

fn text_of(value: Value) -> Result<String, String> {
    String::from_redis_value(value).map_err(|error| error.to_string())
}

/// A word and an entry, where there is one.
fn pair_of(answer: Vec<Value>) -> Result<Option<(String, Entry)>, String> {
    let mut answer = answer.into_iter();
    match (answer.next(), answer.next()) {
        (Some(word), Some(entry)) => Ok(Some((text_of(word)?, entry_of(entry)?))),
        _ => Ok(None),
    }
}

fn stepped_of(answer: Vec<Value>) -> Result<Option<Stepped>, String> {
    let Some((word, entry)) = pair_of(answer)? else { return Ok(None) };
    let refused = match word.as_str() {
        "taken" => None,
        "link" => Some(Refused::LinkUsed),
        _ => Some(entry.refused()),
    };
    Ok(Some(Stepped { entry, refused }))
}

fn step_arguments(step: &Step) -> serde_json::Result<Vec<String>> {
    Ok(match step {
        Step::Expire => vec!["expire".to_owned()],
        Step::Consume { attempt } => vec!["consume".to_owned(), attempt.clone()],
        Step::Vote { vote, link } => vec![
            "vote".to_owned(),
            if vote.approves { "yes" } else { "no" }.to_owned(),
            vote.by.clone(),
            serde_json::to_string(vote)?,
            link.clone().unwrap_or_default(),
        ],
    })
}

impl Store for RedisStore {
    fn insert(&self, entry: &Entry, announce: bool) -> Stored<'static, ()> {
        let beginning = match self.beginning(entry) {
            Ok(beginning) => beginning,
            Err(error) => return Reply::Now(Err(error)),
        };
        let mut arguments = vec![entry.id.clone()];
        arguments.extend(beginning);
        arguments.push(if announce { "yes" } else { "no" }.to_owned());
        self.run(&INSERT, entry.asked, arguments, |_| Ok(()))
    }

    fn get(&self, id: &str) -> Stored<'static, Option<Entry>> {
        let arguments = vec!["get".to_owned(), id.to_owned()];
        // The time plays no part.
        self.run(&LOOK, Timestamp::default(), arguments, |answer| {
            answer.into_iter().next().map(entry_of).transpose()
        })
    }

    fn step(
        &self,
        id: &str,
        step: &Step,
        begin: Option<&Entry>,
        now: Timestamp,
    ) -> Stored<'static, Option<Stepped>> {
        let beginning = begin.map(|entry| self.beginning(entry)).transpose();
        let (beginning, step) = match (beginning, step_arguments(step)) {
            (Ok(beginning), Ok(step)) => (beginning.unwrap_or_default(), step),
            (Err(error), _) => return Reply::Now(Err(error)),
            (_, Err(error)) => {
                let (store, detail) = (self.name.to_string(), error.to_string());
                return Reply::Now(Err(StoreError::Unusable { store, detail }));
            }
        };
        let mut arguments = vec![id.to_owned()];
        arguments.extend(beginning);
        arguments.extend(step);
        self.run(&STEP, now, arguments, stepped_of)
    }

    fn list(&self, filter: &Filter, now: Timestamp) -> Stored<'static, Vec<Entry>> {
        let state = filter.state.map_or("", |state| state.as_str());
        let arguments = vec!["list".to_owned(), state.to_owned(), filter.limit.to_string()];
        self.run(&LOOK, now, arguments, |answer| answer.into_iter().map(entry_of).collect())
    }

    fn sweep(&self, now: Timestamp, forget: Timestamp) -> Stored<'static, Vec<Entry>> {
        let arguments = vec!["sweep".to_owned(), to_micros(forget).to_string()];
        self.run(&LOOK, now, arguments, |answer| answer.into_iter().map(entry_of).collect())
    }

    fn claim(&self, now: Timestamp, until: Timestamp) -> Stored<'static, Option<Due>> {
        let arguments = vec!["claim".to_owned(), to_micros(until).to_string()];
        self.run(&OUTBOX, now, arguments, |answer| {
            let Some((tries, entry)) = pair_of(answer)? else { return Ok(None) };
            let tries = tries.parse().map_err(|_| format!("`{tries}` tries"))?;
            Ok(Some(Due { entry, tries }))
        })
    }

    fn tell(&self, id: &str, again: Option<Timestamp>) -> Stored<'static, ()> {
        let again = again.map(|time| to_micros(time).to_string()).unwrap_or_default();
        let arguments = vec!["tell".to_owned(), id.to_owned(), again];
        self.run(&OUTBOX, Timestamp::default(), arguments, |_| Ok(()))
    }
}
