//! Rules with conditions beside the policies of a hexarch.yaml, or in place of one.

use std::path::{Path, PathBuf};

use guard_policy::{LoadOptions, PolicyFile, RuleSet};

use crate::error::BuildError;

/// Where a set of rules comes from.
pub(crate) enum Rules {
    File(PathBuf),
    Set(Box<RuleSet>),
}

impl Rules {
    pub(crate) fn file(path: &Path) -> Self {
        Self::File(path.to_owned())
    }

    /// The policies with these as one more each.
    ///
    /// # Errors
    /// With everything that is wrong with a file, or when an id is taken.
    pub(crate) fn added(
        all: &[Self],
        file: PolicyFile,
        options: &LoadOptions,
    ) -> Result<PolicyFile, BuildError> {
        all.iter().try_fold(file, |file, rules| {
            let loaded;
            let rules = match rules {
                Self::Set(rules) => rules,
                Self::File(path) => {
                    loaded = RuleSet::load(path, options)?;
                    &loaded
                }
            };
            Ok(file.with_rules(rules)?)
        })
    }
}

/// The snippet of the page about rules, as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/rules.md")]
struct RulesPage;
