//! `hexarch-ctl demo`: the safe automation runner. An agent's calls, one after the other, each checked first.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use guard_policy::{Call, LoadOptions, Script, Step};
use hexarch_guardrails::{Action, Check, FixedClock, GuardError, Guardian, Timestamp, UnknownPolicy};
use jiff::tz::TimeZone;
use serde_json::json;

use crate::failure::Failure;

/// The calls that the demonstration makes when it is given none.
const CALLS: &str = include_str!("../../../../policies/demo/calls.yaml");

/// What the demonstration is given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Your own policies in place of the demonstration's.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Your own calls in place of the demonstration's.
    #[arg(long, value_name = "FILE")]
    calls: Option<PathBuf>,
    /// When the first call is made, such as 2026-03-06T15:40:00Z.
    #[arg(long, value_name = "TIME")]
    clock: Option<jiff::Timestamp>,
    /// Prints a line of JSON per call, and one with the totals.
    #[arg(long)]
    json: bool,
}

/// What became of one call.
struct Outcome {
    action: Action,
    reason: String,
    limit: Option<String>,
    retry_after: Option<Duration>,
    ran: bool,
    took: Duration,
}

/// How often each thing happened.
#[derive(Default)]
struct Totals {
    calls: usize,
    ran: usize,
    by_action: [usize; ACTIONS.len()],
    skipped: Vec<String>,
    /// Calls that were decided otherwise than the script says; only the demonstration's own policies promise that.
    surprises: Vec<String>,
    took: Vec<Duration>,
}

const ACTIONS: [Action; 6] = [
    Action::Allow,
    Action::Warn,
    Action::Queue,
    Action::Throttle,
    Action::RequireConfirmation,
    Action::Block,
];

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let script = script(arguments.calls.as_deref())?;
    let start = arguments.clock.map_or(Ok(script.clock_ns()), |clock| {
        i64::try_from(clock.as_nanosecond()).map_err(|_| Failure::Failed(format!("{clock} is too far away")))
    })?;
    let clock = Arc::new(FixedClock::at(Timestamp::from_nanos(start)));
    let builder = Guardian::builder().shared_clock(clock.clone());
    let guardian = match &arguments.policy {
        Some(file) => builder.policy_file(file),
        None => builder.pack("demo"),
    };
    let guardian = guardian.build().map_err(Failure::of)?;
    // With another clock or other policies the script's expectations say nothing.
    let holds_to_script = arguments.policy.is_none() && arguments.clock.is_none();
    let mut out = std::io::stdout().lock();
    let mut totals = Totals::default();
    for (number, step) in script.steps().iter().enumerate() {
        let now = start.saturating_add(step.after_ns);
        clock.set(Timestamp::from_nanos(now));
        let outcome = match perform(&guardian, &step.call)? {
            Ok(outcome) => outcome,
            Err(unknown) => {
                totals.skipped.push(unknown.id);
                continue;
            }
        };
        totals.add(number + 1, step, &outcome, holds_to_script);
        let print = if arguments.json { print_json } else { print_line };
        print(&mut out, number + 1, now, step, &outcome)?;
    }
    totals.print(&mut out, arguments.json)?;
    totals.into_result()
}

fn script(path: Option<&Path>) -> Result<Script, Failure> {
    match path {
        Some(path) => Script::load(path, &LoadOptions::default()).map_err(Failure::of),
        None => Script::parse("policies/demo/calls.yaml", CALLS).map_err(Failure::of),
    }
}

/// Makes one call under the Guardian. The work itself is nothing but a flag, so that the time is the check's.
fn perform(guardian: &Guardian, call: &Call) -> Result<Result<Outcome, UnknownPolicy>, Failure> {
    let check = match guardian.check(&call.policy) {
        Ok(check) => described(check, call),
        Err(unknown) => return Ok(Err(unknown)),
    };
    let begun = Instant::now();
    let permit = check.authorize();
    let took = begun.elapsed();
    let outcome = match permit {
        Ok(permit) => {
            let decision = permit.decision();
            let (action, reason, limit) = (decision.action, decision.reason.clone(), decision.limit.clone());
            permit.complete_now();
            Outcome { action, reason, limit, retry_after: None, ran: true, took }
        }
        Err(GuardError::Denied(denied)) => Outcome {
            action: denied.action,
            reason: denied.reason,
            limit: denied.limit,
            retry_after: denied.retry_after,
            ran: false,
            took,
        },
        Err(error) => return Err(Failure::of(error)),
    };
    Ok(Ok(outcome))
}

