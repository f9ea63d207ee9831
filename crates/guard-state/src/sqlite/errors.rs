//! What SQLite's errors mean to whoever has to do something about them.

use guard_core::{StateError, StateUnavailable, Unusable};
use rusqlite::ErrorCode;

/// The error in the port's terms. What does not go away by trying again is unusable.
pub(crate) fn told(store: &str, error: &rusqlite::Error) -> StateError {
    let store = store.to_owned();
    let detail = error.to_string();
    let unusable = |what: &str| {
        StateError::from(Unusable { store: store.clone(), detail: format!("{what} ({detail})") })
    };
    let unavailable = |what: &str| {
        StateError::from(StateUnavailable { store: store.clone(), detail: format!("{what} ({detail})") })
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => unusable("it is not a state file"),
        Some(ErrorCode::DatabaseCorrupt) => unusable("it is damaged; restore it from a back-up"),
        Some(ErrorCode::ReadOnly) => unusable("it cannot be written: the file or its folder is read-only"),
        Some(ErrorCode::CannotOpen) => unusable("it cannot be opened"),
        Some(ErrorCode::PermissionDenied) => unusable("it must not be opened"),
        Some(ErrorCode::DiskFull) => unavailable("there is no room left for it"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            unavailable("another process holds it for too long")
        }
        Some(ErrorCode::SystemIoFailure) => unavailable("it cannot be read or written"),
        _ => unavailable("it failed"),
    }
}
