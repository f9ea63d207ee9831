//! Certificates of the tests' own.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{Folder, OpaServer, free_port, opa};

/// An authority that nobody knows but the test.
#[derive(Debug)]
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Another one each time.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    /// Its certificate, in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a name, and its key, in PEM.
    #[must_use]
    pub fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// The same in files of the folder: `NAME.pem` and `NAME.key`.
    pub fn issue_in(&self, folder: &Folder, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.issue(name);
        (folder.write(&format!("{name}.pem"), certificate), folder.write(&format!("{name}.key"), key))
    }

    /// An OPA whose certificate is for the loopback address, with further arguments of `opa run`.
    #[must_use]
    pub fn serve(&self, folder: &Folder, arguments: &[&str]) -> OpaServer {
        let (certificate, key) = self.issue_in(folder, "127.0.0.1");
        let files = [certificate.display().to_string(), key.display().to_string()];
        let [certificate, key] = &files;
        let mut all = vec!["--tls-cert-file", certificate, "--tls-private-key-file", key];
        all.extend(arguments);
        OpaServer::start_tls(opa(), free_port(), &all).unwrap()
    }

    /// The same, and whoever calls has to show a certificate of this authority.
    #[must_use]
    pub fn serve_known(&self, folder: &Folder) -> OpaServer {
        let ca = folder.write("ca.pem", self.pem.as_bytes()).display().to_string();
        self.serve(folder, &["--tls-ca-cert-file", &ca, "--authentication=tls"])
    }
}
