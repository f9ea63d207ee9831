//! Starts the processes, kills them, and has what is left judged.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use guard_state::Store;
use serde_json::json;

use crate::judge::{Verdict, judge, judge_replicas};
use crate::load::{LEASE, Load, open, spend};
use crate::proxy::Proxy;
use crate::random::Random;
use crate::slices::judge_slices;

/// The longest that a process may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// When all leases of a run have run out, after its end.
const RIPE: Duration = LEASE.saturating_add(Duration::from_millis(300));
/// The same where replicas tell each other their leases in whole seconds, and what they ask for a second longer.
const RIPE_OF_REPLICAS: Duration = RIPE.saturating_add(Duration::from_secs(2));

/// What is done to a store.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its address.
    pub store: String,
    /// How many threads each process has.
    pub threads: u64,
    /// How many processes. A store in memory has one, which is not killed.
    pub processes: u64,
    /// How many runs.
    pub runs: u64,
    /// What the random numbers begin from.
    pub seed: u64,
    /// How many calls each thread makes.
    pub calls: u64,
    /// How many processes are killed and begin again in each run.
    pub kills: u64,
    /// Whether connections to a server go through a proxy that delays and cuts them: at one chunk in so many.
    pub cut_one_in: Option<u64>,
    /// Whether processes that spend slices write down what they spend of them.
    pub journal: bool,
    /// The folder for the logs.
    pub folder: PathBuf,
}

impl Plan {
    /// Whether each process has a ledger of its own, and a copy of it.
    fn has_replicas(&self) -> bool {
        self.store.starts_with("opa:")
    }

    fn ripe(&self) -> Duration {
        if self.has_replicas() { RIPE_OF_REPLICAS } else { RIPE }
    }

    /// A replica's own copy.
    fn copy(&self, load: Load, process: u64) -> PathBuf {
        self.folder.join(format!("run-{}-process-{process}.copy", load.run))
    }

    /// Where processes write down what they spend of slices.
    fn slices(&self) -> PathBuf {
        self.folder.join("slices")
    }

    /// The store as a process opens it. Replicas have copies of their own, and documents of their own in each run: who begins
    /// the next one would otherwise be told of all that the last one left.
    fn address(&self, store: &str, load: Load, process: u64) -> String {
        if self.journal && store.starts_with("leased:") {
            return format!("{store}?journal={}", self.slices().display());
        }
        if !self.has_replicas() {
            return store.to_owned();
        }
        let copy = self.copy(load, process);
        format!("{store}?copy={}&root=torture/seed_{:x}_run_{}", copy.display(), load.seed, load.run)
    }
}

/// What else happens once in each run, while processes spend: a server that is restarted.
pub type Trouble<'a> = Option<&'a mut dyn FnMut()>;

/// A run that is over, and waits for its leases to run out while the next one is made.
struct Over {
    load: Load,
    /// The logs of each process, of all its lives.
    logs: Vec<Vec<PathBuf>>,
    /// The store of this process, where it dies with it.
    store: Option<Box<dyn Store>>,
    /// Whether a process was killed or cut off.
    disturbed: bool,
    since: Instant,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The runs that were made.
    pub runs: u64,
    /// Processes that were killed.
    pub kills: u64,
    /// Connections that were cut.
    pub cuts: u64,
    /// How often the trouble was made.
    pub troubles: u64,
    /// All runs together.
    pub verdict: Verdict,
}

impl Report {
    /// Whether every invariant held.
    #[must_use]
    pub fn held(&self) -> bool {
        self.verdict.broken.is_empty()
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self, plan: &Plan) -> String {
        let Verdict { broken, admitted, refused, in_doubt } = &self.verdict;
        let store = plan.store.split("://").next().unwrap_or_default();
        let store = store.split_once("opa:").map_or(store, |_| "opa");
        json!({
            "store": store, "seed": plan.seed, "threads": plan.threads, "processes": plan.processes,
            "runs": self.runs, "kills": self.kills, "cuts": self.cuts, "troubles": self.troubles,
            "admitted": admitted, "refused": refused, "in_doubt": in_doubt, "broken": broken, "held": self.held(),
        })
        .to_string()
    }
}

