//! Tokens that carry what they are for, signed: nothing has to be kept before somebody decides.
//!
//! A ticket is `hxs1.KEY.CLAIMS.SIGNATURE`: the key's id, a confirmation's entry as JSON, and an Ed25519 signature or an
//! HMAC-SHA256 over all that stands before it, in URL-safe base64. Which of the two is a matter of the key, never of the
//! ticket. Whoever is to decide is handed the ticket; the caller's token is the ticket, `~` and the secret whose hash
//! stands in it.
//!
//! That a token is used once, and that a rejection holds, no signature can tell: the first decision about a ticket writes
//! its entry down in a store, and from then on it is as any other. Until then it is in no list.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;

use crate::entry::Entry;
use crate::error::{DeskError, Refused};
use crate::token::{Secret, keyed};

const PREFIX: &str = "hxs1";

/// The longest token that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// A key that signs tokens, or only verifies them.
#[derive(Clone)]
pub enum Key {
    /// HMAC-SHA256; at least 16 bytes.
    Hmac(Vec<u8>),
    /// Ed25519, whole.
    Ed25519(Box<SigningKey>),
    /// Ed25519, for verifying.
    Ed25519Public(Box<VerifyingKey>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "Hmac(…)",
            Self::Ed25519(_) => "Ed25519(…)",
            Self::Ed25519Public(_) => "Ed25519Public(…)",
        })
    }
}

impl Key {
    /// An Ed25519 key by its 32 secret bytes.
    pub fn ed25519(seed: &[u8; 32]) -> Self {
        Self::Ed25519(Box::new(SigningKey::from_bytes(seed)))
    }

    /// What verifies the signatures of this key.
    #[must_use]
    pub fn public(&self) -> Self {
        match self {
            Self::Ed25519(key) => Self::Ed25519Public(Box::new(key.verifying_key())),
            other => other.clone(),
        }
    }

    fn sign(&self, text: &str) -> Result<Vec<u8>, DeskError> {
        match self {
            Self::Hmac(key) => Ok(keyed(key, &[text.as_bytes()])?.to_vec()),
            Self::Ed25519(key) => Ok(key.sign(text.as_bytes()).to_bytes().to_vec()),
            Self::Ed25519Public(_) => {
                Err(DeskError::Call("the key verifies tokens and signs none".to_owned()))
            }
        }
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let with = |key: &VerifyingKey| {
            Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok())
        };
        match self {
            Self::Hmac(key) => Hmac::<Sha256>::new_from_slice(key)
                .is_ok_and(|code| code.chain_update(text).verify_slice(signature).is_ok()),
            Self::Ed25519(key) => with(&key.verifying_key()),
            Self::Ed25519Public(key) => with(key),
        }
    }
}

/// Keys that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// An id that would not fit into a token.
    #[error("`{0}` is no id of a key: letters, digits, `-` and `_`")]
    Id(String),
    /// A key that can be guessed.
    #[error("the key `{0}` is shorter than 16 bytes")]
    Short(String),
    /// Two keys of one name.
    #[error("there are two keys `{0}`")]
    Twice(String),
}

/// The keys by their ids. New tokens are signed with the current one; the others are for tokens that are still about.
/// To rotate, add a key, make it the current one, and take the old one away once its last token has expired.
#[derive(Debug, Clone)]
pub struct Keyring {
    current: String,
    keys: BTreeMap<String, Key>,
}

impl Keyring {
    /// One key.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn new(id: &str, key: Key) -> Result<Self, KeyError> {
        Self { current: id.to_owned(), keys: BTreeMap::new() }.with(id, key)
    }

    /// Another key, which signs nothing.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn with(mut self, id: &str, key: Key) -> Result<Self, KeyError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 64 || !id.bytes().all(fits) {
            return Err(KeyError::Id(id.to_owned()));
        }
        if matches!(&key, Key::Hmac(bytes) if bytes.len() < 16) {
            return Err(KeyError::Short(id.to_owned()));
        }
        match self.keys.insert(id.to_owned(), key) {
            None => Ok(self),
            Some(_) => Err(KeyError::Twice(id.to_owned())),
        }
    }

    /// The ticket of a confirmation.
    pub(crate) fn sign(&self, entry: &Entry) -> Result<String, DeskError> {
        let key =
            self.keys.get(&self.current).ok_or_else(|| DeskError::Call("there is no key".to_owned()))?;
        let claims = serde_json::to_vec(entry).map_err(|error| DeskError::Call(error.to_string()))?;
        let text = format!("{PREFIX}.{}.{}", self.current, URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(&text)?);
        Ok(format!("{text}.{signature}"))
    }

    /// What stands in a ticket, if one of the keys has signed it.
    pub(crate) fn open(&self, token: &str) -> Result<Entry, Refused> {
        let no = |why| Refused::NoToken { why };
        if token.len() > LONGEST {
            return Err(no("it is too long"));
        }
        let (text, signature) = token.rsplit_once('.').ok_or(no("it has no signature"))?;
        let mut parts = text.split('.');
        let (Some(PREFIX), Some(id), Some(claims), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(no("it is of another form"));
        };
        let key = self.keys.get(id).ok_or(no("its key is not known here, or not any more"))?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| no("its signature is damaged"))?;
        if !key.verifies(text, &signature) {
            return Err(no("its signature is wrong"));
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| no("it is damaged"))?;
        serde_json::from_slice(&claims).map_err(|_| no("it says nothing that is understood"))
    }
}

/// The caller's token: the ticket and the secret.
pub(crate) fn join(ticket: &str, secret: &Secret) -> String {
    format!("{ticket}~{}", secret.to_text())
}

/// Both again.
pub(crate) fn split(token: &str) -> Result<(&str, Secret), Refused> {
    let (ticket, secret) =
        token.split_once('~').ok_or(Refused::NoToken { why: "it is a ticket, and no token" })?;
    Ok((ticket, Secret::of_text(secret)?))
}

/// Whether this is meant to be a ticket, or a token with one.
pub(crate) fn is_signed(token: &str) -> bool {
    token.starts_with(PREFIX)
}
