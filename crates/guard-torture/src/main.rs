//! The processes of `hexarch-ctl budget torture`, for tests of this crate alone: `guard-torture STORE SEED RUN THREADS
//! CALLS PROCESS LIFE LOG`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match guard_torture::worker_of(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
