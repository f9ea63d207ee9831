//! `hexarch-ctl policy test`: what `opa test` reports.

use crate::failure::Failure;

/// What to test.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    paths: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(_: &Arguments) -> Result<(), Failure> {
    Err(Failure::Failed("not there yet".into()))
}
