//! `hexarch-ctl confirm`: calls that wait for a person.

mod serve;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};
use guard_confirm::{Desk, DeskConfig, Entry, Filter, Person, State, visible};
use guard_core::{SystemClock, Timestamp};
use guard_policy::PolicyFile;
use serde_json::json;

use crate::commands::policy;
use crate::failure::Failure;

/// What is done with confirmations.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Shows calls that wait, and what became of others.
    List(Listing),
    /// Lets a call run, once.
    Approve(Answer),
    /// Refuses a call for good.
    Reject(Answer),
    /// Serves the pages that the links of confirmations lead to.
    Serve(Box<serve::Arguments>),
}

/// Where confirmations are kept.
#[derive(Args)]
struct Kept {
    /// The store: `sqlite:PATH`, `redis://HOST:PORT/DB` or `postgres://USER@HOST:PORT/DATABASE`. Without it, what
    /// hexarch.yaml says under `confirmation`: its store, and the keys of signed tokens.
    #[arg(long, value_name = "URL", env = "HEXARCH_CONFIRMATIONS")]
    store: Option<String>,
}

/// Where confirmations are kept, and how they are printed.
#[derive(Args)]
struct Place {
    #[command(flatten)]
    kept: Kept,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// What is listed.
#[derive(Args)]
pub(crate) struct Listing {
    #[command(flatten)]
    place: Place,
    /// In this state: `pending`, `approved`, `rejected`, `expired`, `consumed` or `all`.
    #[arg(long, default_value = "pending", value_parser = state)]
    state: Wanted,
    /// At most so many, the latest first.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// What is answered. Whoever can reach the store can answer by any name: keep its access to those who may.
#[derive(Args)]
pub(crate) struct Answer {
    #[command(flatten)]
    place: Place,
    /// The confirmation's id, or its signed ticket.
    id: String,
    /// Who answers; without it, who runs this command.
    #[arg(long = "as", value_name = "USER", env = "USER", value_parser = person)]
    person: String,
    /// A role of theirs, without `@`; may be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// What to say to it.
    #[arg(long, default_value = "")]
    note: String,
}

#[derive(Clone, Copy)]
enum Wanted {
    All,
    Only(State),
}

fn state(text: &str) -> Result<Wanted, String> {
    match (text, State::named(text)) {
        ("all", _) => Ok(Wanted::All),
        (_, Some(state)) => Ok(Wanted::Only(state)),
        _ => Err("one of pending, approved, rejected, expired, consumed, all".to_owned()),
    }
}

/// The name of who answers, by which four eyes are told apart.
fn person(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("the name is empty: say who answers".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Carries a command out.
pub(crate) fn run(command: &Command, config: Option<&Path>) -> Result<(), Failure> {
    match command {
        Command::List(listing) => list(listing, config),
        Command::Approve(answer) => decide(answer, true, config),
        Command::Reject(answer) => decide(answer, false, config),
        Command::Serve(arguments) => serve::run(arguments, config),
    }
}

fn desk(place: &Place, config: Option<&Path>) -> Result<Desk, Failure> {
    let clock = Arc::new(SystemClock::new());
    if let Some(store) = &place.kept.store {
        let store = guard_confirm::open(store).map_err(Failure::of)?;
        return Ok(Desk::new(store, clock, DeskConfig::default()));
    }
    desk_of(&policy::load(config)?, clock)
}

/// The desk that a file describes, if others can see it.
fn desk_of(file: &PolicyFile, clock: Arc<SystemClock>) -> Result<Desk, Failure> {
    let settings = file.settings().confirmation();
    if settings.is_some_and(|settings| settings.store() != "memory:")
        && let Some(desk) = hexarch_guardrails::open_desk(file, clock).map_err(Failure::of)?
    {
        return Ok(desk);
    }
    Err(Failure::Failed(format!(
        "`{}` keeps no confirmations that another process could see; name a store under `confirmation`, or with --store",
        file.file()
    )))
}

fn list(listing: &Listing, config: Option<&Path>) -> Result<(), Failure> {
    let state = match listing.state {
        Wanted::All => None,
        Wanted::Only(state) => Some(state),
    };
    let filter = Filter { state, limit: listing.limit };
    let entries = desk(&listing.place, config)?.list(&filter).wait().map_err(Failure::of)?;
    let mut out = std::io::stdout().lock();
    if listing.place.json {
        let rows: Vec<_> = entries.iter().map(entry_json).collect();
        writeln!(out, "{}", serde_json::Value::Array(rows))?;
        return Ok(());
    }
    entries.iter().try_for_each(|entry| writeln!(out, "{}", line(entry)))?;
    Ok(())
}

fn decide(answer: &Answer, approves: bool, config: Option<&Path>) -> Result<(), Failure> {
    let desk = desk(&answer.place, config)?;
    let person = Person { id: answer.person.clone(), roles: answer.roles.clone() };
    let answered = match approves {
        true => desk.approve(&answer.id, &person, &answer.note),
        false => desk.reject(&answer.id, &person, &answer.note),
    };
    let entry = answered.wait().map_err(Failure::of)?;
    let mut out = std::io::stdout().lock();
    match answer.place.json {
        true => writeln!(out, "{}", entry_json(&entry))?,
        false => writeln!(out, "{}", line(&entry))?,
    }
    Ok(())
}

fn time(time: Timestamp) -> Option<String> {
    jiff::Timestamp::from_nanosecond(time.as_nanos().into()).ok().map(|time| time.to_string())
}

fn entry_json(entry: &Entry) -> serde_json::Value {
    let votes = entry.votes.iter().map(
        |vote| json!({"by": vote.by, "approves": vote.approves, "note": vote.note, "at": time(vote.at)}),
    );
    let arguments: serde_json::Value = serde_json::from_str(&entry.shown).unwrap_or_default();
    json!({
        "id": entry.id, "state": entry.state.as_str(), "policy": entry.policy, "function": entry.function,
        "operation": entry.operation, "resource": entry.resource, "requester": entry.requester,
        "reason": entry.reason, "arguments": arguments, "decision_id": entry.decision_id,
        "asked_at": time(entry.asked), "expires_at": time(entry.expires), "approvals": entry.rules.approvals,
        "approvers": entry.rules.approvers, "four_eyes": entry.rules.four_eyes,
        "votes": votes.collect::<Vec<_>>(),
    })
}

/// One line, of what others wrote: nothing in it that a terminal would obey.
fn line(entry: &Entry) -> String {
    let mut text = format!("{} {:<8} {}", entry.id, entry.state.as_str(), visible(&entry.policy));
    for part in [&entry.operation, &entry.resource] {
        if !part.is_empty() {
            text.push_str(&format!(" {}", visible(part)));
        }
    }
    if let Some(requester) = &entry.requester {
        text.push_str(&format!(" by {}", visible(requester)));
    }
    text.push_str(&format!(": {} {}", visible(&entry.reason), visible(&entry.shown)));
    for vote in &entry.votes {
        let word = if vote.approves { "approved" } else { "rejected" };
        text.push_str(&format!(", {word} by {}", visible(&vote.by)));
    }
    text
}
