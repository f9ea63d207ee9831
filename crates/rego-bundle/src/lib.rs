//! Policies and data as OPA lays them out on disk: folders, bundles, manifests.
//!
//! **Job.** From names and bytes to modules and one tree of data documents: what belongs to a bundle
//! ([`Bundle::read`]), where data of a folder go ([`Documents`]), which names are left out ([`Ignore`]).
//!
//! **Invariant.** Pure: whoever calls this has read the files. Two files never define the same document, and a bundle
//! never holds what its manifest does not permit; either is an error that names the file.

mod bundle;
mod documents;
mod ignore;
mod manifest;
mod pattern;
mod text;

pub use bundle::{Bundle, BundleError, File, ModuleFile};
pub use documents::{Documents, MergeError};
pub use ignore::Ignore;
pub use manifest::Manifest;
pub use text::{TextError, from_json, from_yaml};
