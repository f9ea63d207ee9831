//! The desk: where calls are held, and where people decide about them.

use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Clock, ConfirmError, ConfirmRequest, Confirmation, ConfirmationToken, Confirmer, PendingConfirmation,
    Reply, Request, Timestamp,
};
use serde::Deserialize;

use crate::entry::{Entry, Person, Rules, State, Step, Vote, of_micros, to_micros, unwritten};
use crate::error::{DeskError, Refused};
use crate::event::{ConfirmEvent, ConfirmListener, NoListener};
use crate::redact::shown;
use crate::signed::{Keyring, is_signed, join, split};
use crate::store::{Filter, Store};
use crate::token::{Secret, canonical, hex};
use crate::wait::Watch;

/// The longest note, in bytes; what is longer is cut.
const LONGEST_NOTE: usize = 1_000;

/// How a desk works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskConfig {
    /// Who may answer, where the policy does not say.
    pub rules: Rules,
    /// How long a confirmation lives, where the policy does not say.
    pub expires: Duration,
    /// How long it is kept after it expired, for those who ask who answered.
    pub keep: Duration,
}

impl Default for DeskConfig {
    /// Anybody's single yes, within fifteen minutes; kept for 30 days.
    fn default() -> Self {
        let (expires, keep) = (Duration::from_secs(900), Duration::from_secs(30 * 86_400));
        Self { rules: Rules::default(), expires, keep }
    }
}

/// What whoever asked is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What the caller comes back with.
    pub token: ConfirmationToken,
    /// What people decide by: the confirmation's id, or a signed ticket. It opens nothing.
    pub handle: String,
    /// The confirmation.
    pub entry: Entry,
}

/// An answer of the desk's.
pub type Answer<'a, T> = Reply<'a, Result<T, DeskError>>;

/// Holds calls until people have decided about them. Cheap to clone; all clones are the same desk.
#[derive(Clone)]
pub struct Desk {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    config: DeskConfig,
    keys: Option<Keyring>,
    /// What the secrets of links are made with; there are no links and no messages without.
    pub(crate) link_key: Option<Vec<u8>>,
    pub(crate) listener: Arc<dyn ConfirmListener>,
    watch: Watch,
}

/// What a policy may say in its `confirm` about how to ask. What else stands there is the policy's own.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    approvers: Option<Vec<String>>,
    four_eyes: Option<bool>,
    approvals: Option<u32>,
    expires_seconds: Option<u32>,
}

