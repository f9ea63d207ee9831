//! The packs that were compiled when this crate was built.

use rego_engine::{NativeError, Verified};

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

/// The same as machine code, by name; empty without the feature `native-packs`.
static NATIVES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/natives.rs"));

/// The machine code of a pack, where it was compiled with this crate.
pub(crate) fn native(name: &str) -> Option<Result<Verified<'static>, NativeError>> {
    let (_, bytes) = NATIVES.iter().find(|(known, _)| *known == name)?;
    // SAFETY: build.rs made these bytes, and they are part of this program.
    #[expect(unsafe_code, reason = "the origin of the machine code is this program's own build")]
    Some(unsafe { Verified::trusted(bytes) })
}

/// All packs, in the order of their names.
pub fn packs() -> &'static [Pack] {
    PACKS
}

/// The pack of a name.
pub(crate) fn pack(name: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.name == name)
}
