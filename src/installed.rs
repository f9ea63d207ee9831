//! The Guardian of the whole process.

use std::sync::{Arc, OnceLock};

use crate::error::{AlreadyInstalled, NoGuardian};
use crate::guardian::Guardian;
use crate::reload::Reloadable;

enum Installed {
    One(Guardian),
    Current(Arc<Reloadable>),
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

impl Guardian {
    /// Makes this the Guardian of the whole process, for `#[guarded]` functions that name none. It stays that until the
    /// process ends.
    ///
    /// # Errors
    /// When there is one already.
    pub fn install(self) -> Result<(), AlreadyInstalled> {
        INSTALLED.set(Installed::One(self)).map_err(|_| AlreadyInstalled)
    }

    /// The Guardian of the whole process.
    ///
    /// # Errors
    /// When none has been installed.
    pub fn installed() -> Result<Self, NoGuardian> {
        match INSTALLED.get() {
            Some(Installed::One(guardian)) => Ok(guardian.clone()),
            Some(Installed::Current(policies)) => Ok(policies.guardian()),
            None => Err(NoGuardian),
        }
    }
}

impl Reloadable {
    /// As [`Guardian::install`], with the Guardian that is in force when a function is called.
    ///
    /// # Errors
    /// When there is one already.
    pub fn install(self: Arc<Self>) -> Result<(), AlreadyInstalled> {
        INSTALLED.set(Installed::Current(self)).map_err(|_| AlreadyInstalled)
    }
}
