//! The packs that were compiled when this crate was built.

/// A ready-made set of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pack {
    /// Its name: the folder in `policies/`.
    pub name: &'static str,
    /// Its configuration, to read or to copy.
    pub hexarch_yaml: &'static str,
    /// Its module.
    pub module: &'static [u8],
}

/// Written by build.rs, in the order of their names.
static PACKS: &[Pack] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// All packs, in the order of their names.
pub fn packs() -> &'static [Pack] {
    PACKS
}

/// The pack of a name.
pub(crate) fn pack(name: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.name == name)
}
