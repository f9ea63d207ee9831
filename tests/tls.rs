//! `opa.tls` of a hexarch.yaml, from the file to a real OPA over TLS that asks who is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use hexarch_guardrails::{Action, GuardError, Guardian};
use test_support::{Authority, Folder, OpaServer};

/// A hexarch.yaml whose policy the OPA decides about, with these files in `opa.tls`.
fn guardian(folder: &Folder, opa: &OpaServer, tls: &str) -> Result<Guardian, String> {
    let text = format!(
        "logging: {{enabled: false}}
opa: {{url: '{}', order: sidecar, timeout_seconds: 30, tls: {{{}}}}}
policies:
  - id: api
    rules:
      - {{resource: api, requests_per_day: 2, action: block}}
",
        opa.url(),
        tls.replace("DIR", &folder.path().display().to_string())
    );
    let file = folder.write("hexarch.yaml", text);
    Guardian::builder().policy_file(file).build().map_err(|error| error.to_string())
}

fn call(guardian: &Guardian) -> Result<&'static str, GuardError> {
    guardian.check("api").unwrap().resource("api").run(|| "it ran")
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_guardian_decides_and_counts_over_tls_with_a_certificate_of_its_own() {
    let (authority, folder) = (Authority::new(), Folder::new("guardian-tls"));
    authority.issue_in(&folder, "client");
    let opa = authority.serve_known(&folder);
    let files = "ca_file: DIR/ca.pem, cert_file: DIR/client.pem, key_file: DIR/client.key";
    let guardian = guardian(&folder, &opa, files).unwrap();
    for _ in 0..2 {
        assert_eq!(call(&guardian).unwrap(), "it ran");
    }
    let Err(GuardError::Denied(violation)) = call(&guardian) else { panic!("a third call ran") };
    assert_eq!(
        (violation.action, violation.limit.as_deref()),
        (Action::Block, Some("api.rule_1.requests_per_day"))
    );
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_whom_it_does_not_know_it_does_not_decide_for() {
    let (authority, folder) = (Authority::new(), Folder::new("guardian-tls"));
    let opa = authority.serve_known(&folder);
    // Another authority's certificate, none, and an OPA that is not the one that it says.
    let other = Authority::new();
    other.issue_in(&folder, "stranger");
    folder.write("other.pem", other.pem());
    authority.issue_in(&folder, "client");
    for files in [
        "ca_file: DIR/ca.pem, cert_file: DIR/stranger.pem, key_file: DIR/stranger.key",
        "ca_file: DIR/ca.pem",
        "ca_file: DIR/other.pem, cert_file: DIR/client.pem, key_file: DIR/client.key",
    ] {
        let guardian = guardian(&folder, &opa, files).unwrap();
        let Err(GuardError::Denied(violation)) = call(&guardian) else { panic!("it ran with {files}") };
        assert!(violation.reason.contains("cannot be reached"), "{files}: {}", violation.reason);
    }
    let Err(told) = guardian(&folder, &opa, "ca_file: DIR/nowhere.pem") else { panic!("it needs no file") };
    assert!(told.contains("nowhere.pem") && told.contains("No such file"), "{told}");
}
