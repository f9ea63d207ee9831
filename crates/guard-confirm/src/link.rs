//! Answering by a link.

use guard_core::Reply;

use crate::desk::{Answer, Desk};
use crate::entry::{Entry, Person};
use crate::token::Secret;

impl Desk {
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
        match Secret::of_text(secret) {
            Ok(secret) => self.vote(id, person, approves, note, Some(secret.link_hash())),
            Err(refused) => Reply::Now(Err(refused.into())),
        }
    }
}
