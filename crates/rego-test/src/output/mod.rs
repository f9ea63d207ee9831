//! The forms in which OPA prints results and errors; its users' scripts read them.

mod error;
pub mod json;

pub use error::{Details, Error, Frame, Location, errors_of, list_text};
