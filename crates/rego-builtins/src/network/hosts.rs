//! Lists of hosts.

use std::collections::BTreeSet;

/// Hosts that may be spoken with: names and addresses without port, as they stand in URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts(Option<BTreeSet<String>>);

impl Hosts {
    /// Every host.
    pub fn any() -> Self {
        Self(None)
    }

    /// These hosts alone. As with OPA's `allow_net` a name stands for itself, not for names below it.
    pub fn only(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Some(hosts.into_iter().map(Into::into).collect()))
    }

    /// Whether a host is among them.
    pub fn allows(&self, host: &str) -> bool {
        self.0.as_ref().is_none_or(|hosts| hosts.contains(host))
    }
}
