//! TLS, with what a request says about it.

use std::io;
use std::sync::Arc;

use rego_builtins::network::{HttpFailure, PemSource, TlsOptions};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The largest file of certificates or keys, in bytes.
const MAX_PEM: u64 = 4 << 20;

fn invalid(what: impl std::fmt::Display) -> HttpFailure {
    HttpFailure::Invalid(what.to_string())
}

/// Speaks TLS over a connection.
pub(crate) async fn connect(
    stream: TcpStream,
    host: &str,
    options: &TlsOptions,
) -> Result<TlsStream<TcpStream>, HttpFailure> {
    let name = options.server_name.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(name).map_err(invalid)?;
    let connector = TlsConnector::from(Arc::new(config(options)?));
    connector.connect(name, stream).await.map_err(|error| HttpFailure::Network(words(&error)))
}

/// What went wrong, in the words of Go's `crypto/tls` where they are plain.
fn words(error: &io::Error) -> String {
    const UNVERIFIED: &str = "tls: failed to verify certificate: x509: certificate";
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(problem)) => match problem {
            // An authority of the right name that has not signed it is as unknown as any.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                format!("{UNVERIFIED} signed by unknown authority")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("{UNVERIFIED} has expired or is not yet valid")
            }
            other => format!("tls: failed to verify certificate: x509: {other}"),
        },
        Some(other) => format!("tls: {other}"),
        None => error.to_string(),
    }
}

fn config(options: &TlsOptions) -> Result<ClientConfig, HttpFailure> {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(invalid)?;
    let builder = if options.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anything(provider)))
    } else {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(options)?), provider);
        builder.with_webpki_verifier(verifier.build().map_err(invalid)?)
    };
    // A server is shown the first; there is rarely another.
    match options.identities.first() {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_slice(&pem(key)?)
                .map_err(|_| invalid("tls: failed to find any PEM data in key input"))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| invalid(format_args!("tls: {error}")))
        }
    }
}

/// Who is trusted: the system's authorities, unless the request has some of its own and does not ask for both.
fn roots(options: &TlsOptions) -> Result<RootCertStore, HttpFailure> {
    let mut roots = RootCertStore::empty();
    if options.use_system_certs || options.authorities.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for source in &options.authorities {
        let found = certificates(source).map_err(|_| invalid("could not append certificates"))?;
        let (added, _) = roots.add_parsable_certificates(found);
        if added == 0 {
            return Err(invalid("could not append certificates"));
        }
    }
    Ok(roots)
}

fn certificates(source: &PemSource) -> Result<Vec<CertificateDer<'static>>, HttpFailure> {
    let missing = || invalid("tls: failed to find any PEM data in certificate input");
    let bytes = pem(source)?;
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|_| missing())?;
    if found.is_empty() { Err(missing()) } else { Ok(found) }
}

fn pem(source: &PemSource) -> Result<Vec<u8>, HttpFailure> {
    match source {
        PemSource::Text(text) => Ok(text.clone().into_bytes()),
        PemSource::Variable(name) => Ok(std::env::var(name).unwrap_or_default().into_bytes()),
        PemSource::File(path) => {
            let failed = |error: io::Error| invalid(format_args!("open {path}: {error}"));
            let size = std::fs::metadata(path).map_err(failed)?.len();
            if size > MAX_PEM {
                return Err(invalid(format_args!("open {path}: has more than {MAX_PEM} bytes")));
            }
            std::fs::read(path).map_err(failed)
        }
    }
}

/// Takes any certificate, as `tls_insecure_skip_verify` asks for; the handshake is still checked against its key.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
