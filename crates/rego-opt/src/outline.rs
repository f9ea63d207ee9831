//! Outlining: what stands behind an equality in a large function becomes a function of its own.
//!
//! The definitions of a rule are blocks of one function. With many of them the function is so large that the compiler of
//! machine code works on it alone while other processors wait, and most of its blocks are left at their first equality:
//! what comes after it is seldom run, and as well by a call.
//!
//! What is outlined is a stretch of a block: from behind the last of the equalities that the block begins with (by which
//! a code generator chooses among blocks) to where it ceases to be closed. It is closed if
//! - it reads nothing but parameters and what certainly is defined, and these become its parameters;
//! - at most one local that it writes is read elsewhere, and is certainly defined at its end: its result;
//! - leaving it is leaving its block: no return, no break out of it, no call that leaves more blocks.
//!
//! What belongs to the function stays there: statements whose errors name it, or that build its result in parts. So does
//! what is in a loop, whose rounds may leave values to each other.

use std::collections::{HashMap, HashSet};

use rego_ir::scopes::split;
use rego_ir::{Block, Func, Local, Operand, Policy, Stmt, StmtKind, next_local};

use crate::rename::Renaming;
use crate::stmts::{belongs_to_its_function, count_stmts};

/// From which sizes on, in statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Smaller functions are left as they are.
    pub(crate) function: usize,
    /// Shorter stretches are left where they are.
    pub(crate) stretch: usize,
}

/// Longer stretches are cut, which bounds the time that looking for their ends takes.
const LONGEST: usize = 500;
/// Engines pass few arguments in registers, and some allow no more than a thousand.
const MOST_PARAMS: usize = 8;

/// Outlines, with the new functions behind all others.
pub(crate) fn outline(mut policy: Policy, sizes: Sizes) -> Policy {
    let mut taken: HashSet<String> = policy.funcs.iter().map(|func| func.name.clone()).collect();
    taken.extend(policy.static_.builtin_funcs.iter().map(|func| func.name.clone()));
    let mut made = Vec::new();
    for plan in &mut policy.plans {
        let params = [Local::INPUT, Local::DATA];
        let mut outliner = Outliner::new(&plan.name, params, &params, &mut taken, sizes);
        plan.blocks = outliner.body(std::mem::take(&mut plan.blocks), &params);
        made.append(&mut outliner.made);
    }
    for func in &mut policy.funcs {
        let [input, data, ..] = *func.params.as_slice() else { continue };
        let mut outliner = Outliner::new(&func.name, [input, data], &func.params, &mut taken, sizes);
        let kept: Vec<Local> = func.params.iter().copied().chain([func.return_]).collect();
        func.blocks = outliner.body(std::mem::take(&mut func.blocks), &kept);
        made.append(&mut outliner.made);
    }
    policy.funcs.append(&mut made);
    policy
}

/// How often a local is read and written.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Uses {
    reads: usize,
    writes: usize,
}

/// Outlines from one plan or function.
struct Outliner<'a> {
    owner: &'a str,
    documents: [Local; 2],
    taken: &'a mut HashSet<String>,
    sizes: Sizes,
    /// The uses of each local in the whole function.
    uses: HashMap<Local, Uses>,
    /// The locals that may be passed on: parameters, and what certainly is defined here.
    defined: HashSet<Local>,
    /// The first local that the function does not use.
    next: u32,
    made: Vec<Func>,
}

/// A stretch that can be outlined.
struct Stretch {
    /// The position behind it.
    end: usize,
    params: Vec<Local>,
    result: Option<Local>,
}

impl<'a> Outliner<'a> {
    fn new(
        owner: &'a str,
        documents: [Local; 2],
        params: &[Local],
        taken: &'a mut HashSet<String>,
        sizes: Sizes,
    ) -> Self {
        let defined = params.iter().copied().collect();
        Self { owner, documents, taken, sizes, uses: HashMap::new(), defined, next: 0, made: Vec::new() }
    }

    /// The blocks of a function. `kept` are its parameters and its result.
    fn body(&mut self, blocks: Vec<Block>, kept: &[Local]) -> Vec<Block> {
        if count_stmts(&blocks) < self.sizes.function {
            return blocks;
        }
        // Blocks share the names of locals: how often one is used is asked of blocks that do not.
        let told_apart = split(&blocks, kept);
        self.next = next_local(kept, &blocks);
        count_uses(&told_apart, &mut self.uses);
        self.blocks(&told_apart, &blocks)
    }

    /// `blocks` with less in them; `told_apart` are the same with a name for each use of a local.
    fn blocks(&mut self, told_apart: &[Block], blocks: &[Block]) -> Vec<Block> {
        told_apart.iter().zip(blocks).map(|(told_apart, block)| self.block(told_apart, block)).collect()
    }

