//! Inlining: the body of a function in place of a call.
//!
//! A rule is a function of the plan, and most rules are small and called once. As part of the caller they cost no call
//! and no memo, and what both read of input and data is looked up once.
//!
//! What is inlined:
//! - a function that only follows references (`pod := input.request.object`), everywhere: it becomes its references;
//! - one that is a small constant (`roles := {"admin", "owner"}`), everywhere: what is compared with it is compared with
//!   what is known;
//! - a rule that is called once, and not in a loop, where it would be evaluated once thanks to its memo;
//! - a function with parameters that is called once, or is small.
//!
//! What is not: a function whose errors name it, one that replaces documents, and one that builds its result in parts,
//! which belong to it. Bounds keep compile time linear: callers do not grow beyond [`MOST_STMTS`], blocks are not nested
//! deeper than [`DEEPEST`].

use std::collections::HashSet;

use rego_ir::{Block, Func, Local, Operand, Policy, Stmt, StmtKind, next_local};

use crate::call_graph::CallGraph;
use crate::rename::Renaming;
use crate::stmts::{belongs_to_its_function, count_stmts};

/// No function grows beyond so many statements.
const MOST_STMTS: usize = 2_000;
/// A function of so many statements is small: not much larger than a call of it.
const SMALL: usize = 16;
/// A rule has input and data as its parameters, and its result is kept.
const RULE_PARAMS: usize = 2;
/// Blocks are not nested deeper than this, well below [`Block::MAX_DEPTH`].
const DEEPEST: usize = 60;

/// What is known of a function that may be inlined.
struct Candidate {
    func: Func,
    stmts: usize,
    depth: usize,
    form: Form,
}

/// How a function may be inlined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It only follows references, or makes a constant: the statements of its first block but the last two, then an
    /// assignment.
    Straight,
    /// As blocks.
    Blocks,
    /// Not at all.
    Never,
}

/// Inlines functions, and leaves out those that nothing calls any more.
pub(crate) fn inline(mut policy: Policy) -> Policy {
    let graph = CallGraph::new(&policy);
    let mut candidates: Vec<Option<Candidate>> = Vec::new();
    candidates.resize_with(policy.funcs.len(), || None);
    for position in graph.order.iter().copied() {
        let Some(func) = policy.funcs.get_mut(position) else { continue };
        let is_rule_of_paths = graph.is_dynamic && !func.path.is_empty();
        let mut inliner = Inliner::new(&graph, &candidates, &func.params, &func.blocks);
        func.blocks = inliner.blocks(&func.blocks, 1);
        if let Some(candidate) = candidates.get_mut(position) {
            *candidate = Some(Candidate::new(func, is_rule_of_paths));
        }
    }
    for plan in &mut policy.plans {
        let mut inliner = Inliner::new(&graph, &candidates, &[Local::INPUT, Local::DATA], &plan.blocks);
        plan.blocks = inliner.blocks(&plan.blocks, 1);
    }
    leave_out_uncalled(&mut policy, &graph);
    policy
}

/// Functions that were called and are not any more.
fn leave_out_uncalled(policy: &mut Policy, before: &CallGraph) {
    if before.is_dynamic {
        return;
    }
    loop {
        let graph = CallGraph::new(policy);
        let count = policy.funcs.len();
        let mut calls = graph.calls.iter();
        policy.funcs.retain(|func| {
            let was_called = before
                .position(&func.name)
                .and_then(|at| before.calls.get(at))
                .is_some_and(|calls| *calls > 0);
            calls.next().is_none_or(|calls| *calls > 0) || !was_called
        });
        if policy.funcs.len() == count {
            return;
        }
    }
}

fn depth(blocks: &[Block]) -> usize {
    let mut deepest = 0;
    let mut pending: Vec<(&Block, usize)> = blocks.iter().map(|block| (block, 1)).collect();
    while let Some((block, depth)) = pending.pop() {
        deepest = deepest.max(depth);
        for stmt in &block.stmts {
            pending.extend(stmt.kind.blocks().iter().map(|inner| (inner, depth + 1)));
        }
    }
    deepest
}

impl Candidate {
    fn new(func: &Func, is_called_unseen: bool) -> Self {
        let form = if !may_be_inlined(func) {
            Form::Never
        } else if is_straight(func) {
            Form::Straight
        } else if is_called_unseen {
            Form::Never
        } else {
            Form::Blocks
        };
        let func = func.clone();
        Self { stmts: count_stmts(&func.blocks), depth: depth(&func.blocks), form, func }
    }
}

