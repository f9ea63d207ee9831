//! Our answers: many programs to one module, for our engine with the passes over plans and for any host without, each
//! input read as text and given as a value. These must agree among themselves before they are compared with OPA's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rego_build::{BuildError, CompiledModule, Options, Outline, Passes, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, EvalError, Input, Instance, Module};
use rego_syntax::ast::RegoVersion;
use rego_value::json;

use crate::answer::Answer;
use crate::program::Program;

/// Our compiler and engine.
pub(crate) struct Ours {
    engine: Engine,
}

/// The name of a program's package by its place in a batch.
pub(crate) fn package(index: usize) -> String {
    format!("p{index}")
}

impl Ours {
    pub(crate) fn new() -> Result<Self, String> {
        // A module is asked a few questions only, so compiling it is nearly all of the work.
        let config = Config { memory_limit: 256 << 20, optimise: false, ..Config::default() };
        Ok(Self { engine: Engine::new(config).map_err(|error| error.to_string())? })
    }

    /// The answers to each program's questions, in their order. A program that is refused has one answer for all.
    pub(crate) fn answers(&self, programs: &[Program]) -> Vec<Vec<Answer>> {
        let mut answers: Vec<Vec<Answer>> = vec![Vec::new(); programs.len()];
        let all: Vec<usize> = (0..programs.len()).collect();
        // v0 and v1 are read with different options, so that each is a module of its own.
        for v0 in [false, true] {
            let these: Vec<usize> = all
                .iter()
                .copied()
                .filter(|index| programs.get(*index).is_some_and(|p| p.v0 == v0))
                .collect();
            self.group(programs, &these, v0, &mut answers);
        }
        answers
    }

    fn group(&self, programs: &[Program], indexes: &[usize], v0: bool, answers: &mut [Vec<Answer>]) {
        let options = Options::for_version(if v0 { RegoVersion::V0 } else { RegoVersion::V1 });
        let mut accepted = Vec::new();
        for &index in indexes {
            let Some(program) = programs.get(index) else { continue };
            match guarded(|| check(program, &package(index), &options)) {
                None => accepted.push(index),
                Some(refused) => put(answers, index, vec![refused; program.questions().count()]),
            }
        }
        if accepted.is_empty() {
            return;
        }
        match self.evaluate(programs, &accepted, &options) {
            Ok(all) => all.into_iter().for_each(|(index, list)| put(answers, index, list)),
            // One program spoils the module of all: find it by halves.
            Err(message) => match accepted.as_slice() {
                [one] => {
                    let count = programs.get(*one).map_or(0, |program| program.questions().count());
                    put(answers, *one, vec![message; count]);
                }
                many => {
                    let (left, right) = many.split_at(many.len() / 2);
                    self.group(programs, left, v0, answers);
                    self.group(programs, right, v0, answers);
                }
            },
        }
    }

    /// One module for all, and the answers by program.
    fn evaluate(
        &self,
        programs: &[Program],
        indexes: &[usize],
        options: &Options,
    ) -> Result<Vec<(usize, Vec<Answer>)>, Answer> {
        let chosen: Vec<(usize, &Program)> =
            indexes.iter().filter_map(|index| Some((*index, programs.get(*index)?))).collect();
        let sources: Vec<Source> = chosen
            .iter()
            .map(|(index, program)| {
                Source::new(format!("{}.rego", package(*index)), program.source(&package(*index)))
            })
            .collect();
        let entrypoints: Vec<String> = chosen
            .iter()
            .flat_map(|(index, program)| program.entries.iter().map(|entry| entrypoint(*index, entry)))
            .collect();
        let names: Vec<&str> = entrypoints.iter().map(String::as_str).collect();
        let members: Vec<String> = chosen
            .iter()
            .map(|(index, program)| format!("\"{}\": {}", package(*index), program.data))
            .collect();
        let data = format!("{{{}}}", members.join(", "));
        let instance = |passes, target| {
            let wasm = PlanOptions { target, ..options.wasm.clone() };
            let options = Options { passes, wasm, ..options.clone() };
            let built = catch_unwind(AssertUnwindSafe(|| rego_build::build(&sources, &names, &options)));
            let built = built.map_err(|_| Answer::Broken("the compiler panicked".to_owned()))?;
            self.instance(&built.map_err(|error| refused(&error))?, &data)
        };
        // Programs are small: outlined from as well, though it would not pay.
        let all = Passes { outline: Outline::Always, ..Passes::ALL };
        let mut optimised = instance(all, Target::Engine)?;
        let mut others =
            vec![("no passes over plans, for any host", instance(Passes::NONE, Target::Portable)?)];
        for (name, passes) in Passes::EACH {
            others.push((name, instance(passes, Target::Engine)?));
        }
        let mut answers = Vec::new();
        for (index, program) in chosen {
            let ask_all = |(entry, input): (&str, &str)| {
                let entrypoint = entrypoint(index, entry);
                let answer = ask(&mut optimised, &entrypoint, input, program.strict);
                others.iter_mut().fold(answer, |answer, (name, other)| {
                    let otherwise = ask(other, &entrypoint, input, program.strict);
                    same(answer, "all passes over plans, for our engine", otherwise, name)
                })
            };
            answers.push((index, program.questions().map(ask_all).collect()));
        }
        Ok(answers)
    }

