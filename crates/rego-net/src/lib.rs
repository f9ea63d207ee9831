//! The network for `http.send` and `net.lookup_ip_addr`.
//!
//! Job: carry out what the built-in functions ask of the port [`Transport`], over HTTP/1.1, with the behaviour of OPA's
//! client where policies can see it. What may be asked, by whom it is allowed, and what is kept of it, is decided in
//! `rego_builtins::network`.
//!
//! Invariant: no call outlives its request's time or the evaluation's deadline; every connection, also the one that a
//! redirect leads to, is to a host that was asked for permission by the very name that is connected to; no response is
//! read beyond a limit. A program that does not depend on this crate has no network to offer, and one that does not ask
//! for the feature `tls` pays for none.
//!
//! Each call opens a connection of its own and no proxy is used.
//!
//! ```
//! use rego_builtins::network::{Hosts, Network};
//! use rego_net::Client;
//!
//! let network = Network::new(Client::new(), Hosts::only(["policies.example.com"]));
//! assert!(network.allows("policies.example.com") && !network.allows("169.254.169.254"));
//! // `rego_engine::Environment::new().with_network(network)` gives it to the policies of a module.
//! ```

mod connect;
mod exchange;
mod lookup;
mod redirect;
#[cfg(feature = "tls")]
mod tls;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use rego_builtins::network::{HttpFailure, HttpRequest, HttpResponse, LookupFailure, Transport};
use tokio::time::{sleep_until, timeout_at};

use exchange::Exchange;

/// Whether a host may be spoken with.
pub(crate) type Allows<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// The largest body of a response, in bytes, unless the client says otherwise.
pub const DEFAULT_MAX_BODY: usize = 16 << 20;

/// The wait before the first retry; each further one is longer by the factor.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const WAIT_FACTOR: f64 = 1.6;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The longest that anything takes, where neither the request nor the evaluation says: what cannot be added to a clock.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

/// A client for policies.
#[derive(Clone, Debug)]
pub struct Client {
    max_body: usize,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client with the default limit.
    pub fn new() -> Self {
        Self { max_body: DEFAULT_MAX_BODY }
    }

    /// Reads bodies of up to so many bytes; a longer one is an error of its request.
    #[must_use]
    pub fn with_max_body(self, bytes: usize) -> Self {
        Self { max_body: bytes }
    }

    /// Runs on a thread of its own: the caller may be inside of a runtime, which must not be blocked by another.
    fn run(&self, request: &HttpRequest, allows: Allows<'_>) -> Result<HttpResponse, HttpFailure> {
        let failed = |error: std::io::Error| HttpFailure::Network(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let outcome = runtime.block_on(self.attempts(request, allows));
        // A name that is still being looked up is nobody's business any more.
        runtime.shutdown_background();
        outcome
    }

    async fn attempts(&self, request: &HttpRequest, allows: Allows<'_>) -> Result<HttpResponse, HttpFailure> {
        let now = Instant::now();
        let deadline = request.deadline.unwrap_or_else(|| now + FOR_EVER);
        let mut wait = FIRST_WAIT;
        for attempt in 0.. {
            let failure = match self.attempt(request, allows, deadline).await {
                Err(failure @ (HttpFailure::Network(_) | HttpFailure::TimedOut(_))) => failure,
                outcome => return outcome,
            };
            if attempt >= request.retries {
                return Err(failure);
            }
            if Instant::now() + wait >= deadline {
                sleep_until(deadline.into()).await;
                break;
            }
            sleep_until((Instant::now() + wait).into()).await;
            wait = wait.mul_f64(WAIT_FACTOR).min(LONGEST_WAIT);
        }
        Err(HttpFailure::Deadline)
    }

    async fn attempt(
        &self,
        request: &HttpRequest,
        allows: Allows<'_>,
        deadline: Instant,
    ) -> Result<HttpResponse, HttpFailure> {
        let limit = match request.timeout {
            Duration::ZERO => FOR_EVER,
            timeout => timeout.min(FOR_EVER),
        };
        let until = deadline.min(Instant::now() + limit);
        let mut exchange = Exchange::new(request, allows, self.max_body);
        match timeout_at(until.into(), exchange.run()).await {
            Ok(outcome) => outcome,
            Err(_) if Instant::now() >= deadline => Err(HttpFailure::Deadline),
            Err(_) if exchange.has_response() => Err(HttpFailure::Invalid(
                "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
                    .to_owned(),
            )),
            Err(_) => Err(HttpFailure::TimedOut(
                "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".to_owned(),
            )),
        }
    }
}

impl Transport for Client {
    fn send(
        &self,
        request: &HttpRequest,
        allows: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<HttpResponse, HttpFailure> {
        let lost = || HttpFailure::Network("no thread for the request".to_owned());
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("http.send".to_owned());
            let thread = thread.spawn_scoped(scope, || self.run(request, allows)).map_err(|_| lost())?;
            thread.join().unwrap_or_else(|_| Err(lost()))
        })
    }

    fn lookup(&self, host: &str, deadline: Option<Instant>) -> Result<Vec<IpAddr>, LookupFailure> {
        lookup::lookup(host, deadline)
    }
}