/// Whether a body means the same in its caller.
fn may_be_inlined(func: &Func) -> bool {
    let mut pending: Vec<&Block> = func.blocks.iter().collect();
    while let Some(block) = pending.pop() {
        for stmt in &block.stmts {
            let mut writes_parameter = false;
            stmt.kind.for_each_write(|local| writes_parameter |= func.params.contains(&local));
            if writes_parameter || belongs_to_its_function(&stmt.kind) {
                return false;
            }
            pending.extend(stmt.kind.blocks());
        }
    }
    true
}

/// Whether a function does nothing but follow references from its parameters, or make a constant: its first block ends
/// with the assignment of the result and its return, and its last block only returns.
fn is_straight(func: &Func) -> bool {
    let [first, last] = func.blocks.as_slice() else { return false };
    let [Stmt { kind: StmtKind::ReturnLocal { source }, .. }] = last.stmts.as_slice() else { return false };
    let Some((steps, [assign, end])) = first.stmts.split_last_chunk() else { return false };
    let StmtKind::AssignVar { target, .. } = assign.kind else { return false };
    let is_end = matches!(end.kind, StmtKind::ReturnLocal { source: returned } if returned == *source);
    let is_step = |stmt: &Stmt| matches!(stmt.kind, StmtKind::Dot { target: step, .. } if step != target);
    let is_path = steps.iter().all(is_step);
    is_end && target == *source && steps.len() <= SMALL && (is_path || make_constants(steps))
}

/// Whether statements make constants and nothing else.
fn make_constants(stmts: &[Stmt]) -> bool {
    let mut made = HashSet::new();
    stmts.iter().all(|stmt| {
        let makes = matches!(
            stmt.kind,
            StmtKind::MakeNull { .. }
                | StmtKind::MakeNumberInt { .. }
                | StmtKind::MakeNumberRef { .. }
                | StmtKind::MakeArray { .. }
                | StmtKind::MakeObject { .. }
                | StmtKind::MakeSet { .. }
                | StmtKind::ArrayAppend { .. }
                | StmtKind::SetAdd { .. }
                | StmtKind::ObjectInsert { .. }
        );
        let mut of_constants = true;
        stmt.kind.for_each_read(|local| of_constants &= made.contains(&local));
        stmt.kind.for_each_write(|local| {
            made.insert(local);
        });
        makes && of_constants
    })
}

/// Rewrites the blocks of one plan or function.
struct Inliner<'a> {
    graph: &'a CallGraph,
    candidates: &'a [Option<Candidate>],
    next: u32,
    stmts: usize,
    loops: usize,
    /// It is a plan or a rule, whose result is kept.
    is_evaluated_once: bool,
}

impl<'a> Inliner<'a> {
    fn new(
        graph: &'a CallGraph,
        candidates: &'a [Option<Candidate>],
        params: &[Local],
        blocks: &[Block],
    ) -> Self {
        let next = next_local(params, blocks);
        let is_evaluated_once = params.len() <= RULE_PARAMS;
        Self { graph, candidates, next, stmts: count_stmts(blocks), loops: 0, is_evaluated_once }
    }

    fn blocks(&mut self, blocks: &[Block], depth: usize) -> Vec<Block> {
        blocks.iter().map(|block| self.block(block, depth)).collect()
    }

    fn block(&mut self, block: &Block, depth: usize) -> Block {
        let mut stmts = Vec::with_capacity(block.stmts.len());
        for stmt in &block.stmts {
            match self.replacement(stmt, depth) {
                Some(replacement) => stmts.extend(replacement),
                None => stmts.push(Stmt { kind: self.stmt(&stmt.kind, depth), location: stmt.location }),
            }
        }
        Block { stmts }
    }

    fn stmt(&mut self, kind: &StmtKind, depth: usize) -> StmtKind {
        let depth = depth + 1;
        match kind {
            StmtKind::Block { blocks } => StmtKind::Block { blocks: self.blocks(blocks, depth) },
            StmtKind::Not { block } => StmtKind::Not { block: self.block(block, depth) },
            StmtKind::With { local, path, value, block } => StmtKind::With {
                local: *local,
                path: path.clone(),
                value: *value,
                block: self.block(block, depth),
            },
            StmtKind::Scan { source, key, value, block } => {
                self.loops += 1;
                let block = self.block(block, depth);
                self.loops -= 1;
                StmtKind::Scan { source: *source, key: *key, value: *value, block }
            }
            other => other.clone(),
        }
    }

