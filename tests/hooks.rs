//! Hooks, which hear of decisions, and the Guardian that decides nothing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod safe_delete;

use std::process::Command;
use std::sync::{Arc, Mutex};

use hexarch_guardrails::{GuardError, Guardian, Record, Recorded};
use safe_delete::{builder, delete};

#[test]
fn a_hook_hears_of_each_decision_and_breaks_none() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hook = |name: &'static str| {
        let heard = Arc::clone(&heard);
        move |record: &Record| heard.lock().unwrap().push((name, record.decision, record.runs))
    };
    let builder = builder().on_decision(hook("first")).on_decision(|record| {
        assert!(record.runs, "this hook panics");
    });
    let guardian = builder.on_decision(hook("last")).build().unwrap();
    delete(&guardian, "drafts/1").unwrap();
    assert!(matches!(delete(&guardian, "production/1"), Err(GuardError::Denied(_))));
    guardian.check("safe_delete").unwrap().operation("delete").resource("production/1").decide().unwrap();
    let (allowed, blocked) = ((Recorded::Allowed, true), (Recorded::Blocked, false));
    let each = [allowed, blocked, blocked].into_iter();
    let expected: Vec<_> =
        each.flat_map(|(what, runs)| [("first", what, runs), ("last", what, runs)]).collect();
    assert_eq!(*heard.lock().unwrap(), expected);
}

/// Runs itself once more, in a process under the switch.
#[test]
fn the_switch_of_the_environment_is_loud() {
    if std::env::var_os("HEXARCH_PERMISSIVE").is_some() {
        let guardian = Guardian::discover().unwrap();
        assert_eq!(guardian.check("no such policy").unwrap().run(|| 1).unwrap(), 1);
        return;
    }
    let mut own = Command::new(std::env::current_exe().unwrap());
    own.args(["--exact", "the_switch_of_the_environment_is_loud", "--nocapture"]);
    let output = own.env("HEXARCH_PERMISSIVE", "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if cfg!(any(debug_assertions, feature = "permissive-in-release")) {
        assert!(output.status.success(), "{told}");
        assert!(told.contains("GUARDRAILS ARE OFF (HEXARCH_PERMISSIVE=1)"), "{told}");
    } else {
        assert!(!output.status.success());
    }
}
