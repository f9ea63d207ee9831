//! Modules compiled ahead of time to the machine's code, in a container of our own.
//!
//! Job: write such a container, and admit one. Machine code is run as it stands, so that nothing about a container is
//! believed before its origin is known: either it bears the signature of a key that the caller trusts, or the caller
//! vouches for the bytes ([`Verified::trusted`], which is `unsafe`), as for those that a build script embedded in this
//! very program. Only then are the needs that it states compared with this machine: wasmtime's version, the target, the
//! processor's features; each is an error of its own.
//!
//! Invariant: a [`Verified`] exists only for bytes whose origin was settled, and only it is handed to wasmtime
//! ([`Module::from_native`](crate::Module::from_native)).
//!
//! Shown by `tests/native.rs`: containers cut at every length, with every byte of the header altered, signed by
//! strangers or by nobody, and made for other machines.

mod container;
mod cpu;
#[cfg(feature = "compiler")]
mod precompiled;
mod verified;

pub use container::Requirements;
#[cfg(feature = "compiler")]
pub use precompiled::{Cpu, NativeOptions, Precompiled};
pub use verified::{NativeError, NoPublicKey, PublicKey, Verified};

/// The version of wasmtime whose code this engine runs. Within one major version it is compatible.
pub(crate) const WASMTIME: &str = "48";
