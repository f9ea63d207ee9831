//! `hexarch-ctl run -- COMMAND`: asks the policy, then runs the command or refuses.

mod signals;

use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use guard_core::{Amount, ConfirmationToken, Quantity, SystemClock};
use guard_policy::LimitKind;
use hexarch_guardrails::{Check, GuardError, Guardian, Permit};
use serde_json::json;

use crate::failure::Failure;

/// What the policy is asked about, and what is run.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The policy that is asked.
    #[arg(long, value_name = "ID")]
    policy: String,
    /// What is done; without it the program's name.
    #[arg(long)]
    operation: Option<String>,
    /// To what it is done.
    #[arg(long)]
    resource: Option<String>,
    /// What kind of thing that is.
    #[arg(long)]
    resource_type: Option<String>,
    /// The model that is called.
    #[arg(long)]
    model: Option<String>,
    /// The feature that is used.
    #[arg(long)]
    feature: Option<String>,
    /// Who is calling; without it, who runs this command.
    #[arg(long, env = "USER")]
    user: Option<String>,
    /// A role of theirs, without `@`; may be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// What it is expected to cost, in dollars.
    #[arg(long)]
    cost: Option<String>,
    /// How many tokens it is expected to take.
    #[arg(long)]
    tokens: Option<u64>,
    /// Something else that the policy may want to know: a JSON value, or a text. May be given several times.
    #[arg(long = "context", value_name = "NAME=VALUE")]
    context: Vec<String>,
    /// The same, never shown to anybody.
    #[arg(long = "secret", value_name = "NAME=VALUE")]
    secrets: Vec<String>,
    /// A file that the command writes what it really cost into, in dollars.
    #[arg(long, value_name = "FILE")]
    cost_from: Option<PathBuf>,
    /// The token of a confirmation that was asked for before.
    #[arg(long, value_name = "TOKEN", env = "HEXARCH_CONFIRMATION_TOKEN", hide_env_values = true)]
    confirm: Option<String>,
    /// How many seconds to wait for a confirmation.
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Where limits are counted: `sqlite:PATH`, `redis://…` or `postgres://…`.
    #[arg(long, value_name = "URL", env = "HEXARCH_STATE")]
    store: Option<String>,
    /// Says why it is refused as JSON.
    #[arg(long)]
    json: bool,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<std::ffi::OsString>,
}

/// Asks, and runs. The command's end is this program's.
pub(crate) fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), Failure> {
    let guardian = guardian(arguments, config)?;
    let check = check(&guardian, arguments)?;
    let permit = match arguments.wait {
        Some(seconds) => check.authorize_or_wait(Duration::from_secs(seconds)),
        None => check.authorize(),
    };
    let permit = permit.map_err(|error| refused(&error, arguments.json))?;
    let status = carry_out(&guardian, arguments, permit)?;
    signals::ended(status)
}

fn guardian(arguments: &Arguments, config: Option<&Path>) -> Result<Guardian, Failure> {
    let builder = match config {
        Some(path) => Guardian::builder().policy_file(path),
        None => Guardian::builder().discover_from(".").map_err(Failure::of)?,
    };
    let builder = match &arguments.store {
        None => builder,
        Some(address) => {
            let store = guard_state::open(address, Arc::new(SystemClock::new())).map_err(Failure::of)?;
            let store: Arc<dyn guard_state::Store> = Arc::from(store);
            builder.store(store)
        }
    };
    builder.build().map_err(Failure::of)
}

/// Says one thing of a check.
type Put = fn(Check, String) -> Check;

