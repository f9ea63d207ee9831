//! A Guardian whose policies can be read anew while calls are being checked.

use std::sync::{PoisonError, RwLock};

use crate::builder::GuardianBuilder;
use crate::error::BuildError;
use crate::guardian::Guardian;

/// Holds the Guardian of a configuration that changes. What has been counted stays counted, and a configuration that
/// is wrong changes nothing: the last good one stays in force.
///
/// ```
/// use hexarch_guardrails::{Guardian, Reloadable};
///
/// let text = "policies: [{id: p, requires_confirmation: true}]";
/// let policies = Reloadable::new(move || Guardian::builder().policy_text("hexarch.yaml", text))?;
/// policies.reload()?;
/// assert!(policies.guardian().check("p").is_ok());
/// # Ok::<(), hexarch_guardrails::BuildError>(())
/// ```
pub struct Reloadable {
    make: Box<dyn Fn() -> GuardianBuilder + Send + Sync>,
    current: RwLock<Guardian>,
}

impl Reloadable {
    /// Builds the first Guardian. `make` is asked again for each reload; where it names no store and no clock, those of
    /// the Guardian before are taken over.
    ///
    /// # Errors
    /// With everything that is wrong with the configuration.
    pub fn new(make: impl Fn() -> GuardianBuilder + Send + Sync + 'static) -> Result<Self, BuildError> {
        let current = RwLock::new(make().build()?);
        Ok(Self { make: Box::new(make), current })
    }

    /// The Guardian in force. Checks that were begun with it end with it.
    pub fn guardian(&self) -> Guardian {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the configuration anew and puts it into force, whole.
    ///
    /// # Errors
    /// With everything that is wrong with it, which is logged as well; the Guardian before stays in force then.
    pub fn reload(&self) -> Result<(), BuildError> {
        match (self.make)().continuing(&self.guardian()).build() {
            Ok(guardian) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = guardian;
                Ok(())
            }
            Err(error) => {
                tracing::error!(target: "hexarch::policy", "the configuration is not reloaded, and the last good one stays in force: {error}");
                Err(error)
            }
        }
    }
}
