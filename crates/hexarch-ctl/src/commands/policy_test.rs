//! `hexarch-ctl policy test`: what `opa test` reports.

use std::io::Write as _;
use std::time::Duration;

use regex::Regex;
use rego_build::{Marks, Options};
use rego_bundle::Ignore;
use rego_compiler::CheckedProgram;
use rego_engine::EvalContext;
use rego_syntax::ast::Module;
use rego_test::output::{Error, list_text};
use rego_test::report::{self, Style};
use rego_test::{Coverage, Explainer, Host, Report, Suite, Telling, Verdict};
use rego_topdown::Explain;
use rego_value::Value;

use crate::failure::Failure;
use crate::opa::capabilities::Capabilities;
use crate::opa::flags::{self, Language, MAX_ERRORS};
use crate::opa::load::{self, Loaded, Rules};
use crate::opa::program::{self, build_errors, on_large_stack};

/// What to test, and how.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// Files and folders with policies, their tests and data.
    paths: Vec<String>,
    /// Takes the paths as bundles.
    #[arg(short, long)]
    bundle: bool,
    /// pretty or json.
    #[arg(short, long, default_value = "pretty")]
    format: String,
    /// Shows every test, and why one failed.
    #[arg(short, long)]
    verbose: bool,
    /// Runs only tests whose whole name this regular expression finds.
    #[arg(short, long, value_name = "REGEX", default_value = "")]
    run: String,
    /// How long a test may take (`5s`, `250ms`).
    #[arg(long, value_parser = flags::duration, default_value = "0")]
    timeout: Duration,
    /// After how many errors of the compiler to stop; 0 for all.
    #[arg(short, long, default_value_t = MAX_ERRORS)]
    max_errors: usize,
    /// How often to run each test.
    #[arg(long, default_value_t = 1)]
    count: usize,
    /// Tests that are skipped are no reason to end with 2.
    #[arg(short = 'z', long)]
    exit_zero_on_skipped: bool,
    /// Ends with 1 where there is no test to run.
    #[arg(long)]
    fail_on_empty: bool,
    /// How many tests run at a time; they take turns, since each takes so little.
    #[arg(short, long, value_name = "N")]
    parallel: Option<usize>,
    /// The order of tests in JSON: none or duration.
    #[arg(long, default_value = "none")]
    sort: String,
    /// Where rules are evaluated; there is one engine, so that this changes nothing.
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    /// Reports which expressions were evaluated, as JSON.
    #[arg(short, long)]
    coverage: bool,
    /// Ends with 2 where fewer lines are covered, in per cent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    threshold: f64,
    /// Shows where a test failed, and the values of what stands there.
    #[arg(long)]
    var_values: bool,
    /// Shows how a test failed: all that was evaluated (full), notes, fails.
    #[arg(long, value_name = "MODE")]
    explain: Option<String>,
    /// Not supported: how long each test takes.
    #[arg(long)]
    bench: bool,
    /// Not supported: runs the tests again when files change.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    language: Language,
}

/// The kinds of trace.
const MODES: &[&str] = &["fails", "full", "notes", "debug"];

fn explain_mode(name: &str) -> Explain {
    match name {
        "notes" => Explain::Notes,
        "full" | "debug" => Explain::Full,
        _ => Explain::Fails,
    }
}

/// How long a test may take where nobody says.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = flags::one_of("-f, --format", &arguments.format, &["pretty", "json", "gobench"])?;
    flags::one_of("--sort", &arguments.sort, &["none", "duration"])?;
    if arguments.paths.is_empty() {
        return Err(Failure::usage("specify at least one file"));
    }
    if format == "gobench" && !arguments.bench {
        return Err(Failure::Opa(
            0,
            "cannot use output format gobench without running benchmarks (--bench)".to_owned(),
        ));
    }
    arguments.refuse_what_is_missing()?;
    if !(0.0..=100.0).contains(&arguments.threshold) {
        return Err(Failure::Opa(1, "Code coverage threshold must be between 0 and 100".to_owned()));
    }
    on_large_stack(|| {
        let tests = Tests::load(arguments)?;
        for _ in 0..arguments.count {
            tests.run_once(arguments)?;
        }
        Ok(())
    })
}

impl Arguments {
    fn refuse_what_is_missing(&self) -> Result<(), Failure> {
        let missing = [(self.bench, "--bench"), (self.watch, "--watch")];
        match missing.iter().find(|(asked, _)| *asked) {
            Some((_, flag)) => Err(Failure::Opa(2, format!("hexarch-ctl: {flag} is not supported"))),
            None => Ok(()),
        }
    }

    /// How the report for people is written.
    fn style(&self) -> Style {
        Style { verbose: self.verbose || self.explain.is_some(), values: self.var_values }
    }

    /// What is told of tests that failed.
    fn telling(&self) -> Result<Telling, Failure> {
        let mode = self.explain.as_deref().unwrap_or_default();
        let events = match mode {
            "" if self.verbose => Some(Explain::NotesAndFails),
            "" => None,
            mode => Some(explain_mode(flags::one_of("--explain", mode, MODES)?)),
        };
        Ok(Telling { events, values: self.var_values })
    }

    fn covers(&self) -> bool {
        self.coverage || self.threshold > 0.0
    }

    fn filter(&self) -> Result<Option<Regex>, Failure> {
        if self.run.is_empty() {
            return Ok(None);
        }
        Regex::new(&self.run).map(Some).map_err(|error| {
            let reason = match error.to_string() {
                text if text.contains("unclosed group") => format!("missing closing ): `{}`", self.run),
                text => text,
            };
            Failure::Opa(1, format!("error parsing regexp: {reason}"))
        })
    }

