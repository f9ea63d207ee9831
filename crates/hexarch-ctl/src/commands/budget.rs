//! `hexarch-ctl budget`: what is spent, and what a store is worth.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;

use clap::{Args, Subcommand};
use guard_core::{CellFilter, CellView, Quantity, SystemClock};
use guard_policy::StateStore;
use guard_state::Store;
use guard_torture::{Plan, torture};
use serde_json::json;

use crate::commands::policy;
use crate::failure::Failure;

/// What is done with budgets.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Shows what is spent, reserved and left.
    #[command(visible_alias = "show")]
    List(Selection),
    /// Sets what is spent; what is reserved stays so.
    Set(Setting),
    /// Sets what is spent to nothing.
    Reset(Selection),
    /// Races callers and crashes on a store: exit code 1 when an invariant is broken, 2 when the store cannot be had.
    Torture(Torture),
    /// One process of `torture`.
    #[command(hide = true)]
    TortureWorker {
        /// What the parent says.
        arguments: Vec<String>,
    },
}

/// Which cells of which store.
#[derive(Args)]
pub(crate) struct Selection {
    /// The store: `sqlite:PATH`, `redis://HOST:PORT/DB`, `postgres://USER@HOST:PORT/DATABASE` or `opa:URL`; without it, the
    /// one that the configuration names.
    #[arg(long, value_name = "URL", env = "HEXARCH_STATE")]
    store: Option<String>,
    /// Only this limit.
    #[arg(long)]
    limit: Option<String>,
    /// Only this key.
    #[arg(long)]
    key: Option<String>,
    /// Only this window.
    #[arg(long)]
    window: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// What is set.
#[derive(Args)]
pub(crate) struct Setting {
    #[command(flatten)]
    selection: Selection,
    /// What is spent, in the limit's smallest unit.
    #[arg(value_name = "UNITS", allow_negative_numbers = true)]
    spent: i64,
}

/// What `torture` is given.
#[derive(Args)]
pub(crate) struct Torture {
    /// The store: `memory:`, `sqlite:PATH`, `redis://HOST:PORT/DB`, `postgres://USER@HOST:PORT/DATABASE` or
    /// `opa:http://HOST:PORT`, each process a replica with a copy of its own; with `leased:` before SQLite, Redis or
    /// PostgreSQL, slices of it.
    #[arg(long, value_name = "URL")]
    store: String,
    /// Threads in each process.
    #[arg(long, default_value_t = 8)]
    threads: u64,
    /// Processes, where the store is shared by several.
    #[arg(long, default_value_t = 4)]
    processes: u64,
    /// How often it is repeated.
    #[arg(long, default_value_t = 10)]
    runs: u64,
    /// What the random numbers begin from; a run is repeated with the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Calls of each thread in each run.
    #[arg(long, default_value_t = 12)]
    calls: u64,
    /// Processes killed in each run.
    #[arg(long, default_value_t = 4)]
    kills: u64,
    /// Sends connections through a proxy that delays and cuts them, at one in so many of the pieces that it passes on.
    #[arg(long, value_name = "PIECES", num_args = 0..=1, default_missing_value = "150")]
    cut: Option<u64>,
    /// Leaves slices without a journal: what a killed process had in hand then stays counted.
    #[arg(long)]
    no_journal: bool,
    /// A command that restarts the server, run once in each run, while processes spend.
    #[arg(long, value_name = "COMMAND")]
    restart: Option<String>,
    /// Prints the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Carries a command out.
pub(crate) fn run(command: &Command, config: Option<&Path>) -> Result<(), Failure> {
    match command {
        Command::List(selection) => list(selection, config),
        Command::Set(setting) => set(&setting.selection, Quantity::new(setting.spent), config),
        Command::Reset(selection) => set(selection, Quantity::ZERO, config),
        Command::Torture(arguments) => run_torture(arguments),
        Command::TortureWorker { arguments } => guard_torture::worker_of(arguments).map_err(Failure::Failed),
    }
}

fn open(selection: &Selection, config: Option<&Path>) -> Result<(Arc<dyn Store>, CellFilter), Failure> {
    let store = match &selection.store {
        Some(address) => open_address(address)?,
        None => open_configured(config)?,
    };
    let Selection { limit, key, window, .. } = selection;
    let filter = CellFilter { limit: limit.clone(), key: key.clone(), window: window.clone() };
    Ok((store, filter))
}

/// Whoever looks at a file makes none.
fn has_to_be_there(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    if path.as_os_str().is_empty() {
        return Err(Failure::Failed("`sqlite:` names no file: `sqlite:PATH`".to_owned()));
    }
    let path = path.display();
    Err(Failure::Failed(format!("there is no state file `{path}`: nothing has been counted there yet")))
}

fn open_address(address: &str) -> Result<Arc<dyn Store>, Failure> {
    if let Some(path) = address.strip_prefix("sqlite:") {
        has_to_be_there(Path::new(path))?;
    }
    let store = guard_state::open(address, Arc::new(SystemClock::new())).map_err(Failure::of)?;
    Ok(Arc::from(store))
}

/// The store that the configuration names; what is changed in it is told where the configuration logs.
fn open_configured(config: Option<&Path>) -> Result<Arc<dyn Store>, Failure> {
    let file = policy::load(config)?;
    match file.settings().state().store() {
        StateStore::Memory => {
            return Err(Failure::Failed(format!(
                "`{}` counts in the memory of the process that it guards, which nobody else sees; name a store under \
                 `state`, or with --store",
                file.file()
            )));
        }
        StateStore::Sqlite { path } => has_to_be_there(Path::new(path))?,
        _ => {}
    }
    hexarch_guardrails::open_state(&file, Arc::new(SystemClock::new())).map_err(Failure::of)
}

fn view_json(view: &CellView) -> serde_json::Value {
    json!({
        "limit": view.cell.limit, "key": view.cell.key, "window": view.cell.window,
        "kind": view.kind.as_str(), "algorithm": view.algorithm.as_str(), "spent": view.spent.units(),
        "reserved": view.reserved.units(), "max": view.max.units(), "remaining": view.remaining().units(),
        "debt": view.debt().units(), "ends_ns": view.ends.map(|ends| ends.as_nanos()),
    })
}

fn list(selection: &Selection, config: Option<&Path>) -> Result<(), Failure> {
    let (store, filter) = open(selection, config)?;
    let views = store.list(&filter).wait().map_err(Failure::of)?;
    let mut out = std::io::stdout().lock();
    if selection.json {
        let rows: Vec<_> = views.iter().map(view_json).collect();
        writeln!(out, "{}", serde_json::Value::Array(rows))?;
        return Ok(());
    }
    for view in &views {
        let debt = view.debt();
        let debt = if debt > Quantity::ZERO { format!(", in debt by {debt}") } else { String::new() };
        let (spent, reserved, max) = (view.spent, view.reserved, view.max);
        writeln!(
            out,
            "{}: {spent} spent, {reserved} reserved, {} of {max} left{debt}",
            view.cell,
            view.remaining()
        )?;
    }
    Ok(())
}

fn set(selection: &Selection, spent: Quantity, config: Option<&Path>) -> Result<(), Failure> {
    let (store, filter) = open(selection, config)?;
    let adjusted = store.set(&filter, spent).wait().map_err(Failure::of)?;
    let mut out = std::io::stdout().lock();
    if selection.json {
        let rows = adjusted.iter().map(|one| {
            let cell = &one.cell;
            json!({"limit": cell.limit, "key": cell.key, "window": cell.window,
                "before": one.before.units(), "after": one.after.units()})
        });
        writeln!(out, "{}", serde_json::Value::Array(rows.collect()))?;
        return Ok(());
    }
    for one in &adjusted {
        writeln!(out, "{}: {} spent, before {}", one.cell, one.after, one.before)?;
    }
    if adjusted.is_empty() {
        writeln!(out, "no such limit is counted yet")?;
    }
    Ok(())
}

fn run_torture(arguments: &Torture) -> Result<(), Failure> {
    let folder: PathBuf = std::env::temp_dir().join(format!("hexarch-torture-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let plan = Plan {
        store: arguments.store.clone(),
        threads: arguments.threads.max(1),
        processes: arguments.processes.max(1),
        runs: arguments.runs,
        seed: arguments.seed,
        calls: arguments.calls,
        kills: arguments.kills,
        cut_one_in: arguments.cut,
        journal: !arguments.no_journal,
        folder: folder.clone(),
    };
    let ourselves = std::env::current_exe()?;
    let program = || {
        let mut process = Process::new(&ourselves);
        process.args(["budget", "torture-worker", "--"]);
        process
    };
    let mut restart = arguments.restart.as_ref().map(|command| {
        move || {
            // A server that does not start again is told by whoever needs it.
            let _ = Process::new("sh").arg("-c").arg(command).status();
        }
    });
    let restart = restart.as_mut().map(|restart| restart as &mut dyn FnMut());
    let report = torture(&plan, &program, restart, &mut |line| eprintln!("{line}"));
    let held = report.as_ref().is_ok_and(guard_torture::Report::held);
    if held {
        let _ = std::fs::remove_dir_all(&folder);
    } else {
        eprintln!("the logs of what was acknowledged are in {}", folder.display());
    }
    let report = report.map_err(Failure::Unjudged)?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", report.to_json(&plan))?;
    } else {
        let verdict = &report.verdict;
        let (runs, kills, admitted) = (report.runs, report.kills, verdict.admitted);
        writeln!(
            out,
            "{runs} runs, {kills} processes killed, {admitted} calls admitted, seed {}",
            plan.seed
        )?;
        verdict.broken.iter().try_for_each(|what| writeln!(out, "broken: {what}"))?;
    }
    if held { Ok(()) } else { Err(Failure::Silent) }
}
