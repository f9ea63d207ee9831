//! Judges the compiler against OPA's own test cases: `cargo xtask conformance`.
//!
//! The corpus is a folder (see `corpus`); each of its groups is run case by case through the real pipeline and judged
//! (`judge`) as the corpus' README says. Beside the project's own corpus stands the list of what does not pass yet
//! (`known_failures.txt`): a case in it must still fail, and a case not in it must pass, so that the passing count
//! can only rise. What all cases cost is recorded as well (`cost`). Any other folder of the same layout needs no list: its
//! results are reported.

mod arguments;
mod check;
mod cli;
mod corpus;
mod cost;
mod functions;
mod javascript;
mod judge;
mod known;
mod pipeline;
mod portability;
mod report;
mod workers;

use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs what the arguments ask for; `Ok(false)` when a case did other than it should.
fn run() -> Result<bool, String> {
    let arguments = arguments::parse(std::env::args().skip(1))?;
    if !arguments.dir.is_dir() {
        // The corpus is data beside the project, not part of it.
        println!("SKIPPED: no conformance corpus at {}: nothing was judged", arguments.dir.display());
        return Ok(true);
    }
    let cases = corpus::load(&arguments.dir, &arguments.filter)?;
    if let Some(folder) = &arguments.export {
        return std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(workers::STACK);
            let thread = thread.spawn_scoped(scope, || portable(&arguments, folder, &cases));
            let thread = thread.map_err(|error| format!("no thread: {error}"))?;
            thread.join().map_err(|_| "the thread died".to_owned())?
        });
    }
    let known =
        if arguments.is_own_corpus { known::load(&arguments.known)? } else { known::Known::default() };
    let mut verdicts = workers::judge_all(cases, arguments.jobs, arguments.form)?;
    verdicts.extend(check::judge_all(&arguments.dir, &arguments.filter)?);
    let report = report::Report::new(&verdicts, &known, arguments.filter.is_none());
    if arguments.update_known {
        known::write(&arguments.known, &verdicts)?;
        cost::Cost::of(&verdicts).write(&arguments.cost)?;
    }
    report.print(arguments.json, arguments.verbose);
    let is_as_cheap = print_cost(&arguments, &verdicts)?;
    Ok(!arguments.is_own_corpus || (report.is_as_expected() && is_as_cheap) || arguments.update_known)
}

/// Holds what the cases cost against what is recorded, where everything was judged as it was then.
fn print_cost(arguments: &arguments::Arguments, verdicts: &[workers::Verdict]) -> Result<bool, String> {
    let is_comparable =
        arguments.is_own_corpus && arguments.filter.is_none() && arguments.form == pipeline::Form::default();
    if !is_comparable {
        return Ok(true);
    }
    let surprises = cost::Cost::of(verdicts).surprises(&cost::Cost::load(&arguments.cost)?);
    surprises.iter().for_each(|surprise| println!("COST {surprise}"));
    Ok(surprises.is_empty())
}

/// So many of the v1 cases need nothing of their host: where fewer are compared, something was left out that was not
/// before.
const LEAST_PORTABLE: usize = 1_150;

/// Modules both ways; `Ok(false)` when one gives another answer elsewhere.
fn portable(
    arguments: &arguments::Arguments,
    folder: &std::path::Path,
    cases: &[corpus::Case],
) -> Result<bool, String> {
    let exported = portability::export(cases, folder, arguments.jobs)?;
    if arguments.is_own_corpus && arguments.filter.is_none() && exported < LEAST_PORTABLE {
        return Err(format!("{exported} portable cases, fewer than {LEAST_PORTABLE}"));
    }
    let mut all = true;
    if let Some(node_modules) = &arguments.node_modules {
        let differences = portability::in_node(folder, node_modules)?;
        differences.iter().for_each(|difference| println!("DIFFERS {difference}"));
        println!("portability: {} of {exported} are the same in node", exported - differences.len());
        all &= differences.is_empty();
    }
    if let Some(host) = &arguments.host {
        let differences = portability::in_host(folder, host)?;
        differences.iter().for_each(|difference| println!("DIFFERS {difference}"));
        println!(
            "portability: {} of {exported} are the same in {}",
            exported - differences.len(),
            host.file_name().unwrap_or_default().display()
        );
        all &= differences.is_empty();
    }
    if arguments.opa_modules > 0 {
        let opa = std::env::var_os("OPA_BIN").map_or_else(|| "opa".into(), std::path::PathBuf::from);
        let (passed, failures) = portability::of_opa(cases, &opa, arguments.opa_modules)?;
        failures.iter().for_each(|failure| println!("FAILED {failure}"));
        println!("portability: {passed} of {} modules of OPA pass in our engine", passed + failures.len());
        all &= failures.is_empty();
    }
    Ok(all)
}
