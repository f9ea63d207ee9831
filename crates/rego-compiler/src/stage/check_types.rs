//! The types of all rules.

use crate::stages::Compilation;

/// Checks all rules, each behind those it refers to.
pub(crate) fn check_types(_c: &mut Compilation<'_>) {}
