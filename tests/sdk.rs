//! The SDK as a program uses it: configuration to decision to call, with and without a runtime.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hexarch_guardrails::{
    Action, Amount, AuditError, AuditSink, BuildError, Check, ConfirmError, ConfirmRequest, Confirmation,
    ConfirmationToken, Confirmer, EvaluatorOrder, FailMode, FailModes, FixedClock, GuardError, Guardian,
    GuardianBuilder, PendingConfirmation, Quantity, Record, Recorded, Reply, Timestamp, Violation,
};

const POLICIES: &str = r#"
timezone: UTC
policies:
  - id: api_budget
    rules:
      - resource: openai
        monthly_budget: 10.00
        warn_at_percentage: 80
  - id: request_rate
    rules:
      - resource: "*"
        requests_per_minute: 3
        action: throttle
  - id: safe_delete
    rules:
      - operation: delete
        resource: "production/*"
        action: block
      - operation: delete
        action: require_confirmation
"#;

/// 2026-03-02, 15:40 UTC.
const NOW: Timestamp = Timestamp::from_seconds(1_772_466_000);

fn builder() -> GuardianBuilder {
    Guardian::builder().policy_text("hexarch.yaml", POLICIES).clock(FixedClock::at(NOW))
}

fn guardian() -> Guardian {
    builder().build().unwrap()
}

fn spend(guardian: &Guardian, dollars: &str) -> Check {
    guardian.check("api_budget").unwrap().resource("openai").cost(dollars)
}

fn denied<T>(result: Result<T, GuardError>) -> Violation {
    match result {
        Err(GuardError::Denied(violation)) => *violation,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it ran"),
    }
}

/// What all limits together have counted.
fn counted(guardian: &Guardian) -> i64 {
    guardian.state().unwrap().cells.iter().map(|(_, value)| value.units()).sum()
}

#[test]
fn a_budget_is_spent_to_the_cent() {
    let guardian = guardian();
    let mut actions = Vec::new();
    for dollars in ["4.00", "3.99", "0.01", "1.999999"] {
        let permit = spend(&guardian, dollars).authorize().unwrap();
        actions.push(permit.decision().action);
        permit.complete_now();
    }
    assert_eq!(actions, [Action::Allow, Action::Allow, Action::Warn, Action::Allow]);
    let violation = denied(spend(&guardian, "0.000002").run(|| panic!("it ran")));
    assert_eq!((violation.policy.as_str(), violation.action), ("api_budget", Action::Block));
    assert_eq!(violation.limit.as_deref(), Some("api_budget.rule_1.monthly_budget"));
    assert!(violation.reason.contains("budget"), "{}", violation.reason);
    assert!(violation.retry_after.is_some_and(|wait| wait > Duration::from_secs(28 * 86_400)));
    spend(&guardian, "0.000001").run(|| ()).unwrap();
    assert_eq!(counted(&guardian), 10_000_000);
}

#[test]
fn a_rate_throttles_and_recovers() {
    let clock = Arc::new(FixedClock::at(NOW));
    let guardian =
        Guardian::builder().policy_text("h", POLICIES).shared_clock(Arc::clone(&clock) as _).build().unwrap();
    let call = || guardian.check("request_rate").unwrap().resource("search").run(|| ());
    for _ in 0..3 {
        call().unwrap();
    }
    let violation = denied(call());
    assert_eq!(violation.action, Action::Throttle);
    clock.advance(violation.retry_after.unwrap());
    call().unwrap();
}

