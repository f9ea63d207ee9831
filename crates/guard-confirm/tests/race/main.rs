//! Four processes of sixteen threads each fight for confirmations. `SEED` sets where the random numbers begin,
//! `RACE_TOKENS` how many confirmations there are: a thousand take some minutes, a store that writes to a disk the most.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod fight;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fight::{Plan, Prize, desk, fight, now_ms, question};
use guard_confirm::{Due, Entry, Filter, MemoryStore, State, Step, Stepped, Store, Stored};
use guard_core::{Reply, Timestamp};
use test_support::{Folder, PostgresServer, RedisServer, setting};

const PROCESSES: u64 = 4;
const THREADS: u64 = 16;

/// Every second one needs two people, and every tenth expires while they fight.
fn ask(store: &Arc<dyn Store>, signed: bool) -> Vec<(Prize, Entry)> {
    let count = usize::try_from(setting("RACE_TOKENS", 200)).unwrap();
    let asked = (0..count).map(|number| {
        let approvals = if number % 2 == 0 { 1 } else { 2 };
        let expires =
            Duration::from_millis(if number % 10 == 9 { 1_500 + number as u64 * 20 } else { 600_000 });
        let asked =
            desk(Arc::clone(store), signed, approvals, expires).ask(&question(number)).wait().unwrap();
        (Prize { handle: asked.handle, token: asked.token.expose().to_owned() }, asked.entry)
    });
    asked.collect()
}

#[derive(Debug, Default)]
struct Won {
    approve: u32,
    reject: u32,
    consume: u32,
    expire: u32,
    doubt: u32,
}

/// What is broken, by what each was told and what the store holds in the end.
fn judge(store: &Arc<dyn Store>, asked: &[(Prize, Entry)], logs: &[PathBuf]) -> (Vec<String>, String) {
    let mut won: BTreeMap<usize, Won> = BTreeMap::new();
    let numbers: BTreeMap<&str, usize> =
        asked.iter().enumerate().map(|(n, (_, entry))| (&*entry.id, n)).collect();
    for log in logs {
        for line in std::fs::read_to_string(log).unwrap().lines() {
            let (name, what) = line.split_once(' ').unwrap();
            let number = numbers.get(name).copied().unwrap_or_else(|| name.parse().unwrap());
            let won = won.entry(number).or_default();
            match what {
                "approve" => won.approve += 1,
                "reject" => won.reject += 1,
                "consume" => won.consume += 1,
                "expire" => won.expire += 1,
                _ => won.doubt += 1,
            }
        }
    }
    let (mut broken, mut states) = (Vec::new(), BTreeMap::<&str, u32>::new());
    for (number, (_, begun)) in asked.iter().enumerate() {
        let won = won.remove(&number).unwrap_or_default();
        let entry = store.get(&begun.id).wait().unwrap().unwrap_or_else(|| begun.clone());
        *states.entry(entry.state.as_str()).or_default() += 1;
        let needs = begun.rules.approvals;
        let wrong = [
            (won.doubt > 0, "something was left in doubt"),
            (won.consume > 1, "it was consumed twice"),
            (won.reject > 1, "it was rejected twice"),
            (won.expire > 1, "it expired twice"),
            (won.consume + won.reject > 1, "it was rejected and consumed"),
            (won.consume + won.expire > 1, "it expired and was consumed"),
            (won.reject + won.expire > 1, "it was rejected and expired"),
            (won.approve > needs, "too many approved it"),
            (won.consume == 1 && won.approve != needs, "it was consumed without being approved"),
            (won.reject == 1 && won.approve >= needs, "it was rejected after it was approved"),
            ((entry.state == State::Consumed) != (won.consume == 1), "the store knows otherwise"),
            ((entry.state == State::Rejected) != (won.reject == 1), "the store knows otherwise"),
            (entry.approved_by().count() != usize::try_from(won.approve).unwrap(), "an approval is lost"),
        ];
        let wrong = wrong.into_iter().filter(|(is, _)| *is);
        broken
            .extend(wrong.map(|(_, what)| {
                format!("confirmation {number}: {what}: {won:?}, {}", entry.state.as_str())
            }));
    }
    (broken, format!("{states:?}"))
}

