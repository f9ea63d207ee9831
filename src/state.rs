//! The store that a file names, and what it tells.

use std::sync::Arc;

use guard_core::{
    Action, AuditSink, Clock, DecisionId, Record, RecordKind, Recorded, StateEvent, StateListener, Timestamp,
};
use guard_policy::{PolicyFile, StateStore};
use guard_state::{MemoryStore, Store};

use crate::audit;
use crate::error::BuildError;

/// Opens the store that `state` of this file names, and tells its `logging` and its `audit` of what happens in it: leases that
/// run out, thresholds, and what operators change. For tools beside a Guardian, which opens it by itself.
///
/// # Errors
/// When the store is not built in, cannot be opened, or the files of `logging` and `audit` cannot be written.
pub fn open_state(file: &PolicyFile, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, BuildError> {
    let audit = audit::sink(file, &clock)?;
    open(file, Arc::clone(&clock), Arc::new(Audited { audit, clock }))
}

/// The store of a file. `memory` is one of this process.
pub(crate) fn open(
    file: &PolicyFile,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
) -> Result<Arc<dyn Store>, BuildError> {
    let state = file.settings().state();
    match state.store() {
        StateStore::Sqlite { path } => sqlite(file, path, clock, listener),
        StateStore::Redis { url } => redis(file, url.expose(), clock, listener),
        StateStore::Postgres { url } => postgres(file, url.expose(), clock, listener),
        StateStore::Opa { url, copy } => opa(file, url.as_deref(), copy.as_deref(), clock, listener),
        _ => {
            // Replicas that share a sidecar must not share a cell.
            let replica = DecisionId::random().to_string();
            Ok(Arc::new(MemoryStore::with_replica(clock, &replica).told_to(listener)))
        }
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(
    file: &PolicyFile,
    path: &str,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
) -> Result<Arc<dyn Store>, BuildError> {
    let config = guard_state::SqliteConfig::new(path);
    let store = guard_state::SqliteStore::open_with(&config, clock, listener);
    Ok(Arc::new(store.map_err(|error| unusable(file, error))?))
}

#[cfg(feature = "redis")]
fn redis(
    file: &PolicyFile,
    url: &str,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
) -> Result<Arc<dyn Store>, BuildError> {
    let config = guard_state::RedisConfig::new(url);
    let store = guard_state::RedisStore::connect_with(&config, Arc::clone(&listener));
    leased(file, store.map_err(|error| unusable(file, error))?, clock, listener)
}

#[cfg(feature = "postgres")]
fn postgres(
    file: &PolicyFile,
    url: &str,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
) -> Result<Arc<dyn Store>, BuildError> {
    let config = guard_state::PostgresConfig::new(url);
    let store = guard_state::PostgresStore::connect_with(&config, Arc::clone(&listener));
    leased(file, store.map_err(|error| unusable(file, error))?, clock, listener)
}

/// With `leased: true`, slices of a server's limits are spent in memory.
#[cfg(any(feature = "redis", feature = "postgres"))]
fn leased<S: Store + 'static>(
    file: &PolicyFile,
    store: S,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
) -> Result<Arc<dyn Store>, BuildError> {
    if !file.settings().state().leased() {
        return Ok(Arc::new(store));
    }
    let journal = file.settings().state().journal().map(Into::into);
    let config = guard_state::LeasedConfig { journal, ..guard_state::LeasedConfig::default() };
    let store = guard_state::Leased::with_listener(store, config, clock, listener);
    Ok(Arc::new(store.map_err(|error| unusable(file, error))?))
}

#[cfg(feature = "opa-documents")]
fn opa(
    file: &PolicyFile,
    url: Option<&str>,
    copy: Option<&str>,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
) -> Result<Arc<dyn Store>, BuildError> {
    let sidecar = file.settings().opa();
    let Some(url) = url.or_else(|| sidecar.map(guard_policy::Opa::url)) else {
        return Err(BuildError::Unsupported { what: "state.store: opa without an address" });
    };
    let mut config = guard_state::OpaConfig::new(url);
    config.copy = copy.map(Into::into);
    // The token and the certificates are the sidecar's, and go nowhere else.
    let is_sidecar = |opa: &&guard_policy::Opa| opa.url() == url;
    if let Some(sidecar) = sidecar.filter(is_sidecar) {
        config.opa.token = sidecar.token().map(|token| token.expose().to_owned());
        config.opa.tls = crate::certificates::tls(sidecar)?;
    }
    let store = guard_state::OpaStore::connect_with(&config, clock, listener);
    Ok(Arc::new(store.map_err(|error| unusable(file, error))?))
}

/// The error of a store that takes a feature which this program was built without.
#[cfg_attr(
    all(feature = "sqlite", feature = "redis", feature = "postgres", feature = "opa-documents", not(test)),
    expect(dead_code, reason = "with every feature there is every store")
)]
fn not_built_in(file: &PolicyFile, feature: &'static str) -> BuildError {
    BuildError::StoreNotBuiltIn { place: place(file), feature }
}