#[test]
fn a_denied_closure_is_not_called_and_a_denied_future_is_not_polled() {
    let guardian = guardian();
    let called = AtomicU32::new(0);
    let check = || guardian.check("safe_delete").unwrap().operation("delete").resource("production/users");
    denied(check().run(|| called.fetch_add(1, Ordering::Relaxed)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    denied(runtime.block_on(check().run_async(async { called.fetch_add(1, Ordering::Relaxed) })));
    assert_eq!(called.load(Ordering::Relaxed), 0);
    let verdict = runtime.block_on(check().decide_async()).unwrap();
    assert_eq!((verdict.decision.allowed, verdict.engine), (false, Some("wasm")));
}

#[test]
fn panics_and_cancelled_futures_give_back() {
    let guardian = guardian();
    assert!(
        catch_unwind(AssertUnwindSafe(|| spend(&guardian, "5").run(|| panic!("the call fails")))).is_err()
    );
    assert_eq!(counted(&guardian), 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let sleep = || tokio::time::sleep(Duration::from_secs(3_600));
    let cut = runtime.block_on(async {
        tokio::time::timeout(Duration::from_millis(20), spend(&guardian, "5").run_async(sleep())).await
    });
    assert!(cut.is_err());
    assert_eq!(counted(&guardian), 0);
    assert_eq!(runtime.block_on(spend(&guardian, "5").run_async(async { 7 })).unwrap(), 7);
    assert_eq!(counted(&guardian), 5_000_000);
}

#[test]
fn what_a_call_really_cost_is_settled() {
    let guardian = guardian();
    let mut permit = spend(&guardian, "5").authorize().unwrap();
    permit.spent("api_budget.rule_1.monthly_budget", Quantity::new(1_250_000));
    permit.complete_now();
    assert_eq!(counted(&guardian), 1_250_000);
}

#[test]
fn eight_threads_spend_no_cent_twice() {
    let guardian = guardian();
    let ran = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let _ = spend(&guardian, "0.25").run(|| ran.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
    });
    assert_eq!((ran.load(Ordering::Relaxed), counted(&guardian)), (40, 10_000_000));
}

struct Answers(Mutex<Vec<Confirmation>>);

impl Confirmer for Answers {
    fn confirm<'a>(&'a self, _request: &'a ConfirmRequest) -> Reply<'a, Result<Confirmation, ConfirmError>> {
        let answer = self.0.lock().unwrap().pop();
        Reply::Now(answer.ok_or(ConfirmError { detail: "nobody is there".into() }))
    }
}

#[test]
fn confirmations() {
    let delete =
        |guardian: &Guardian| guardian.check("safe_delete").unwrap().operation("delete").resource("drafts/1");
    let violation = denied(delete(&guardian()).run(|| ()));
    assert_eq!(violation.action, Action::RequireConfirmation);
    delete(&guardian()).confirm(true).run(|| ()).unwrap();
    delete(&guardian()).context("confirm", true).run(|| ()).unwrap();
    denied(delete(&guardian()).context("confirm", "true").run(|| ()));
    denied(delete(&guardian()).resource("production/users").confirm(true).run(|| ()));

    let answers = vec![
        Confirmation::Pending(Box::new(PendingConfirmation {
            token: ConfirmationToken::new("t1"),
            id: "c1".into(),
            expires: None,
        })),
        Confirmation::Rejected { reason: "no way".into() },
        Confirmation::Approved { by: None },
    ];
    let guardian = builder().confirmer(Answers(Mutex::new(answers))).build().unwrap();
    delete(&guardian).run(|| ()).unwrap();
    assert_eq!(denied(delete(&guardian).run(|| ())).reason, "no way");
    let pending = denied(delete(&guardian).run(|| ())).confirmation.unwrap();
    assert_eq!((pending.token.expose(), pending.id.as_str()), ("t1", "c1"));
    assert!(denied(delete(&guardian).run(|| ())).reason.contains("nobody is there"));
}

#[derive(Default)]
struct Kept(Mutex<Vec<Record>>);

impl AuditSink for Kept {
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        self.0.lock().unwrap().push(record.clone());
        Reply::Now(Ok(()))
    }
}

#[test]
fn report_only_runs_and_records() {
    let kept = Arc::new(Kept::default());
    let guardian = builder().enforce(false).audit(Arc::clone(&kept) as _).build().unwrap();
    let delete =
        guardian.check("safe_delete").unwrap().operation("delete").resource("production/users").user("ada");
    assert_eq!(delete.function("wipe").metadata("ticket", 7).run(|| "ran").unwrap(), "ran");
    let kept = kept.0.lock().unwrap();
    let record = kept.first().unwrap();
    assert_eq!((record.decision, record.runs, record.action), (Recorded::Blocked, true, Action::Block));
    assert_eq!((record.user_id.as_deref(), record.function.as_str()), (Some("ada"), "wipe"));
    assert!(record.metadata.contains_key("ticket"));
    assert!(record.module_digest.as_deref().is_some_and(|digest| digest.starts_with("sha256:")));
}

#[test]
fn what_cannot_be_is_an_error_where_it_is_said() {
    let guardian = guardian();
    let unknown = guardian.check("api_budgte").err().unwrap();
    assert_eq!(
        unknown.to_string(),
        "there is no policy `api_budgte`; there are `api_budget`, `request_rate`, `safe_delete`"
    );
    let cost = |check: Check| check.run(|| ()).unwrap_err().to_string();
    assert_eq!(cost(spend(&guardian, "-1")), "the cost `-1` is below zero");
    assert!(cost(spend(&guardian, "a lot")).starts_with("the cost is no amount: `a lot` is not an amount"));
    assert!(cost(guardian.check("api_budget").unwrap().cost(f64::NAN)).starts_with("the cost is no amount"));
    let exact: Amount = "0.1".parse().unwrap();
    assert!(guardian.check("api_budget").unwrap().resource("openai").cost(exact).run(|| ()).is_ok());
}

#[test]
fn a_wrong_configuration_is_refused_with_its_place() {
    let wrong = "policies:\n  - id: a\n    rules:\n      - acton: block\n  - id: a\n    rules: []\n";
    let error = Guardian::builder().policy_text("mine.yaml", wrong).build().err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, BuildError::Problems(_)), "{text}");
    assert!(text.contains("mine.yaml:4") && text.contains("acton"), "{text}");
    assert!(matches!(Guardian::builder().build(), Err(BuildError::NoPolicies)));
    assert!(matches!(builder().order(EvaluatorOrder::Sidecar).build(), Err(BuildError::NoSidecar { .. })));
    assert!(matches!(
        builder().opa_url("nowhere").order(EvaluatorOrder::Sidecar).build(),
        Err(BuildError::Opa(_))
    ));
    assert!(matches!(Guardian::builder().pack("nothing").build(), Err(BuildError::UnknownPack { .. })));
}