    /// The statements in place of a call, if it is worth replacing.
    fn replacement(&mut self, stmt: &Stmt, depth: usize) -> Option<Vec<Stmt>> {
        let StmtKind::Call { func, args, result } = &stmt.kind else { return None };
        let position = self.graph.position(func)?;
        let candidate = self.candidates.get(position)?.as_ref()?;
        let calls = self.graph.calls.get(position).copied()?;
        let is_rule = candidate.func.params.len() == RULE_PARAMS;
        let pays = match candidate.form {
            Form::Never => false,
            Form::Straight => true,
            Form::Blocks if is_rule => calls == 1 && self.loops == 0 && self.is_evaluated_once,
            Form::Blocks => calls == 1 || candidate.stmts <= SMALL,
        };
        let fits =
            self.stmts + candidate.stmts + SMALL <= MOST_STMTS && depth + candidate.depth + 2 <= DEEPEST;
        if !pays || !fits || args.len() != candidate.func.params.len() {
            return None;
        }
        self.stmts += candidate.stmts + 4;
        let mut renaming = Renaming::new(self.next);
        let at = |kind| Stmt { kind, location: stmt.location };
        let mut stmts = Vec::new();
        for (param, arg) in candidate.func.params.iter().zip(args) {
            match arg {
                Operand::Local(local) => renaming.map(*param, *local),
                constant => {
                    let local = renaming.local(*param);
                    stmts.push(at(StmtKind::AssignVar { source: *constant, target: local }));
                }
            }
        }
        let body = if candidate.form == Form::Straight {
            straight_body(&candidate.func, &mut renaming, *result)
        } else {
            block_body(&candidate.func, &mut renaming, *result)
                .map(|kinds| kinds.into_iter().map(at).collect())
        };
        self.next = renaming.next();
        stmts.extend(body?);
        stmts.push(at(StmtKind::IsDefined { source: *result }));
        Some(stmts)
    }
}

/// The statements of a straight function.
fn straight_body(func: &Func, renaming: &mut Renaming, result: Local) -> Option<Vec<Stmt>> {
    let (steps, [assign, _]) = func.blocks.first()?.stmts.split_last_chunk()?;
    let StmtKind::AssignVar { target, .. } = assign.kind else { return None };
    renaming.map(target, result);
    let mut rename = |stmt: &Stmt| Stmt {
        kind: renaming.stmt(&stmt.kind, 0, &|_, _| Vec::new()),
        location: stmt.location,
    };
    let mut stmts: Vec<Stmt> = steps.iter().map(&mut rename).collect();
    stmts.push(rename(assign));
    Some(stmts)
}

/// A function's blocks: each `return` assigns the result and leaves the block around them all.
fn block_body(func: &Func, renaming: &mut Renaming, result: Local) -> Option<Vec<StmtKind>> {
    let returns = |source: Local, depth: u32| {
        vec![
            StmtKind::AssignVar { source: source.into(), target: result },
            StmtKind::Break { index: depth + 1 },
        ]
    };
    let blocks: Vec<Block> = func.blocks.iter().map(|block| renaming.block(block, 0, &returns)).collect();
    // A function begins with all its locals undefined, each time that it is called.
    let mut resets = vec![StmtKind::ResetLocal { target: result }];
    let mut read: Vec<Local> = read_before_written(func).into_iter().collect();
    read.sort_unstable();
    resets.extend(read.into_iter().map(|local| StmtKind::ResetLocal { target: renaming.local(local) }));
    let location = func.blocks.first()?.stmts.first()?.location;
    let body = Stmt { kind: StmtKind::Block { blocks }, location };
    Some(resets.into_iter().chain([StmtKind::Block { blocks: vec![Block { stmts: vec![body] }] }]).collect())
}

/// The locals whose being undefined a function may notice: the result, and what statements look at that may find nothing.
fn read_before_written(func: &Func) -> HashSet<Local> {
    let mut found = HashSet::from([func.return_]);
    let mut pending: Vec<&Block> = func.blocks.iter().collect();
    while let Some(block) = pending.pop() {
        for stmt in &block.stmts {
            match &stmt.kind {
                StmtKind::IsDefined { source }
                | StmtKind::IsUndefined { source }
                | StmtKind::ReturnLocal { source }
                | StmtKind::AssignVar { source: Operand::Local(source), .. } => {
                    found.insert(*source);
                }
                kind => pending.extend(kind.blocks()),
            }
        }
    }
    func.params.iter().for_each(|param| {
        found.remove(param);
    });
    found
}
