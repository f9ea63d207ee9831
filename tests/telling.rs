//! What a subscriber of tracing is told about decisions. One test: which events are wanted is known to the whole process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod safe_delete;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use hexarch_guardrails::{Action, NullAudit};
use safe_delete::{builder, delete};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};

/// The fields of spans and of events, by their target.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Told>>>);

/// A target and its fields.
type Told = (String, BTreeMap<String, String>);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Subscriber for Seen {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("hexarch::")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = BTreeMap::new();
        span.record(&mut Fields(&mut fields));
        let mut seen = self.0.lock().unwrap();
        seen.push((span.metadata().target().to_owned(), fields));
        Id::from_u64(seen.len() as u64)
    }

    fn record(&self, span: &Id, values: &tracing::span::Record<'_>) {
        let place = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut Fields(&mut self.0.lock().unwrap().get_mut(place).unwrap().1));
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        self.0.lock().unwrap().push((event.metadata().target().to_owned(), fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn each_decision_has_a_span_with_named_fields() {
    let seen = Seen::default();
    let verdict = tracing::subscriber::with_default(seen.clone(), || {
        // The span does not depend on where records go.
        let guardian = builder().audit(Arc::new(NullAudit)).build().unwrap();
        delete(&guardian, "drafts/1").unwrap();
        assert!(delete(&guardian, "drafts/1").is_err());
        guardian.check("safe_delete").unwrap().operation("delete").resource("production/1").decide().unwrap()
    });
    let seen = seen.0.lock().unwrap();
    let spans: Vec<_> = seen.iter().filter(|(target, _)| target == "hexarch::decision").collect();
    let [(_, allowed), (_, throttled), (_, decided)] = spans.as_slice() else { panic!("{seen:?}") };
    let of = |fields: &BTreeMap<String, String>, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| fields.get(*name).cloned().unwrap_or_default()).collect()
    };
    let asked = ["policy", "function", "operation", "resource", "user"];
    assert_eq!(of(allowed, &asked), ["safe_delete", "wipe", "delete", "drafts/1", "ada"]);
    assert_eq!(of(allowed, &["allowed", "action", "engine"]), ["true", "allow", "wasm"]);
    let told = ["allowed", "action", "limit", "retry_after_ms"];
    assert_eq!(
        of(throttled, &told),
        ["false", "throttle", "safe_delete.rule_2.requests_per_minute", "60000"]
    );
    assert_eq!(of(decided, &["allowed", "action"]), ["false", "block"]);
    assert_eq!(of(decided, &["decision_id"]), [verdict.decision_id.to_string()]);
    assert_eq!(verdict.decision.action, Action::Block);
    the_default_sink_tells_each_decision_as_an_event();
}

/// Where nothing else is said, records are events.
fn the_default_sink_tells_each_decision_as_an_event() {
    let seen = Seen::default();
    tracing::subscriber::with_default(seen.clone(), || {
        let guardian = builder().build().unwrap();
        assert!(delete(&guardian, "production/1").is_err());
    });
    let seen = seen.0.lock().unwrap();
    let event = seen.iter().find(|(target, _)| target == "hexarch::audit");
    assert_eq!(event.and_then(|(_, fields)| fields.get("decision")).unwrap(), "blocked");
}
