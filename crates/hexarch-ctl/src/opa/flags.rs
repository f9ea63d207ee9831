//! Flags that several of OPA's commands have.

use std::time::Duration;

use rego_syntax::ParserOptions;
use rego_syntax::ast::RegoVersion;

use crate::failure::Failure;
use crate::opa::capabilities::Capabilities;
use crate::opa::load;

/// Which language the modules are in, and what they may use.
#[derive(clap::Args, Debug)]
pub(crate) struct Language {
    /// Reads modules as Rego v0.
    #[arg(long)]
    pub(crate) v0_compatible: bool,
    /// Reads modules as Rego v1, which is the default.
    #[arg(long)]
    pub(crate) v1_compatible: bool,
    /// A capabilities.json file, or OPA's version: what policies may use.
    #[arg(long, value_name = "FILE|VERSION")]
    pub(crate) capabilities: Option<String>,
    /// A JSON schema of the input, or a folder of schemas for METADATA to refer to.
    #[arg(short = 's', long, value_name = "PATH")]
    pub(crate) schema: Option<String>,
    /// Names of files and folders that are not loaded (e.g. `.*` for hidden ones), separated by commas.
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
}

/// The default of `--max-errors`.
pub(crate) const MAX_ERRORS: usize = 10;

impl Language {
    pub(crate) fn version(&self) -> RegoVersion {
        if self.v0_compatible { RegoVersion::V0 } else { RegoVersion::V1 }
    }

    pub(crate) fn capabilities(&self) -> Result<Capabilities, Failure> {
        match &self.capabilities {
            None => Ok(Capabilities::default()),
            Some(name) => Capabilities::read(name).map_err(|problem| {
                Failure::usage(format!("invalid argument {name:?} for \"--capabilities\" flag: {problem}"))
            }),
        }
    }

    /// Everything that a build has to know; `error_limit` 0 is none.
    pub(crate) fn options(
        &self,
        version: RegoVersion,
        capabilities: &Capabilities,
        error_limit: usize,
    ) -> Result<rego_build::Options, rego_test::output::Error> {
        let mut options = rego_build::Options::for_version(version);
        options.parser = ParserOptions {
            features: capabilities.features.unwrap_or(options.parser.features),
            known_future_keywords: capabilities.future_keywords.clone(),
            ..options.parser
        };
        options.check.print = rego_compiler::PrintCalls::Keep;
        options.check.error_limit = (error_limit > 0).then_some(error_limit);
        options.check.capabilities = capabilities.builtins.clone();
        options.check.host_builtins.clone_from(&capabilities.declared);
        options.check.schemas = self.schema.as_deref().map(load::schemas).transpose()?;
        Ok(options)
    }
}

/// One of some words, or OPA's complaint about it.
pub(crate) fn one_of<'a>(flag: &str, value: &'a str, words: &[&str]) -> Result<&'a str, Failure> {
    if words.contains(&value) {
        return Ok(value);
    }
    let words = words.join(",");
    Err(Failure::usage(format!("invalid argument {value:?} for {flag:?} flag: must be one of {{{words}}}")))
}

/// A duration as Go writes it: `1m30s`, `250ms`, `0`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("time: invalid duration {text:?}");
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, behind) = rest.split_at(digits);
        let length = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(length);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        total += number.parse::<f64>().map_err(|_| wrong())? * seconds;
        rest = behind;
    }
    Duration::try_from_secs_f64(total).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "5", "s", "-1s", "1x", "1..s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
