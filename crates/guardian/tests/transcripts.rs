//! The decision machine, path by path: each file in `tests/transcripts` holds what happens (`> …`) and the
//! steps that the machine answers with. `UPDATE_TRANSCRIPTS=1` writes the answers anew; the diff is for a
//! person to read.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    AuditError, CellId, ChargeKind, ChargeOutcome, Charged, ConfirmError, Confirmation, ConfirmationToken,
    DeadlinePassed, Decision, DecisionId, EvalError, Evaluated, Exceeded, FailMode, NoResult,
    PendingConfirmation, Quantity, Request, ReservationId, Revision, Settled, Settlement, Snapshot,
    StateError, StateUnavailable, Timestamp, User, Violation, WindowClosed,
};
use guardian::{Event, Machine, Mode, NoTurn, Outcome, Ran, Step};

const ID: u128 = 0x1234;

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "{} transcripts", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let played = play(&text);
        if played == text {
            continue;
        }
        if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
            fs::write(&file, played).unwrap();
        } else {
            wrong.push(format!("{}:\n--- expected\n{text}\n--- played\n{played}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The transcript with the machine's answers.
fn play(text: &str) -> String {
    let mut out = String::new();
    let mut machine = None;
    for line in text.lines() {
        if line.starts_with('#') || line.is_empty() {
            out.push_str(line);
            out.push('\n');
        } else if let Some(given) = line.strip_prefix("given") {
            out.push_str(line);
            out.push('\n');
            machine = Some(given_machine(given));
        } else if let Some(event) = line.strip_prefix("> ") {
            let machine = machine.as_mut().unwrap();
            let step = if event == "cut-off" { machine.cut_off() } else { machine.next(read_event(event)) };
            out.push_str(&format!("{line}\n{}", show(machine, step)));
        }
    }
    out
}

fn given_machine(words: &str) -> Machine {
    let mut mode = Mode { enforce: true, fail: FailMode::Closed, runs: true };
    let mut request = Request {
        function: "f".into(),
        operation: "call".into(),
        user: Some(User { id: "ada".into(), roles: vec![] }),
        time: Timestamp::from_nanos(7),
        ..Request::new("p")
    };
    for word in words.split_whitespace() {
        match word {
            "report-only" => mode.enforce = false,
            "fail-open" => mode.fail = FailMode::Open,
            "decide-only" => mode.runs = false,
            "confirmed" => request.confirmed = true,
            other => panic!("given {other}"),
        }
    }
    Machine::new(DecisionId::from_u128(ID), request, mode)
}

fn read_event(line: &str) -> Event {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    match name {
        "start" => Event::Start,
        "evaluated" => {
            Event::Evaluated(Decision::from_json(rest.as_bytes()).map_err(EvalError::from).map(evaluated))
        }
        "undefined" => Event::Evaluated(Err(NoResult { path: rest.into() }.into())),
        "timeout" => Event::Evaluated(Err(DeadlinePassed { allowed: Duration::from_millis(50) }.into())),
        "approved" => Event::Confirmed(Ok(Confirmation::Approved { by: None })),
        "rejected" => Event::Confirmed(Ok(Confirmation::Rejected { reason: rest.into() })),
        "pending" => Event::Confirmed(Ok(Confirmation::Pending(Box::new(pending(rest))))),
        "unasked" => Event::Confirmed(Err(ConfirmError { detail: rest.into() })),
        "charged" => Event::Charged(Ok(ChargeOutcome::Charged(Charged {
            reservation: ReservationId(ID),
            snapshot: Snapshot::default(),
            warnings: Vec::new(),
        }))),
        "exceeded" => Event::Charged(Ok(ChargeOutcome::Exceeded(exceeded(rest)))),
        "window-closed" => {
            Event::Charged(Err(WindowClosed { limit: "l".into(), window: rest.into() }.into()))
        }
        "not-charged" => Event::Charged(Err(unavailable(rest))),
        "turn" => Event::Turn(Ok(())),
        "full" => Event::Turn(Err(NoTurn::Full { most: 5 })),
        "timed-out" => Event::Turn(Err(NoTurn::TimedOut { timeout: Duration::from_secs(30) })),
        "behind" => Event::Behind(rest.into()),
        "recorded" => Event::Recorded(Ok(())),
        "not-recorded" => Event::Recorded(Err(AuditError { detail: rest.into() })),
        "completed" => Event::Ran(Ran::Completed(settlement(rest))),
        "aborted" => Event::Ran(Ran::Aborted),
        "settled" => Event::Settled(Ok(Settled { before: None, debt: quantities(rest) })),
        "not-settled" => Event::Settled(Err(unavailable(rest))),
        "refunded" => Event::Refunded(Ok(Settled::default())),
        "not-refunded" => Event::Refunded(Err(unavailable(rest))),
        other => panic!("event {other}"),
    }
}

fn evaluated(decision: Decision) -> Evaluated {
    Evaluated {
        decision: Box::new(decision),
        engine: "wasm",
        module_digest: None,
        data_revision: Some(Revision(3)),
    }
}

fn unavailable(detail: &str) -> StateError {
    StateUnavailable { store: "memory".into(), detail: detail.into() }.into()
}

fn exceeded(kind: &str) -> Exceeded {
    Exceeded {
        cell: Arc::new(CellId { limit: "l".into(), key: "k".into(), window: "w".into() }),
        kind: if kind == "rate" { ChargeKind::Rate } else { ChargeKind::Budget },
        max: Quantity::new(10),
        remaining: Quantity::new(2),
        retry_after: Some(Duration::from_millis(1500)),
    }
}

fn quantities(text: &str) -> BTreeMap<String, Quantity> {
    let each = text.split_whitespace().map(|word| word.split_once('=').unwrap());
    each.map(|(limit, units)| (limit.to_owned(), Quantity::new(units.parse().unwrap()))).collect()
}

fn settlement(text: &str) -> Settlement {
    if text.is_empty() { Settlement::AsReserved } else { Settlement::Actual(quantities(text)) }
}

fn show(machine: &Machine, step: Step) -> String {
    match step {
        Step::Evaluate => "evaluate\n".into(),
        Step::Confirm(request) => {
            let details = request.details.as_ref().map(|details| format!(" {details}")).unwrap_or_default();
            format!("confirm: {}{details}\n", request.reason)
        }
        Step::Queue(limit, wait) => {
            let wait = wait.map_or(String::new(), |wait| format!(", {} ms as the first", wait.as_millis()));
            format!("queue for {limit}{wait}\n")
        }
        Step::Charge(batch) => {
            let each = batch
                .charges
                .iter()
                .map(|charge| format!("charge {} {} of {}\n", charge.cell, charge.amount, charge.max));
            each.collect()
        }
        Step::Record(note) => {
            let record = machine.record(note);
            format!(
                "record {} {} {}{} by {}: {}\n",
                record.kind.as_str(),
                record.decision,
                record.action,
                if record.runs { ", runs" } else { "" },
                record.engine.unwrap_or("nobody"),
                record.reason
            )
        }
        Step::Run => "run\n".into(),
        Step::Settle(_, Settlement::AsReserved) => "settle as reserved\n".into(),
        Step::Settle(_, Settlement::Actual(by_limit)) => {
            let each: Vec<_> = by_limit.iter().map(|(limit, units)| format!(" {limit}={units}")).collect();
            format!("settle{}\n", each.concat())
        }
        Step::Refund(_) => "refund\n".into(),
        Step::Done(Outcome::Decided(verdict)) => format!(
            "done: decided {} ({}){}\n",
            verdict.decision.action,
            verdict.decision.reason,
            if verdict.error.is_some() { " for want of a decision" } else { "" }
        ),
        Step::Done(Outcome::Denied(violation)) => format!("done: denied, {}\n", show_violation(&violation)),
        Step::Done(Outcome::Completed) => "done: completed\n".into(),
        Step::Done(Outcome::Released) => "done: released\n".into(),
    }
}

fn pending(token: &str) -> PendingConfirmation {
    PendingConfirmation { token: ConfirmationToken::new(token), id: "c1".into(), expires: None }
}

fn show_violation(violation: &Violation) -> String {
    let mut text = violation.to_string();
    if let Some(limit) = &violation.limit {
        text.push_str(&format!(" [limit {limit}]"));
    }
    if let Some(wait) = violation.retry_after {
        text.push_str(&format!(" [retry after {} ms]", wait.as_millis()));
    }
    if let Some(pending) = &violation.confirmation {
        text.push_str(&format!(" [token {}]", pending.token.expose()));
    }
    text
}
