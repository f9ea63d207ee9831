//! What `opa.tls` says, read.

use guard_opa::{ConfigError, Identity, Pem, Tls};
use guard_policy::Opa;

/// The certificates for the sidecar.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn tls(opa: &Opa) -> Result<Tls, ConfigError> {
    let files = opa.tls();
    let identity = match (files.cert_file(), files.key_file()) {
        (Some(certificate), Some(key)) => {
            Some(Identity { certificate: Pem::read(certificate)?, key: Pem::read(key)? })
        }
        _ => None,
    };
    Ok(Tls { authorities: files.ca_file().map(Pem::read).transpose()?, identity })
}