    fn block(&mut self, told_apart: &Block, block: &Block) -> Block {
        let mut defined_here: Vec<Local> = Vec::new();
        let start = behind_equalities(&told_apart.stmts);
        let mut stmts = Vec::with_capacity(block.stmts.len());
        let mut pairs = told_apart.stmts.iter().zip(&block.stmts).enumerate();
        while let Some((at, (apart, stmt))) = pairs.next() {
            if start == Some(at)
                && let Some(stretch) = self.stretch(&told_apart.stmts, at)
            {
                let range = at..stretch.end;
                let inner = told_apart.stmts.get(range.clone()).unwrap_or_default();
                let shared = block.stmts.get(range).unwrap_or_default();
                stmts.push(self.call(&stretch, inner, shared));
                pairs.by_ref().take(stretch.end - at - 1).for_each(drop);
                defined_here.extend(stretch.result);
                self.defined.extend(stretch.result);
                continue;
            }
            let kind = match (&apart.kind, &stmt.kind) {
                (StmtKind::Block { blocks: apart }, StmtKind::Block { blocks }) => {
                    StmtKind::Block { blocks: self.blocks(apart, blocks) }
                }
                (_, kind) => kind.clone(),
            };
            stmts.push(Stmt { kind, location: stmt.location });
            let written_once = |local: &Local| self.uses.get(local).is_some_and(|uses| uses.writes == 1);
            if let Some(local) = defines(&apart.kind).filter(written_once) {
                defined_here.push(local);
                self.defined.insert(local);
            }
        }
        defined_here.iter().for_each(|local| {
            self.defined.remove(local);
        });
        Block { stmts }
    }

    /// The longest stretch from `start` on, if it is worth a call.
    fn stretch(&self, stmts: &[Stmt], start: usize) -> Option<Stretch> {
        let mut uses: HashMap<Local, Uses> = HashMap::new();
        let mut defined: HashSet<Local> = HashSet::new();
        let mut longest = None;
        let mut size = 0;
        for (at, stmt) in stmts.iter().enumerate().skip(start) {
            size += 1 + count_stmts(stmt.kind.blocks());
            count_in(stmt, &mut uses);
            if size > LONGEST || !is_inside(stmt, 0, &uses) {
                break;
            }
            forget_writes(stmt, &mut defined);
            defined.extend(defines(&stmt.kind));
            if size >= self.sizes.stretch
                && let Some((params, result)) = self.closed(&uses, &defined)
            {
                longest = Some(Stretch { end: at + 1, params, result });
            }
        }
        longest
    }

    /// The parameters and the result of what uses locals so, if it can be a function.
    fn closed(
        &self,
        uses: &HashMap<Local, Uses>,
        defined: &HashSet<Local>,
    ) -> Option<(Vec<Local>, Option<Local>)> {
        let mut params = Vec::new();
        let mut result = None;
        for (local, own) in uses {
            let all = self.uses.get(local).copied().unwrap_or_default();
            if own.writes == 0 {
                if !self.defined.contains(local) {
                    return None;
                }
                if !self.documents.contains(local) {
                    params.push(*local);
                }
            } else if own.writes != all.writes || self.defined.contains(local) {
                return None;
            } else if own.reads != all.reads {
                if result.is_some() || !defined.contains(local) {
                    return None;
                }
                result = Some(*local);
            }
        }
        params.sort_unstable();
        (params.len() + 2 <= MOST_PARAMS).then_some((params, result))
    }

    /// Makes a function of a stretch, and gives the call of it, which uses the names that `shared` has.
    fn call(&mut self, stretch: &Stretch, stmts: &[Stmt], shared: &[Stmt]) -> Stmt {
        let location = stmts.first().map(|stmt| stmt.location).unwrap_or_default();
        let mut names: HashMap<Local, Local> = HashMap::new();
        stmts.iter().zip(shared).for_each(|(apart, stmt)| pair_names(apart, stmt, &mut names));
        let own: Vec<Local> = self.documents.iter().chain(&stretch.params).copied().collect();
        let params: Vec<Local> = own.iter().zip(0..).map(|(_, number)| Local(number)).collect();
        let mut renaming = Renaming::new(u32::try_from(params.len()).unwrap_or(u32::MAX));
        own.iter().zip(&params).for_each(|(local, param)| renaming.map(*local, *param));
        let mut block = renaming.block(&Block { stmts: stmts.to_vec() }, 0, &|_, _| Vec::new());
        let return_ = match stretch.result {
            Some(result) => renaming.local(result),
            None => {
                let truth = renaming.fresh();
                let kind = StmtKind::AssignVar { source: Operand::Bool(true), target: truth };
                block.stmts.push(Stmt { kind, location });
                truth
            }
        };
        block.stmts.push(Stmt { kind: StmtKind::ReturnLocal { source: return_ }, location });
        let name = self.name();
        self.made.push(Func { name: name.clone(), path: Vec::new(), params, return_, blocks: vec![block] });
        let caller = |local: &Local| names.get(local).copied().unwrap_or(*local);
        let args = own.iter().map(|local| Operand::Local(caller(local))).collect();
        let result = stretch.result.as_ref().map_or_else(|| self.fresh(), caller);
        Stmt { kind: StmtKind::Call { func: name, args, result }, location }
    }

