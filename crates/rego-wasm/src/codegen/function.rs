//! One plan or function: its frame, and the dispatch over statements.

use std::collections::HashMap;

use rego_ir::{Block, Func, Local, Location, Operand, Plan, Stmt, StmtKind};
use rego_value::{Value, abi};
use wasm_encoder::{Instruction, ValType};

use super::body::Body;
use super::facts::Facts;
use super::numbered::Numbered;
use super::paths::Paths;
use super::{Generator, HANDLE, Result};
use crate::fold::{Folded, fold};
use crate::hash::Map;
use crate::link::{Callee, Generated, HostFunction};

/// The most elements that a new collection is given room for.
const MAX_EXPECTED_SIZE: u32 = 64;

/// The generator of one plan or function.
pub(super) struct FuncGen<'g, 'p> {
    pub(super) shared: &'g mut Generator<'p>,
    pub(super) body: Body,
    pub(super) facts: Facts,
    pub(super) kind: Kind<'p>,
    locals: Map<Local, u32>,
    /// The open blocks of the plan, outermost first.
    pub(super) labels: Vec<Label>,
    folded: Folded,
    /// How many statements read a local.
    read: Map<Local, usize>,
    /// Variables for handles and addresses that nothing uses any more.
    free: Vec<u32>,
    truth: Option<u32>,
    wide: Option<u32>,
    /// What is looked up below input and data.
    pub(super) paths: Paths<'p>,
    /// How many lookups of members there are so far.
    pub(super) looks: usize,
    /// The results of rules that this function calls more than once or in a loop; see [`FuncGen::rule_call`].
    pub(super) rules: HashMap<u32, u32>,
    /// How many statements call a rule.
    pub(super) calls: HashMap<&'p str, usize>,
    /// How many loops are open.
    pub(super) loops: usize,
    /// The objects that grow by constant numbers.
    pub(super) numbered: Numbered,
}

/// What is being generated.
#[derive(Clone, Copy)]
pub(super) enum Kind<'p> {
    /// A plan, with the variable of its result set.
    Plan { results: u32 },
    /// A function, with the cell of its memoised result.
    Func { func: &'p Func, memo: Option<u32> },
}

/// Why an evaluation cannot go on.
pub(super) enum Conflict {
    /// A rule or a function has two values; OPA's message for it.
    Value(String),
    /// An object has two values for a key.
    Key,
}

/// An open block of the plan.
pub(super) struct Label {
    /// The depth of its control instruction.
    pub(super) depth: u32,
    /// What has to be put back when it is left by a branch to a block further out.
    pub(super) with: Option<Replaced>,
}

/// A local that `with` has replaced, in variables of WebAssembly.
#[derive(Clone, Copy)]
pub(super) struct Replaced {
    pub(super) local: u32,
    pub(super) saved: u32,
    pub(super) epoch: u32,
}

impl<'g, 'p> FuncGen<'g, 'p> {
    /// Generates a function of the policy.
    pub(super) fn func(
        shared: &'g mut Generator<'p>,
        func: &'p Func,
        memo: Option<u32>,
    ) -> Result<Generated> {
        let mut this = Self::new(shared, &func.params, Kind::Func { func, memo }, &func.blocks);
        if let Some(memo) = memo {
            this.return_memoised(memo);
        }
        this.func_blocks(&func.blocks)?;
        Ok(this.body.into_function(func.name.clone()))
    }

    /// Generates a plan: a function of input and data whose result is the result set.
    pub(super) fn plan(shared: &'g mut Generator<'p>, plan: &'p Plan) -> Result<Generated> {
        let params = [Local::INPUT, Local::DATA];
        let mut this = Self::new(shared, &params, Kind::Plan { results: 0 }, &plan.blocks);
        let results = this.body.new_local(HANDLE);
        this.kind = Kind::Plan { results };
        this.body.constant(1);
        this.call_runtime("rt_array_new");
        this.body.set(results);
        for block in &plan.blocks {
            this.block(block)?;
        }
        this.body.get(results);
        Ok(this.body.into_function(plan.name.clone()))
    }

    /// Generates the value that a plan's only answer has, by the statements before those that make the answer of it.
    pub(super) fn plan_value(
        shared: &'g mut Generator<'p>,
        plan: &'p Plan,
        stmts: &'p [Stmt],
        value: Operand,
    ) -> Result<Generated> {
        let params = [Local::INPUT, Local::DATA];
        let mut this = Self::new(shared, &params, Kind::Plan { results: 0 }, &plan.blocks);
        this.body.block();
        this.labels.push(Label { depth: this.body.depth(), with: None });
        this.statements(stmts)?;
        this.push(value)?;
        this.body.op(Instruction::Return);
        this.labels.pop();
        this.body.end().constant(abi::UNDEFINED);
        Ok(this.body.into_function(format!("{}.value", plan.name)))
    }

