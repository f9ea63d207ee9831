//! The command line beside the real `opa`: the same folder, the same words, the same answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![cfg(unix)]

mod bundles;
mod http;
mod language;
mod schemas;
mod support;
