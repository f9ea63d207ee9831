//! The way out to the network: off unless the host opens it, and then to the hosts that it names.
//!
//! This crate decides what may be asked and what is kept; a [`Transport`] of the host's carries it out.

mod hosts;
pub(crate) mod http;
mod lookup;
mod response_cache;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use hosts::Hosts;
pub use response_cache::ResponseCache;

pub(crate) use http::send;
pub(crate) use http::session::Session;
pub(crate) use lookup::lookup_ip_addr;

use crate::error::BuiltinError;

/// The bytes of responses that are kept between evaluations, unless the host says otherwise.
pub const DEFAULT_CACHE_BYTES: usize = 32 << 20;

/// What policies may do on the network: with whom they may speak, through what, and what is remembered of it.
///
/// Clones share the cache, so that all instances of a module, and modules that are given the same network, do.
#[derive(Clone)]
pub struct Network {
    transport: Arc<dyn Transport>,
    hosts: Hosts,
    /// What the capabilities of the policy allow besides (`allow_net`).
    allow_net: Option<Hosts>,
    cache: Arc<ResponseCache>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Network {
    /// Opens the network to the hosts, through a transport.
    pub fn new(transport: impl Transport + 'static, hosts: Hosts) -> Self {
        let cache = Arc::new(ResponseCache::new(DEFAULT_CACHE_BYTES));
        Self { transport: Arc::new(transport), hosts, allow_net: None, cache }
    }

    /// Restricts it further to what the capabilities of a policy list as `allow_net`.
    #[must_use]
    pub fn with_allow_net(self, hosts: impl IntoIterator<Item = String>) -> Self {
        Self { allow_net: Some(Hosts::only(hosts)), ..self }
    }

    /// Keeps responses in a cache of the caller's.
    #[must_use]
    pub fn with_cache(self, cache: Arc<ResponseCache>) -> Self {
        Self { cache, ..self }
    }

    /// Whether a host, without port (or a socket: `unix:` and its path), may be spoken with or looked up.
    pub fn allows(&self, host: &str) -> bool {
        self.hosts.allows(host) && self.allow_net.as_ref().is_none_or(|hosts| hosts.allows(host))
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.transport
    }

    pub(crate) fn cache(&self) -> &ResponseCache {
        &self.cache
    }
}

/// Carries out what policies ask of the network. Blocks its caller, for no longer than it is told.
pub trait Transport: Send + Sync {
    /// Sends a request and reads the response whole. `allows` says whether a host may be spoken with, and must be asked
    /// with the very name that is connected to: for the request, and for each redirect.
    ///
    /// # Errors
    /// No response within the time of the request (see [`HttpRequest::timeout`]) or before the deadline; no connection;
    /// a redirect to a host that is not allowed; TLS material that cannot be read.
    fn send(
        &self,
        request: &HttpRequest,
        allows: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<HttpResponse, HttpFailure>;

    /// The addresses of a host.
    ///
    /// # Errors
    /// A host that is not known, or not before the deadline.
    fn lookup(&self, host: &str, deadline: Option<Instant>) -> Result<Vec<IpAddr>, LookupFailure>;
}

/// A request as a policy wants it sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method, in upper case.
    pub method: String,
    /// The URL as the policy wrote it; `unix://host/path?socket=…` speaks over a socket of the file system.
    pub url: String,
    /// Headers in canonical form (`Content-Type`).
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// How often it is tried again when there is no response.
    pub retries: u32,
    /// When all attempts must have ended.
    pub deadline: Option<Instant>,
    /// Who is spoken with, and as whom.
    pub tls: TlsOptions,
}

/// The `tls_*` parameters of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Trusts the system's authorities, besides those given here.
    pub use_system_certs: bool,
    /// Trusted authorities, each a source of PEM texts.
    pub authorities: Vec<PemSource>,
    /// Certificates and keys that the client shows.
    pub identities: Vec<(PemSource, PemSource)>,
    /// Accepts whatever certificate the server shows.
    pub insecure_skip_verify: bool,
    /// The name that the server's certificate must have, instead of the URL's host.
    pub server_name: Option<String>,
}

/// Where a PEM text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PemSource {
    /// The request holds it.
    Text(String),
    /// A file.
    File(String),
    /// A variable of the environment.
    Variable(String),
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// Code and reason, such as `200 OK`.
    pub status: String,
    /// The code.
    pub status_code: u16,
    /// Names and values in the order of the response.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed where the transport had asked for compression.
    pub body: Vec<u8>,
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFailure {
    /// The time of the request is over; the message says where it was then.
    TimedOut(String),
    /// The evaluation's deadline has passed.
    Deadline,
    /// No connection, or none that could be used: the message of the network.
    Network(String),
    /// The request cannot be sent as it is.
    Invalid(String),
}

/// Why a host has no addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupFailure {
    /// The evaluation's deadline has passed.
    Deadline,
    /// The resolver's message.
    Failed(String),
}

/// The error where the host has not opened the network.
fn closed() -> BuiltinError {
    BuiltinError::new(
        "the host does not let policies use the network; it does so with a `Network` and a list of hosts \
         (`Environment::with_network`)",
    )
}
