//! `hexarch-ctl policy eval`: what `opa eval` answers.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use rego_build::{Options, Query};
use rego_bundle::{Ignore, from_json, from_yaml};
use rego_compiler::{CheckedProgram, CheckedQuery, QueryContext};
use rego_engine::{Input, Instance};
use rego_syntax::ast::{Expr, Import, Module, Package, visit};
use rego_syntax::{Position, SourceMap, Span};
use rego_test::Host;
use rego_test::output::{Error, Frame, Location};
use rego_value::Value;

use crate::commands::policy_eval_steps::{Stepwise, evaluate_partially};
use crate::failure::Failure;
use crate::opa::capabilities::Capabilities;
use crate::opa::flags::{self, Language, MAX_ERRORS};
use crate::opa::load::{self, Loaded, Rules};
use crate::opa::path::{io_message, without_scheme};
use crate::opa::present::{Answer, Expression, Outcome};
use crate::opa::program::{self, build_errors, on_large_stack};

/// What to evaluate, and with what.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The query.
    query: Vec<String>,
    /// Policies and data: files and folders; may be repeated. `a.b:PATH` puts data below `data.a.b`.
    #[arg(short, long, value_name = "PATH")]
    data: Vec<String>,
    /// Folders that are bundles; may be repeated.
    #[arg(short, long, value_name = "PATH")]
    bundle: Vec<String>,
    /// The input: a JSON or YAML file.
    #[arg(short, long, value_name = "FILE")]
    input: Option<String>,
    /// Reads the input from standard input.
    #[arg(short = 'I', long)]
    stdin_input: bool,
    /// Reads the query from standard input.
    #[arg(long)]
    stdin: bool,
    /// json, values, bindings, pretty, raw or discard.
    #[arg(short, long, default_value = "json")]
    format: String,
    /// The package whose rules the query can use by name.
    #[arg(long, value_name = "PACKAGE")]
    package: Option<String>,
    /// What the query imports; may be repeated.
    #[arg(long, value_name = "IMPORT")]
    import: Vec<String>,
    /// Ends with 1 where there is no answer.
    #[arg(long)]
    fail: bool,
    /// Ends with 1 where there is an answer.
    #[arg(long)]
    fail_defined: bool,
    /// Refuses unused imports and variables, deprecated functions and the like.
    #[arg(short = 'S', long)]
    strict: bool,
    /// A built-in function that fails ends the evaluation.
    #[arg(long)]
    pub(crate) strict_builtin_errors: bool,
    /// Reports the first built-in function that fails beside the answers.
    #[arg(long)]
    show_builtin_errors: bool,
    /// How long it may take (`5s`, `250ms`); 0 for as long as it takes.
    #[arg(long, value_parser = flags::duration, default_value = "0")]
    pub(crate) timeout: Duration,
    /// Entrypoints; they matter to partial evaluation and optimisation alone.
    #[arg(short, long, value_name = "PATH")]
    entrypoint: Vec<String>,
    /// How often to evaluate; the first answers are printed.
    #[arg(long, default_value_t = 1)]
    count: usize,
    /// Where rules are evaluated; there is one engine, so that this changes nothing.
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    /// Evaluates what does not depend on unknowns, and prints what is left.
    #[arg(short, long)]
    pub(crate) partial: bool,
    /// What partial evaluation does not know; may be repeated.
    #[arg(short, long, value_name = "REF", value_delimiter = ',', default_value = "input")]
    pub(crate) unknowns: Vec<String>,
    /// Documents that partial evaluation keeps as references; may be repeated.
    #[arg(long, value_name = "REF", value_delimiter = ',')]
    pub(crate) disable_inlining: Vec<String>,
    /// Partial evaluation keeps all references to rules that depend on unknowns.
    #[arg(long)]
    pub(crate) shallow_inlining: bool,
    /// Partial evaluation calls functions whose value is another one each time.
    #[arg(long = "nondeterminstic-builtins")]
    pub(crate) nondeterministic_builtins: bool,
    /// Reports which expressions were evaluated.
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Rules that cannot hold are evaluated all the same, where traces and coverage are asked for.
    #[arg(long)]
    pub(crate) disable_indexing: bool,
    /// Evaluation goes on once the answer is known, where traces and coverage are asked for.
    #[arg(long)]
    pub(crate) disable_early_exit: bool,
    /// Shows how the answer came about: off, full, notes or fails.
    #[arg(long, value_name = "MODE")]
    pub(crate) explain: Option<String>,
    /// Not supported: how long each expression took.
    #[arg(long)]
    profile: bool,
    /// Not supported: how long each step took.
    #[arg(long)]
    metrics: bool,
    #[command(flatten)]
    language: Language,
}