fn race(address: &str, signed: bool) {
    let folder = Folder::new("confirm-race");
    let store = guard_confirm::open(address).unwrap();
    let asked = ask(&store, signed);
    let seed = setting("SEED", 1);
    let prizes: String =
        asked.iter().map(|(prize, _)| format!("{} {}\n", prize.handle, prize.token)).collect();
    let list = folder.path().join("prizes");
    std::fs::write(&list, prizes).unwrap();
    let start = now_ms() + 500;
    let logs: Vec<PathBuf> = (0..PROCESSES).map(|n| folder.path().join(format!("log-{n}"))).collect();
    let mut running: Vec<_> = (0..PROCESSES)
        .zip(&logs)
        .map(|(process, log)| {
            let numbers = [seed, process, THREADS, start].map(|number| number.to_string());
            let mut worker = Command::new(env!("CARGO_BIN_EXE_guard-confirm-race"));
            worker.args([address, &signed.to_string()]).arg(&list).args(numbers).arg(log);
            worker.spawn().unwrap()
        })
        .collect();
    for child in &mut running {
        assert!(child.wait().unwrap().success());
    }
    let (broken, states) = judge(&store, &asked, &logs);
    let scheme = address.split(':').next().unwrap();
    println!(
        "{scheme}, signed {signed}, seed {seed}: {} confirmations: {states}, {} broken",
        asked.len(),
        broken.len()
    );
    assert!(broken.is_empty(), "seed {seed}: {}", broken.join("\n"));
}

#[test]
fn sqlite_holds() {
    for signed in [false, true] {
        let folder = Folder::new("confirm-race-sqlite");
        race(&format!("sqlite:{}", folder.path().join("confirm.db").display()), signed);
    }
}

#[test]
#[ignore = "needs Redis"]
fn needs_redis_holds() {
    let server = RedisServer::start();
    race(&server.url(), false);
    race(&server.url(), true);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn needs_postgres_holds() {
    let server = PostgresServer::start();
    race(&server.url(), false);
    race(&server.url(), true);
}

fn race_here(store: Arc<dyn Store>, signed: bool, folder: &Path) -> Vec<String> {
    let asked = ask(&store, signed);
    let prizes: Vec<Prize> = asked.iter().map(|(prize, _)| prize.clone()).collect();
    let log = folder.join("log");
    let plan = Plan { signed, seed: setting("SEED", 1), process: 0, threads: THREADS, start_ms: now_ms() };
    fight(&store, &prizes, &plan, &log).unwrap();
    judge(&store, &asked, &[log]).0
}

#[test]
fn memory_holds() {
    let folder = Folder::new("confirm-race-memory");
    for signed in [false, true] {
        assert_eq!(race_here(Arc::new(MemoryStore::new()), signed, folder.path()), Vec::<String>::new());
    }
}

/// Looks first and acts afterwards, as stores do that are wrong.
struct Hasty(MemoryStore);

impl Store for Hasty {
    fn insert(&self, entry: &Entry, announce: bool) -> Stored<'static, ()> {
        self.0.insert(entry, announce)
    }

    fn get(&self, id: &str) -> Stored<'static, Option<Entry>> {
        self.0.get(id)
    }

    fn step(
        &self,
        id: &str,
        step: &Step,
        _: Option<&Entry>,
        now: Timestamp,
    ) -> Stored<'static, Option<Stepped>> {
        let Ok(Some(mut entry)) = self.0.get(id).wait() else { return Reply::Now(Ok(None)) };
        std::thread::yield_now();
        let refused = entry.step(step, now).err();
        self.0.overwrite(entry.clone());
        Reply::Now(Ok(Some(Stepped { entry, refused })))
    }

    fn list(&self, filter: &Filter, now: Timestamp) -> Stored<'static, Vec<Entry>> {
        self.0.list(filter, now)
    }

    fn sweep(&self, now: Timestamp, forget: Timestamp) -> Stored<'static, Vec<Entry>> {
        self.0.sweep(now, forget)
    }

    fn claim(&self, now: Timestamp, until: Timestamp) -> Stored<'static, Option<Due>> {
        self.0.claim(now, until)
    }

    fn tell(&self, id: &str, again: Option<Timestamp>) -> Stored<'static, ()> {
        self.0.tell(id, again)
    }
}

#[test]
fn a_store_that_checks_before_it_acts_is_found_out() {
    let folder = Folder::new("confirm-race-hasty");
    let broken = race_here(Arc::new(Hasty(MemoryStore::new())), false, folder.path());
    assert!(!broken.is_empty());
}
