//! Statements to instructions. One WebAssembly function for each plan and each function of the policy.
//!
//! A block of the plan is a block of WebAssembly; a statement that is undefined branches out of it. What is done often
//! is emitted in place: tests of kind, comparison and arithmetic of small integers, indexing and iteration; or is a call of
//! a small function of the generator's own ([`helpers`]): members by strings, membership, short texts in formats. The rest
//! are calls of the runtime.

mod answer;
mod body;
mod calls;
mod compare;
mod control;
mod divide;
mod facts;
mod format;
mod function;
mod helpers;
mod index;
mod integers;
pub(crate) mod joins;
mod lookup;
mod membership;
mod numbered;
mod paths;
mod regex;
mod seek;
mod values;
mod whole;

use std::collections::HashMap;

use rego_ir::reads::Reads;
use rego_ir::{Func, Location, Operand, Policy, StringIndex};
use rego_value::abi;
use wasm_encoder::ValType;

pub(crate) use body::Body;
use function::{FuncGen, Kind};
use helpers::Helper;
pub(crate) use regex::Pattern;

use crate::Target;
use crate::constants::Constants;
use crate::error::CompileError;
use crate::link::{Callee, Generated, Runtime, Symbols};

type Result<T> = core::result::Result<T, CompileError>;

/// The most variables that engines accept in a function.
const MAX_LOCALS: usize = 50_000;

/// Static cells that evaluation writes, behind the runtime's own memory.
#[derive(Clone, Copy)]
pub(crate) struct Cells {
    base: u32,
    memos: u32,
}

impl Cells {
    /// The size of a cell in bytes.
    const SIZE: u32 = 16;

    /// Cells for so many memoised functions.
    pub(crate) fn new(base: u32, memos: usize) -> Self {
        Self { base: abi::align_up(base), memos: u32::try_from(memos).unwrap_or(u32::MAX / Self::SIZE) }
    }

    /// The epoch of memoised results, `i64`: results of another epoch are void. Every evaluation and every `with`
    /// begins a new one.
    pub(crate) const fn epoch(self) -> u32 {
        self.base
    }

    /// The last epoch that was begun, `i64`.
    pub(crate) const fn last_epoch(self) -> u32 {
        self.base + 8
    }

    /// The cell of a memoised function: its epoch, `i64`, and the handle of its result.
    const fn memo(self, position: u32) -> u32 {
        self.base + Self::SIZE + position * Self::SIZE
    }

    /// The first address behind the cells.
    pub(crate) fn end(self) -> u32 {
        self.memos.saturating_add(1).saturating_mul(Self::SIZE).saturating_add(self.base)
    }
}

/// Whether the results of a function are kept: rules have only input and data as parameters.
pub(crate) fn is_memoised(func: &Func) -> bool {
    func.params.len() == 2
}

/// What the functions of one module share.
pub(crate) struct Generator<'p> {
    pub(crate) policy: &'p Policy,
    /// What is read of the input.
    reads: &'p Reads,
    linked: &'p Runtime<'p>,
    pub(crate) symbols: Symbols,
    pub(crate) constants: Constants,
    pub(crate) cells: Cells,
    /// The address of the table of lookups, where they may be kept.
    pub(crate) joins: Option<u32>,
    /// Whether any is.
    pub(crate) uses_joins: bool,
    /// Functions by name, with their positions in the plan.
    functions: HashMap<&'p str, (u32, &'p Func)>,
    /// The positions of the host functions in use among the plan's built-ins, which are their ids.
    pub(crate) host_functions: Vec<usize>,
    /// The constant sets: of small ones of strings these.
    constant_sets: HashMap<u32, Vec<String>>,
    /// The helpers in use.
    helpers: Vec<Helper>,
    /// The handles of the keys of each column that is asked for.
    pub(crate) columns: Vec<Vec<u32>>,
    /// Whom the module is for.
    pub(crate) target: Target,
    /// The expressions that the engine matches, with the name of the function that does.
    pub(crate) engine_patterns: Vec<(&'static str, String)>,
}

impl<'p> Generator<'p> {
    /// A generator whose static memory begins at `base`.
    pub(crate) fn new(
        policy: &'p Policy,
        reads: &'p Reads,
        linked: &'p Runtime<'p>,
        base: u32,
        target: Target,
    ) -> Self {
        let memos = policy.funcs.iter().filter(|f| is_memoised(f)).count();
        let cells = Cells::new(base, memos);
        let joins = joins::allowed(policy, target).then(|| cells.end());
        let constants = joins.map_or(cells.end(), |joins| joins.saturating_add(joins::SIZE));
        Self {
            policy,
            reads,
            linked,
            symbols: Symbols::default(),
            constants: Constants::new(constants),
            joins,
            uses_joins: false,
            cells,
            functions: (0..).zip(&policy.funcs).map(|(i, f)| (f.name.as_str(), (i, f))).collect(),
            host_functions: Vec::new(),
            constant_sets: HashMap::new(),
            helpers: Vec::new(),
            columns: Vec::new(),
            target,
            engine_patterns: Vec::new(),
        }
    }