impl Desk {
    /// A desk over a store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: DeskConfig) -> Self {
        let (keys, link_key, listener) = (None, None, Arc::new(NoListener) as _);
        let watch = Watch::new(Arc::clone(&store), Arc::clone(&clock));
        Self { inner: Arc::new(Inner { store, clock, config, keys, link_key, listener, watch }) }
    }

    /// What keeps its confirmations.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let Inner { store, clock, config, keys, link_key, listener, .. } = &*self.inner;
        let watch = Watch::new(Arc::clone(store), Arc::clone(clock));
        let mut inner = Inner {
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            config: config.clone(),
            keys: keys.clone(),
            link_key: link_key.clone(),
            listener: Arc::clone(listener),
            watch,
        };
        change(&mut inner);
        Self { inner: Arc::new(inner) }
    }

    /// The same desk with signed tokens, for which nothing is written down before somebody decides.
    #[must_use]
    pub fn signed(self, keys: Keyring) -> Self {
        self.with(|inner| inner.keys = Some(keys))
    }

    /// The same desk, which writes a message into the outbox for each confirmation, with a link to answer by. The
    /// key makes the links' secrets; a courier needs it too.
    #[must_use]
    pub fn announcing(self, link_key: impl Into<Vec<u8>>) -> Self {
        self.with(|inner| inner.link_key = Some(link_key.into()))
    }

    /// The same desk, which tells this listener what happens at it.
    #[must_use]
    pub fn listener(self, listener: Arc<dyn ConfirmListener>) -> Self {
        self.with(|inner| inner.listener = listener)
    }

    /// Holds a call.
    pub fn ask(&self, request: &ConfirmRequest) -> Answer<'static, Asked> {
        let inner = Arc::clone(&self.inner);
        let asked = inner.entry_of(request).and_then(|(secret, entry)| inner.asked(&secret, entry));
        Reply::later(async move {
            let asked = asked?;
            let announce = inner.link_key.is_some();
            if inner.keys.is_none() || announce {
                inner.store.insert(&asked.entry, announce).await?;
            }
            inner.listener.tell(&ConfirmEvent::asked(&asked.entry));
            Ok(asked)
        })
    }

    /// Says yes. The handle is a confirmation's id or a signed ticket.
    pub fn approve(&self, handle: &str, person: &Person, note: &str) -> Answer<'static, Entry> {
        self.vote(handle, person, true, note, None)
    }

    /// Says no, which is the end of it. Whoever may approve can, and whoever asked.
    pub fn reject(&self, handle: &str, person: &Person, note: &str) -> Answer<'static, Entry> {
        self.vote(handle, person, false, note, None)
    }

    pub(crate) fn vote(
        &self,
        handle: &str,
        person: &Person,
        approves: bool,
        note: &str,
        link: Option<String>,
    ) -> Answer<'static, Entry> {
        let inner = Arc::clone(&self.inner);
        let (handle, person) = (handle.to_owned(), person.clone());
        let end =
            (0..=note.len().min(LONGEST_NOTE)).rev().find(|end| note.is_char_boundary(*end)).unwrap_or(0);
        let note = note.get(..end).unwrap_or_default().to_owned();
        Reply::later(async move {
            let (entry, begin) = inner.find(&handle).await?;
            let withdraws = !approves && entry.requester.as_deref() == Some(&*person.id);
            if !withdraws {
                entry.admits(&person)?;
            }
            let vote = Vote { by: person.id, at: inner.now(), approves, note };
            let entry =
                inner.step(&entry.id, &Step::Vote { vote: vote.clone(), link }, begin.as_ref()).await?;
            inner.listener.tell(&ConfirmEvent::voted(&entry, &vote));
            inner.watch.poke();
            Ok(entry)
        })
    }

    /// Lets the caller go on with exactly the call that was approved, once.
    pub fn consume(&self, token: &ConfirmationToken, request: &Request) -> Answer<'static, Entry> {
        let inner = Arc::clone(&self.inner);
        let (token, call) = (token.clone(), canonical(request));
        Reply::later(async move {
            let (entry, begin) = inner.held(&token, &call?).await?;
            let step = Step::Consume { attempt: hex(Secret::random()?.id().as_bytes()) };
            let entry = inner.step(&entry.id, &step, begin.as_ref()).await?;
            inner.listener.tell(&ConfirmEvent::consumed(&entry));
            Ok(entry)
        })
    }

    /// A confirmation as it stands. The handle is its id or a signed ticket.
    pub fn look(&self, handle: &str) -> Answer<'static, Entry> {
        let (inner, handle) = (Arc::clone(&self.inner), handle.to_owned());
        Reply::later(async move {
            let mut entry = inner.find(&handle).await?.0;
            entry.state = entry.state_at(inner.now());
            Ok(entry)
        })
    }

    /// Those that there are, the latest first.
    pub fn list(&self, filter: &Filter) -> Answer<'static, Vec<Entry>> {
        let (inner, filter) = (Arc::clone(&self.inner), filter.clone());
        Reply::later(async move {
            let now = inner.now();
            let mut entries = inner.store.list(&filter, now).await?;
            entries.iter_mut().for_each(|entry| entry.state = entry.state_at(now));
            Ok(entries)
        })
    }

    /// Marks what has expired, and forgets what expired long ago. Nothing depends on when: what has expired cannot be
    /// approved or used whether or not it is marked.
    pub fn sweep(&self) -> Answer<'static, Vec<Entry>> {
        let inner = Arc::clone(&self.inner);
        Reply::later(async move {
            let now = inner.now();
            let keep = i64::try_from(inner.config.keep.as_micros()).unwrap_or(i64::MAX);
            let forget = of_micros(to_micros(now).saturating_sub(keep));
            let expired = inner.store.sweep(now, forget).await?;
            expired.iter().for_each(|entry| inner.listener.tell(&ConfirmEvent::expired(entry)));
            inner.watch.poke();
            Ok(expired)
        })
    }

    /// Waits until somebody has decided, and no longer than that. Other processes' decisions are seen within a moment.
    pub fn wait(&self, token: &ConfirmationToken, within: Duration) -> Answer<'static, ()> {
        let inner = Arc::clone(&self.inner);
        let found = inner.of_token(token);
        Reply::later(async move {
            let (_, id, begin) = found?;
            let _ = inner.watch.until_decided(id, begin.map(|entry| entry.expires), within).await;
            Ok(())
        })
    }
}

