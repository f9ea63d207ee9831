//! The Guardian.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guard_confirm::{Courier, Desk};
use guard_core::{Clock, EvalError, Snapshot, StateError, StateStore};
use guard_policy::{PolicyInfo, Settings};
use guardian::Driver;

use crate::builder::GuardianBuilder;
use crate::check::Check;
use crate::error::{BuildError, UnknownPolicy};

/// Checks policies before functions run. Cheap to clone; all clones are the same Guardian.
#[derive(Clone)]
pub struct Guardian {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) driver: Arc<Driver>,
    pub(crate) policies: Policies,
    pub(crate) settings: Option<Settings>,
    /// Whether every policy id is known.
    pub(crate) permissive: bool,
    /// Whether a caller's own word counts as a confirmation.
    pub(crate) flag: bool,
    /// Where calls are held, if the configuration has them held.
    pub(crate) desk: Option<Desk>,
    /// Delivers as long as the Guardian lives.
    pub(crate) _courier: Option<Courier>,
    pub(crate) sidecar: Option<Arc<guard_eval::Sidecar>>,
}

/// The policies, and where each stands, so that finding one costs the same among ten and among ten thousand.
pub(crate) struct Policies {
    list: Vec<PolicyInfo>,
    by_id: HashMap<String, usize>,
}

impl Policies {
    pub(crate) fn new(list: Vec<PolicyInfo>) -> Self {
        let places = list.iter().enumerate();
        let by_id = places.map(|(place, policy)| (policy.id().to_owned(), place)).collect();
        Self { list, by_id }
    }
}

impl Guardian {
    /// A Guardian for the nearest `hexarch.yaml`, `hexarch.yml`, `.hexarch.yaml` or `.hexarch.yml`, from the
    /// current directory up to the root of the repository, the home directory or `/`.
    ///
    /// # Errors
    /// When there is none, or with everything that is wrong with it.
    pub fn discover() -> Result<Self, BuildError> {
        Self::builder().discover_from(".")?.build()
    }

    /// A Guardian for one file.
    ///
    /// # Errors
    /// With everything that is wrong with the file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, BuildError> {
        Self::builder().policy_file(path).build()
    }

    /// A Guardian with settings of its own.
    pub fn builder() -> GuardianBuilder {
        GuardianBuilder::default()
    }

    /// A Guardian for tests that checks nothing: every policy exists and allows everything. It says so
    /// loudly in the log.
    ///
    /// # Errors
    /// In a release build, unless the feature `permissive-in-release` is enabled.
    pub fn permissive() -> Result<Self, BuildError> {
        Self::builder().build_permissive("Guardian::permissive()")
    }

    /// Begins a check of a policy.
    ///
    /// # Errors
    /// When there is no such policy.
    pub fn check(&self, policy: &str) -> Result<Check, UnknownPolicy> {
        let known = self.inner.permissive || self.policy(policy).is_some();
        if known {
            return Ok(Check::new(self.clone(), policy));
        }
        let known = self.policies().iter().map(|policy| policy.id().to_owned()).collect();
        Err(UnknownPolicy { id: policy.to_owned(), known })
    }

    /// The policies, in the order of the file.
    pub fn policies(&self) -> &[PolicyInfo] {
        &self.inner.policies.list
    }

    /// What is known about a policy.
    pub fn policy(&self, id: &str) -> Option<&PolicyInfo> {
        self.inner.policies.by_id.get(id).and_then(|place| self.inner.policies.list.get(*place))
    }

    /// What the configuration says besides policies, such as where to log. There is none for a permissive
    /// Guardian.
    pub fn settings(&self) -> Option<&Settings> {
        self.inner.settings.as_ref()
    }

    /// Everything that has been counted and spent.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn state(&self) -> Result<Snapshot, StateError> {
        self.store().snapshot().wait()
    }

    /// The store behind this Guardian.
    pub fn store(&self) -> &Arc<dyn StateStore> {
        self.inner.driver.store()
    }

    /// Where calls are held that wait for a person, when the configuration's `confirmation` has them held.
    pub fn confirmations(&self) -> Option<&Desk> {
        self.inner.desk.as_ref()
    }

    /// The clock behind this Guardian.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.inner.driver.clock()
    }

    /// Publishes the policies and the state to the sidecar now, rather than with the first question to it.
    /// Without a sidecar there is nothing to do.
    ///
    /// # Errors
    /// When the sidecar cannot be reached in that time, or refuses something.
    pub fn prepare_sidecar(&self, within: Duration) -> Result<(), EvalError> {
        match &self.inner.sidecar {
            Some(sidecar) => sidecar.prepare(guard_core::Deadline::after(within)).wait(),
            None => Ok(()),
        }
    }
}