#[test]
fn many_policies_that_are_alike_each_keep_their_own_terms() {
    let mut text = String::from("logging: {enabled: false}\npolicies:\n");
    for number in 0..100 {
        text += &format!(
            "  - id: customer-{number}\n    enabled: {}\n    rules:\n      - {{resource: \"api-{number}\", requests_per_day: {}}}\n",
            number != 50,
            number % 3 + 1
        );
    }
    text += "  - {id: other, rules: [{operation: delete, action: block}]}\n";
    let guardian = Guardian::builder().policy_text("mine.yaml", text);
    let guardian = guardian.clock(FixedClock::at(NOW)).build().unwrap();
    for number in 0..100 {
        let id = format!("customer-{number}");
        let call = |resource: &str| guardian.check(&id).unwrap().resource(resource).run(|| ());
        let allowed = (0..5).filter(|_| call(&format!("api-{number}")).is_ok()).count();
        assert_eq!(allowed, if number == 50 { 5 } else { number % 3 + 1 }, "{id}");
        assert!(call("elsewhere").is_ok(), "{id}");
        if number != 50 {
            let violation = denied(call(&format!("api-{number}")));
            let limit = format!("{id}.rule_1.requests_per_day");
            assert_eq!(violation.limit.as_deref(), Some(&*limit));
        }
    }
    assert!(guardian.check("other").unwrap().operation("delete").run(|| ()).is_err());
}

#[test]
fn every_pack_is_ready() {
    assert!(!hexarch_guardrails::packs().is_empty());
    for pack in hexarch_guardrails::packs() {
        let guardian = Guardian::builder().pack(pack.name).clock(FixedClock::at(NOW)).build();
        let guardian = guardian.unwrap_or_else(|error| panic!("{}: {error}", pack.name));
        for policy in guardian.policies() {
            let verdict = guardian.check(policy.id()).unwrap().decide().unwrap();
            assert_eq!(verdict.error, None, "{}: {}", pack.name, policy.id());
        }
    }
}

#[test]
fn permissive_checks_nothing() {
    if !cfg!(debug_assertions) {
        assert!(matches!(Guardian::permissive(), Err(BuildError::PermissiveInRelease)));
        return;
    }
    let guardian = Guardian::permissive().unwrap();
    assert_eq!(guardian.check("whatever").unwrap().operation("delete").run(|| 1).unwrap(), 1);
}

/// A server that answers every request with the same body.
fn always(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 8_192]);
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
            let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
            while stream.read(&mut [0; 8_192]).is_ok_and(|count| count > 0) {}
        }
    });
    url
}