    fn new(shared: &'g mut Generator<'p>, params: &[Local], kind: Kind<'p>, blocks: &'p [Block]) -> Self {
        let folded = fold(blocks, &shared.policy.static_);
        let mut read = Map::default();
        let mut calls = HashMap::new();
        blocks.iter().for_each(|block| collect(block, &mut read, &mut calls));
        let locals: Map<Local, u32> = params.iter().copied().zip(0..).collect();
        Self {
            body: Body::new(u32::try_from(params.len()).unwrap_or(u32::MAX)),
            facts: Facts::new(params.iter().copied()),
            shared,
            kind,
            locals,
            labels: Vec::new(),
            folded,
            read,
            free: Vec::new(),
            truth: None,
            wide: None,
            paths: Paths::default(),
            looks: 0,
            rules: HashMap::new(),
            calls,
            loops: 0,
            numbered: Numbered::of(blocks),
        }
    }

    /// Returns the memoised result, if it is of this epoch.
    fn return_memoised(&mut self, memo: u32) {
        let epoch = self.shared.cells.epoch();
        self.body.constant(0).load_long(memo).constant(0).load_long(epoch).op(Instruction::I64Eq);
        self.body.if_().constant(0).load(memo + 8).op(Instruction::Return).end();
    }

    fn func_blocks(&mut self, blocks: &'p [Block]) -> Result<()> {
        let (last, others) = match blocks.split_last() {
            Some((last, others)) => (Some(last), others),
            None => (None, blocks),
        };
        self.sequence(others)?;
        // Planners end a function with a block that only returns: then nothing is left to do behind it.
        if let Some([Stmt { kind: StmtKind::ReturnLocal { source }, .. }]) = last.map(|b| b.stmts.as_slice())
        {
            let source = self.local(*source);
            self.memoise(source);
            self.body.get(source);
            return Ok(());
        }
        if let Some(last) = last {
            self.block(last)?;
        }
        let undefined = self.body.new_local(HANDLE);
        self.memoise(undefined);
        self.body.constant(abi::UNDEFINED);
        Ok(())
    }

    /// Stores the result of a memoised function.
    fn memoise(&mut self, result: u32) {
        if let Kind::Func { memo: Some(memo), .. } = self.kind {
            let epoch = self.shared.cells.epoch();
            self.body.constant(0).get(result).store(memo + 8);
            self.body.constant(0).constant(0).load_long(epoch).store_long(memo);
        }
    }

    fn return_local(&mut self, source: Local) {
        // A return from within `with` puts the epoch of the outermost one back; the locals are gone anyway.
        if let Some(with) = self.labels.iter().find_map(|l| l.with) {
            let epoch = self.shared.cells.epoch();
            self.body.constant(0).get(with.epoch).store_long(epoch);
        }
        let source = self.local(source);
        self.memoise(source);
        self.body.get(source).op(Instruction::Return);
    }

    /// The variable of a local.
    pub(super) fn local(&mut self, local: Local) -> u32 {
        if let Some(index) = self.locals.get(&local) {
            return *index;
        }
        let index = self.body.new_local(HANDLE);
        self.locals.insert(local, index);
        index
    }

    /// Whether a local is a parameter of the function.
    pub(super) fn is_parameter(&self, local: Local) -> bool {
        match self.kind {
            Kind::Plan { .. } => [Local::INPUT, Local::DATA].contains(&local),
            Kind::Func { func, .. } => func.params.contains(&local),
        }
    }

    /// Whether any statement reads a local.
    pub(super) fn is_read(&self, local: Local) -> bool {
        self.read.contains_key(&local)
    }

    /// A new variable for a handle or an address.
    pub(super) fn temporary(&mut self) -> u32 {
        self.body.new_local(HANDLE)
    }

