//! Category crypto: X.509 certificates (RFC 5280) and requests for them (RFC 2986).
//!
//! What policies see is Go's `x509.Certificate` as JSON, and which certificates are taken, and which chains are
//! good, is what Go's `crypto/x509` says. Hence certificates are taken apart here, in its order and with its
//! words, and not by a library with rules of its own; the signatures are checked by libraries.

mod certificate;
mod chain;
mod constraints;
mod extensions;
mod hostname;
mod mailbox;
mod name;
mod options;
mod policies;
mod request;
mod show;
mod signature;
mod time;

use rego_value::{Array, Value};

use crate::args::Args;
use crate::base64::STANDARD;
use crate::context::Context;
use crate::error::BuiltinError;
use crate::pem;

pub(crate) use certificate::Certificate;
pub(crate) use request::parse_certificate_request;
pub(crate) use time::Time;

use options::Options;

type Outcome = Result<Option<Value>, BuiltinError>;

/// `crypto.x509.parse_certificates`
pub(crate) fn parse_certificates(_: &mut Context, args: &[Value]) -> Outcome {
    let certificates = certificates_of(Args(args).string(1)?).map_err(BuiltinError::new)?;
    Ok(Some(Value::array(certificates.iter().map(Certificate::to_extended_value))))
}

/// `crypto.x509.parse_and_verify_certificates`: root first, leaf last, now, for a server.
pub(crate) fn parse_and_verify_certificates(context: &mut Context, args: &[Value]) -> Outcome {
    let certificates = certificates_of(Args(args).string(1)?);
    let options = Options::new(context.now_ns);
    let chain = certificates.ok().and_then(|certificates| verified(&certificates, &options));
    Ok(Some(verdict(chain.map(|chain| chain.iter().map(Certificate::to_extended_value).collect()))))
}

/// `crypto.x509.parse_and_verify_certificates_with_options`
pub(crate) fn parse_and_verify_certificates_with_options(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (text, members) = (args.string(1)?, args.object(2)?);
    let Ok(certificates) = certificates_of(text) else { return Ok(Some(verdict(None))) };
    let options = Options::parse(members, context.now_ns)?;
    let chain = verified(&certificates, &options);
    Ok(Some(verdict(chain.map(|chain| chain.iter().map(Certificate::to_value).collect()))))
}

fn verdict(chain: Option<Array>) -> Value {
    Value::array([chain.is_some().into(), chain.unwrap_or_default().into()])
}

/// The chain from the last certificate to the first.
fn verified(certificates: &[Certificate], options: &Options) -> Option<Vec<Certificate>> {
    let [root, intermediates @ .., leaf] = certificates else { return None };
    let chain = chain::verify(root, intermediates, leaf, options)?;
    Some(chain.into_iter().cloned().collect())
}

const BEGIN: &[u8] = b"-----BEGIN";

/// The certificates of a text in PEM, or in base64 of PEM or DER.
fn certificates_of(text: &str) -> Result<Vec<Certificate>, String> {
    if text.as_bytes().starts_with(BEGIN) {
        return Certificate::parse_all(&pem_bodies(text.as_bytes())?);
    }
    let bytes = STANDARD.decode(text.as_bytes()).map_err(|problem| problem.to_string())?;
    if bytes.starts_with(BEGIN) {
        return Certificate::parse_all(&pem_bodies(&bytes)?);
    }
    Certificate::parse_all(&bytes)
}

/// The bodies of all blocks, one after the other.
fn pem_bodies(mut text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bodies = Vec::new();
    while let (Some(block), rest) = pem::decode(text) {
        if block.label != b"CERTIFICATE" {
            return Err(format!("PEM block type is '{}', expected CERTIFICATE", block.label()));
        }
        bodies.extend(block.bytes);
        text = rest;
    }
    Ok(bodies)
}
