//! A real OPA over TLS, with certificates of the test's own; also one that asks who is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use guard_core::Deadline;
use guard_opa::{Client, Config, ConfigError, DataPath, Identity, OpaError, Pem, Tls};
use test_support::{Authority, Folder, OpaServer};

fn known(authority: &Authority) -> Option<Pem> {
    Some(Pem::new("ca.pem", authority.pem()))
}

fn identity((certificate, key): (String, String)) -> Option<Identity> {
    Some(Identity { certificate: Pem::new("cert.pem", certificate), key: Pem::new("key.pem", key) })
}

/// Publishes a policy and asks it.
fn asked(opa: &OpaServer, tls: Tls) -> Result<String, OpaError> {
    let client = Client::new(&Config { tls, ..Config::new(opa.url()) }).unwrap();
    let deadline = Deadline::after(Duration::from_secs(10));
    guard_core::block_on(async {
        client.health(deadline).await?;
        client.put_policy("t", "package t\n\nx := input.n + 1", deadline).await?;
        client.ask(&DataPath::of(["t", "x"])?, "{\"n\": 1}", deadline).await
    })
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_authority_has_to_be_known() {
    let (authority, folder) = (Authority::new(), Folder::new("opa-tls"));
    let opa = authority.serve(&folder, &[]);
    assert_eq!(asked(&opa, Tls { authorities: known(&authority), identity: None }).unwrap(), "2");
    for authorities in [None, known(&Authority::new())] {
        let told = asked(&opa, Tls { authorities, identity: None }).unwrap_err().to_string();
        assert!(told.contains("cannot be reached") && told.contains("invalid peer certificate"), "{told}");
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_certificate_for_another_name_is_not_taken() {
    let (authority, folder) = (Authority::new(), Folder::new("opa-tls"));
    let opa = authority.serve(&folder, &[]);
    let url = opa.url().replace("127.0.0.1", "localhost");
    let config = Config { tls: Tls { authorities: known(&authority), identity: None }, ..Config::new(url) };
    let client = Client::new(&config).unwrap();
    let told = guard_core::block_on(client.health(Deadline::after(Duration::from_secs(10)))).unwrap_err();
    assert!(told.to_string().contains("not valid for name"), "{told}");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_one_that_asks_who_is_there_is_shown_the_certificate() {
    let (authority, folder) = (Authority::new(), Folder::new("opa-mtls"));
    let opa = authority.serve_known(&folder);
    let with = |identity| asked(&opa, Tls { authorities: known(&authority), identity });
    assert_eq!(with(identity(authority.issue("client"))).unwrap(), "2");
    assert!(matches!(with(None), Err(OpaError::Unreachable { .. })));
    assert!(matches!(with(identity(Authority::new().issue("client"))), Err(OpaError::Unreachable { .. })));
}

#[test]
fn what_cannot_be_used_is_told_with_its_name() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("client");
    let (_, other) = authority.issue("other");
    let told = |tls| match Client::new(&Config { tls, ..Config::new("https://127.0.0.1:1") }) {
        Err(ConfigError::Certificates { name, reason }) => format!("{name}: {reason}"),
        other => panic!("{other:?}"),
    };
    let trusting = |text: &str| Tls { authorities: Some(Pem::new("ca.pem", text)), identity: None };
    assert_eq!(told(trusting("nothing")), "ca.pem: there is no certificate in PEM in it");
    assert_eq!(told(trusting(&key)), "ca.pem: there is no certificate in PEM in it");
    let showing = |certificate: &str, key: &str| Tls {
        authorities: None,
        identity: identity((certificate.to_owned(), key.to_owned())),
    };
    assert_eq!(told(showing(&certificate, "nothing")), "key.pem: there is no key in PEM in it");
    assert!(told(showing(&certificate, &other)).starts_with("key.pem: "), "the key of another certificate");
    let missing = Pem::read("/nowhere/ca.pem").unwrap_err().to_string();
    assert!(missing.contains("`/nowhere/ca.pem`") && missing.contains("No such file"), "{missing}");
    // A key is not told.
    assert!(!format!("{:?}", showing(&certificate, &key)).contains("PRIVATE"));
}
