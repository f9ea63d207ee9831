//! Certificates: whom a client trusts, and what it shows.

use std::fmt;
use std::path::Path;

use crate::error::ConfigError;

/// The largest file of certificates or keys that is read, in bytes.
const MAX_PEM: u64 = 4 << 20;

/// What a client needs for https beside the system's certificates. Without anything the system's authorities are trusted,
/// and no certificate is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities to trust, in place of the system's.
    pub authorities: Option<Pem>,
    /// What to show when the server asks who is there.
    pub identity: Option<Identity>,
}

/// A certificate with those that it was issued by, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and behind it the others of its chain.
    pub certificate: Pem,
    /// The key.
    pub key: Pem,
}

/// A text in PEM, and what messages call it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    name: String,
    text: Vec<u8>,
}

impl Pem {
    /// A text that came from somewhere.
    pub fn new(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The text of a file.
    ///
    /// # Errors
    /// When it cannot be read, or is larger than certificates are.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let name = path.as_ref().display().to_string();
        let failed = |reason: String| ConfigError::Certificates { name: name.clone(), reason };
        let size = std::fs::metadata(&path).map_err(|error| failed(error.to_string()))?.len();
        if size > MAX_PEM {
            return Err(failed(format!("it has {size} bytes; at most {MAX_PEM} are read")));
        }
        let text = std::fs::read(&path).map_err(|error| failed(error.to_string()))?;
        Ok(Self { name, text })
    }
}

impl fmt::Debug for Pem {
    /// Without the text, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(feature = "__tls")]
pub(crate) use rustls_config::{client, nobody};

#[cfg(feature = "__tls")]
mod rustls_config {
    use std::sync::Arc;

    use rustls::client::WantsClientCert;
    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

    use super::{Pem, Tls};
    use crate::error::ConfigError;

    /// How to speak TLS.
    pub(crate) fn client(tls: &Tls) -> Result<ClientConfig, ConfigError> {
        let builder = trusting(roots(tls)?)?;
        let Some(identity) = &tls.identity else { return Ok(builder.with_no_client_auth()) };
        let chain = certificates(&identity.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&identity.key.text)
            .map_err(|_| unusable(&identity.key, "there is no key in PEM in it"))?;
        let refused = |error: rustls::Error| unusable(&identity.key, &error.to_string());
        builder.with_client_auth_cert(chain, key).map_err(refused)
    }

    /// For a client that does not: nobody is trusted.
    pub(crate) fn nobody() -> Result<ClientConfig, ConfigError> {
        Ok(trusting(RootCertStore::empty())?.with_no_client_auth())
    }

    fn trusting(roots: RootCertStore) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, ConfigError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::Start(error.to_string()))?;
        Ok(builder.with_root_certificates(roots))
    }

    fn roots(tls: &Tls) -> Result<RootCertStore, ConfigError> {
        let mut roots = RootCertStore::empty();
        let Some(authorities) = &tls.authorities else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(roots);
        };
        for certificate in certificates(authorities)? {
            roots.add(certificate).map_err(|error| unusable(authorities, &error.to_string()))?;
        }
        Ok(roots)
    }

    /// At least one.
    fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.text).collect();
        match found {
            Ok(found) if !found.is_empty() => Ok(found),
            _ => Err(unusable(pem, "there is no certificate in PEM in it")),
        }
    }

    fn unusable(pem: &Pem, reason: &str) -> ConfigError {
        ConfigError::Certificates { name: pem.name.clone(), reason: reason.to_owned() }
    }
}
