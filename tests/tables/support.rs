//! Files with their tables, and a Guardian over a store that each row sets anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard_core::{
    Algorithm, Batch, CellId, Changes, Charge, ChargeOutcome, Quantity, Reply, ReservationId, Revision,
    Settled, Settlement, Snapshot, StateError, StateStore,
};
use guard_policy::{LoadOptions, Row, Table, Totals};
use guard_state::MemoryStore;
use hexarch_guardrails::{Check, EvaluatorOrder, FixedClock, Guardian, Timestamp};
use serde_json::{Value, json};

/// A hexarch.yaml and its table.
pub(crate) struct Case {
    pub(crate) name: String,
    file: PathBuf,
    pub(crate) table: Table,
}

/// The packs, and the files with a row for each key.
pub(crate) fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = ["policies", "crates/guard-policy/tests/keys"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.join("table.yaml").exists())
        .collect();
    folders.sort();
    let case = |folder: PathBuf| {
        let path = folder.join("table.yaml");
        let table =
            Table::parse(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap()).unwrap();
        Case {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            file: folder.join("hexarch.yaml"),
            table,
        }
    };
    folders.into_iter().map(case).collect()
}

/// A Guardian, and what it reads.
pub(crate) struct Side {
    guardian: Guardian,
    clock: Arc<FixedClock>,
    store: Arc<Renewed>,
}

impl Side {
    pub(crate) fn new(case: &Case, opa: Option<&str>) -> Self {
        let clock = Arc::new(FixedClock::at(Timestamp::from_seconds(0)));
        let store = Arc::new(Renewed::default());
        let options = LoadOptions { allow_writable_by_others: true, ..LoadOptions::default() };
        let mut builder = Guardian::builder()
            .policy_file(&case.file)
            .load_options(options)
            .shared_clock(Arc::clone(&clock) as _)
            .store(Arc::clone(&store) as _)
            // A loaded machine takes its time, and what is late is denied.
            .deadline(Duration::from_secs(60));
        builder = match opa {
            Some(url) => builder.order(EvaluatorOrder::Sidecar).opa_url(url),
            None => builder.order(EvaluatorOrder::Wasm),
        };
        Self { guardian: builder.build().unwrap(), clock, store }
    }

    /// Holds one row to what it says; none where it asks for a policy that there is not, or begins with a state that no
    /// store can hold.
    pub(crate) fn perform(&self, row: &Row) -> Option<Result<(), String>> {
        let input = row.input();
        let at = Timestamp::from_nanos(input["time_ns"].as_i64().unwrap());
        self.clock.set(at);
        let before = row.before();
        let cells =
            row.data().pointer("/hexarch/state").and_then(Value::as_object).map_or(0, serde_json::Map::len);
        if before.len() < cells {
            return None;
        }
        self.store.renew(Arc::clone(&self.clock), &before, at, &[]);
        let check = || Some(described(self.guardian.check(input["policy_id"].as_str()?).ok()?, input));
        let verdict = check()?.decide().ok()?;
        let decision = told(&verdict.decision);
        if let Err(why) = row.check(&decision) {
            return Some(Err(why));
        }
        // A store does not take two kinds of charges for one cell: what was there before is of the call's kind.
        self.store.renew(Arc::clone(&self.clock), &before, at, &verdict.decision.charges);
        let ran = check()?.run(|| ()).is_ok();
        if ran != (verdict.decision.allowed && !row.refused()) {
            return Some(Err(format!("it ran: {ran}, and was allowed: {}", verdict.decision.allowed)));
        }
        let (expected, found) = (row.after(&decision), self.store.totals());
        let differs = expected.iter().find(|(cell, value)| found.get(*cell).copied().unwrap_or(0) != **value);
        Some(match differs {
            Some((cell, value)) => {
                Err(format!("{cell:?} holds {:?} afterwards, expected {value}", found.get(cell)))
            }
            None if found.iter().any(|(cell, value)| *value != 0 && !expected.contains_key(cell)) => {
                Err(format!("there is {found:?} afterwards, expected {expected:?}"))
            }
            None => Ok(()),
        })
    }
}

fn described(check: Check, input: &Value) -> Check {
    let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
    let mut check = check.function(text("function")).operation(text("operation")).resource(text("resource"));
    check = check.confirm(input["confirmed"] == true);
    if let Some(kind) = input["resource_type"].as_str() {
        check = check.resource_type(kind);
    }
    if let Some(model) = input["model"].as_str() {
        check = check.model(model);
    }
    if let Some(feature) = input["feature"].as_str() {
        check = check.feature(feature);
    }
    if let Some(id) = input["session"]["id"].as_str() {
        check = check.session(id, Timestamp::from_nanos(input["session"]["started_ns"].as_i64().unwrap()));
    }
    if let Some(user) = input["user"]["id"].as_str() {
        let roles = input["user"]["roles"].as_array().cloned().unwrap_or_default();
        check = roles.iter().filter_map(Value::as_str).fold(check.user(user), Check::role);
    }
    // Written plainly: a number's own text may have an exponent.
    if let Some(cost) = input["cost"].as_f64() {
        check = check.cost(format!("{cost:.9}").as_str());
    }
    if let Some(tokens) = input["tokens"].as_u64() {
        check = check.tokens(tokens);
    }
    let context = input["context"].as_object().cloned().unwrap_or_default();
    context.into_iter().fold(check, |check, (name, value)| check.context(name, value))
}

