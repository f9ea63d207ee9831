//! `hexarch-ctl policy build`: policies to a module, in WebAssembly or in the machine's code.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hexarch_guardrails::{DECISION_ENTRYPOINT, compile_for_engine, compile_policies, sources_digest};
use rego_build::{Cost, Query, RuleCost, Source};
use rego_builtins::Implementation;
use rego_bundle::Ignore;
use rego_compiler::CheckedProgram;
use rego_engine::{Cpu, NativeOptions, Precompiled, PublicKey, Requirements};
use rego_test::output::list_text;
use rego_value::Value;

use crate::commands::policy;
use crate::failure::Failure;
use crate::opa::flags::{self, Language, MAX_ERRORS};
use crate::opa::load::{self, Loaded, Rules};
use crate::opa::program::{build_errors, on_large_stack};

/// What to build, and how.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// Rego files and folders of them; without any, the policy file (`--config`, or the nearest hexarch.yaml).
    paths: Vec<String>,
    /// Takes the paths as bundles.
    #[arg(short, long)]
    bundle: bool,
    /// An entrypoint such as `authz/allow`; may be repeated. The policy file has one of its own.
    #[arg(short, long, value_name = "PATH")]
    entrypoint: Vec<String>,
    /// The only target there is: wasm.
    #[arg(short, long, default_value = "wasm")]
    target: String,
    /// The file to write; policy.wasm or policy.native when there is none.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Compiles on to this machine's code, in a signed container that an engine without a compiler runs.
    #[arg(long, requires = "signing_key")]
    native: bool,
    /// The processors that the machine code is to run on.
    #[arg(long, value_enum, default_value_t = Processor::Host, requires = "native")]
    cpu: Processor,
    /// The private key that machine code is signed with: Ed25519 in a PEM file (`openssl genpkey -algorithm ed25519`).
    #[arg(long, value_name = "FILE", requires = "native")]
    signing_key: Option<PathBuf>,
    /// Says what decides how long a decision takes, and writes no module: which parts of the input are read, which
    /// rules are tried, which built-in functions leave the module.
    #[arg(long, conflicts_with_all = ["native", "output"])]
    explain_cost: bool,
    /// After how many errors to stop; 0 for all.
    #[arg(short, long, default_value_t = MAX_ERRORS)]
    max_errors: usize,
    #[command(flatten)]
    language: Language,
}

/// Processors that machine code is made for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Processor {
    /// This one, and those that have all that it has.
    Host,
    /// All of this architecture.
    Baseline,
}

/// A module, and a digest of what it was made of.
struct Built {
    wasm: Vec<u8>,
    sources: [u8; 32],
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), Failure> {
    flags::one_of("-t, --target", &arguments.target, &["wasm"])?;
    let secret = arguments.signing_key.as_deref().map(secret).transpose()?;
    on_large_stack(|| {
        if arguments.explain_cost {
            return arguments.explain(config);
        }
        let built = match arguments.paths.as_slice() {
            [] => arguments.policy_file(config)?,
            _ => arguments.rego()?,
        };
        match secret {
            None => arguments.write("policy.wasm", &built.wasm),
            Some(secret) => arguments.native(&built, &secret),
        }
    })
}

impl Arguments {
    /// Builds the policy file.
    fn policy_file(&self, config: Option<&Path>) -> Result<Built, Failure> {
        if let Some(entrypoint) = self.entrypoint.first() {
            let message =
                format!("the policy file's entrypoint is `{DECISION_ENTRYPOINT}`, not `{entrypoint}`");
            return Err(Failure::Failed(message));
        }
        let package = guard_policy::translate(&policy::load(config)?);
        // What hosts other than our engine need is left out where no other host can run it.
        let compile = if self.native { compile_for_engine } else { compile_policies };
        let wasm = compile(package.modules(), package.entrypoints()).map_err(Failure::of)?;
        Ok(Built { wasm, sources: sources_digest(package.modules()) })
    }

    /// Says what decides how long a decision of the policy file or of Rego files takes.
    fn explain(&self, config: Option<&Path>) -> Result<(), Failure> {
        let wrong = |error: rego_build::BuildError| failed(&build_errors(&error));
        let (program, queries, options) = match self.paths.as_slice() {
            [] => {
                let package = guard_policy::translate(&policy::load(config)?);
                let modules = package.modules().iter();
                let sources: Vec<Source> = modules.map(|one| Source::new(one.name(), one.text())).collect();
                let options = rego_build::Options::default();
                let program = rego_build::check(&sources, &options).map_err(wrong)?;
                (program, vec![Query::entrypoint(DECISION_ENTRYPOINT)], options)
            }
            _ => self.program()?,
        };
        let cost = rego_build::cost(&program, &queries, &options).map_err(wrong)?;
        Ok(std::io::stdout().lock().write_all(explained(&cost).as_bytes())?)
    }

    /// Builds Rego files.
    fn rego(&self) -> Result<Built, Failure> {
        let (program, queries, options) = self.program()?;
        let module = rego_build::assemble(&program, &queries, &options);
        let module = module.map_err(|error| failed(&build_errors(&error)))?;
        Ok(Built { wasm: module.bytes, sources: [0; 32] })
    }

