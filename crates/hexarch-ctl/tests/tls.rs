//! Commands over https: a policy that a real OPA decides about, and `http.send`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

use test_support::{Authority, Folder};

fn ctl(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"));
    command.current_dir(folder).env_remove("HEXARCH_STATE").env_remove("HEXARCH_CONFIG");
    command.args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_command_runs_where_an_opa_behind_tls_says_so() {
    let (authority, folder) = (Authority::new(), Folder::new("hexarch-tls"));
    authority.issue_in(&folder, "client");
    let opa = authority.serve_known(&folder);
    let configured = |tls: &str| {
        let opa =
            format!("opa: {{url: '{}', order: sidecar, timeout_seconds: 30, tls: {{{tls}}}}}", opa.url());
        folder.write(
            "hexarch.yaml",
            format!("{opa}\npolicies:\n  - {{id: work, rules: [{{operation: mkfs, action: block}}]}}\n"),
        );
    };
    let run = |operation| {
        let output =
            ctl(folder.path(), &["run", "--policy", "work", "--operation", operation, "--", "echo", "ran"]);
        (output.status.code(), told(&output))
    };
    configured("ca_file: ca.pem, cert_file: client.pem, key_file: client.key");
    assert_eq!(run("ls"), (Some(0), "ran\n".to_owned()));
    let (code, text) = run("mkfs");
    assert_eq!(code, Some(3), "{text}");
    assert!(!text.contains("cannot be reached"), "{text}");
    configured("ca_file: ca.pem");
    let (code, text) = run("ls");
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("cannot be reached"), "{text}");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_http_send_speaks_https() {
    let (authority, folder) = (Authority::new(), Folder::new("hexarch-tls"));
    let opa = authority.serve(&folder, &[]);
    folder.write("ca.pem", authority.pem());
    let asked = |more: &str| {
        let request = format!("{{\"method\": \"get\", \"url\": \"{}/health\"{more}}}", opa.url());
        ctl(
            folder.path(),
            &[
                "policy",
                "eval",
                "--strict-builtin-errors",
                "--format",
                "raw",
                &format!("http.send({request}).status_code"),
            ],
        )
    };
    let known = asked(", \"tls_ca_cert_file\": \"ca.pem\"");
    assert_eq!(told(&known).trim(), "200");
    let unknown = asked("");
    assert_ne!(unknown.status.code(), Some(0), "{}", told(&unknown));
    assert!(told(&unknown).contains("certificate"), "{}", told(&unknown));
}