/// A decision as it was on the wire.
fn told(decision: &guard_core::Decision) -> Value {
    let charges: Vec<Value> = decision
        .charges
        .iter()
        .map(|charge| {
            let mut told = json!({
                "limit": charge.cell.limit, "key": charge.cell.key, "window": charge.cell.window,
                "amount": charge.amount.units(), "max": charge.max.units(), "kind": charge.kind.as_str(),
            });
            if let Algorithm::Sliding(span) | Algorithm::Bucket(span) = charge.algorithm {
                told["algorithm"] = charge.algorithm.as_str().into();
                told["span_ms"] = u64::try_from(span.as_millis()).unwrap().into();
            }
            if let Some(span) = charge.resets_in {
                told["reset_ms"] = u64::try_from(span.as_millis()).unwrap().into();
            }
            told
        })
        .collect();
    let mut told = json!({
        "allowed": decision.allowed, "action": decision.action.as_str(), "reason": decision.reason, "charges": charges,
    });
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let members = [
        ("limit", decision.limit.clone().map(Value::from)),
        ("remaining", decision.remaining.as_ref().map(|amount| json(&amount.to_string()))),
        ("retry_after_ms", decision.retry_after.map(|span| u64::try_from(span.as_millis()).unwrap().into())),
        ("confirm", decision.confirm.as_ref().map(|confirm| json(confirm.as_str()))),
        ("metadata", decision.metadata.as_ref().map(|metadata| json(metadata.as_str()))),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            told[name] = value;
        }
    }
    told
}

/// A store that can be replaced by one that holds something else. Its revisions never repeat, so that whoever follows
/// it takes the state anew.
#[derive(Default)]
pub(crate) struct Renewed {
    current: Mutex<Option<(u64, Arc<MemoryStore>)>>,
}

/// How many revisions one of the stores may have.
const REVISIONS: u64 = 1 << 20;

impl Renewed {
    /// Holds what a row begins with: charged as the call will charge the same cells, and held for a day.
    fn renew(&self, clock: Arc<FixedClock>, before: &Totals, at: Timestamp, charges: &[Charge]) {
        let store = MemoryStore::with_replica(clock, "table");
        for ((limit, key, window), used) in before {
            let cell = CellId { limit: limit.clone(), key: key.clone(), window: window.clone() };
            let reservation = ReservationId(reservation_of(limit, key, window));
            let same = charges.iter().find(|charge| *charge.cell == cell).cloned();
            let most = Quantity::new(1 << 52);
            let charge = same.unwrap_or_else(|| Charge::new(Arc::new(cell), Quantity::ZERO, most));
            let charge = Charge { amount: Quantity::new(*used), max: most, ..charge };
            let batch = Batch { charges: [charge].into(), at, reservation };
            let charged = store.reserve(&batch, Duration::from_secs(86_400)).wait().unwrap();
            assert!(matches!(charged, ChargeOutcome::Charged(_)), "{charged:?}");
        }
        let mut current = self.current.lock().unwrap();
        let epoch = current.as_ref().map_or(1, |(epoch, _)| epoch + 1);
        *current = Some((epoch, Arc::new(store)));
    }

    fn totals(&self) -> BTreeMap<(String, String, String), i64> {
        let (_, store) = self.now();
        let mut totals = BTreeMap::new();
        for (path, value) in store.snapshot().wait().unwrap().cells {
            let cell = &path.cell;
            *totals.entry((cell.limit.clone(), cell.key.clone(), cell.window.clone())).or_default() +=
                value.units();
        }
        totals
    }

    fn now(&self) -> (u64, Arc<MemoryStore>) {
        let mut current = self.current.lock().unwrap();
        let (epoch, store) = current.get_or_insert_with(|| {
            (0, Arc::new(MemoryStore::new(Arc::new(FixedClock::at(Timestamp::from_seconds(0))))))
        });
        (*epoch, Arc::clone(store))
    }

    fn snapshot_now(&self) -> Snapshot {
        let (epoch, store) = self.now();
        let snapshot = store.snapshot().wait().unwrap();
        Snapshot { revision: Revision(epoch * REVISIONS + snapshot.revision.0), ..snapshot }
    }
}

/// A name that is the same for the same cell.
fn reservation_of(limit: &str, key: &str, window: &str) -> u128 {
    format!("{limit}/{key}/{window}")
        .bytes()
        .fold(7, |id: u128, byte| id.wrapping_mul(1_000_003) + u128::from(byte))
}

impl StateStore for Renewed {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::Now(self.now().1.reserve(batch, lease).wait())
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        Reply::Now(self.now().1.settle(id, actual).wait())
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        Reply::Now(self.now().1.refund(id).wait())
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::Now(self.now().1.charge(batch).wait())
    }

    fn revision(&self) -> Revision {
        let (epoch, store) = self.now();
        Revision(epoch * REVISIONS + store.revision().0)
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        Reply::Now(Ok(self.snapshot_now()))
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        Reply::Now(Ok(if revision == self.revision() {
            Changes::Cells { revision, cells: Vec::new() }
        } else {
            Changes::All(self.snapshot_now())
        }))
    }
}
