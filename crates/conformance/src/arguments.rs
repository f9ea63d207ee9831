//! The command line of the harness.

use std::path::{Path, PathBuf};

use rego_build::{Passes, Target};

use crate::pipeline::Form;

/// What the command line asks for.
pub(crate) struct Arguments {
    /// The corpus.
    pub(crate) dir: PathBuf,
    /// Whether the corpus is the one that the list of known failures speaks of.
    pub(crate) is_own_corpus: bool,
    /// Runs only cases whose `group/id` contains this text.
    pub(crate) filter: Option<String>,
    /// Prints one last line of JSON.
    pub(crate) json: bool,
    /// Prints each failure's cause, the known ones as well.
    pub(crate) verbose: bool,
    /// Rewrites the list of known failures, and what the cases cost, from this run.
    pub(crate) update_known: bool,
    /// The list of known failures.
    pub(crate) known: PathBuf,
    /// What the cases cost when it was recorded last.
    pub(crate) cost: PathBuf,
    /// Writes our modules of the v1 cases into this folder instead of judging, and compares other hosts.
    pub(crate) export: Option<PathBuf>,
    /// The folder `node_modules` with `@open-policy-agent/opa-wasm`.
    pub(crate) node_modules: Option<PathBuf>,
    /// A program that evaluates the exported folder in a host of its own.
    pub(crate) host: Option<PathBuf>,
    /// Judges so many of OPA's own modules (`OPA_BIN`) in our engine.
    pub(crate) opa_modules: usize,
    /// What modules are made of the cases.
    pub(crate) form: Form,
    /// How many threads judge.
    pub(crate) jobs: usize,
}

const USAGE: &str =
    "usage: conformance [--dir DIR] [--filter TEXT] [--json] [--verbose] [--jobs N] [--passes NAME]
                   [--target portable|engine] [--update-known]
       conformance --export FOLDER [--node NODE_MODULES] [--host PROGRAM] [--opa-modules N] [--dir DIR] [--filter TEXT]";

/// Parses the arguments after the program's name.
pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = here.join("../../../shared/conformance");
    let mut arguments = Arguments {
        dir: std::env::var_os("HEXARCH_CONFORMANCE").map_or_else(|| own.clone(), PathBuf::from),
        is_own_corpus: true,
        filter: None,
        json: false,
        verbose: false,
        update_known: false,
        known: here.join("known_failures.txt"),
        cost: here.join("instructions.txt"),
        export: None,
        node_modules: None,
        host: None,
        opa_modules: 0,
        form: Form::default(),
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut words = words;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value\n{USAGE}"));
        match word.as_str() {
            "--dir" => {
                arguments.dir = PathBuf::from(value()?);
                arguments.is_own_corpus = same_folder(&arguments.dir, &own);
            }
            "--filter" => arguments.filter = Some(value()?),
            "--export" => arguments.export = Some(PathBuf::from(value()?)),
            "--node" => arguments.node_modules = Some(PathBuf::from(value()?)),
            "--host" => arguments.host = Some(PathBuf::from(value()?)),
            "--opa-modules" => {
                arguments.opa_modules =
                    value()?.parse().map_err(|error| format!("--opa-modules: {error}"))?;
            }
            "--passes" => {
                let name = value()?;
                let unknown = || format!("--passes: no `{name}`: all, none, or the name of one");
                arguments.form.passes = Passes::by_name(&name).ok_or_else(unknown)?;
            }
            "--target" => {
                arguments.form.target = match value()?.as_str() {
                    "portable" => Target::Portable,
                    "engine" => Target::Engine,
                    other => return Err(format!("--target: no `{other}`: portable or engine")),
                };
            }
            "--jobs" => arguments.jobs = value()?.parse().map_err(|error| format!("--jobs: {error}"))?,
            "--json" => arguments.json = true,
            "--verbose" => arguments.verbose = true,
            "--update-known" => arguments.update_known = true,
            _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
        }
    }
    if arguments.update_known && (arguments.filter.is_some() || !arguments.is_own_corpus) {
        return Err("--update-known wants a whole run over the project's own corpus".to_owned());
    }
    Ok(arguments)
}

fn same_folder(left: &Path, right: &Path) -> bool {
    matches!((left.canonicalize(), right.canonicalize()), (Ok(left), Ok(right)) if left == right)
}
