//! `hexarch-ctl policy check`: what `opa check` reports.

use rego_bundle::Ignore;
use rego_syntax::ast::RegoVersion;
use rego_test::output::{Error, json, list_text};

use crate::failure::Failure;
use crate::opa::flags::{self, Language, MAX_ERRORS};
use crate::opa::load::{self, Loaded, Rules};
use crate::opa::program::{build_errors, on_large_stack};

/// What to check, and how.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// Rego files and folders of them.
    paths: Vec<String>,
    /// Takes the paths as bundles: data count as well, and manifests hold.
    #[arg(short, long)]
    bundle: bool,
    /// pretty or json.
    #[arg(short, long, default_value = "pretty")]
    format: String,
    /// After how many errors to stop; 0 for all.
    #[arg(short, long, default_value_t = MAX_ERRORS)]
    max_errors: usize,
    /// Refuses unused imports and variables, deprecated functions and the like.
    #[arg(short = 'S', long)]
    strict: bool,
    /// Checks that the modules are both Rego v0 and v1.
    #[arg(long, alias = "rego-v1")]
    v0_v1: bool,
    #[command(flatten)]
    language: Language,
}

/// Why a check fails: errors, and all of it as one text.
struct Report {
    errors: Vec<Error>,
    text: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = flags::one_of("-f, --format", &arguments.format, &["pretty", "json"])?;
    if arguments.paths.is_empty() {
        return Err(Failure::usage("specify at least one file"));
    }
    on_large_stack(|| match check(arguments)? {
        None => Ok(()),
        Some(report) => Err(Failure::Opa(1, report.in_format(format))),
    })
}

fn check(arguments: &Arguments) -> Result<Option<Report>, Failure> {
    let language = &arguments.language;
    let version = if arguments.v0_v1 { RegoVersion::V0CompatV1 } else { language.version() };
    let capabilities = language.capabilities()?;
    let mut options = match language.options(version, &capabilities, arguments.max_errors) {
        Ok(options) => options,
        Err(error) => return Ok(Some(Report::while_loading(vec![error]))),
    };
    options.check.strict = arguments.strict;
    let rules = Rules {
        parser: options.parser.clone(),
        ignore: Ignore::new(language.ignore.clone()),
        only_rego: !arguments.bundle,
        refuse_v1: capabilities.without_v1,
        own_features: false,
    };
    let loaded = match arguments.load(&rules) {
        Ok(loaded) => loaded,
        Err(report) => return Ok(Some(report)),
    };
    if arguments.bundle {
        options.check.documents = Some(loaded.documents.into_value());
    }
    let checked = rego_build::check_modules(loaded.modules, loaded.sources, &options);
    Ok(checked.err().map(|error| Report::of(build_errors(&error))))
}

impl Arguments {
    fn load(&self, rules: &Rules) -> Result<Loaded, Report> {
        if !self.bundle {
            return load::paths(&self.paths, rules).map_err(Report::while_loading);
        }
        let mut loaded = Loaded::default();
        for path in &self.paths {
            load::bundle(path, rules, &mut loaded)
                .map_err(|failure| Report { errors: failure.errors, text: failure.text })?;
        }
        Ok(loaded)
    }
}

impl Report {
    fn of(errors: Vec<Error>) -> Self {
        Self { text: list_text(&errors, ""), errors }
    }

    fn while_loading(errors: Vec<Error>) -> Self {
        Self { text: list_text(&errors, " during loading"), errors }
    }

    fn in_format(self, format: &str) -> String {
        if format == "pretty" {
            return self.text;
        }
        let errors = json::array(self.errors.iter().map(|error| error.json(false)));
        json::indented(&json::Object::new().raw("errors", &errors).finish())
    }
}