fn check(guardian: &Guardian, arguments: &Arguments) -> Result<Check, Failure> {
    let program = arguments.command.first().map(|program| program.to_string_lossy().into_owned());
    let program = program.unwrap_or_default();
    let name = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
    let words: Vec<_> = arguments.command.iter().map(|word| word.to_string_lossy()).collect();
    let mut check = guardian.check(&arguments.policy).map_err(Failure::of)?.function("hexarch-ctl run");
    check = check.operation(arguments.operation.clone().or(name).unwrap_or(program));
    // A confirmation is for this very command.
    check = check.context("command", &words);
    // An environment whose USER is empty says of nobody that he is calling.
    let user = arguments.user.as_ref().filter(|user| !user.is_empty());
    let set: [(Option<&String>, Put); 5] = [
        (arguments.resource.as_ref(), |check, text| check.resource(text)),
        (arguments.resource_type.as_ref(), |check, text| check.resource_type(text)),
        (arguments.model.as_ref(), |check, text| check.model(text)),
        (arguments.feature.as_ref(), |check, text| check.feature(text)),
        (user, |check, text| check.user(text)),
    ];
    for (value, put) in set {
        if let Some(value) = value {
            check = put(check, value.clone());
        }
    }
    check = arguments.roles.iter().fold(check, |check, role| check.role(role));
    if let Some(cost) = &arguments.cost {
        check = check.cost(cost.parse::<Amount>().map_err(Failure::of)?);
    }
    if let Some(tokens) = arguments.tokens {
        check = check.tokens(tokens);
    }
    for (pairs, secret) in [(&arguments.context, false), (&arguments.secrets, true)] {
        for pair in pairs {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| Failure::Exit(2, format!("hexarch-ctl: `{pair}` is no NAME=VALUE")))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            check = if secret { check.secret(name, value) } else { check.context(name, value) };
        }
    }
    Ok(match &arguments.confirm {
        None => check,
        Some(token) => check.confirmation_token(ConfirmationToken::new(token)),
    })
}

/// Exit code 3, and why.
fn refused(error: &GuardError, as_json: bool) -> Failure {
    let GuardError::Denied(violation) = error else { return Failure::of(error) };
    let pending = violation.confirmation.as_deref();
    let expires = pending.and_then(|pending| pending.expires);
    let expires = expires.and_then(|time| jiff::Timestamp::from_nanosecond(time.as_nanos().into()).ok());
    if as_json {
        let confirmation = pending.map(|pending| {
            json!({"id": pending.id, "token": pending.token.expose(), "expires_at": expires.map(|time| time.to_string())})
        });
        let refusal = json!({
            "allowed": false, "policy": violation.policy, "action": violation.action.as_str(),
            "reason": violation.reason, "limit": violation.limit,
            "retry_after_ms": violation.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            "decision_id": violation.decision_id.to_string(), "confirmation": confirmation,
        });
        return Failure::Exit(3, refusal.to_string());
    }
    let mut text = format!("hexarch-ctl: {violation}");
    if let Some(pending) = pending {
        let until = expires.map(|time| format!(", until {time}")).unwrap_or_default();
        text.push_str(&format!(
            "\nit waits for a confirmation{until}: `hexarch-ctl confirm approve {}`, then again with\n--confirm {}",
            pending.id,
            pending.token.expose()
        ));
    }
    Failure::Exit(3, text)
}

fn carry_out(guardian: &Guardian, arguments: &Arguments, mut permit: Permit) -> Result<ExitStatus, Failure> {
    let Some((program, words)) = arguments.command.split_first() else {
        return Err(Failure::Exit(2, "hexarch-ctl: no command".to_owned()));
    };
    let mut command = Process::new(program);
    command.args(words).env("HEXARCH_DECISION_ID", permit.decision_id().to_string());
    // The token is spent; the command has no use for it.
    command.env_remove("HEXARCH_CONFIRMATION_TOKEN");
    let signals = signals::Forwarding::begin()?;
    // What was reserved is given back with the permit.
    let mut child = command.spawn().map_err(|error| {
        Failure::Exit(127, format!("hexarch-ctl: {}: {error}", program.to_string_lossy()))
    })?;
    let status = signals.wait(&mut child)?;
    if let Some(file) = &arguments.cost_from {
        match real_cost(file) {
            Ok(cost) => spend(guardian, &arguments.policy, &mut permit, cost),
            Err(why) => eprintln!("hexarch-ctl: {}: {why}; what was reserved is charged", file.display()),
        }
    }
    permit.complete_now();
    Ok(status)
}

/// What the command says that it cost, in micro-dollars, rounded up.
fn real_cost(file: &Path) -> Result<Quantity, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let cost: Amount = text.trim().trim_start_matches('$').parse().map_err(|error| format!("{error}"))?;
    let micros = cost.micro_dollars();
    micros.map(Quantity::new).ok_or_else(|| format!("`{cost}` is no cost"))
}

/// Budgets of money take what it really cost; tokens and calls stay as they were reserved.
fn spend(guardian: &Guardian, policy: &str, permit: &mut Permit, cost: Quantity) {
    let limits = guardian.policy(policy).map(|policy| policy.limits()).unwrap_or_default();
    for limit in limits.iter().filter(|limit| limit.kind == LimitKind::Budget) {
        if permit.decision().charges.iter().any(|charge| charge.cell.limit == limit.id) {
            permit.spent(limit.id.clone(), cost);
        }
    }
}
