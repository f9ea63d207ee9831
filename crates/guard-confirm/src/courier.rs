//! Tells a webhook of each confirmation, from the outbox.
//!
//! A message is written down together with its confirmation, in one transaction, and taken off when the webhook has
//! answered with a 2xx: it is delivered at least once, also when a process is killed in between. Who takes a message has
//! it to itself for a while; what fails is tried again, more and more seldom, until the confirmation has expired.
//!
//! The request is a POST of JSON. `X-Hexarch-Signature: v1=HEX` is the HMAC-SHA256, under the webhook's secret, of the
//! decimal seconds in `X-Hexarch-Timestamp`, a full stop and the body ([`signature`]). A receiver refuses what is not
//! signed or old, and takes what it has seen before (`X-Hexarch-Delivery`) for delivered.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use guard_core::Timestamp;
use serde_json::json;

use crate::desk::Desk;
use crate::entry::Entry;
use crate::error::DeskError;
use crate::store::Due;
use crate::token::{Secret, hex, keyed};

/// Where messages go.
#[derive(Clone)]
pub struct CourierConfig {
    /// The webhook's address.
    pub url: String,
    /// What messages are signed with, and the key of [`Desk::announcing`].
    pub secret: Vec<u8>,
    /// What links begin with: `https://example.com/confirm` makes `https://example.com/confirm/ID/SECRET`.
    pub link: Option<String>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How often the outbox is looked into.
    pub look: Duration,
    /// The pause after the first failure; twice as long after each further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl CourierConfig {
    /// This webhook: ten seconds for an answer, pauses from one second to a minute.
    pub fn new(url: impl Into<String>, secret: impl Into<Vec<u8>>) -> Self {
        Self {
            url: url.into(),
            secret: secret.into(),
            link: None,
            timeout: Duration::from_secs(10),
            look: Duration::from_millis(250),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }
}

/// A thread that delivers. It ends when this is dropped, after the message that is on its way.
pub struct Courier {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Courier {
    /// Delivers what is in the outbox of that desk's store, whoever put it there.
    ///
    /// # Errors
    /// When the system gives no thread, or the HTTP client cannot be made.
    pub fn start(desk: &Desk, config: CourierConfig) -> Result<Self, DeskError> {
        let failed = |error: &dyn std::fmt::Display| DeskError::Call(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(&error))?;
        let client = reqwest::Client::builder()
            .timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(&error))?;
        let (stop, stopped) = channel::<()>();
        let desk = desk.clone();
        let work = move || {
            let round = Round { desk: &desk, config: &config, client: &client };
            loop {
                let found = runtime.block_on(round.deliver_one());
                let pause = if found { Duration::ZERO } else { config.look };
                if !matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("hexarch-courier".to_owned()).spawn(work);
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(|error| failed(&error))?) })
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A courier that panicked leaves its message in the outbox.
            let _ = thread.join();
        }
    }
}

struct Round<'a> {
    desk: &'a Desk,
    config: &'a CourierConfig,
    client: &'a reqwest::Client,
}

impl Round<'_> {
    /// Whether there was one. A store that does not answer has none just now.
    async fn deliver_one(&self) -> bool {
        let (store, now) = (&self.desk.inner.store, self.desk.inner.now());
        let mine = now.plus(self.config.timeout * 2 + Duration::from_secs(1));
        let Ok(Some(Due { entry, tries })) = store.claim(now, mine).await else { return false };
        let delivered = now >= entry.expires || self.post(&entry, now).await.is_ok();
        let again = if delivered { None } else { Some(self.desk.inner.now().plus(self.pause(tries))) };
        // If this fails, the message comes again once the claim is over.
        let _ = store.tell(&entry.id, again).await;
        true
    }

    fn pause(&self, tries: u32) -> Duration {
        self.config.first_pause.saturating_mul(1 << tries.min(16)).min(self.config.longest_pause)
    }

    async fn post(&self, entry: &Entry, now: Timestamp) -> Result<(), String> {
        let body = self.message(entry).map_err(|error| error.to_string())?;
        let seconds = now.as_nanos().div_euclid(1_000_000_000).to_string();
        let signature =
            signature(&self.config.secret, &seconds, body.as_bytes()).map_err(|e| e.to_string())?;
        let request = self
            .client
            .post(&self.config.url)
            .header("content-type", "application/json")
            .header("x-hexarch-delivery", &entry.id)
            .header("x-hexarch-timestamp", seconds)
            .header("x-hexarch-signature", signature)
            .body(body);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
    }

    /// What the webhook is told. Its `token` answers this confirmation, once; it is not the caller's, and runs nothing.
    fn message(&self, entry: &Entry) -> Result<String, DeskError> {
        let secret = Secret::for_link(&self.config.secret, &entry.id)?.to_text();
        let link = self.config.link.as_ref();
        let link = link.map(|base| format!("{}/{}/{secret}", base.trim_end_matches('/'), entry.id));
        let arguments: serde_json::Value =
            serde_json::from_str(&entry.shown).map_err(|error| DeskError::Call(error.to_string()))?;
        let message = json!({
            "id": entry.id, "token": secret, "approval_url": link, "policy": entry.policy,
            "function": entry.function, "operation": entry.operation, "resource": entry.resource,
            "requester": entry.requester, "reason": entry.reason, "arguments": arguments,
            "decision_id": entry.decision_id, "approvers": entry.rules.approvers,
            "four_eyes": entry.rules.four_eyes, "approvals": entry.rules.approvals,
            "requested_at": rfc3339(entry.asked), "expires_at": rfc3339(entry.expires),
        });
        Ok(message.to_string())
    }
}

fn rfc3339(time: Timestamp) -> Option<String> {
    jiff::Timestamp::from_nanosecond(time.as_nanos().into()).ok().map(|time| time.to_string())
}

/// The value of `X-Hexarch-Signature` for a body sent at those seconds since the epoch.
///
/// # Errors
/// Never with a secret of a sensible length.
pub fn signature(secret: &[u8], seconds: &str, body: &[u8]) -> Result<String, DeskError> {
    Ok(format!("v1={}", hex(&keyed(secret, &[seconds.as_bytes(), b".", body])?)))
}
