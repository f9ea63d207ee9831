//! Confirmations as the SDK has them: held, approved by somebody else, and run once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use hexarch_guardrails::{
    Check, ConfirmationToken, GuardError, Guardian, GuardianBuilder, PendingConfirmation, Person, Violation,
};

const POLICIES: &str = "
confirmation:
  approvers: ['@lead', grace]
  four_eyes: true
policies:
  - id: safe_delete
    rules:
      - operation: delete
        action: require_confirmation
";

fn guardian(text: &str) -> Guardian {
    Guardian::builder().policy_text("hexarch.yaml", text).build().unwrap()
}

fn delete(guardian: &Guardian, table: &str) -> Check {
    let check = guardian.check("safe_delete").unwrap().operation("delete").resource("production/users");
    check.user("ada").context("table", table).secret("iban", "DE02")
}

fn denied<T>(result: Result<T, GuardError>) -> Box<Violation> {
    match result {
        Err(GuardError::Denied(violation)) => violation,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it ran"),
    }
}

fn hold(guardian: &Guardian) -> PendingConfirmation {
    *denied(delete(guardian, "users").run(|| ())).confirmation.expect("it is held")
}

fn approve(guardian: &Guardian, id: &str, who: &str) {
    guardian.confirmations().unwrap().approve(id, &Person::new(who), "").wait().unwrap();
}

#[test]
fn an_approved_call_runs_once_and_no_other_does() {
    let guardian = guardian(POLICIES);
    let pending = hold(&guardian);
    let again = |table: &str| delete(&guardian, table).confirmation_token(pending.token.clone());
    let still = denied(again("users").run(|| ()));
    assert_eq!(still.confirmation.unwrap().token, pending.token);
    approve(&guardian, &pending.id, "grace");
    assert!(denied(again("orders").run(|| ())).reason.contains("another call"));
    assert_eq!(again("users").run(|| 7).unwrap(), 7);
    let spent = denied(again("users").run(|| ()));
    assert!(spent.reason.contains("used already") && spent.confirmation.is_none(), "{spent}");
    let forged = delete(&guardian, "users").confirmation_token(ConfirmationToken::new("hxc_forged"));
    assert!(denied(forged.run(|| ())).reason.contains("no confirmation token"));
}

#[test]
fn a_rejected_call_does_not_run() {
    let guardian = guardian(POLICIES);
    let pending = hold(&guardian);
    let desk = guardian.confirmations().unwrap();
    desk.reject(&pending.id, &Person::new("grace"), "not today").wait().unwrap();
    let refused = denied(delete(&guardian, "users").confirmation_token(pending.token).run(|| ()));
    assert!(refused.reason.contains("`grace` has rejected it: not today"), "{refused}");
}

#[test]
fn whoever_asks_approves_nothing_and_no_flag_does() {
    let guardian = guardian(POLICIES);
    let pending = hold(&guardian);
    let desk = guardian.confirmations().unwrap();
    for person in [Person::new("ada").with_role("lead"), Person::new("edsger")] {
        assert!(desk.approve(&pending.id, &person, "").wait().is_err());
    }
    denied(delete(&guardian, "users").confirm(true).run(|| ()));
    denied(delete(&guardian, "users").context("confirm", true).run(|| ()));
    let shown = desk.look(&pending.id).wait().unwrap().shown;
    assert!(shown.contains("users") && !shown.contains("DE02"), "{shown}");
}

#[test]
fn the_flag_counts_where_the_file_says_so() {
    let text = POLICIES.replace("four_eyes: true", "flag: true");
    delete(&guardian(&text), "users").confirm(true).run(|| ()).unwrap();
}

#[test]
fn it_waits_until_somebody_decides_and_no_longer() {
    let guardian = guardian(POLICIES);
    let late = denied(delete(&guardian, "users").run_or_wait(Duration::from_millis(50), || ()));
    assert!(late.confirmation.is_some());
    let approver = {
        let guardian = guardian.clone();
        std::thread::spawn(move || {
            let desk = guardian.confirmations().unwrap().clone();
            let filter = hexarch_guardrails::ConfirmationFilter::default();
            loop {
                let entries = desk.list(&filter).wait().unwrap();
                if entries.len() == 2 {
                    return approve(&guardian, &entries.first().unwrap().id, "grace");
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        })
    };
    let ran = delete(&guardian, "users").run_or_wait(Duration::from_secs(60), || 7);
    approver.join().unwrap();
    assert_eq!(ran.unwrap(), 7);
}

#[tokio::test]
async fn the_same_without_blocking() {
    let guardian = guardian(POLICIES);
    let pending = hold(&guardian);
    let again = delete(&guardian, "users").confirmation_token(pending.token.clone());
    let waiting = tokio::spawn(again.run_or_wait_async(Duration::from_secs(60), async { 7 }));
    tokio::task::yield_now().await;
    approve(&guardian, &pending.id, "grace");
    assert_eq!(waiting.await.unwrap().unwrap(), 7);
}

#[test]
fn a_rule_has_approvers_of_its_own() {
    let text = POLICIES.replace(
        "action: require_confirmation",
        "action: require_confirmation\n        approvers: '@dba'\n        four_eyes: false",
    );
    let guardian = guardian(&text);
    let held = hold(&guardian);
    let desk = guardian.confirmations().unwrap();
    let lead = Person::new("grace").with_role("lead");
    assert!(desk.approve(&held.id, &lead, "").wait().is_err());
    // Not of four eyes: whoever asked may approve.
    desk.approve(&held.id, &Person::new("ada").with_role("dba"), "").wait().unwrap();
    assert!(delete(&guardian, "users").confirmation_token(held.token).run(|| ()).is_ok());
}

#[test]
fn without_a_terminal_a_terminal_confirms_nothing() {
    // Tests have no terminal.
    let text = POLICIES
        .replace("approvers: ['@lead', grace]", "ask: terminal")
        .replace("four_eyes: true", "approvals: 1");
    let refused = denied(delete(&guardian(&text), "users").run(|| ()));
    assert!(refused.confirmation.is_none());
    assert!(guardian(&text).confirmations().is_none());
}

#[test]
fn what_cannot_be_is_refused_when_it_is_built() {
    let build = |from: &str, to: &str| {
        let builder: GuardianBuilder = Guardian::builder();
        builder.policy_text("hexarch.yaml", POLICIES.replace(from, to)).build().map(drop)
    };
    for (wrong, said) in [
        ("ask: post", "did you mean"),
        ("approvals: 0", "approvals"),
        ("store: sqlit:/x", "address of a store"),
        ("expires_seconds: -1", "expires_seconds"),
        ("webhook: {url: 'http://x', secret: short}", "16 bytes"),
        ("webhook: {url: 'http://x'}", "no `secret`"),
        ("four_eye: true", "four_eyes"),
    ] {
        let error = build("four_eyes: true", wrong).expect_err(wrong).to_string();
        assert!(error.contains(said) || wrong == "ask: post", "{wrong}: {error}");
    }
}