/// An address where connections are taken and nothing is ever said.
fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let held: Vec<_> = listener.incoming().take(100).collect();
        std::thread::sleep(Duration::from_secs(60));
        drop(held);
    });
    url
}

#[test]
fn a_sidecar_that_misbehaves_denies_within_the_deadline() {
    let urls = [
        silent(),
        always(""),
        always("{}"),
        always(r#"{"result": {"allowed": "false"}}"#),
        always(r#"{"result": {"allowed": true, "action": "block", "reason": ""}}"#),
        "http://127.0.0.1:9".to_owned(),
    ];
    for url in urls {
        let deadline = Duration::from_millis(500);
        let build = |order| builder().opa_url(&url).order(order).deadline(deadline).build().unwrap();
        let guardian = build(EvaluatorOrder::Sidecar);
        let begin = Instant::now();
        let violation = denied(spend(&guardian, "1").run(|| panic!("it ran")));
        assert!(begin.elapsed() < deadline * 2, "{url}: {:?}", begin.elapsed());
        assert_eq!(violation.action, Action::Block);
        assert!(!violation.reason.is_empty());
        // The module in this process decides where the sidecar does not.
        let permit = spend(&build(EvaluatorOrder::SidecarThenWasm), "1").authorize().unwrap();
        assert_eq!(permit.engine(), Some("wasm"));
        permit.complete_now();
        // Open only where somebody said so.
        let modes = FailModes::default().with("read*", FailMode::Open);
        let open =
            builder().opa_url(&url).order(EvaluatorOrder::Sidecar).deadline(deadline).fail_modes(modes);
        let open = open.build().unwrap();
        assert!(spend(&open, "1").operation("read.models").run(|| ()).is_ok());
        assert!(spend(&open, "1").operation("delete").run(|| ()).is_err());
    }
}

#[test]
fn decisions_are_logged_to_the_file_from_the_level_on() {
    let folder = test_support::Folder::new("hexarch-sdk-log");
    let log = folder.path().join("guard.log");
    let text = format!(
        "logging: {{level: warning, file: {:?}}}\npolicies:\n  - id: p\n    rules: [{{operation: delete, action: block}}]\n",
        log.display().to_string()
    );
    let guardian = Guardian::builder().policy_text("h", text).build().unwrap();
    guardian.check("p").unwrap().operation("read").user("ann").run(|| ()).unwrap();
    denied(
        guardian.check("p").unwrap().operation("delete").user("ann").context("secret", "hunter2").run(|| ()),
    );
    let written = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<serde_json::Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [line] = lines.as_slice() else { panic!("{written}") };
    assert_eq!(
        (&line["decision"], &line["user"], &line["runs"]),
        (&"blocked".into(), &"ann".into(), &false.into())
    );
    assert!(!written.contains("hunter2"));
    let absent = "logging: {file: /nonexistent/guard.log}\npolicies: []\n";
    let error = Guardian::builder().policy_text("h", absent).build().err().unwrap().to_string();
    assert!(error.starts_with("cannot log to `/nonexistent/guard.log`"), "{error}");
}

#[test]
fn the_last_good_configuration_stays_in_force() {
    let folder = test_support::Folder::new("hexarch-sdk-reload");
    let limited =
        |calls: u32| format!("policies:\n  - id: p\n    rules: [{{id: r, requests_per_day: {calls}}}]\n");
    let path = folder.write("hexarch.yaml", limited(2));
    let file = path.clone();
    let policies =
        hexarch_guardrails::Reloadable::new(move || Guardian::builder().policy_file(&file)).unwrap();
    let call = || policies.guardian().check("p").unwrap().run(|| ());
    call().unwrap();
    folder.write("hexarch.yaml", "policies:\n  - id: p\n    rules: [{id: r, requests_per_day: -1}]\n");
    let error = policies.reload().unwrap_err().to_string();
    assert!(error.contains("hexarch.yaml:3:") && error.contains("found `-1`"), "{error}");
    call().unwrap();
    denied(call());
    std::fs::remove_file(&path).unwrap();
    assert!(policies.reload().is_err());
    denied(call());
    folder.write("hexarch.yaml", limited(3));
    policies.reload().unwrap();
    call().unwrap();
    denied(call());
}
