//! The command line.

use std::path::PathBuf;

/// What the command line asks for.
pub(crate) struct Arguments {
    /// How many programs.
    pub(crate) programs: usize,
    /// Which ones: the same seed makes the same programs.
    pub(crate) seed: u64,
    /// How many of the seed's programs come before the first.
    pub(crate) skip: usize,
    /// After so many differences it ends.
    pub(crate) differences: usize,
    /// Print every program.
    pub(crate) print: bool,
    /// The real OPA.
    pub(crate) opa: PathBuf,
}

const USAGE: &str = "usage: rego-fuzz [--programs N] [--seed S] [--skip N] [--differences N] [--print]";

/// Parses the arguments after the program's name. Without a seed, the time of day is one.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mut arguments = Arguments {
        programs: 500,
        seed: now.as_secs(),
        skip: 0,
        differences: crate::MOST_DIFFERENCES,
        print: false,
        opa: std::env::var_os("OPA_BIN").map_or_else(|| PathBuf::from("opa"), PathBuf::from),
    };
    while let Some(word) = words.next() {
        let mut number = || {
            let value = words.next().ok_or_else(|| format!("{word} wants a number\n{USAGE}"))?;
            value.parse::<u64>().map_err(|error| format!("{word} {value}: {error}\n{USAGE}"))
        };
        match word.as_str() {
            "--programs" => arguments.programs = usize::try_from(number()?).unwrap_or(usize::MAX),
            "--skip" => arguments.skip = usize::try_from(number()?).unwrap_or(usize::MAX),
            "--seed" => arguments.seed = number()?,
            "--differences" => arguments.differences = usize::try_from(number()?).unwrap_or(usize::MAX),
            "--print" => arguments.print = true,
            _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
        }
    }
    Ok(arguments)
}