    fn fresh(&mut self) -> Local {
        let local = Local(self.next);
        self.next = self.next.saturating_add(1);
        local
    }

    /// A name that no function has. Names of Rego have no `#`, but strings that name documents may.
    fn name(&mut self) -> String {
        let mut number = self.made.len() + 1;
        loop {
            let name = format!("{}#{number}", self.owner);
            if self.taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }
}

/// The position behind the last of the equalities that a block begins with, before which nothing can happen but that the
/// block is left.
fn behind_equalities(stmts: &[Stmt]) -> Option<usize> {
    let begins = |stmt: &&Stmt| {
        matches!(
            stmt.kind,
            StmtKind::Dot { .. }
                | StmtKind::MakeNumberInt { .. }
                | StmtKind::MakeNumberRef { .. }
                | StmtKind::Equal { .. }
                | StmtKind::NotEqual { .. }
        )
    };
    let length = stmts.iter().take_while(begins).count();
    let beginning = stmts.get(..length)?;
    beginning.iter().rposition(|stmt| matches!(stmt.kind, StmtKind::Equal { .. })).map(|last| last + 1)
}

/// The local that certainly is defined behind a statement, because of it.
const fn defines(kind: &StmtKind) -> Option<Local> {
    match kind {
        StmtKind::Call { result, .. } => Some(*result),
        StmtKind::Dot { target, .. }
        | StmtKind::Len { target, .. }
        | StmtKind::MakeNull { target }
        | StmtKind::MakeNumberInt { target, .. }
        | StmtKind::MakeNumberRef { target, .. }
        | StmtKind::MakeArray { target, .. }
        | StmtKind::MakeObject { target }
        | StmtKind::MakeSet { target }
        | StmtKind::AssignInt { target, .. }
        | StmtKind::AssignVar { source: Operand::String(_) | Operand::Bool(_), target }
        | StmtKind::IsDefined { source: target } => Some(*target),
        _ => None,
    }
}

/// Whether a statement can stand in another function, `depth` blocks below the outlined ones, where locals are used so
/// far as in `uses`.
fn is_inside(stmt: &Stmt, depth: u32, uses: &HashMap<Local, Uses>) -> bool {
    let is_kind = match &stmt.kind {
        StmtKind::Break { index } => *index < depth,
        StmtKind::ReturnLocal { .. } => false,
        kind if belongs_to_its_function(kind) => false,
        // What is made elsewhere is not changed here.
        kind => kind.changed().is_none_or(|made| uses.get(&made).is_some_and(|uses| uses.writes > 0)),
    };
    let mut inner = stmt.kind.blocks().iter().flat_map(|block| &block.stmts);
    is_kind && inner.all(|stmt| is_inside(stmt, depth + 1, uses))
}

fn count_uses(blocks: &[Block], uses: &mut HashMap<Local, Uses>) {
    blocks.iter().flat_map(|block| &block.stmts).for_each(|stmt| count_in(stmt, uses));
}

fn count_in(stmt: &Stmt, uses: &mut HashMap<Local, Uses>) {
    stmt.kind.for_each_read(|local| uses.entry(local).or_default().reads += 1);
    stmt.kind.for_each_write(|local| uses.entry(local).or_default().writes += 1);
    count_uses(stmt.kind.blocks(), uses);
}

fn forget_writes(stmt: &Stmt, defined: &mut HashSet<Local>) {
    stmt.kind.for_each_write(|local| {
        defined.remove(&local);
    });
    stmt.kind.blocks().iter().flat_map(|block| &block.stmts).for_each(|stmt| forget_writes(stmt, defined));
}

/// Notes the names that locals have in one of two statements that differ in nothing else.
fn pair_names(apart: &Stmt, shared: &Stmt, names: &mut HashMap<Local, Local>) {
    let locals = |stmt: &Stmt| {
        let mut locals = Vec::new();
        stmt.kind.for_each_read(|local| locals.push(local));
        stmt.kind.for_each_write(|local| locals.push(local));
        locals
    };
    names.extend(locals(apart).into_iter().zip(locals(shared)));
    let blocks = apart.kind.blocks().iter().zip(shared.kind.blocks());
    let inner = blocks.flat_map(|(apart, shared)| apart.stmts.iter().zip(&shared.stmts));
    inner.for_each(|(apart, shared)| pair_names(apart, shared, names));
}
