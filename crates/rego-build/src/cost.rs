//! What makes a policy slow, as far as its plan tells.

use std::collections::BTreeSet;

use rego_compiler::CheckedProgram;
use rego_ir::reads::{Reads, input_reads};
use rego_ir::{Block, Func, Local, Operand, StmtKind};

use crate::{BuildError, Diagnostics, Options, Query, plan};

/// What decides how long a policy takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The paths of the input that are read, such as `input.user.roles[_]`; with `.**` where everything below is read.
    pub reads: Vec<String>,
    /// The documents and functions that the entrypoints reach, in the order in which they were planned.
    pub rules: Vec<RuleCost>,
    /// The built-in functions that are called, sorted.
    pub functions: Vec<String>,
}

/// The rules of one document or function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCost {
    /// Such as `data.authz.allow`.
    pub name: String,
    /// How many bodies there are, each of which may have to be tried.
    pub bodies: usize,
    /// How many of them begin by comparing a part of the input with a constant, so that trying one that does not apply
    /// takes a comparison and no more.
    pub guarded: usize,
}

/// Looks at what the queries reach.
///
/// # Errors
/// What cannot be planned, or is malformed.
pub fn cost(program: &CheckedProgram, queries: &[Query], options: &Options) -> Result<Cost, BuildError> {
    let sources = program.sources();
    let policy = plan::plan_in(program, sources, queries, options.marks)
        .map_err(|error| BuildError::Diagnostics(Diagnostics::new(vec![error.into()], sources.clone())))?;
    let mut reads = Vec::new();
    paths(&input_reads(&policy), &mut "input".to_owned(), &mut reads);
    let functions: BTreeSet<String> =
        policy.static_.builtin_funcs.iter().map(|function| function.name.clone()).collect();
    let rules = policy.funcs.iter().map(rule).filter(|rule| rule.bodies > 0).collect();
    Ok(Cost { reads, rules, functions: functions.into_iter().collect() })
}

/// The paths at which a tree of reads ends.
fn paths(reads: &Reads, path: &mut String, found: &mut Vec<String>) {
    if reads.whole {
        found.push(format!("{path}.**"));
        return;
    }
    // The input itself is always there; anything else without parts is read for what it is.
    if reads.members.is_empty() && reads.each.is_none() && path != "input" {
        found.push(path.clone());
    }
    let length = path.len();
    for (key, part) in &reads.members {
        if is_word(key) {
            path.push('.');
            path.push_str(key);
        } else {
            path.push_str(&format!("[{key:?}]"));
        }
        paths(part, path, found);
        path.truncate(length);
    }
    if let Some(each) = &reads.each {
        path.push_str("[_]");
        paths(each, path, found);
        path.truncate(length);
    }
}

fn is_word(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|other| other.is_ascii_alphanumeric() || other == '_')
}

fn rule(func: &Func) -> RuleCost {
    // Names begin with the number of the context that a `with` made: `g0.`.
    let name = func.name.split_once('.').map_or(func.name.as_str(), |(_, name)| name).to_owned();
    let bodies = func.blocks.iter().filter(|block| is_body(block));
    let input = func.params.first().copied().unwrap_or(Local::INPUT);
    let guarded = bodies.clone().filter(|block| is_guarded(block, input)).count();
    RuleCost { name, bodies: bodies.count(), guarded }
}

/// Whether a block does more than to begin, default or end a document.
fn is_body(block: &Block) -> bool {
    use StmtKind::{
        AssignVar, AssignVarOnce, IsDefined, IsUndefined, MakeObject, MakeSet, ResetLocal, ReturnLocal,
    };
    let is_default = matches!(block.stmts.first().map(|stmt| &stmt.kind), Some(IsUndefined { .. }));
    block.stmts.iter().any(|stmt| {
        let is_value = is_default && matches!(stmt.kind, AssignVar { .. });
        !is_value
            && !matches!(
                stmt.kind,
                AssignVarOnce { .. }
                    | IsDefined { .. }
                    | IsUndefined { .. }
                    | MakeObject { .. }
                    | MakeSet { .. }
                    | ResetLocal { .. }
                    | ReturnLocal { .. }
            )
    })
}

/// Whether the first thing that a block finds out is whether a part of the input equals a constant.
fn is_guarded(block: &Block, input: Local) -> bool {
    let mut parts = BTreeSet::from([input]);
    let mut constants = BTreeSet::new();
    for stmt in &block.stmts {
        match &stmt.kind {
            StmtKind::Dot { source: Operand::Local(source), key: Operand::String(_), target }
                if parts.contains(source) =>
            {
                parts.insert(*target);
            }
            StmtKind::MakeNull { target }
            | StmtKind::MakeNumberInt { target, .. }
            | StmtKind::MakeNumberRef { target, .. } => {
                constants.insert(*target);
            }
            StmtKind::AssignVar { source: Operand::Local(source), target } if parts.contains(source) => {
                parts.insert(*target);
            }
            StmtKind::ResetLocal { .. } | StmtKind::IsUndefined { .. } | StmtKind::IsDefined { .. } => {}
            StmtKind::Equal { a, b } => {
                let is_part =
                    |operand: &Operand| matches!(operand, Operand::Local(local) if parts.contains(local));
                let is_constant = |operand: &Operand| match operand {
                    Operand::Local(local) => constants.contains(local),
                    Operand::String(_) | Operand::Bool(_) => true,
                };
                return is_part(a) && is_constant(b) || is_part(b) && is_constant(a);
            }
            _ => return false,
        }
    }
    false
}