    fn load(&self, options: &Options, capabilities: &Capabilities) -> Result<Loaded, Failure> {
        let rules = Rules {
            parser: options.parser.clone(),
            ignore: Ignore::new(self.language.ignore.clone()),
            only_rego: false,
            refuse_v1: capabilities.without_v1,
            // `opa test` alone does not hand its own capabilities to the reader of bundles.
            own_features: capabilities.features.is_none(),
        };
        if !self.bundle {
            return load::paths(&self.paths, &rules).map_err(while_loading);
        }
        let mut loaded = Loaded::default();
        for path in &self.paths {
            load::bundle(path, &rules, &mut loaded).map_err(|failure| {
                Failure::Opa(1, format!("unable to load bundle {path}: {}", failure.text))
            })?;
        }
        Ok(loaded)
    }
}

fn while_loading(errors: Vec<Error>) -> Failure {
    Failure::Opa(1, list_text(&errors, " during loading"))
}

/// Tests that are ready to be run.
struct Tests {
    host: Host,
    suite: Suite,
    data: Value,
    program: CheckedProgram,
    options: Options,
    /// As they were read; empty where nobody asks for the coverage.
    modules: Vec<Module>,
}

impl Tests {
    fn load(arguments: &Arguments) -> Result<Self, Failure> {
        let language = &arguments.language;
        let capabilities = language.capabilities()?;
        let options = language.options(language.version(), &capabilities, arguments.max_errors);
        let mut options = options.map_err(|error| while_loading(vec![error]))?;
        let loaded = arguments.load(&options, &capabilities)?;
        let data = loaded.documents.into_value();
        options.check.documents = Some(data.clone());
        options.check.tests = true;
        let failed = |error| Failure::Opa(1, list_text(&build_errors(&error), ""));
        let filter = arguments.filter()?;
        let mut modules = Vec::new();
        if arguments.covers() {
            options.marks = Marks::Spans;
            modules.clone_from(&loaded.modules);
        }
        let program = rego_build::check_modules(loaded.modules, loaded.sources, &options).map_err(failed)?;
        let tests = rego_test::find(&program, filter.as_ref());
        let suite = Suite::build(&program, tests, &options).map_err(failed)?;
        Ok(Self { host: program::host(&capabilities)?, suite, data, program, options, modules })
    }

    fn explainer<'a>(&'a self, context: &'a dyn Fn() -> EvalContext) -> Explainer<'a> {
        let Self { program, options, host, data, .. } = self;
        Explainer { program, options, host, data, context }
    }

    /// Runs and reports all tests once; whether they passed is the exit code.
    fn run_once(&self, arguments: &Arguments) -> Result<(), Failure> {
        let timeout = if arguments.timeout.is_zero() { TIMEOUT } else { arguments.timeout };
        let context = || program::context(timeout, false);
        let reports = self.suite.run(&self.host, &self.data, &context);
        let mut reports = reports.map_err(|error| Failure::Opa(1, error.text()))?;
        if arguments.covers() {
            return self.report_coverage(&mut reports, arguments, &context);
        }
        let explainer = self.explainer(&context);
        let told = explainer.explain(&mut reports, arguments.telling()?);
        told.map_err(|error| Failure::Opa(1, error.text()))?;
        let text = match arguments.format.as_str() {
            "json" => {
                if arguments.sort == "duration" {
                    reports.sort_by_key(|report| std::cmp::Reverse(report.duration));
                }
                report::as_json(&reports)
            }
            _ => report::pretty(&reports, arguments.style()),
        };
        std::io::stdout().lock().write_all(text.as_bytes())?;
        if reports.is_empty() && arguments.fail_on_empty {
            return Err(Failure::Opa(1, "no tests were run".to_owned()));
        }
        let fine = |report: &Report| {
            report.passed() || (arguments.exit_zero_on_skipped && report.verdict == Verdict::Skip)
        };
        if reports.iter().all(fine) { Ok(()) } else { Err(Failure::Opa(2, String::new())) }
    }

    /// The coverage, if all tests passed.
    fn report_coverage(
        &self,
        reports: &mut [Report],
        arguments: &Arguments,
        context: &dyn Fn() -> EvalContext,
    ) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        for report in reports.iter() {
            match &report.verdict {
                Verdict::Error(error) => return Err(Failure::Opa(1, error.text())),
                Verdict::Wrong(errors) => return Err(Failure::Opa(1, list_text(errors, ""))),
                _ => {}
            }
        }
        let explainer = self.explainer(context);
        let mut failed: Vec<Report> = reports.iter().filter(|report| report.failed()).cloned().collect();
        let told = explainer.explain(&mut failed, arguments.telling()?);
        told.map_err(|error| Failure::Opa(1, error.text()))?;
        if let Some(first) = failed.first() {
            let style = arguments.style();
            out.write_all(report::pretty(&failed, style).as_bytes())?;
            return Err(Failure::Opa(1, report::summary(first) + "\n"));
        }
        let mut coverage = Coverage::new(&self.modules, self.program.sources());
        match explainer.covered(reports) {
            Ok(spans) => coverage.add_spans(&spans),
            Err(_) => reports.iter().for_each(|report| coverage.add(&report.marks)),
        }
        let total = coverage.percent();
        if total < arguments.threshold {
            let text = format!(
                "Code coverage threshold not met: got {total:.2} instead of {:.2}",
                arguments.threshold
            );
            return Err(Failure::Opa(2, text));
        }
        Ok(out.write_all(coverage.json().as_bytes())?)
    }
}
