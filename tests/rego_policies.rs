//! Policies in Rego through the SDK: where errors are told, what a malformed answer does, and a reload.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use hexarch_guardrails::{Action, EvaluatorOrder, GuardError, Guardian, GuardianBuilder, Reloadable};
use test_support::{Folder, OpaServer};

fn of(text: &str) -> GuardianBuilder {
    Guardian::builder().policy_text("hexarch.yaml", text)
}

/// Answers that are no decisions, each with what is told; two that contradict each other are an error of each engine in
/// words of its own.
const MALFORMED: &[(&str, &str)] = &[
    ("decision := {}", "has no `allowed`"),
    ("decision := {\"allow\": true}", "has no `allowed`"),
    ("decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": \"r\", \"allow\": true}", "`allow`"),
    ("decision := {\"allowed\": \"true\", \"action\": \"allow\", \"reason\": \"r\"}", "true or false"),
    ("decision := {\"allowed\": true, \"action\": \"block\", \"reason\": \"r\"}", "block"),
    (
        "decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": \"r\", \"charges\": [{}]}",
        "charges[0]",
    ),
    ("decision := true", "object"),
    (
        "decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": \"r\"} if input.nothing",
        "gave no decision",
    ),
    (
        "decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": \"a\"} if input.operation != \"x\"\n\n      \
         decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": \"b\"} if input.operation != \"y\"",
        "",
    ),
];

fn assert_denied(builder: impl Fn(&str) -> GuardianBuilder) {
    for (rego, told) in MALFORMED {
        let text = format!("policies:\n  - id: p\n    rego: |\n      {rego}\n");
        let guardian = builder(&text).build().unwrap();
        let denied = guardian.check("p").unwrap().operation("z").run(|| panic!("it ran: {rego}"));
        let Err(GuardError::Denied(violation)) = denied else { panic!("{rego}") };
        assert_eq!(violation.action, Action::Block, "{rego}");
        assert!(violation.reason.contains(told), "{rego}: {}", violation.reason);
    }
}

#[test]
fn an_answer_that_is_no_decision_denies() {
    assert_denied(of);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_an_answer_that_is_no_decision_denies_on_a_sidecar() {
    let opa = OpaServer::start();
    assert_denied(|text| {
        of(text).order(EvaluatorOrder::Sidecar).opa_url(opa.url()).deadline(Duration::from_secs(60))
    });
}

#[test]
fn what_the_compiler_finds_is_told_with_the_line_of_hexarch_yaml() {
    let text = "policies:
  - id: p
    rego: |

      # A comment.
      decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": nothing}
";
    let told = of(text).build().map(drop).unwrap_err().to_string();
    assert!(told.contains("hexarch.yaml:6:") && told.contains("var nothing is unsafe"), "{told}");
}

#[test]
fn a_reload_reads_the_rego_as_well_and_keeps_the_last_that_was_good() {
    let folder = Folder::new("rego-policies");
    let rego = |reason: &str| {
        let decision =
            format!("decision := {{\"allowed\": true, \"action\": \"allow\", \"reason\": {reason}}}\n");
        folder.write("p.rego", format!("package guardrails.policies.p\n\n{decision}"));
    };
    folder.write("hexarch.yaml", "policies: [{id: p, rego: p.rego}]\n");
    rego("\"one\"");
    let file = folder.path().join("hexarch.yaml");
    let policies = Reloadable::new(move || Guardian::builder().policy_file(&file)).unwrap();
    let reason = || policies.guardian().check("p").unwrap().decide().unwrap().decision.reason;
    assert_eq!(reason(), "one");
    for wrong in ["", "unknown.function(1)", "data.users"] {
        rego(wrong);
        let told = policies.reload().unwrap_err().to_string();
        assert!(told.contains("p.rego:3:"), "{told}");
        assert_eq!(reason(), "one");
    }
    rego("\"two\"");
    policies.reload().unwrap();
    assert_eq!(reason(), "two");
}