/// What a plan calls a file that has no name.
const NO_FILE: &str = "<query>";

const FORMATS: [&str; 7] = ["json", "values", "bindings", "pretty", "source", "raw", "discard"];

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = flags::one_of("-f, --format", &arguments.format, &FORMATS)?;
    arguments.check(format)?;
    let outcome = on_large_stack(|| evaluate(arguments))?;
    let printed = outcome.in_format(format);
    eprint!("{}", printed.err);
    std::io::stdout().lock().write_all(printed.out.as_bytes())?;
    let only_shown = arguments.show_builtin_errors && outcome.errors.iter().all(|error| error.in_evaluation);
    if !outcome.errors.is_empty() && !only_shown {
        return Err(Failure::Opa(2, String::new()));
    }
    let defined = !outcome.is_undefined();
    if (arguments.fail && !defined) || (arguments.fail_defined && defined) {
        return Err(Failure::Opa(1, String::new()));
    }
    Ok(())
}

impl Arguments {
    /// What cannot be asked for together, in OPA's words; then what is not there.
    fn check(&self, format: &str) -> Result<(), Failure> {
        let problem = match (self.query.len(), self.stdin) {
            (0, false) => Some("specify query argument or --stdin"),
            (1.., true) => Some("specify query argument or --stdin but not both"),
            (2.., false) => Some("specify at most one query argument"),
            _ if self.stdin && self.stdin_input => Some("specify --stdin or --stdin-input but not both"),
            _ if self.stdin_input && self.input.is_some() => {
                Some("specify --stdin-input or --input but not both")
            }
            _ if self.fail && self.fail_defined => Some("specify --fail or --fail-defined but not both"),
            _ if self.partial && !["pretty", "json", "source"].contains(&format) => {
                Some("invalid output format for partial evaluation")
            }
            _ if format == "source" && !self.partial => Some("invalid output format for evaluation"),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(Failure::usage(problem));
        }
        let missing = [
            (
                self.explain.as_deref().is_some_and(|mode| mode != "off") && format != "pretty",
                "--explain without --format pretty",
            ),
            (self.profile, "--profile"),
            (self.metrics, "--metrics"),
        ];
        match missing.iter().find(|(asked, _)| *asked) {
            Some((_, flag)) => Err(Failure::Opa(2, format!("hexarch-ctl: {flag} is not supported"))),
            None if self.strict_builtin_errors && self.show_builtin_errors => Err(Failure::Opa(
                2,
                "cannot use --show-builtin-errors with --strict-builtin-errors, --strict-builtin-errors will \
                 return the first built-in error encountered immediately"
                    .to_owned(),
            )),
            None => Ok(()),
        }
    }

    fn query(&self) -> Result<String, Failure> {
        match self.query.first() {
            Some(query) => Ok(query.clone()),
            None => std::io::read_to_string(std::io::stdin()).map_err(Failure::from),
        }
    }

    /// The input, if there is one.
    fn input(&self) -> Result<Option<Value>, Failure> {
        let fail = |message: String| Failure::Opa(2, message);
        let bytes = match &self.input {
            Some(path) => {
                let path = without_scheme(path);
                std::fs::read(path).map_err(|error| fail(io_message("open", path, &error)))?
            }
            None if self.stdin_input => {
                let mut bytes = Vec::new();
                std::io::stdin().lock().read_to_end(&mut bytes)?;
                bytes
            }
            None => return Ok(None),
        };
        let value = from_json(&bytes).or_else(|_| from_yaml(&bytes));
        value.map(Some).map_err(|error| fail(format!("unable to parse input: {error}")))
    }

    fn rules(&self, options: &Options, capabilities: &Capabilities) -> Rules {
        Rules {
            parser: options.parser.clone(),
            ignore: Ignore::new(self.language.ignore.clone()),
            only_rego: false,
            refuse_v1: capabilities.without_v1,
            own_features: false,
        }
    }