    /// A variable for a handle or an address that is set before it is read; it may have been used before.
    pub(super) fn used_temporary(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| self.body.new_local(HANDLE))
    }

    /// Gives back a variable that nothing reads from here on.
    pub(super) fn release(&mut self, temporary: u32) {
        self.free.push(temporary);
    }

    /// The variable for a truth that is used at once.
    pub(super) fn truth(&mut self) -> u32 {
        *self.truth.get_or_insert_with(|| self.body.new_local(HANDLE))
    }

    /// The variable for an integer of 64 bits that is used at once.
    pub(super) fn wide(&mut self) -> u32 {
        *self.wide.get_or_insert_with(|| self.body.new_local(ValType::I64))
    }

    /// A new variable for an epoch.
    pub(super) fn long_temporary(&mut self) -> u32 {
        self.body.new_local(ValType::I64)
    }

    pub(super) fn call_runtime(&mut self, name: &'static str) {
        let number = self.shared.runtime(name);
        self.body.call(number);
    }

    /// The handle of an operand that is known at compile time.
    pub(super) fn constant(&mut self, operand: Operand) -> Result<Option<u32>> {
        match operand {
            Operand::Local(local) => Ok(self.facts.constant(local)),
            _ => self.shared.constant_operand(operand),
        }
    }

    /// Pushes an operand.
    pub(super) fn push(&mut self, operand: Operand) -> Result<()> {
        match (self.constant(operand)?, operand) {
            (Some(handle), _) => self.body.constant(handle),
            (None, Operand::Local(local)) => {
                let local = self.local(local);
                self.body.get(local)
            }
            // `constant` knows every operand that is not a local.
            (None, _) => self.body.constant(abi::UNDEFINED),
        };
        Ok(())
    }

    /// Takes a value from the stack into a local.
    pub(super) fn pop(&mut self, target: Local) {
        self.facts.assign(target);
        let target = self.local(target);
        self.body.set(target);
    }

    /// Assigns a constant to a local.
    pub(super) fn assign_constant(&mut self, target: Local, handle: u32) {
        self.facts.assign_constant(target, handle);
        let target = self.local(target);
        self.body.constant(handle).set(target);
    }

    /// Takes a value from the stack into a local, and leaves the block when it is undefined.
    pub(super) fn pop_defined(&mut self, target: Local) {
        self.facts.assign(target);
        let target = self.local(target);
        self.body.tee(target).op(Instruction::I32Eqz);
        self.undefined_if();
    }

    /// Leaves the innermost block when the value on the stack is not zero.
    pub(super) fn undefined_if(&mut self) {
        let depth = self.labels.last().map_or(0, |l| l.depth);
        self.body.br_if(depth);
    }

    /// Leaves the innermost block.
    pub(super) fn undefined(&mut self) {
        let depth = self.labels.last().map_or(0, |l| l.depth);
        self.body.br(depth);
    }

    /// Aborts the evaluation because of a conflict. The text is that of OPA's modules, which other hosts look for; behind
    /// its end stands what OPA's evaluator says, for hosts that know where to look ([`crate::ABORT_DETAIL`]).
    pub(super) fn conflict(&mut self, location: Location, conflict: &Conflict) -> Result<()> {
        let position = self.shared.position(location);
        let (text, message) = match conflict {
            Conflict::Value(message) => ("var assignment conflict", message.as_str()),
            Conflict::Key => ("object insert conflict", "object keys must be unique"),
        };
        let detail = format!("{}{position}eval_conflict_error: {message}", crate::ABORT_DETAIL);
        let address = self.shared.constants.message(&format!("{position}{text}\0{detail}"))?;
        let abort = self.shared.symbols.number(Callee::Host(HostFunction::Abort));
        self.body.constant(address).call(abort).op(Instruction::Unreachable);
        Ok(())
    }

    /// Generates a block of the plan, which may be left at any statement.
    pub(super) fn block(&mut self, block: &'p Block) -> Result<()> {
        let before = self.facts.mark();
        self.body.block();
        self.labels.push(Label { depth: self.body.depth(), with: None });
        self.stmts(block)?;
        self.labels.pop();
        self.body.end();
        self.facts.go_back(before);
        self.facts.forget_writes(block);
        Ok(())
    }

    pub(super) fn stmts(&mut self, block: &'p Block) -> Result<()> {
        self.statements(&block.stmts)
    }

    fn statements(&mut self, mut stmts: &'p [Stmt]) -> Result<()> {
        while let [stmt, rest @ ..] = stmts {
            stmts = rest;
            let absorbed = match self.formatted(stmt, rest)? {
                0 => self.whole(stmt, rest)?,
                absorbed => absorbed,
            };
            if absorbed > 0 {
                stmts = rest.get(absorbed..).unwrap_or_default();
            } else if let [next, rest @ ..] = rest
                && self.pair(stmt, next)?
            {
                stmts = rest;
            } else {
                self.stmt(stmt)?;
            }
        }
        Ok(())
    }

    /// Generates two statements at once, where that is worth it.
    fn pair(&mut self, stmt: &Stmt, next: &Stmt) -> Result<bool> {
        let StmtKind::Call { func, args, result: quotient } = &stmt.kind else { return Ok(false) };
        let StmtKind::Call { func: next_func, args: next_args, result } = &next.kind else {
            return Ok(false);
        };
        let ("div", "floor", [a, b]) = (func.as_str(), next_func.as_str(), args.as_slice()) else {
            return Ok(false);
        };
        let is_only_reader = next_args.as_slice() == [Operand::Local(*quotient)]
            && self.read.get(quotient) == Some(&1)
            && args.iter().all(|arg| !matches!(arg, Operand::Local(local) if self.is_document(*local)));
        if is_only_reader {
            self.floor_of_quotient((*a, *b), (*quotient, stmt.location), (*result, next.location))?;
        }
        Ok(is_only_reader)
    }

    pub(super) fn stmt(&mut self, stmt: &'p Stmt) -> Result<()> {
        if self.folded.is_absorbed(stmt) {
            return Ok(());
        }
        let location = stmt.location;
        match &stmt.kind {
            StmtKind::ReturnLocal { source } => self.return_local(*source),
            StmtKind::Call { func, args, result } => self.call(func, args, *result, location)?,
            StmtKind::CallDynamic { args, result, path } => self.call_dynamic(args, *result, path)?,
            StmtKind::Block { blocks } => self.sequence(blocks)?,
            StmtKind::Break { index } => self.leave(usize::try_from(*index).unwrap_or(usize::MAX)),
            StmtKind::Scan { source, key, value, block } => self.scan(*source, *key, *value, block)?,
            StmtKind::Not { block } => self.not(block)?,
            StmtKind::With { local, path, value, block } => self.with(*local, path, *value, block)?,
            StmtKind::Nop => {}
            StmtKind::ResultSetAdd { value } => self.result_set_add(*value)?,
            _ => self.value_stmt(stmt)?,
        }
        Ok(())
    }

    /// Whether a statement is part of a constant that another one makes.
    pub(super) fn is_absorbed(&self, stmt: &Stmt) -> bool {
        self.folded.is_absorbed(stmt)
    }

    /// Whether a `Dot` looks for a part of the function's result, to add to it.
    pub(super) fn finds_part(&self, stmt: &Stmt) -> bool {
        self.folded.finds_part(stmt)
    }

    /// Whether a statement makes such a part.
    pub(super) fn makes_part(&self, stmt: &Stmt) -> bool {
        self.folded.makes_part(stmt)
    }

    /// The mark of the parts that this function makes in its result. Two functions have one mark only where a policy has
    /// more than 65,535 of them.
    pub(super) fn owner(&self) -> Option<u32> {
        let Kind::Func { func, .. } = self.kind else { return None };
        let (position, _) = self.shared.functions.get(func.name.as_str())?;
        Some(position % u32::from(u16::MAX) + 1)
    }

    /// How many elements the collection that a statement makes will have at least, by the look of the plan.
    pub(super) fn expected_size(&self, stmt: &Stmt) -> u32 {
        u32::try_from(self.folded.size(stmt)).unwrap_or(0).min(MAX_EXPECTED_SIZE)
    }

    /// How many statements may read what a statement makes for a local, if that is known.
    pub(super) fn reads(&self, stmt: &Stmt, target: Local) -> Option<usize> {
        self.folded.reads(stmt, target)
    }

    /// Whether a statement makes a constant collection.
    pub(super) fn is_folded(&self, stmt: &Stmt) -> bool {
        self.folded.value(stmt).is_some()
    }

    /// The handle of the constant collection that a statement makes, if it makes one. It is laid out by each call.
    pub(super) fn folded_value(&mut self, stmt: &Stmt) -> Result<Option<u32>> {
        match self.folded.value(stmt) {
            Some(value) => {
                let handle = self.shared.constants.value(value)?;
                if let Value::Set(elements) = value {
                    self.shared.constant_sets.insert(handle, super::membership::few_strings(elements));
                }
                Ok(Some(handle))
            }
            None => Ok(None),
        }
    }
}

/// Counts the statements that read a local, and those that call a function.
fn collect<'p>(block: &'p Block, read: &mut Map<Local, usize>, calls: &mut HashMap<&'p str, usize>) {
    for stmt in &block.stmts {
        stmt.kind.for_each_read(|local| *read.entry(local).or_default() += 1);
        if let StmtKind::Call { func, .. } = &stmt.kind {
            *calls.entry(func).or_default() += 1;
        }
        stmt.kind.blocks().iter().for_each(|inner| collect(inner, read, calls));
    }
}
