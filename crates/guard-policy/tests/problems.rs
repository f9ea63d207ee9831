//! What an author is told: each `problems/*.yaml` beside what is printed about it. `UPDATE=1` writes the
//! texts anew, to be read before they are committed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/told.rs"]
mod told;

use guard_policy::{LogLevel, ProblemCode, parse};

#[test]
fn everything_wrong_is_told_at_once() {
    told::assert_told(&told::cases("problems", 10), |text| {
        parse("hexarch.yaml", text).expect_err("it is wrong").to_string()
    });
}

#[test]
fn problems_are_data_too() {
    let problems = parse("h.yaml", "policies:\n  - id: a\n    rules:\n      - acton: block\n").unwrap_err();
    assert_eq!(
        problems.to_json(),
        serde_json::json!([
            {"code": "unknown_key", "severity": "error", "location": {"file": "h.yaml", "row": 4, "col": 9},
             "message": "a rule has no key `acton`", "help": "did you mean `action`?"},
        ])
    );
    assert_eq!(problems.iter().next().unwrap().code, ProblemCode::UnknownKey);
}

#[test]
fn settings_are_typed() {
    let text = "
enforcement: warn
timezone: Asia/Kolkata
logging: {enabled: false, level: WARNING, file: guard.log}
opa:
  url: https://opa.internal:8181/
  order: sidecar-then-wasm
  timeout_seconds: 0.25
  token: hunter2
state: {store: memory}
fail_mode: {default: open, delete: closed, \"mail.*\": closed}
policies: []
";
    let file = parse("h.yaml", text).unwrap();
    let settings = file.settings();
    assert_eq!(settings.enforcement(), guard_policy::Enforcement::Warn);
    assert_eq!(settings.timezone(), "Asia/Kolkata");
    assert_eq!(settings.logging().level(), LogLevel::Warning);
    assert_eq!(settings.logging().file(), Some("guard.log"));
    assert!(!settings.logging().enabled());
    let opa = settings.opa().unwrap();
    assert_eq!(opa.url(), "https://opa.internal:8181");
    assert_eq!(opa.order(), guard_policy::EvaluatorOrder::SidecarThenWasm);
    assert_eq!(opa.timeout(), std::time::Duration::from_millis(250));
    assert_eq!(opa.token().unwrap().expose(), "hunter2");
    assert!(!format!("{settings:?}").contains("hunter2"));
    let modes = settings.fail_mode();
    assert_eq!(modes.of("read"), guard_policy::FailMode::Open);
    assert_eq!(modes.of("delete"), guard_policy::FailMode::Closed);
    assert_eq!(modes.of("mail.send"), guard_policy::FailMode::Closed);
    assert_eq!(modes.default_mode(), guard_policy::FailMode::Open);
}

#[test]
fn defaults_are_the_careful_ones() {
    let file = parse("h.yaml", "policies: []\n").unwrap();
    assert_eq!(file.settings().enforcement(), guard_policy::Enforcement::Strict);
    assert_eq!(file.settings().fail_mode().of("anything"), guard_policy::FailMode::Closed);
    assert_eq!(file.settings().timezone(), "UTC");
    assert!(file.settings().opa().is_none());
    assert!(file.settings().logging().enabled());
}