    /// Generates all functions: first those of the policy in its order, then one for each plan, which gives the array of
    /// its answers, then one for each plan that gives the value of its first answer.
    pub(crate) fn functions(&mut self) -> Result<Vec<Generated>> {
        let policy = self.policy;
        let mut functions = Vec::with_capacity(policy.funcs.len() + policy.plans.len());
        let mut memos = 0;
        for func in &policy.funcs {
            let memo = is_memoised(func).then(|| self.cells.memo(memos));
            memos += u32::from(memo.is_some());
            functions.push(FuncGen::func(self, func, memo)?);
        }
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (first_plan, plans) = (count(policy.funcs.len()), count(policy.plans.len()));
        for (plan, position) in policy.plans.iter().zip(first_plan + plans..) {
            functions.push(match answer::single(plan, &policy.static_) {
                Some(_) => answer::set_of_value(self, plan, Self::callee(position))?,
                None => FuncGen::plan(self, plan)?,
            });
        }
        for (plan, position) in policy.plans.iter().zip(first_plan..) {
            functions.push(match answer::single(plan, &policy.static_) {
                Some((stmts, value)) => FuncGen::plan_value(self, plan, stmts, value)?,
                None => answer::value_of_set(self, plan, Self::callee(position))?,
            });
        }
        for function in &functions {
            if function.locals.len() > MAX_LOCALS {
                return Err(CompileError::TooManyLocals {
                    function: function.name.clone(),
                    locals: function.locals.len(),
                    max: MAX_LOCALS,
                });
            }
        }
        Ok(functions)
    }

    /// The callee for the function of the policy at this position; plans follow the functions.
    pub(crate) const fn callee(position: u32) -> Callee {
        Callee::Generated(position)
    }

    /// The number of a runtime function.
    pub(crate) fn runtime(&mut self, name: &'static str) -> u32 {
        self.symbols.number(Callee::Runtime(name))
    }

    /// The number of a helper, which is generated once for all its callers.
    fn helper(&mut self, helper: Helper) -> u32 {
        let position = self.helpers.iter().position(|known| *known == helper).unwrap_or_else(|| {
            self.helpers.push(helper);
            self.helpers.len() - 1
        });
        self.symbols.number(Callee::Helper(u32::try_from(position).unwrap_or(u32::MAX)))
    }

    /// Generates the helpers in use.
    pub(crate) fn helper_functions(&mut self) -> Vec<Generated> {
        let mut functions = Vec::new();
        let mut next = 0;
        // A helper may use others.
        while let Some(helper) = self.helpers.get(next).copied() {
            functions.push(helper.generate(self));
            next += 1;
        }
        functions
    }

    /// The number of an expression that the engine matches.
    fn engine_pattern(&mut self, name: &'static str, pattern: String) -> u32 {
        let entry = (name, pattern);
        let position = self.engine_patterns.iter().position(|known| *known == entry).unwrap_or_else(|| {
            self.engine_patterns.push(entry);
            self.engine_patterns.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }

    /// Whether the runtime has a function.
    fn has_runtime(&self, name: &str) -> bool {
        self.linked.function(name).is_some()
    }

    fn string_text(&self, index: StringIndex) -> &'p str {
        // INVARIANT: the verifier has checked all indices.
        usize::try_from(index.0)
            .ok()
            .and_then(|i| self.policy.static_.strings.get(i))
            .map_or("", String::as_str)
    }

    fn file(&self, location: Location) -> &'p str {
        usize::try_from(location.file)
            .ok()
            .and_then(|i| self.policy.static_.files.get(i))
            .map_or("", String::as_str)
    }

    /// `file:row:col: `, or nothing for an unknown position.
    fn position(&self, location: Location) -> String {
        if location.row == 0 {
            return String::new();
        }
        format!("{}:{}:{}: ", self.file(location), location.row, location.col)
    }

    /// The address of a record of a position: the handle of the file's name, the row and the column. It is what
    /// `rt_builtin_failed` is given, so the host can read it from an error's record.
    fn location_record(&mut self, location: Location) -> Result<u32> {
        let file = self.constants.string(self.file(location))?;
        Ok(self.constants.record(&[file, location.row, location.col])?)
    }

    /// The handle of an operand that is constant by itself.
    fn constant_operand(&mut self, operand: Operand) -> Result<Option<u32>> {
        Ok(match operand {
            Operand::Local(_) => None,
            Operand::String(index) => Some(self.constants.string(self.string_text(index))?),
            Operand::Bool(true) => Some(abi::TRUE),
            Operand::Bool(false) => Some(abi::FALSE),
        })
    }
}

/// The type of a value handle.
pub(crate) const HANDLE: ValType = ValType::I32;