    fn load(&self, rules: &Rules) -> Result<Loaded, Vec<Error>> {
        let mut loaded = match self.data.is_empty() {
            true => Loaded::default(),
            false => load::paths(&self.data, rules)?,
        };
        for folder in &self.bundle {
            load::bundle(folder, rules, &mut loaded)
                .map_err(|failure| vec![Error::plain(format!("loading error: {}", failure.text))])?;
        }
        Ok(loaded)
    }

    fn context(&self, options: &Options) -> Result<QueryContext, Vec<Error>> {
        let mut context =
            QueryContext { capture: !self.partial, unify: self.partial, ..QueryContext::default() };
        if let Some(package) = &self.package {
            context.package = Some(parsed_head(&format!("package {package}"), options)?.0);
        }
        for import in &self.import {
            let text = format!("package p\nimport {}", import.trim());
            context.imports.extend(parsed_head(&text, options)?.1);
        }
        Ok(context)
    }
}

/// The package and the imports of a text.
fn parsed_head(text: &str, options: &Options) -> Result<(Package, Vec<Import>), Vec<Error>> {
    let mut sources = SourceMap::new();
    let file = sources.add("", text);
    let parsed = rego_syntax::parse_module(&file, &options.parser).into_result();
    let module = parsed
        .map_err(|found| found.iter().map(|one| Error::of_diagnostic(one, &sources)).collect::<Vec<_>>())?;
    // Places in this text mean nothing to anybody.
    let nowhere = |mut import: Import| {
        import.span = Span::NONE;
        import
    };
    Ok((module.package, module.imports.into_iter().map(nowhere).collect()))
}

fn evaluate(arguments: &Arguments) -> Result<Outcome, Failure> {
    let query = arguments.query()?;
    let input = arguments.input()?;
    let capabilities = arguments.language.capabilities()?;
    let version = arguments.language.version();
    let mut options = match arguments.language.options(version, &capabilities, MAX_ERRORS) {
        Ok(options) => options,
        Err(error) => return Err(Failure::Opa(2, rego_test::output::list_text(&[error], " during loading"))),
    };
    options.check.strict = arguments.strict;
    let compiled = match compile(arguments, &query, &mut options, &capabilities) {
        Ok(compiled) => compiled,
        Err(errors) => return Ok(Outcome::failed(errors)),
    };
    let host = program::host(&capabilities)?;
    if arguments.partial {
        return Ok(
            evaluate_partially(arguments, compiled, input, &options, &host)?.unwrap_or_else(Outcome::failed)
        );
    }
    let stepwise = Stepwise {
        program: compiled.program.clone(),
        modules: compiled.modules.clone(),
        options,
        input: input.clone(),
    };
    let mut run = Run::new(compiled, host, arguments);
    let mut outcome = run.once(&input, arguments.strict_builtin_errors);
    stepwise.tell(arguments, &run, &mut outcome)?;
    if arguments.show_builtin_errors && outcome.errors.is_empty() {
        let strict = run.once(&input, true);
        outcome.errors = strict.errors;
        return Ok(outcome);
    }
    run.print();
    for _ in 1..arguments.count {
        run.once(&input, arguments.strict_builtin_errors);
        run.print();
    }
    Ok(outcome)
}

/// A query that is ready to be run.
pub(crate) struct Compiled {
    pub(crate) bytes: Vec<u8>,
    pub(crate) query: CheckedQuery,
    /// The query's own text among them.
    pub(crate) sources: SourceMap,
    pub(crate) documents: Value,
    pub(crate) program: CheckedProgram,
    /// As they were read; empty where nobody asks for the coverage.
    pub(crate) modules: Vec<Module>,
}

fn compile(
    arguments: &Arguments,
    query: &str,
    options: &mut Options,
    capabilities: &Capabilities,
) -> Result<Compiled, Vec<Error>> {
    let loaded = arguments.load(&arguments.rules(options, capabilities))?;
    let documents = loaded.documents.into_value();
    options.check.documents = Some(documents.clone());
    let failed = |error| build_errors(&error);
    let modules = if arguments.coverage { loaded.modules.clone() } else { Vec::new() };
    let program = rego_build::check_modules(loaded.modules, loaded.sources, options).map_err(failed)?;
    if query.trim().is_empty() {
        return Err(vec![Error::plain("cannot evaluate empty query")]);
    }
    let context = arguments.context(options)?;
    let checked = rego_build::check_query(&program, "", query, &context, options);
    let (checked, sources) = checked.map_err(failed)?;
    let plan = [Query::in_order("eval", &checked)];
    let module = rego_build::assemble_in(&program, &sources, &plan, options).map_err(failed)?;
    Ok(Compiled { bytes: module.bytes, query: checked, sources, documents, program, modules })
}

