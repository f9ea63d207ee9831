//! `hexarch-ctl policy`: list, validate, export; and the commands that are OPA's as well.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use guard_policy::{LoadOptions, PolicyFile};
use hexarch_guardrails::{DECISION_ENTRYPOINT, compile_policies};

use crate::commands::{policy_build, policy_check, policy_eval, policy_test};
use crate::failure::Failure;

/// What to do with policies.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists the policies of the file.
    List,
    /// Checks policy files; reports everything that is wrong with each.
    Validate {
        /// The files; without any, the one that would be used.
        files: Vec<PathBuf>,
    },
    /// Writes the JSON Schema of hexarch.yaml, for editors, to standard output.
    Schema,
    /// Writes one policy to standard output.
    Export {
        /// The policy's id.
        name: String,
        /// In which form.
        #[arg(long, value_enum, default_value_t = Form::Rego)]
        format: Form,
    },
    /// Compiles policies to WebAssembly, or to machine code.
    Build(Box<policy_build::Arguments>),
    /// Checks Rego files for errors, as `opa check` does.
    Check(Box<policy_check::Arguments>),
    /// Evaluates a Rego query, as `opa eval` does.
    Eval(Box<policy_eval::Arguments>),
    /// Runs the tests of Rego policies, as `opa test` does.
    Test(Box<policy_test::Arguments>),
}

/// A form to export to.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// A Rego module that needs no other.
    Rego,
    /// A hexarch.yaml.
    Yaml,
    /// The same as JSON.
    Json,
    /// The whole file, compiled; any host of OPA's modules runs it.
    Wasm,
}

/// Runs the command.
pub(crate) fn run(command: &Command, config: Option<&Path>) -> Result<(), Failure> {
    match command {
        Command::List => list(&load(config)?),
        Command::Validate { files } => validate(files, config),
        Command::Schema => schema(),
        Command::Export { name, format } => export(&load(config)?, name, *format),
        Command::Build(arguments) => policy_build::run(arguments, config),
        Command::Check(arguments) => policy_check::run(arguments),
        Command::Eval(arguments) => policy_eval::run(arguments),
        Command::Test(arguments) => policy_test::run(arguments),
    }
}

pub(crate) fn located(config: Option<&Path>) -> Result<PathBuf, Failure> {
    config.map_or_else(|| guard_policy::discover(".").map_err(Failure::of), |path| Ok(path.to_owned()))
}

pub(crate) fn load(config: Option<&Path>) -> Result<PolicyFile, Failure> {
    guard_policy::load(located(config)?, &LoadOptions::default()).map_err(Failure::of)
}

fn list(file: &PolicyFile) -> Result<(), Failure> {
    let package = guard_policy::translate(file);
    let mut out = std::io::stdout().lock();
    let width = package.policies().iter().map(|policy| policy.id().chars().count()).max().unwrap_or_default();
    for policy in package.policies() {
        writeln!(out, "{:width$}  {}", policy.id(), policy.description().unwrap_or_default())?;
    }
    Ok(())
}

/// Checks every file, also behind one that is wrong.
fn validate(files: &[PathBuf], config: Option<&Path>) -> Result<(), Failure> {
    let discovered;
    let files = match files {
        [] => {
            discovered = [located(config)?];
            discovered.as_slice()
        }
        files => files,
    };
    let mut out = std::io::stdout().lock();
    let mut wrong = false;
    for path in files {
        match check(path) {
            Ok(file) => {
                for warning in file.warnings() {
                    eprintln!("{}", warning.render(&path.display().to_string()));
                }
                let policies = file.policies().len();
                let doubts = match file.warnings().len() {
                    0 => "no problems".to_owned(),
                    1 => "no problems, 1 warning".to_owned(),
                    warnings => format!("no problems, {warnings} warnings"),
                };
                writeln!(out, "{}: {policies} policies, {doubts}", path.display())?;
            }
            Err(problems) => {
                eprintln!("{problems}");
                wrong = true;
            }
        }
    }
    if wrong { Err(Failure::Silent) } else { Ok(()) }
}

/// Reads, translates and compiles a file, as a Guardian would.
fn check(path: &Path) -> Result<PolicyFile, String> {
    let file = guard_policy::load(path, &LoadOptions::default()).map_err(|error| error.to_string())?;
    let package = guard_policy::translate(&file);
    compile_policies(package.modules(), package.entrypoints()).map_err(|error| error.to_string())?;
    Ok(file)
}

fn schema() -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&guard_policy::json_schema()).map_err(Failure::of)?;
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

fn export(file: &PolicyFile, name: &str, form: Form) -> Result<(), Failure> {
    let policy = file.policy(name).ok_or_else(|| {
        let known: Vec<String> = file.policies().iter().map(|policy| format!("`{}`", policy.id())).collect();
        Failure::Failed(format!("there is no policy `{name}`; there are {}", known.join(", ")))
    })?;
    let bytes = match form {
        Form::Rego => guard_policy::export_rego(file, policy).into_bytes(),
        Form::Yaml => guard_policy::export_yaml(policy).into_bytes(),
        Form::Json => guard_policy::export_json(policy).into_bytes(),
        Form::Wasm => {
            let package = guard_policy::translate(file);
            compile_policies(package.modules(), &[DECISION_ENTRYPOINT]).map_err(Failure::of)?
        }
    };
    Ok(std::io::stdout().lock().write_all(&bytes)?)
}
