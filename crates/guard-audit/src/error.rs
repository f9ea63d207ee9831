//! What can be wrong with the file.

use thiserror::Error;

/// Why the log cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It is none of ours, damaged, or of a newer version.
    #[error("`{store}` cannot be the audit log: {detail}")]
    Unusable {
        /// The file.
        store: String,
        /// What is wrong with it.
        detail: String,
    },
    /// It cannot be reached now.
    #[error("the audit log `{store}` does not answer: {detail}")]
    Unavailable {
        /// The file.
        store: String,
        /// What the system or SQLite said.
        detail: String,
    },
}

pub(crate) fn told(store: &str, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseCorrupt, NotADatabase, PermissionDenied, ReadOnly, Unknown,
    };

    let (store, detail) = (store.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        // What is unknown is a table or a column: somebody has changed the file.
        Some(NotADatabase | DatabaseCorrupt | ReadOnly | CannotOpen | PermissionDenied | Unknown) => {
            StoreError::Unusable { store, detail }
        }
        _ => StoreError::Unavailable { store, detail },
    }
}
