//! Answering by a link.

use std::sync::Arc;

use guard_core::Reply;

use crate::desk::{Answer, Desk, Inner};
use crate::entry::{Entry, Person};
use crate::error::{DeskError, Refused};
use crate::token::Secret;

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The confirmation as it stands.
    pub entry: Entry,
    /// Whether the link can still answer it: nobody has answered through it, and the confirmation is pending.
    pub is_open: bool,
}

impl Desk {
    /// Looks at what a link leads to, and spends nothing: this is for GET. A link that was used is known only to a desk
    /// with the key that made it ([`Desk::announcing`]); to any other it is [`Refused::LinkUsed`], as is one that never
    /// was, and one whose confirmation is forgotten.
    pub fn look_link(&self, id: &str, secret: &str) -> Answer<'static, Linked> {
        let inner = Arc::clone(&self.inner);
        let (id, secret) = (id.to_owned(), Secret::of_text(secret));
        Reply::later(async move { inner.linked(&id, &secret?).await })
    }

    /// Answers by the link of a confirmation: `id` and `secret` are the last two parts of its path. The secret opens the
    /// confirmation once. `person` is who the server that was called through the link knows to be there; approvers and
    /// four eyes hold for links too.
    ///
    /// A server must not answer on GET: mail programs and chats look at links before people do.
    pub fn answer_link(
        &self,
        id: &str,
        secret: &str,
        person: &Person,
        approves: bool,
        note: &str,
    ) -> Answer<'static, Entry> {
        let desk = self.clone();
        let (id, person, note) = (id.to_owned(), person.clone(), note.to_owned());
        let secret = Secret::of_text(secret);
        Reply::later(async move {
            let secret = secret?;
            // Who has no link hears nothing about the confirmation, such as who may approve it. That the link is used
            // once is not decided here, but by the step.
            desk.inner.linked(&id, &secret).await?;
            desk.vote(&id, &person, approves, &note, Some(secret.link_hash())).await
        })
    }
}

impl Inner {
    /// The confirmation, if the secret is its link's.
    async fn linked(&self, id: &str, secret: &Secret) -> Result<Linked, DeskError> {
        let no_link = || DeskError::from(Refused::LinkUsed);
        let mut entry = self.store.get(id).await?.ok_or_else(no_link)?;
        entry.state = entry.state_at(self.now());
        let hash = secret.link_hash();
        let made_here = || -> Result<bool, DeskError> {
            let Some(key) = self.link_key.as_deref() else { return Ok(false) };
            Ok(Secret::for_link(key, id)?.link_hash() == hash)
        };
        match &entry.link {
            Some(link) if *link == hash => {
                let is_open = entry.state == crate::entry::State::Pending;
                Ok(Linked { entry, is_open })
            }
            None if made_here()? => Ok(Linked { entry, is_open: false }),
            _ => Err(no_link()),
        }
    }
}