impl Inner {
    /// The time, as stores count it.
    pub(crate) fn now(&self) -> Timestamp {
        of_micros(to_micros(self.clock.now()))
    }

    fn entry_of(&self, asked: &ConfirmRequest) -> Result<(Secret, Entry), DeskError> {
        let request = &asked.request;
        let (rules, expires) = rules_of(asked, &self.config)?;
        let now = self.now();
        let entry = unwritten(request, rules, now);
        if entry.rules.four_eyes && entry.requester.is_none() {
            return Err(DeskError::Rules(
                "four eyes are needed, and the call does not say whose it is".to_owned(),
            ));
        }
        let secret = Secret::random()?;
        let id = secret.id();
        let link = self.link_key.as_deref().map(|key| Secret::for_link(key, &id)).transpose()?;
        let entry = Entry {
            reason: asked.reason.clone(),
            shown: shown(request)?,
            decision_id: asked.decision_id.to_string(),
            expires: of_micros(to_micros(now.plus(expires))),
            token: secret.hash(),
            digest: secret.digest(&canonical(request)?)?,
            link: link.map(|link| link.link_hash()),
            id,
            ..entry
        };
        Ok((secret, entry))
    }

    fn asked(&self, secret: &Secret, entry: Entry) -> Result<Asked, DeskError> {
        let (token, handle) = match &self.keys {
            None => (secret.to_token(), entry.id.clone()),
            Some(keys) => {
                let ticket = keys.sign(&entry)?;
                (join(&ticket, secret), ticket)
            }
        };
        Ok(Asked { token: ConfirmationToken::new(token), handle, entry })
    }

    /// The secret of a token, the id of its confirmation and, where the token is signed, what it begins as.
    fn of_token(&self, token: &ConfirmationToken) -> Result<(Secret, String, Option<Entry>), Refused> {
        let token = token.expose();
        if !is_signed(token) {
            let secret = Secret::of_token(token)?;
            let id = secret.id();
            return Ok((secret, id, None));
        }
        let (ticket, secret) = split(token)?;
        let entry = self.ticket(ticket)?;
        Ok((secret, entry.id.clone(), Some(entry)))
    }

    fn ticket(&self, ticket: &str) -> Result<Entry, Refused> {
        let keys = self.keys.as_ref().ok_or(Refused::NoToken { why: "signed tokens are not known here" })?;
        // Whatever it says has been decided, has been decided only by a store.
        Ok(Entry { state: State::Pending, votes: Vec::new(), decided: None, ..keys.open(ticket)? })
    }

    /// The confirmation as it stands, and what to begin it as if it is not written down.
    async fn find(&self, handle: &str) -> Result<(Entry, Option<Entry>), DeskError> {
        let (id, begin) = match is_signed(handle) {
            true => {
                let entry = self.ticket(handle)?;
                (entry.id.clone(), Some(entry))
            }
            false => (handle.to_owned(), None),
        };
        self.stored(&id, begin).await
    }

    async fn stored(&self, id: &str, begin: Option<Entry>) -> Result<(Entry, Option<Entry>), DeskError> {
        // What was forgotten must not begin anew.
        if begin.as_ref().is_some_and(|entry| self.now() >= entry.expires) {
            return Err(Refused::Expired.into());
        }
        match (self.store.get(id).await?, begin) {
            (Some(entry), begin) => Ok((entry, begin)),
            (None, Some(begin)) => Ok((begin.clone(), Some(begin))),
            (None, None) => Err(Refused::Unknown.into()),
        }
    }

