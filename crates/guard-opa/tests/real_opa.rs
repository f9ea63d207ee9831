//! The client against a real OPA.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use guard_core::{Deadline, block_on};
use guard_opa::{Client, Config, DataPath, OpaError, Patch, PatchOp};
use test_support::OpaServer;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

fn path(names: &[&str]) -> DataPath {
    DataPath::of(names.iter().copied()).unwrap()
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_policies_and_questions() {
    let opa = OpaServer::start();
    let client = Client::new(&Config::new(opa.url())).unwrap();
    block_on(async {
        let decision = path(&["p", "double"]);
        assert!(matches!(client.ask(&decision, "{}", soon()).await, Err(OpaError::Undefined { .. })));
        client.put_policy("a b/c", "package p\n\ndouble := input.n * 2", soon()).await.unwrap();
        assert_eq!(
            client.ask(&decision, r#"{"n": 12345678901234567890}"#, soon()).await.unwrap(),
            "24691357802469135780"
        );
        assert!(matches!(
            client.ask(&decision, r#"{"m": 1}"#, soon()).await,
            Err(OpaError::Undefined { .. })
        ));

        let broken = client.put_policy("broken", "package p\n\ndouble := x", soon()).await.unwrap_err();
        let OpaError::Refused(refused) = &broken else { panic!("{broken}") };
        assert_eq!((refused.status, refused.code.as_deref()), (400, Some("invalid_parameter")));
        assert!(refused.message.contains("var x is unsafe"), "{broken}");

        client.delete_policy("a b/c", soon()).await.unwrap();
        client.delete_policy("a b/c", soon()).await.unwrap();
        assert!(matches!(
            client.ask(&decision, r#"{"n": 1}"#, soon()).await,
            Err(OpaError::Undefined { .. })
        ));
    });
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_data_under_any_name() {
    let opa = OpaServer::start();
    let client = Client::new(&Config::new(opa.url())).unwrap();
    block_on(async {
        for key in [
            "plain",
            "with space",
            "a/b",
            "ü",
            "~1",
            "~0~1",
            "%2F",
            "a?b#c",
            "\"quoted\"",
            "a+b",
            "a%20b",
            "'",
            "{}",
            "a~1b~0",
        ] {
            let window = path(&["state", "limit", key, "2026-11"]);
            assert!(client.create_data(&window, "{}", soon()).await.unwrap(), "{key}");
            assert!(!client.create_data(&window, r#"{"x": 1}"#, soon()).await.unwrap(), "{key}");
            let patch = |replica, op| Patch { path: path(&["limit", key, "2026-11", replica]), op };
            let add = |replica| patch(replica, PatchOp::Add("7".into()));
            client.patch_data(&path(&["state"]), &[add("r1"), add(key)], soon()).await.unwrap();
            let document = client.get_data(&path(&["state", "limit"]), soon()).await.unwrap();
            let document: serde_json::Value = serde_json::from_str(&document).unwrap();
            let cells = document
                .get(key)
                .and_then(|key| key.get("2026-11"))
                .unwrap_or_else(|| panic!("{key}: {document}"));
            assert_eq!(cells, &serde_json::json!({"r1": 7, key: 7}), "{key}");
            client.patch_data(&path(&["state"]), &[patch("r1", PatchOp::Remove)], soon()).await.unwrap();
            assert!(
                client
                    .patch_data(&path(&["state"]), &[patch("r1", PatchOp::Remove)], soon())
                    .await
                    .unwrap_err()
                    .is_not_found()
            );
            client.delete_data(&window, soon()).await.unwrap();
            assert!(client.delete_data(&window, soon()).await.unwrap_err().is_not_found());
        }
    });
}

/// Calls made with the synchronous interface, from a program without a runtime and from inside one.
#[test]
#[ignore = "needs OPA"]
fn needs_opa_no_runtime_and_any_runtime() {
    let opa = OpaServer::start();
    let client = Client::new(&Config::new(opa.url())).unwrap();
    block_on(client.health(soon())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { client.health(soon()).await }).unwrap();
    runtime.block_on(async { block_on(client.health(soon())) }).unwrap();
    runtime.block_on(async { drop(client) });
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_killed_opa_is_unreachable() {
    let mut opa = OpaServer::start();
    let client = Client::new(&Config::new(opa.url())).unwrap();
    block_on(client.health(soon())).unwrap();
    opa.kill();
    assert!(matches!(block_on(client.health(soon())), Err(OpaError::Unreachable { .. })));
    let _opa = OpaServer::start_with(test_support::opa(), opa.port(), &[]).unwrap();
    block_on(client.health(soon())).unwrap();
}