/// Tortures a store. `program` makes the command that runs [`crate::worker`] with the arguments that are appended:
/// store, seed, run, threads, calls, process, life, log.
///
/// # Errors
/// When a process cannot be started or fails, the logs cannot be read or the store does not answer. A broken invariant is
/// no error: it is in the report.
pub fn torture(
    plan: &Plan,
    program: &dyn Fn() -> Command,
    mut trouble: Trouble<'_>,
    told: &mut dyn FnMut(&str),
) -> Result<Report, String> {
    let mut report = Report::default();
    let proxy = match (plan.cut_one_in, server_of(&plan.store)) {
        (Some(one_in), Some(server)) => {
            Some(Proxy::start(server, plan.seed, one_in.max(1)).map_err(|error| error.to_string())?)
        }
        _ => None,
    };
    let through = match (&proxy, server_of(&plan.store)) {
        (Some(proxy), Some(server)) => plan.store.replacen(server, &proxy.address().to_string(), 1),
        _ => plan.store.clone(),
    };
    let mut over: VecDeque<Over> = VecDeque::new();
    for run in 0..plan.runs {
        let load = Load { seed: plan.seed, run, threads: plan.threads, calls: plan.calls };
        let before = (report.kills, report.troubles);
        let (logs, store) = if plan.store == "memory:" {
            let (log, store) = in_this_process(plan, load)?;
            (vec![vec![log]], Some(store))
        } else {
            (processes(plan, &through, load, program, &mut trouble, &mut report)?, None)
        };
        let disturbed = plan.cut_one_in.is_some() || before != (report.kills, report.troubles);
        over.push_back(Over { load, logs, store, disturbed, since: Instant::now() });
        while let Some(ripe) = over.pop_front_if(|over| over.since.elapsed() >= plan.ripe()) {
            hear(plan, &ripe, &mut report, told)?;
        }
    }
    for last in over {
        std::thread::sleep(plan.ripe().saturating_sub(last.since.elapsed()));
        hear(plan, &last, &mut report, told)?;
    }
    report.cuts = proxy.as_ref().map_or(0, Proxy::cuts);
    Ok(report)
}

/// Has a run judged. The logs of one that broke something are left.
fn hear(plan: &Plan, over: &Over, report: &mut Report, told: &mut dyn FnMut(&str)) -> Result<(), String> {
    let Over { load, logs, store, disturbed, .. } = over;
    let opened = |address: &str| open(address).map_err(|error| error.to_string());
    let all = logs.concat();
    let verdict = match (store, plan.store.strip_prefix("leased:")) {
        (Some(store), _) => judge(&**store, *load, &all)?,
        (None, Some(shared)) if plan.journal => {
            inherit(plan)?;
            judge_slices(&*opened(shared)?, *load, &all, false)?
        }
        (None, Some(shared)) => judge_slices(&*opened(shared)?, *load, &all, *disturbed)?,
        (None, None) if plan.has_replicas() => {
            let stores: Vec<Box<dyn Store>> = (0..plan.processes)
                .map(|process| opened(&plan.address(&plan.store, *load, process)))
                .collect::<Result<_, _>>()?;
            let replicas: Vec<_> =
                stores.iter().map(|store| &**store).zip(logs.iter().map(Vec::as_slice)).collect();
            judge_replicas(&replicas, *load)?
        }
        (None, None) => judge(&*opened(&plan.store)?, *load, &all)?,
    };
    if verdict.broken.is_empty() {
        for log in all {
            // A process that was killed early has none.
            let _ = std::fs::remove_file(log);
        }
        for process in 0..plan.processes {
            let copy = plan.copy(*load, process);
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{end}", copy.display()));
            }
        }
    }
    report.runs += 1;
    let run = load.run;
    told(&format!(
        "run {run} of seed {}: {} admitted, {} refused, {} in doubt, {} broken",
        plan.seed,
        verdict.admitted,
        verdict.refused,
        verdict.in_doubt,
        verdict.broken.len()
    ));
    verdict.broken.iter().for_each(|what| told(&format!("run {run}: {what}")));
    let all = &mut report.verdict;
    all.admitted += verdict.admitted;
    all.refused += verdict.refused;
    all.in_doubt += verdict.in_doubt;
    all.broken.extend(verdict.broken.into_iter().map(|what| format!("run {run}: {what}")));
    Ok(())
}