    /// The confirmation of a token, if it is for this call.
    async fn held(&self, token: &ConfirmationToken, call: &str) -> Result<(Entry, Option<Entry>), DeskError> {
        let (secret, id, begin) = self.of_token(token)?;
        let (entry, begin) = self.stored(&id, begin).await?;
        if entry.token != secret.hash() {
            return Err(Refused::Unknown.into());
        }
        if entry.digest != secret.digest(call)? {
            return Err(Refused::OtherCall.into());
        }
        // What is over stays so: nobody has to be asked again.
        if entry.state.is_over() { Err(entry.refused().into()) } else { Ok((entry, begin)) }
    }

    async fn step(&self, id: &str, step: &Step, begin: Option<&Entry>) -> Result<Entry, DeskError> {
        match self.store.step(id, step, begin, self.now()).await? {
            None => Err(Refused::Unknown.into()),
            Some(stepped) => Ok(stepped.taken()?),
        }
    }
}

/// What the policy says about how to ask, and the configuration where it says nothing.
pub(crate) fn rules_of(asked: &ConfirmRequest, config: &DeskConfig) -> Result<(Rules, Duration), DeskError> {
    let details: Details = match &asked.details {
        None => Details::default(),
        Some(json) => {
            serde_json::from_str(json.as_str()).map_err(|error| DeskError::Rules(error.to_string()))?
        }
    };
    let rules = Rules {
        approvers: details.approvers.unwrap_or_else(|| config.rules.approvers.clone()),
        four_eyes: details.four_eyes.unwrap_or(config.rules.four_eyes),
        approvals: details.approvals.unwrap_or(config.rules.approvals),
    };
    let expires = details.expires_seconds.map_or(config.expires, |s| Duration::from_secs(s.into()));
    if rules.approvals == 0 || expires.is_zero() {
        return Err(DeskError::Rules("at least one approval and one second are needed".to_owned()));
    }
    Ok((rules, expires))
}

fn pending(asked: &Asked) -> Confirmation {
    Confirmation::Pending(Box::new(PendingConfirmation {
        token: asked.token.clone(),
        id: asked.handle.clone(),
        expires: Some(asked.entry.expires),
    }))
}

impl Desk {
    /// What a caller hears who comes back with a token.
    async fn hear(&self, token: &ConfirmationToken, request: &Request) -> Result<Confirmation, ConfirmError> {
        match self.consume(token, request).await {
            Ok(entry) => {
                let by: Vec<&str> = entry.approved_by().collect();
                Ok(Confirmation::Approved { by: Some(by.join(", ")) })
            }
            Err(DeskError::Refused(Refused::Pending)) => {
                let (_, id, begin) = self.inner.of_token(token).map_err(DeskError::from)?;
                let (entry, _) = self.inner.stored(&id, begin).await?;
                let handle = match token.expose().split_once('~') {
                    Some((ticket, _)) => ticket.to_owned(),
                    None => id,
                };
                Ok(pending(&Asked { token: token.clone(), handle, entry }))
            }
            Err(DeskError::Refused(refused)) => {
                Ok(Confirmation::Rejected { reason: format!("the confirmation does not hold: {refused}") })
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Confirmer for Desk {
    fn confirm<'a>(&'a self, request: &'a ConfirmRequest) -> Reply<'a, Result<Confirmation, ConfirmError>> {
        Reply::later(async move {
            match &request.request.confirmation_token {
                Some(token) => self.hear(token, &request.request).await,
                None => Ok(pending(&self.ask(request).await?)),
            }
        })
    }

    fn decided<'a>(
        &'a self,
        token: &'a ConfirmationToken,
        within: Duration,
    ) -> Reply<'a, Result<(), ConfirmError>> {
        Reply::later(async move { Ok(self.wait(token, within).await?) })
    }
}