    fn instance(&self, compiled: &CompiledModule, data: &str) -> Result<Instance, Answer> {
        let broken = |error: String| Answer::Broken(error);
        let module =
            Module::new(&self.engine, &compiled.bytes).map_err(|error| broken(format!("module: {error}")))?;
        let mut instance = Instance::new(&module).map_err(|error| broken(format!("instance: {error}")))?;
        instance.set_data_json(data.as_bytes()).map_err(|error| broken(format!("data: {error}")))?;
        Ok(instance)
    }

    /// The answer to one question of a program by the plan that OPA made of it, compiled by us.
    pub(crate) fn answer_of_plan(&self, plan: &str, program: &Program, input: &str, package: &str) -> Answer {
        let compiled = rego_ir::from_json(plan).map_err(|error| error.to_string()).and_then(|policy| {
            rego_build::assemble_plan(policy, &Options::default()).map_err(|error| error.to_string())
        });
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(error) => return Answer::Broken(error),
        };
        let data = format!("{{\"{package}\": {}}}", program.data);
        match self.instance(&compiled, &data) {
            Ok(mut instance) => {
                let name = compiled.manifest.entrypoints.first().cloned().unwrap_or_default();
                ask(&mut instance, &name, input, program.strict)
            }
            Err(answer) => answer,
        }
    }
}

fn put(answers: &mut [Vec<Answer>], index: usize, list: Vec<Answer>) {
    if let Some(slot) = answers.get_mut(index) {
        *slot = list;
    }
}

fn entrypoint(index: usize, entry: &str) -> String {
    if entry.is_empty() { package(index) } else { format!("{}/{entry}", package(index)) }
}

fn guarded(check: impl FnOnce() -> Option<Answer>) -> Option<Answer> {
    catch_unwind(AssertUnwindSafe(check))
        .unwrap_or_else(|_| Some(Answer::Broken("the checker panicked".to_owned())))
}

/// Why the program is refused, if it is.
fn check(program: &Program, package: &str, options: &Options) -> Option<Answer> {
    let source = Source::new(format!("{package}.rego"), program.source(package));
    rego_build::check(&[source], options).err().map(|error| refused(&error))
}

fn refused(error: &BuildError) -> Answer {
    let first = match error {
        BuildError::Diagnostics(diagnostics) => diagnostics.list().first(),
        _ => None,
    };
    match first {
        Some(first) => {
            Answer::Refused { code: first.code.as_str().to_owned(), message: first.message.to_string() }
        }
        None => Answer::Broken(error.to_string()),
    }
}

/// The answer to one question: the input is read as text, and given as a value.
fn ask(instance: &mut Instance, entrypoint: &str, input: &str, strict: bool) -> Answer {
    if input.is_empty() {
        return evaluate(instance, entrypoint, Input::Undefined, strict);
    }
    let of_text = evaluate(instance, entrypoint, Input::Json(input.as_bytes()), strict);
    match json::parse(input.as_bytes()) {
        Ok(value) => {
            let of_value = evaluate(instance, entrypoint, Input::Value(&value), strict);
            same(of_text, "from text", of_value, "from a value")
        }
        Err(_) => of_text,
    }
}

/// Both, if they are one.
fn same(a: Answer, a_is: &str, b: Answer, b_is: &str) -> Answer {
    if a == b { a } else { Answer::Broken(format!("{a_is}: {a}; {b_is}: {b}")) }
}

fn evaluate(instance: &mut Instance, entrypoint: &str, input: Input<'_>, strict: bool) -> Answer {
    let context = EvalContext { deadline: Some(Duration::from_secs(10)), strict, ..EvalContext::default() };
    match instance.evaluate(entrypoint, input, &context) {
        Ok(results) => results.result().map_or(Answer::Undefined, Answer::of),
        Err(EvalError::Policy(error)) => Answer::Error { code: error.code, message: error.message },
        Err(error) => Answer::Broken(error.to_string()),
    }
}