/// Has the slices of processes that are gone settled, as a process does that comes after them: until nothing is left.
fn inherit(plan: &Plan) -> Result<(), String> {
    let load = Load { seed: plan.seed, run: 0, threads: 0, calls: 0 };
    let end = Instant::now() + PATIENCE;
    loop {
        drop(open(&plan.address(&plan.store, load, 0)).map_err(|error| error.to_string())?);
        let names = std::fs::read_dir(plan.slices()).map_err(|error| error.to_string())?;
        let left = names.flatten().map(|name| name.path()).collect::<Vec<_>>();
        match left.first() {
            None => return Ok(()),
            // Half of a second is longer than it takes a process to find that its store is there again.
            Some(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(500)),
            Some(left) => return Err(format!("{} is left of slices", left.display())),
        }
    }
}

/// Host and port of an address that has them.
fn server_of(store: &str) -> Option<&str> {
    let (_, rest) = store.split_once("://")?;
    let authority = rest.split('/').next()?;
    Some(authority.rsplit('@').next().unwrap_or(authority))
}

/// A store in memory dies with its process: one process, and threads that race.
fn in_this_process(plan: &Plan, load: Load) -> Result<(PathBuf, Box<dyn Store>), String> {
    let log = plan.folder.join(format!("run-{}.log", load.run));
    let store = open(&plan.store).map_err(|error| error.to_string())?;
    spend(&*store, load, 0, 0, &log).map_err(|error| error.to_string())?;
    Ok((log, store))
}

fn processes(
    plan: &Plan,
    store: &str,
    load: Load,
    program: &dyn Fn() -> Command,
    trouble: &mut Trouble<'_>,
    report: &mut Report,
) -> Result<Vec<Vec<PathBuf>>, String> {
    let mut random = Random::of(&[load.seed, load.run, u64::MAX]);
    let mut logs = Vec::new();
    logs.resize_with(usize::try_from(plan.processes).unwrap_or(0), Vec::new);
    let mut start = |process: u64, life: u64| {
        let log = plan.folder.join(format!("run-{}-process-{process}-life-{life}.log", load.run));
        if let Some(of_process) = usize::try_from(process).ok().and_then(|process| logs.get_mut(process)) {
            of_process.push(log.clone());
        }
        let address = plan.address(store, load, process);
        Ok::<_, String>((start_worker(program(), &address, load, process, life, &log)?, log))
    };
    let mut running: Vec<(Child, PathBuf)> =
        (0..plan.processes).map(|process| start(process, 0)).collect::<Result<_, _>>()?;
    let troubled = 1 + random.below(plan.kills);
    for life in 1..=plan.kills {
        let victim = usize::try_from(random.below(plan.processes)).unwrap_or(0);
        if let Some((child, log)) = running.get_mut(victim) {
            wait_for_words(child, log, 1 + random.below((load.threads * load.calls / 2).max(1)));
            std::thread::sleep(Duration::from_micros(random.below(2_000)));
            if let (Some(trouble), true) = (trouble.as_mut(), life == troubled) {
                trouble();
                report.troubles += 1;
            }
            report.kills += u64::from(matches!(child.try_wait(), Ok(None)));
            // SIGKILL: nothing of the process runs any more.
            let _ = child.kill();
            let _ = child.wait();
            (*child, *log) = start(u64::try_from(victim).unwrap_or(0), life)?;
        }
    }
    let end = Instant::now() + PATIENCE;
    for (child, _) in &mut running {
        wait(child, end)?;
    }
    Ok(logs)
}

/// Waits until a process has written so many lines of its log: one that is killed while it still connects has risked
/// nothing, and a time would find a fast store at its end.
fn wait_for_words(child: &mut Child, log: &Path, lines: u64) {
    let end = Instant::now() + PATIENCE / 8;
    let written = || {
        let text = std::fs::read(log).unwrap_or_default();
        text.iter().filter(|byte| **byte == b'\n').count()
    };
    while (written() as u64) < lines && matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn start_worker(
    mut program: Command,
    store: &str,
    load: Load,
    process: u64,
    life: u64,
    log: &Path,
) -> Result<Child, String> {
    let numbers = [load.seed, load.run, load.threads, load.calls, process, life];
    program.arg(store).args(numbers.map(|number| number.to_string())).arg(log);
    program.stdin(Stdio::null()).stdout(Stdio::null());
    program.spawn().map_err(|error| format!("{}: {error}", program.get_program().to_string_lossy()))
}

fn wait(child: &mut Child, end: Instant) -> Result<(), String> {
    loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("a process failed ({status})")),
            None if Instant::now() > end => {
                let _ = child.kill();
                return Err(format!("a process did not end within {PATIENCE:?}"));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}