    /// Reads and checks Rego files; their entrypoints as queries.
    fn program(&self) -> Result<(CheckedProgram, Vec<Query>, rego_build::Options), Failure> {
        if self.entrypoint.is_empty() {
            return Err(Failure::usage("wasm compilation requires at least one entrypoint"));
        }
        let capabilities = self.language.capabilities()?;
        let version = self.language.version();
        let options = self.language.options(version, &capabilities, self.max_errors);
        let mut options = options.map_err(|error| failed(&[error]))?;
        options.check.print = rego_build::PrintCalls::Erase;
        if self.native {
            options.wasm.target = rego_build::Target::Engine;
        }
        let rules = Rules {
            parser: options.parser.clone(),
            ignore: Ignore::new(self.language.ignore.clone()),
            only_rego: false,
            refuse_v1: capabilities.without_v1,
            own_features: false,
        };
        let Loaded { modules, sources, documents } = self.load(&rules)?;
        if documents.into_value() != Value::object([]) {
            eprintln!("hexarch-ctl: data documents are not part of a module; whoever runs it hands them in");
        }
        let program = rego_build::check_modules(modules, sources, &options);
        let program = program.map_err(|error| failed(&build_errors(&error)))?;
        let queries = self.entrypoint.iter().map(|path| Query::entrypoint(path)).collect();
        Ok((program, queries, options))
    }

    fn load(&self, rules: &Rules) -> Result<Loaded, Failure> {
        if !self.bundle {
            return load::paths(&self.paths, rules).map_err(|errors| failed(&errors));
        }
        let mut loaded = Loaded::default();
        for path in &self.paths {
            load::bundle(path, rules, &mut loaded).map_err(|failure| Failure::Opa(1, failure.text))?;
        }
        Ok(loaded)
    }

    /// Compiles a module to machine code, and says what that needs.
    fn native(&self, built: &Built, secret: &[u8; 32]) -> Result<(), Failure> {
        let cpu = match self.cpu {
            Processor::Host => Cpu::Host,
            Processor::Baseline => Cpu::Baseline,
        };
        let options = NativeOptions { cpu, sources: built.sources };
        let native = Precompiled::compile(&built.wasm, &options).map_err(Failure::of)?;
        let needs = needs(native.requirements());
        self.write("policy.native", &native.sign(secret))?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{needs}public key  {}", PublicKey::of_secret(secret))?;
        Ok(())
    }

    fn write(&self, default: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.output.as_deref().unwrap_or(Path::new(default));
        std::fs::write(path, bytes).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
    }
}

fn needs(Requirements { wasmtime, target, cpu_features }: &Requirements) -> String {
    let features = if cpu_features.is_empty() { "none".to_owned() } else { cpu_features.join(" ") };
    let mut text = String::new();
    for (name, value) in [("wasmtime", wasmtime), ("target", target), ("features", &features)] {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{name:<11} {value}");
    }
    text
}

/// A cost, as a person reads it.
fn explained(cost: &Cost) -> String {
    let mut text = String::from("input that is read\n");
    for path in &cost.reads {
        let note = if path.ends_with(".**") { "everything below" } else { "" };
        line(&mut text, path, note);
    }
    text.push_str("rules, and how many of their bodies begin by comparing the input with a constant\n");
    for RuleCost { name, bodies, guarded } in &cost.rules {
        line(&mut text, name, &format!("{guarded} of {bodies}"));
    }
    text.push_str("built-in functions\n");
    let place = |name: &str| match rego_builtins::by_name(name).map(|row| row.implementation) {
        Some(Implementation::Compiled | Implementation::Module(_)) => "in the module",
        Some(Implementation::Either(..)) => "in the host, if it is ours",
        _ => "in the host",
    };
    for at in ["in the module", "in the host, if it is ours", "in the host"] {
        let here = cost.functions.iter().filter(|name| place(name) == at);
        let names: Vec<&str> = here.map(String::as_str).collect();
        line(&mut text, at, &names.join(", "));
    }
    text
}

/// Two columns.
fn line(text: &mut String, left: &str, right: &str) {
    let line = format!("  {left:<27} {right}");
    text.push_str(line.trim_end());
    text.push('\n');
}

fn failed(errors: &[rego_test::output::Error]) -> Failure {
    Failure::Opa(1, list_text(errors, ""))
}

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// The seed in a PEM file.
fn secret(path: &Path) -> Result<[u8; 32], Failure> {
    let wrong = |what: &str| Failure::Failed(format!("{}: {what}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(&error.to_string()))?;
    let pem = pem::parse(text).map_err(|error| wrong(&error.to_string()))?;
    let seed = pem.contents().strip_prefix(&PKCS8).and_then(|seed| seed.try_into().ok());
    let seed = seed.filter(|_| pem.tag() == "PRIVATE KEY");
    seed.ok_or_else(|| wrong("not an unencrypted Ed25519 private key (`openssl genpkey -algorithm ed25519`)"))
}
