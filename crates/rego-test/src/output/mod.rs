//! The forms in which OPA prints results and errors; its users' scripts read them.

mod error;
pub mod json;

pub use error::{Frame, Details, Error, Location, errors_of, list_text};
