//! What tells a form that we showed from one that somebody else's page posts in a person's name.

use crate::error::DeskError;
use crate::token::{hex, keyed};

/// Seals forms. An address without a secret is answered by whoever the server knows to be there, so a page of another's
/// could have their browser post to it; it could not know the seal.
#[derive(Clone)]
pub struct FormKey(Vec<u8>);

impl FormKey {
    /// A key of this process. Forms do not outlive it.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn random() -> Result<Self, DeskError> {
        let mut bytes = vec![0; 32];
        getrandom::fill(&mut bytes).map_err(|error| DeskError::Random(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// A key that several processes share, such as the webhook's secret.
    pub fn of(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into())
    }

    /// The seal of the form for this confirmation and this person.
    ///
    /// # Errors
    /// Never with a key of a sensible length.
    pub fn seal(&self, handle: &str, person: &str) -> Result<String, DeskError> {
        let length = u64::try_from(handle.len()).unwrap_or(u64::MAX).to_be_bytes();
        Ok(hex(&keyed(&self.0, &[b"form", &[0], &length, handle.as_bytes(), person.as_bytes()])?))
    }

    /// Whether it is that seal. Takes as long for one wrong seal as for another.
    pub fn opens(&self, seal: &str, handle: &str, person: &str) -> bool {
        let Ok(right) = self.seal(handle, person) else { return false };
        let differ = right.bytes().zip(seal.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other));
        right.len() == seal.len() && differ == 0
    }
}