macro_rules! not_built_in {
    ($feature:literal, $name:ident($($argument:ty),*)) => {
        #[cfg(not(feature = $feature))]
        fn $name(
            file: &PolicyFile,
            $(_: $argument,)*
            _: Arc<dyn Clock>,
            _: Arc<dyn StateListener>,
        ) -> Result<Arc<dyn Store>, BuildError> {
            Err(not_built_in(file, $feature))
        }
    };
}

not_built_in!("sqlite", sqlite(&str));
not_built_in!("redis", redis(&str));
not_built_in!("postgres", postgres(&str));
not_built_in!("opa-documents", opa(Option<&str>, Option<&str>));

/// File and line of `state.store`.
fn place(file: &PolicyFile) -> String {
    match file.settings().state().place() {
        Some(place) => format!("{}:{}:{}", file.file(), place.line, place.column),
        None => file.file().to_owned(),
    }
}

#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres", feature = "opa-documents"))]
fn unusable(file: &PolicyFile, source: guard_core::StateError) -> BuildError {
    BuildError::State { place: place(file), source: Box::new(source) }
}

/// Hands what a store tells to the audit, with the time of the clock that everything else goes by.
pub(crate) struct Audited {
    pub(crate) audit: Arc<dyn AuditSink>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl StateListener for Audited {
    fn tell(&self, event: &StateEvent) {
        if let Err(error) = self.audit.record(&record(event, self.clock.now())).wait() {
            tracing::error!(target: "hexarch::audit", "what a store told is not recorded: {error}");
        }
    }
}

/// What the audit keeps of it. The policy is not known to a store; the limit's name begins with it.
fn record(event: &StateEvent, timestamp: Timestamp) -> Record {
    let (kind, decision, action, id, limit, reason) = match event {
        StateEvent::LeaseExpired { reservation, returned } => {
            let each: Vec<_> =
                returned.iter().map(|(cell, amount)| format!("{amount} of `{cell}`")).collect();
            let limit = returned.first().map(|(cell, _)| cell.limit.clone());
            let reason = format!(
                "a call's lease ran out, and what it had reserved is given back: {}",
                each.join(", ")
            );
            let id = DecisionId::from_u128(reservation.0);
            (RecordKind::LeaseExpired, Recorded::Warned, Action::Warn, id, limit, reason)
        }
        StateEvent::Warned(warning) => {
            let reason = format!(
                "`{}` has reached the threshold {}: {} is used",
                warning.cell, warning.threshold, warning.used
            );
            let limit = Some(warning.cell.limit.clone());
            (
                RecordKind::ThresholdReached,
                Recorded::Warned,
                Action::Warn,
                DecisionId::random(),
                limit,
                reason,
            )
        }
        StateEvent::Adjusted(adjusted) => {
            let reason = format!(
                "an operator set what is spent in `{}` to {}; it was {}",
                adjusted.cell, adjusted.after, adjusted.before
            );
            let limit = Some(adjusted.cell.limit.clone());
            (RecordKind::LimitAdjusted, Recorded::Allowed, Action::Allow, DecisionId::random(), limit, reason)
        }
    };
    Record { limit, ..Record::beside_calls(kind, id, timestamp, (decision, action), reason) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use guard_core::{FixedClock, NoListener};

    use super::*;

    #[test]
    fn a_store_that_is_not_built_in_is_told_with_its_line_and_its_feature() {
        let file = guard_policy::parse(
            "hexarch.yaml",
            "state:\n  store: redis\n  url: redis://127.0.0.1:1/0\npolicies: []\n",
        )
        .unwrap();
        assert_eq!(
            not_built_in(&file, "redis").to_string(),
            "hexarch.yaml:2:10: this program was built without that store; build it with the feature `redis`"
        );
        // Whatever it was built with: a store that cannot be had is an error with the line, and never another store.
        let clock = Arc::new(FixedClock::at(Timestamp::from_seconds(0)));
        let error = open(&file, clock, Arc::new(NoListener)).map(|_| ()).unwrap_err();
        match cfg!(feature = "redis") {
            true => assert!(matches!(error, BuildError::State { .. }), "{error}"),
            false => {
                assert!(matches!(error, BuildError::StoreNotBuiltIn { feature: "redis", .. }), "{error}")
            }
        }
        assert!(error.to_string().starts_with("hexarch.yaml:2:10: "), "{error}");
    }
}
