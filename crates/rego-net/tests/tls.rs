//! `http.send` over TLS, against a server with certificates of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value as Json, json};
use support::{open, response, send, show};

/// An authority and what it has issued.
struct Authority {
    pem: String,
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), certificate, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        Identity { certificate, key }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        Arc::new(roots)
    }
}

/// Starts a server; one that is given an authority wants its clients to show a certificate of that.
fn serve(identity: &Identity, clients: Option<&Authority>) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(authority.roots(), provider).build().unwrap(),
        ),
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
    let config = builder.with_single_cert(vec![identity.certificate.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            // A client that does not like the certificate goes away here.
            if tls.complete_io(&mut stream).is_err() {
                continue;
            }
            let mut stream = StreamOwned::new(tls, stream);
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(std::io::Read::read(&mut stream, &mut byte), Ok(1))
            {
                head.extend(byte);
            }
            let (log, mut answer) = (Mutex::default(), Vec::new());
            support::serve(head.as_slice(), &mut answer, &|path, _| response("200 OK", "", path), &log);
            let _ = std::io::Write::write_all(&mut stream, &answer);
            stream.conn.send_close_notify();
            let _ = std::io::Write::flush(&mut stream);
        }
    });
    port
}

fn ask(port: u16, more: &Json) -> Result<Json, String> {
    let mut request = json!({"method": "get", "url": format!("https://localhost:{port}/over-tls")});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    send(&mut open(), &request).map(|answer| show(&answer)["raw_body"].clone()).map_err(|error| error.message)
}

const BODY: &str = "/over-tls";

#[test]
fn a_server_is_trusted_if_the_request_knows_its_authority() {
    let authority = Authority::new();
    let port = serve(&authority.issue(&["localhost"]), None);
    let error = ask(port, &json!({})).unwrap_err();
    assert!(error.contains("x509: certificate signed by unknown authority"), "{error}");
    let other = Authority::new();
    assert!(ask(port, &json!({"tls_ca_cert": other.pem})).unwrap_err().contains("unknown authority"));
    let lines = authority.pem.replace('\n', "\\n");
    for known in [
        json!({"tls_ca_cert": authority.pem}),
        json!({"tls_ca_cert": lines}),
        json!({"tls_ca_cert": authority.pem, "tls_use_system_certs": true}),
        json!({"tls_insecure_skip_verify": true}),
    ] {
        assert_eq!(ask(port, &known), Ok(json!(BODY)), "{known}");
    }
    let file = std::env::temp_dir().join(format!("rego-net-{}.pem", std::process::id()));
    std::fs::write(&file, &authority.pem).unwrap();
    assert_eq!(ask(port, &json!({"tls_ca_cert_file": file.to_str().unwrap()})), Ok(json!(BODY)));
    std::fs::remove_file(&file).unwrap();
    assert!(ask(port, &json!({"tls_ca_cert_file": file.to_str().unwrap()})).is_err());
    assert_eq!(
        ask(port, &json!({"tls_ca_cert": "no certificate"})),
        Err("could not append certificates".to_owned())
    );
    assert!(ask(port, &json!({"tls_ca_cert_env_variable": "REGO_NET_NO_SUCH_VARIABLE"})).is_err());
}

#[test]
fn the_name_is_that_of_the_url_or_the_one_that_the_request_gives() {
    let authority = Authority::new();
    let port = serve(&authority.issue(&["inner.example"]), None);
    let known = json!({"tls_ca_cert": authority.pem});
    assert!(ask(port, &known).unwrap_err().contains("x509"), "another name");
    let named = |more: Json| {
        let mut all = known.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(port, &all)
    };
    assert_eq!(named(json!({"tls_server_name": "inner.example"})), Ok(json!(BODY)));
    assert_eq!(named(json!({"headers": {"Host": "inner.example"}})), Ok(json!(BODY)));
    assert!(named(json!({"tls_server_name": "other.example"})).is_err());
}

#[test]
fn a_client_shows_its_certificate() {
    let authority = Authority::new();
    let port = serve(&authority.issue(&["localhost"]), Some(&authority));
    let client = authority.issue(&["client"]);
    let (certificate, key) = (client.certificate.pem(), client.key.serialize_pem());
    assert!(ask(port, &json!({"tls_ca_cert": authority.pem})).is_err());
    let shown = json!({"tls_ca_cert": authority.pem, "tls_client_cert": certificate, "tls_client_key": key});
    assert_eq!(ask(port, &shown), Ok(json!(BODY)));
    let broken =
        json!({"tls_ca_cert": authority.pem, "tls_client_cert": certificate, "tls_client_key": "none"});
    assert!(ask(port, &broken).is_err());
}
