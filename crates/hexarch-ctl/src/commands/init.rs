//! `hexarch-ctl init`: a hexarch.yaml to begin with.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use hexarch_guardrails::{Pack, packs};

use crate::failure::Failure;

/// What to begin with.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The scenario; `--list` names them.
    #[arg(default_value = "api_budget")]
    scenario: String,
    /// Lists the scenarios.
    #[arg(long)]
    list: bool,
    /// The file to write, `-` for standard output; without it the one that `--config` names, else hexarch.yaml.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replaces a file that is there.
    #[arg(long)]
    force: bool,
}

/// What stands above every file: what the keys mean beyond what the scenario shows.
const HEAD: &str = "\
# yaml-language-server: $schema=./hexarch.schema.json
#
# The policies of this project. `hexarch-ctl policy validate` checks this file and tells everything that is wrong with
# it at once; `hexarch-ctl policy schema > hexarch.schema.json` lets an editor complete it; `hexarch-ctl policy export
# NAME` shows a policy as Rego.
#
# A rule is about the calls that fit all of its `operation`, `resource`, `resource_types`, `model` and `feature`. The
# heaviest action wins: block, require_confirmation, throttle, queue, warn, allow. A rule without `action` blocks what
# violates it, and a call that leaves out what a rule looks at is denied.

# `strict` carries denials out. With `warn` they are recorded, and the calls run: for a first look.
enforcement: strict

# What happens to a call when no decision can be had: `closed` denies it, `open` lets it run.
fail_mode: closed

";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), Failure> {
    if arguments.list {
        return list();
    }
    let pack = packs().iter().find(|pack| pack.name == arguments.scenario).ok_or_else(|| {
        let known: Vec<&str> = packs().iter().map(|pack| pack.name).collect();
        Failure::Failed(format!(
            "there is no scenario `{}`; there are {}",
            arguments.scenario,
            known.join(", ")
        ))
    })?;
    let text = format!("{HEAD}{}", pack.hexarch_yaml);
    let path = arguments.output.as_deref().or(config).unwrap_or(Path::new("hexarch.yaml"));
    if path.as_os_str() == "-" {
        return Ok(std::io::stdout().lock().write_all(text.as_bytes())?);
    }
    write(path, arguments.force, &text)?;
    writeln!(std::io::stdout().lock(), "{}: the scenario `{}`", path.display(), pack.name)?;
    Ok(())
}

/// Writes the file so that nobody else can write it, whatever the umask says: such a file is refused when it is read.
fn write(path: &Path, force: bool, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    let error = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists if path.is_dir() => {
            Failure::Failed(format!("`{}` is a directory, not a file", path.display()))
        }
        std::io::ErrorKind::AlreadyExists => {
            Failure::Failed(format!("`{}` is there already; `--force` replaces it", path.display()))
        }
        _ => Failure::Failed(format!("cannot write `{}`: {error}", path.display())),
    };
    options.open(path).map_err(error)?.write_all(text.as_bytes()).map_err(error)
}

fn list() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let width = packs().iter().map(|pack| pack.name.len()).max().unwrap_or_default();
    for pack in packs() {
        writeln!(out, "{:width$}  {}", pack.name, about(pack))?;
    }
    Ok(())
}

/// What a pack is for: the comment that it begins with.
fn about(pack: &Pack) -> String {
    let lines = pack.hexarch_yaml.lines().map_while(|line| line.strip_prefix('#'));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}
