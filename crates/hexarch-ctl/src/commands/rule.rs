//! `hexarch-ctl rule`: rules with conditions, which need no Rego.

mod evaluate;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use guard_policy::{ConditionRule, LoadOptions, PolicyFile, RuleSet, Rules};
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

/// Where rules are.
#[derive(Args)]
pub(crate) struct Place {
    /// The file of rules, or a hexarch.yaml with a policy that has `conditions`; without it, the nearest hexarch.yaml.
    file: Option<PathBuf>,
    /// The policy of hexarch.yaml whose `conditions` are meant, where several have some.
    #[arg(long, value_name = "ID")]
    policy: Option<String>,
}

/// Which rules are listed.
#[derive(Args)]
pub(crate) struct Listing {
    #[command(flatten)]
    place: Place,
    /// How they are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Which rule is shown.
#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Getting {
    #[command(flatten)]
    place: Place,
    /// The rule's id.
    id: String,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Carries a command out.
pub(crate) fn run(command: &Command, config: Option<&Path>) -> Result<(), Failure> {
    match command {
        Command::List(listing) => list(listing, config),
        Command::Get(getting) => get(getting, config),
        Command::Evaluate(arguments) => evaluate::run(arguments, config),
        Command::Validate { files } => validate(files),
        Command::Schema => schema(),
    }
}

fn failed(error: guard_policy::LoadError) -> Failure {
    match error {
        // They name the file themselves.
        guard_policy::LoadError::Problems(problems) => Failure::Exit(1, problems.to_string()),
        error @ guard_policy::LoadError::File(_) => Failure::of(error),
    }
}

fn load(path: &Path) -> Result<RuleSet, Failure> {
    RuleSet::load(path, &LoadOptions::default()).map_err(failed)
}

/// The rules that are meant.
fn find(place: &Place, config: Option<&Path>) -> Result<RuleSet, Failure> {
    let path = match &place.file {
        Some(path) => path.clone(),
        None => super::policy::located(config)?,
    };
    match (guard_policy::load_rules(&path, &LoadOptions::default()).map_err(failed)?, &place.policy) {
        (Rules::Policies(file), policy) => of_policy(&file, policy.as_deref()),
        (Rules::Set(rules), Some(id)) if rules.id() != id => Err(Failure::Failed(format!(
            "`{}` has the rules `{}`, and no `{id}`",
            path.display(),
            rules.id()
        ))),
        (Rules::Set(rules), _) => Ok(rules),
    }
}

fn of_policy(file: &PolicyFile, policy: Option<&str>) -> Result<RuleSet, Failure> {
    let having = file.policies().iter().filter(|policy| policy.conditions().is_some());
    let having: Vec<&str> = having.map(|policy| policy.id()).collect();
    let (wanted, told) = match (policy, having.as_slice()) {
        (Some(id), _) => (id, format!("`{}` has no policy `{id}` with `conditions`", file.file())),
        (None, [one]) => (*one, String::new()),
        (None, []) => ("", format!("no policy of `{}` has `conditions`", file.file())),
        (None, _) => {
            ("", format!("several policies of `{}` have `conditions`; name one with --policy", file.file()))
        }
    };
    RuleSet::of_policy(file, wanted).ok_or_else(|| {
        let others = having.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        Failure::Failed(if having.is_empty() { told } else { format!("{told}: there are {others}") })
    })
}

fn list(listing: &Listing, config: Option<&Path>) -> Result<(), Failure> {
    let rules = find(&listing.place, config)?;
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

fn get(getting: &Getting, config: Option<&Path>) -> Result<(), Failure> {
    let rules = find(&getting.place, config)?;
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
        ("approvers", rule.approvers().map(|names| names.join(", ")).unwrap_or_default()),
        ("four_eyes", rule.four_eyes().map(|truth| truth.to_string()).unwrap_or_default()),
        ("approvals", rule.approvals().map(|count| count.to_string()).unwrap_or_default()),
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
        "approvers": rule.approvers(), "four_eyes": rule.four_eyes(), "approvals": rule.approvals(),
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
