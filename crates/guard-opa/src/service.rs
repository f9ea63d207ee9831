//! Any service that answers a POST of JSON with JSON, within the bounds that calls to OPA have.

use guard_core::Deadline;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;

use crate::client::{self, Config, JSON};
use crate::error::{ConfigError, OpaError};
use crate::worker::Worker;

/// A connection pool to one address.
#[derive(Debug)]
pub struct Service {
    worker: Worker,
    http: reqwest::Client,
    url: Url,
    max_reply: usize,
}

impl Service {
    /// The service at exactly this address. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the token is not one, or the client's thread cannot be started.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let url = client::url(&config.url)?;
        let http = client::http(config)?;
        Ok(Self { worker: Worker::start()?, http, url, max_reply: config.max_reply })
    }

    /// The address.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Posts this JSON text, and gives back what came with a status of success.
    ///
    /// # Errors
    /// See [`OpaError`]; its texts speak of OPA.
    pub async fn post(&self, json: String, deadline: Deadline) -> Result<Vec<u8>, OpaError> {
        let request = self.http.post(self.url.clone()).header(CONTENT_TYPE, JSON).body(json);
        let cap = self.max_reply;
        let work = async move {
            match tokio::time::timeout(deadline.remaining(), client::exchange(request, cap)).await {
                Ok(done) => done,
                Err(_) => Err(OpaError::Timeout { after: deadline.allowed() }),
            }
        };
        self.worker.run(work).await
    }
}
