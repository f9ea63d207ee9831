//! How a command fails.

use std::fmt::Display;
use std::process::ExitCode;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not; the message is printed to standard error.
    Failed(String),
    /// Everything was said already.
    Silent,
    /// What was to be judged could not be: the exit code is 2, and 1 is left to a judgement.
    Unjudged(String),
    /// A command that is OPA's as well ended as it does there: its words, and its exit code.
    Opa(u8, String),
    /// It ends with this exit code; the message is printed to standard error, if there is one.
    Exit(u8, String),
    /// Whoever read the output has gone; there is nobody to tell.
    OutputClosed,
}

impl Failure {
    /// Wrong usage of a command that is OPA's as well, in OPA's words.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::Opa(1, format!("Error: {message}"))
    }

    /// A failure with an error's own words.
    pub(crate) fn of(error: impl Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// Prints what is left to say, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Failed(message) => {
                eprintln!("hexarch-ctl: {message}");
                ExitCode::from(1)
            }
            Self::Silent => ExitCode::from(1),
            Self::Unjudged(message) => {
                eprintln!("hexarch-ctl: {message}");
                ExitCode::from(2)
            }
            Self::Exit(code, message) | Self::Opa(code, message) => {
                if !message.is_empty() {
                    eprintln!("{message}");
                }
                ExitCode::from(code)
            }
            Self::OutputClosed => ExitCode::SUCCESS,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::of(error),
        }
    }
}
