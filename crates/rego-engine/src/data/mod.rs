//! The data documents of an instance or of a pool: the tree of them, and the numbers in it that change often.
//!
//! Job: know what the data are, so that they can be laid out in a module's memory at any time, and say what has to be
//! changed there ([`tree::Change`], or the value of a cell). Knows no module; [`crate::area`] does what is said here.

mod documents;
pub(crate) mod path;
mod tree;

pub use documents::DataCell;
pub(crate) use documents::{CellState, Documents};
pub(crate) use tree::{Change, Made};
