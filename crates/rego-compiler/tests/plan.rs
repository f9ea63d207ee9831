//! The plans of small programs, compared with the text beside them (`tests/plans/*.txt`), and verified.
//!
//! A file holds one module or several (`--- module`), entrypoints (`--- entrypoint a/b`) or queries (`--- query x = 1`),
//! and the plan or the diagnostic that comes of it (`--- plan`). `UPDATE_PLANS=1` writes the last part anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use rego_compiler::plan::{Query, plan};
use rego_compiler::{CheckedProgram, Options, check};
use rego_ir::Policy;
use rego_syntax::{Diagnostic, ParserOptions, SourceMap, parse_module, parse_query, render_all};

struct Case {
    modules: Vec<String>,
    entrypoints: Vec<String>,
    queries: Vec<String>,
    /// Everything before the plan.
    given: String,
    expected: String,
}

fn read(text: &str) -> Case {
    let (given, expected) = text.split_once("--- plan\n").unwrap_or((text, ""));
    let mut case = Case {
        modules: Vec::new(),
        entrypoints: Vec::new(),
        queries: Vec::new(),
        given: given.to_owned(),
        expected: expected.to_owned(),
    };
    for part in given.split("--- ").filter(|part| !part.trim().is_empty()) {
        let (head, body) = part.split_once('\n').unwrap_or((part, ""));
        match head.split_once(' ').unwrap_or((head, "")) {
            ("module", _) => case.modules.push(body.to_owned()),
            ("entrypoint", path) => case.entrypoints.push(path.to_owned()),
            ("query", query) => case.queries.push(query.to_owned()),
            (other, _) => panic!("unknown part `{other}`"),
        }
    }
    case
}

fn checked(case: &Case, sources: &mut SourceMap) -> Result<CheckedProgram, Vec<Diagnostic>> {
    let mut modules = Vec::new();
    for (index, text) in case.modules.iter().enumerate() {
        let file = sources.add(format!("{index}.rego"), text.as_str());
        modules.push(parse_module(&file, &ParserOptions::default()).into_result()?);
    }
    check(modules, sources, &Options::default())
}

fn planned(case: &Case, sources: &mut SourceMap) -> Result<Policy, Vec<Diagnostic>> {
    let program = checked(case, sources)?;
    let mut queries: Vec<Query> = case.entrypoints.iter().map(|path| Query::entrypoint(path)).collect();
    for (number, text) in (1..).zip(&case.queries) {
        let file = sources.add("query", text.as_str());
        let body = parse_query(&file, &ParserOptions::default()).into_result()?;
        queries.push(Query::new(format!("query {number}"), &program.compile_query(body)?));
    }
    plan(&program, &queries).map_err(|error| vec![error.into()])
}

/// The plan as text without positions, which the printer puts behind each statement.
fn outcome(case: &Case) -> String {
    let mut sources = SourceMap::new();
    match planned(case, &mut sources) {
        Ok(policy) => {
            let mut policy = rego_ir::verify(policy).expect("the plan is well formed").into_policy();
            forget_locations(&mut policy);
            rego_ir::print_text(&policy)
        }
        Err(found) => render_all(&found, &sources),
    }
}

fn forget_locations(policy: &mut Policy) {
    let blocks = policy.plans.iter_mut().flat_map(|p| &mut p.blocks);
    let blocks = blocks.chain(policy.funcs.iter_mut().flat_map(|f| &mut f.blocks));
    blocks.for_each(forget_locations_in);
    policy.static_.files.clear();
}

fn forget_locations_in(block: &mut rego_ir::Block) {
    use rego_ir::StmtKind::{Block, Not, Scan, With};
    for stmt in &mut block.stmts {
        stmt.location = rego_ir::Location::default();
        match &mut stmt.kind {
            Block { blocks } => blocks.iter_mut().for_each(forget_locations_in),
            Not { block } | Scan { block, .. } | With { block, .. } => forget_locations_in(block),
            _ => {}
        }
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn plans_are_as_written_beside_the_programs() {
    let update = env::var_os("UPDATE_PLANS").is_some();
    let mut wrong = Vec::new();
    for path in files() {
        let case = read(&fs::read_to_string(&path).unwrap());
        let found = outcome(&case);
        if update {
            fs::write(&path, format!("{}--- plan\n{found}", case.given)).unwrap();
        } else if found != case.expected {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "plans differ:\n{}", wrong.join("\n"));
}

#[test]
fn planning_is_deterministic() {
    for path in files() {
        let case = read(&fs::read_to_string(&path).unwrap());
        assert_eq!(outcome(&case), outcome(&case), "{}", path.display());
    }
}

#[test]
fn a_long_chain_of_rules_needs_no_stack() {
    let length = 3000;
    let mut text = String::from("package t\n\np0 := input.x\n");
    for number in 1..length {
        text.push_str(&format!("p{number} := p{}\n", number - 1));
    }
    let case = Case {
        modules: vec![text],
        entrypoints: vec![format!("t/p{}", length - 1)],
        queries: Vec::new(),
        given: String::new(),
        expected: String::new(),
    };
    let policy = planned(&case, &mut SourceMap::new()).expect("a chain of rules can be planned");
    assert_eq!(policy.funcs.len(), length);
}

#[test]
fn rules_of_a_document_run_in_the_order_of_the_source_whatever_else_there_is() {
    let rules = "package p\n\nr[k] := 1 if k := input.a\n\nr[k] := 2 if k := input.b\n";
    // Variables are numbered through the whole program.
    for count in 0..12 {
        let before: String = (0..count).map(|n| format!("s{n}[k] := 1 if k := input.v\n")).collect();
        let modules = vec![format!("package a\n\n{before}"), rules.to_owned()];
        let case = Case {
            modules,
            entrypoints: vec!["p/r".to_owned()],
            queries: Vec::new(),
            given: String::new(),
            expected: String::new(),
        };
        let plan = outcome(&case);
        let (first, second) = (plan.find("\"a\"").unwrap(), plan.rfind("\"b\"").unwrap());
        let (of_first, of_second) = (plan.rfind("; \"a\""), plan.rfind("; \"b\""));
        assert!(first < second && of_first < of_second, "{count} rules before\n{plan}");
    }
}
