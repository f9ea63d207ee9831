//! The plan IR: data types, text and JSON forms, verifier.