fn described(check: Check, call: &Call) -> Check {
    let mut check = check
        .function(&call.function)
        .operation(&call.operation)
        .resource(&call.resource)
        .confirm(call.confirm);
    if let Some(kind) = &call.resource_type {
        check = check.resource_type(kind);
    }
    if let Some(model) = &call.model {
        check = check.model(model);
    }
    if let Some(user) = &call.user {
        check = call.roles.iter().fold(check.user(user), Check::role);
    }
    if let Some(cost) = &call.cost {
        check = check.cost(cost.as_str());
    }
    call.tokens.into_iter().fold(check, Check::tokens)
}

fn print_line(
    out: &mut dyn Write,
    number: usize,
    now: i64,
    step: &Step,
    outcome: &Outcome,
) -> std::io::Result<()> {
    let Step { call, note, .. } = step;
    let mark = if outcome.ran { "ran" } else { "NOT RUN" };
    let what = format!("{} {}", call.operation, call.resource);
    writeln!(
        out,
        "{number:2}  {}  {:16} {what:30} {:20} {mark:7} {:>7.1} µs  {}{}",
        clock_time(now),
        call.policy,
        outcome.action.to_string(),
        micros(outcome.took),
        outcome.reason,
        note.as_ref().map(|note| format!("  ({note})")).unwrap_or_default(),
    )
}

fn print_json(
    out: &mut dyn Write,
    number: usize,
    now: i64,
    step: &Step,
    outcome: &Outcome,
) -> std::io::Result<()> {
    let Step { call, note, .. } = step;
    let line = json!({
        "call": number, "time_ns": now, "policy": call.policy, "function": call.function,
        "operation": call.operation, "resource": call.resource, "action": outcome.action.to_string(),
        "allowed": outcome.ran, "reason": outcome.reason, "limit": outcome.limit,
        "retry_after_ms": outcome.retry_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
        "took_us": micros(outcome.took), "note": note,
    });
    writeln!(out, "{line}")
}

fn clock_time(now: i64) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(now)).unwrap_or_default();
    time.to_zoned(TimeZone::UTC).strftime("%a %H:%M:%SZ").to_string()
}

fn micros(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e7).round() / 10.0
}

impl Totals {
    fn add(&mut self, number: usize, step: &Step, outcome: &Outcome, holds_to_script: bool) {
        self.calls += 1;
        self.ran += usize::from(outcome.ran);
        self.took.push(outcome.took);
        for (count, action) in self.by_action.iter_mut().zip(ACTIONS) {
            *count += usize::from(outcome.action == action);
        }
        let action = outcome.action.to_string();
        if let Some(expected) =
            step.expect.as_ref().filter(|expected| holds_to_script && **expected != action)
        {
            self.surprises
                .push(format!("call {number}: expected {expected}, got {action}: {}", outcome.reason));
        }
    }

    fn median(&self) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        took.get(took.len() / 2).copied().unwrap_or_default()
    }

    fn print(&self, out: &mut dyn Write, json: bool) -> std::io::Result<()> {
        let counts = ACTIONS.iter().zip(self.by_action);
        if json {
            let by_action: serde_json::Map<_, _> =
                counts.map(|(action, count)| (action.to_string(), json!(count))).collect();
            let line = json!({
                "calls": self.calls, "ran": self.ran, "actions": by_action, "skipped": self.skipped.len(),
                "median_us": micros(self.median()),
            });
            return writeln!(out, "{line}");
        }
        let counts: Vec<String> = counts.map(|(action, count)| format!("{count} {action}")).collect();
        writeln!(out, "\n{} calls, {} ran: {}", self.calls, self.ran, counts.join(", "))?;
        writeln!(out, "median {:.1} µs for a check and its charge, in this process, without a server", {
            micros(self.median())
        })?;
        if !self.skipped.is_empty() {
            let ids: std::collections::BTreeSet<&str> = self.skipped.iter().map(String::as_str).collect();
            let ids: Vec<&str> = ids.into_iter().collect();
            let count = self.skipped.len();
            writeln!(out, "{count} calls were not made: the policy file has no {}", ids.join(", "))?;
        }
        Ok(())
    }

    fn into_result(self) -> Result<(), Failure> {
        if self.calls == 0 {
            let why = "no call names a policy of the file; give the calls as well, with --calls FILE";
            return Err(Failure::Failed(why.to_owned()));
        }
        match self.surprises.as_slice() {
            [] => Ok(()),
            surprises => Err(Failure::Failed(surprises.join("\n"))),
        }
    }
}
