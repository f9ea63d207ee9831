//! `hexarch-ctl audit`: the records of decisions.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use guard_audit::{Entry, Filter, Reader, csv_head, csv_row, json_row};
use guard_policy::AuditStore;

use crate::commands::policy;
use crate::failure::Failure;

/// What is done with records.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Shows the latest records.
    List(Listing),
    /// Shows the latest records of calls that were blocked.
    Blocked(Listing),
    /// Tells whether the chain of records is whole: exit code 1 where it is not, with the first sequence that is wrong.
    Verify(Store),
    /// Writes all records to standard output.
    Export(Export),
}

/// Which log.
#[derive(Args)]
pub(crate) struct Store {
    /// The log, `sqlite:PATH`; without it, the one that the configuration names.
    #[arg(long, value_name = "URL", env = "HEXARCH_AUDIT")]
    store: Option<String>,
}

/// Which records, and how they are shown.
#[derive(Args)]
pub(crate) struct Listing {
    #[command(flatten)]
    store: Store,
    #[command(flatten)]
    selection: Selection,
    /// The most records that are shown.
    #[arg(long, default_value_t = 50)]
    limit: u64,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
}

/// Which records.
#[derive(Args)]
pub(crate) struct Selection {
    /// Only of this policy.
    #[arg(long, value_name = "ID")]
    policy_id: Option<String>,
    /// Only of this user.
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// Only of the last so many hours or days: `24h`, `7d`.
    #[arg(long, value_name = "SPAN")]
    since: Option<String>,
}

/// What is exported.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    store: Store,
    #[command(flatten)]
    selection: Selection,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,
}

/// A form to show records in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A line each, for people.
    Table,
    /// An array of objects.
    Json,
    /// Comma-separated values, with every column.
    Csv,
}

/// Carries a command out.
pub(crate) fn run(command: &Command, config: Option<&Path>) -> Result<(), Failure> {
    match command {
        Command::List(listing) => list(listing, Vec::new(), config),
        Command::Blocked(listing) => list(listing, vec!["blocked".to_owned()], config),
        Command::Verify(store) => verify(store, config),
        Command::Export(export) => {
            let filter = filter(&export.selection)?;
            write(&open(&export.store, config)?, &filter, export.format)
        }
    }
}

fn list(listing: &Listing, decisions: Vec<String>, config: Option<&Path>) -> Result<(), Failure> {
    let filter = Filter { decisions, latest: Some(listing.limit), ..filter(&listing.selection)? };
    write(&open(&listing.store, config)?, &filter, listing.format)
}

fn open(store: &Store, config: Option<&Path>) -> Result<Reader, Failure> {
    let path = match &store.store {
        Some(url) => url.strip_prefix("sqlite:").map(PathBuf::from).ok_or_else(|| {
            Failure::Failed(format!("`{url}` is no address of an audit log: `sqlite:PATH`"))
        })?,
        None => match policy::load(config)?.settings().audit().map(guard_policy::Audit::store) {
            Some(AuditStore::Sqlite { path }) => PathBuf::from(path),
            _ => {
                return Err(Failure::Failed(
                    "the configuration has no `audit.store` that keeps records".to_owned(),
                ));
            }
        },
    };
    Reader::open(path).map_err(Failure::of)
}

fn filter(selection: &Selection) -> Result<Filter, Failure> {
    let since_ns = selection.since.as_deref().map(since).transpose()?;
    Ok(Filter {
        policy: selection.policy_id.clone(),
        user: selection.user_id.clone(),
        since_ns,
        ..Filter::default()
    })
}

/// The moment so many hours or days ago, in nanoseconds since 1970.
fn since(text: &str) -> Result<i64, Failure> {
    let wrong =
        || Failure::Failed(format!("`{text}` is no span: so many hours or days, such as `24h` or `7d`"));
    let (number, hours) = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(number), _) => (number, 1),
        (_, Some(number)) => (number, 24),
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let span = i128::from(number) * hours * 3_600_000_000_000;
    i64::try_from(jiff::Timestamp::now().as_nanosecond() - span).map_err(|_| wrong())
}

fn verify(store: &Store, config: Option<&Path>) -> Result<(), Failure> {
    match open(store, config)?.verify().map_err(Failure::of)? {
        Ok(verified) => {
            let mut out = std::io::stdout().lock();
            Ok(writeln!(
                out,
                "{} records, none changed; the last has the hash {}",
                verified.count, verified.head
            )?)
        }
        Err(broken) => Err(Failure::Failed(format!("record {}: {}", broken.sequence, broken.why))),
    }
}

/// Writes records one by one: a log may be of any size.
fn write(reader: &Reader, filter: &Filter, form: Form) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if form == Form::Csv {
        out.write_all(csv_head().as_bytes())?;
    }
    let mut written = Ok(());
    let mut count = 0_u64;
    reader
        .entries(filter, |entry| {
            written = row(&mut out, form, count == 0, &entry);
            count += 1;
            written.is_ok()
        })
        .map_err(Failure::of)?;
    written?;
    if form == Form::Json {
        out.write_all(if count == 0 { b"[]\n" } else { b"\n]\n" })?;
    }
    Ok(out.flush()?)
}

fn row(out: &mut impl Write, form: Form, first: bool, entry: &Entry) -> std::io::Result<()> {
    match form {
        Form::Json => write!(out, "{}\n  {}", if first { "[" } else { "," }, json_row(entry)),
        Form::Csv => out.write_all(csv_row(entry).as_bytes()),
        Form::Table => {
            let text = |column: &str| entry.text(column).unwrap_or("-").to_owned();
            let moment = entry.number("timestamp_ns").map(i128::from);
            let moment = moment.and_then(|ns| jiff::Timestamp::from_nanosecond(ns).ok());
            let line = format!(
                "{:>6}  {}  {:<9} {:<8} {}  {}  {}  {}",
                entry.sequence,
                moment.map(|moment| format!("{moment:.3}")).unwrap_or_default(),
                text("kind"),
                text("decision"),
                text("policy_id"),
                text("function_name"),
                text("user_id"),
                text("reason"),
            );
            // What is shown came from callers: nothing of it moves the cursor.
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            writeln!(out, "{line}")
        }
    }
}