/// A query that is being run.
pub(crate) struct Run {
    pub(crate) compiled: Compiled,
    instance: Result<Instance, Error>,
    pub(crate) host: Host,
    deadline: Duration,
    prints: Vec<String>,
}

impl Run {
    fn new(compiled: Compiled, host: Host, arguments: &Arguments) -> Self {
        let start = || {
            let module = program::module(&host, &compiled.bytes)?;
            let mut instance = Instance::new(&module).map_err(|error| Error::of_evaluation(&error))?;
            let data = instance.set_data(compiled.documents.clone());
            data.map_err(|error| Error::of_evaluation(&error))?;
            Ok(instance)
        };
        let deadline = if arguments.timeout.is_zero() { program::LONG } else { arguments.timeout };
        Self { instance: start(), compiled, host, deadline, prints: Vec::new() }
    }

    fn once(&mut self, input: &Option<Value>, strict: bool) -> Outcome {
        let instance = match &mut self.instance {
            Ok(instance) => instance,
            Err(error) => return Outcome::failed(vec![error.clone()]),
        };
        let input = input.as_ref().map_or(Input::Undefined, Input::Value);
        let result = instance.evaluate("eval", input, &program::context(self.deadline, strict));
        self.prints = instance.take_output().prints;
        match result {
            Ok(results) => {
                let answers = results.answers().first().and_then(Value::as_array);
                let answers = answers.into_iter().flat_map(|answers| answers.iter());
                Outcome {
                    errors: Vec::new(),
                    answers: answers.map(|answer| self.compiled.answer(answer)).collect(),
                    ..Outcome::default()
                }
            }
            Err(error) => Outcome::failed(vec![self.compiled.placed(Error::of_evaluation(&error))]),
        }
    }

    /// How long it may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    fn print(&mut self) {
        for line in self.prints.drain(..) {
            eprintln!("{line}");
        }
    }
}

impl Compiled {
    fn answer(&self, answer: &Value) -> Answer {
        let mut bindings = Vec::new();
        for (name, value) in answer.as_object().into_iter().flat_map(|members| members.iter()) {
            let name = name.as_str().unwrap_or_default();
            if !self.query.captures().iter().any(|capture| *capture == name) {
                bindings.push((name.to_owned(), value.clone()));
            }
        }
        bindings.sort_by(|a, b| a.0.cmp(&b.0));
        let expressions = self.query.written().map(|(expr, capture)| {
            let value = capture.and_then(|name| answer.get_str(name));
            self.expression(expr, value.cloned().unwrap_or(Value::Bool(true)))
        });
        Answer { expressions: expressions.collect(), bindings }
    }

    fn expression(&self, expr: &Expr, value: Value) -> Expression {
        let text = self.sources.get(expr.span.file).map(|file| file.slice(expr.span)).unwrap_or_default();
        let (row, col) = self.sources.locate(expr.span).map(|(_, at)| (at.row, at.col)).unwrap_or_default();
        Expression { value, text: text.to_owned(), row, col }
    }

    /// An error in the query itself, with the text that stands at its place, which is all of its trace.
    fn placed(&self, mut error: Error) -> Error {
        let in_query = |location: &&mut Box<Location>| location.file.is_empty() || location.file == NO_FILE;
        let Some(location) = error.location.as_mut().filter(in_query) else { return error };
        location.file.clear();
        location.text = self.text_at(location.row, location.col);
        error.trace = vec![Frame { query: 0, location: (**location).clone() }];
        error
    }

    /// The longest part of the query that begins at a place.
    fn text_at(&self, row: u32, col: u32) -> String {
        let Some(file) = self.sources.files().find(|file| file.name().is_empty()) else {
            return String::new();
        };
        let mut longest = "";
        let mut consider = |span: Span| {
            if span.file == file.id() && file.token_position(span.start) == (Position { row, col }) {
                let text = file.slice(span);
                longest = if text.len() > longest.len() { text } else { longest };
            }
        };
        visit::walk_exprs(self.query.body(), &mut |expr| {
            consider(expr.span);
            visit::DESCEND
        });
        visit::walk_terms(self.query.body(), &mut |term| {
            consider(term.span);
            visit::DESCEND
        });
        longest.to_owned()
    }
}
