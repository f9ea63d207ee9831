//! `hexarch-ctl rule`: rules with conditions, which need no Rego.

mod evaluate;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use guard_policy::{ConditionRule, LoadOptions, RuleSet};
use serde_json::{Value, json};

use crate::failure::Failure;

/// What is done with rules.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists the rules in the order in which they are asked.
    List(Listing),
    /// Shows one rule.
    Get(Getting),
    /// Decides about a call: exits with 0 where it is allowed, with 3 where it is not.
    Evaluate(evaluate::Arguments),
    /// Checks files of rules; reports everything that is wrong with each.
    Validate {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Writes the JSON Schema of a file of rules, for editors, to standard output.
    Schema,
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Which rules are listed.
#[derive(Args)]
pub(crate) struct Listing {
    /// The file of rules.
    file: PathBuf,
    /// How they are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Which rule is shown.
#[derive(Args)]
pub(crate) struct Getting {
    /// The file of rules.
    file: PathBuf,
    /// The rule's id.
    id: String,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Carries a command out.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(listing) => list(listing),
        Command::Get(getting) => get(getting),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Validate { files } => validate(files),
        Command::Schema => schema(),
    }
}

fn load(path: &Path) -> Result<RuleSet, Failure> {
    RuleSet::load(path, &LoadOptions::default()).map_err(|error| match error {
        // They name the file themselves.
        guard_policy::LoadError::Problems(problems) => Failure::Exit(1, problems.to_string()),
        error @ guard_policy::LoadError::File(_) => Failure::of(error),
    })
}

fn list(listing: &Listing) -> Result<(), Failure> {
    let rules = load(&listing.file)?;
    let mut out = std::io::stdout().lock();
    if listing.format == Format::Json {
        let rules: Vec<Value> = rules.rules().map(described).collect();
        return Ok(writeln!(out, "{}", Value::Array(rules))?);
    }
    let width = rules.rules().map(|rule| rule.id().chars().count()).max().unwrap_or_default().max(4);
    writeln!(out, "priority  {:width$}  {:28}  about", "rule", "actions")?;
    for rule in rules.rules() {
        let about = rule.name().or(rule.description()).unwrap_or_default();
        let off = if rule.enabled() { "" } else { " (switched off)" };
        let line = format!("{:8}  {:width$}  {:28}  {about}{off}", rule.priority(), rule.id(), actions(rule));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn get(getting: &Getting) -> Result<(), Failure> {
    let rules = load(&getting.file)?;
    let Some(rule) = rules.rule(&getting.id) else {
        let known: Vec<String> = rules.rules().map(|rule| format!("`{}`", rule.id())).collect();
        let message = format!("there is no rule `{}`; there are {}", getting.id, known.join(", "));
        return Err(Failure::Failed(message));
    };
    let mut out = std::io::stdout().lock();
    if getting.format == Format::Json {
        return Ok(writeln!(out, "{}", described(rule))?);
    }
    for (name, value) in [
        ("rule", rule.id().to_owned()),
        ("line", rule.place().line.to_string()),
        ("name", rule.name().unwrap_or_default().to_owned()),
        ("description", rule.description().unwrap_or_default().to_owned()),
        ("priority", rule.priority().to_string()),
        ("enabled", rule.enabled().to_string()),
        ("actions", actions(rule)),
    ] {
        if !value.is_empty() {
            writeln!(out, "{name:12} {value}")?;
        }
    }
    for (name, value) in rule.metadata() {
        writeln!(out, "{name:12} {value}")?;
    }
    writeln!(out, "when")?;
    evaluate::tree(&rule.when().to_json(), 1, &mut out)?;
    Ok(())
}

fn actions(rule: &ConditionRule) -> String {
    rule.actions().iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ")
}

fn described(rule: &ConditionRule) -> Value {
    json!({
        "id": rule.id(), "name": rule.name(), "description": rule.description(), "line": rule.place().line,
        "priority": rule.priority(), "enabled": rule.enabled(), "metadata": rule.metadata(),
        "actions": rule.actions().iter().map(|action| action.as_str()).collect::<Vec<_>>(),
        "when": rule.when().to_json(),
    })
}

/// Checks every file, also behind one that is wrong.
fn validate(files: &[PathBuf]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let mut wrong = false;
    for path in files {
        let checked = load(path).and_then(|rules| evaluate::compiled(&rules).map(|_| rules));
        match checked {
            Ok(rules) => {
                for warning in rules.file().warnings() {
                    eprintln!("{}", warning.render(&path.display().to_string()));
                }
                let doubts = match rules.file().warnings().len() {
                    0 => "no problems".to_owned(),
                    1 => "no problems, 1 warning".to_owned(),
                    warnings => format!("no problems, {warnings} warnings"),
                };
                writeln!(out, "{}: {} rules, {doubts}", path.display(), rules.rules().count())?;
            }
            Err(failure) => {
                // Its exit code is that of the whole.
                let _ = failure.report();
                wrong = true;
            }
        }
    }
    if wrong { Err(Failure::Silent) } else { Ok(()) }
}

fn schema() -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&guard_policy::rules_json_schema()).map_err(Failure::of)?;
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}
