//! Calls: of functions of the policy, directly or by path, of built-in functions in the module, and of the host's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rego_builtins::Implementation;
use rego_ir::{Func, Local, Location, Operand};
use rego_value::Value;
use wasm_encoder::Instruction;

use super::Result;
use super::compare::{Arithmetic, Order};
use super::function::FuncGen;
use super::helpers::Helper;
use super::{Generator, Kind, is_memoised};
use crate::Target;
use crate::error::CompileError;
use crate::link::{Callee, HostFunction};

/// What stands for a rule that was called and is undefined. No value has this handle.
const NO_RESULT: u32 = 4;

/// The levels that a dynamic call leaves when the function it found is undefined, less one.
const FOUND_UNDEFINED: usize = rego_ir::CALL_DYNAMIC_LEVELS - 1;

impl FuncGen<'_, '_> {
    pub(super) fn call(
        &mut self,
        func: &str,
        args: &[Operand],
        result: Local,
        location: Location,
    ) -> Result<()> {
        if let Some((position, func)) = self.shared.functions.get(func).copied() {
            if self.keeps_result(func, args) {
                return self.rule_call(position, args, result);
            }
            for arg in args {
                self.push(*arg)?;
            }
            let number = self.shared.symbols.number(Generator::callee(position));
            self.body.call(number);
            self.pop_defined(result);
            return Ok(());
        }
        self.builtin(func, args, result, location)
    }

    /// Whether it pays to keep what a rule gave in a variable: it is called with the documents that the function has,
    /// more than once.
    fn keeps_result(&self, func: &Func, args: &[Operand]) -> bool {
        let takes_documents =
            args.iter().zip(self.documents()).all(|(arg, own)| *arg == Operand::Local(*own));
        is_memoised(func)
            && takes_documents
            && self.paths.replaced == 0
            && (self.loops > 0 || self.calls.get(func.name.as_str()).is_some_and(|calls| *calls > 1))
    }

    /// A call of a rule that is called more than once: its result stays in a variable, where asking for it again is
    /// cheaper than the call that would find it in the rule's memo.
    fn rule_call(&mut self, position: u32, args: &[Operand], result: Local) -> Result<()> {
        let kept = match self.rules.get(&position) {
            Some(kept) => *kept,
            None => {
                let kept = self.temporary();
                self.rules.insert(position, kept);
                kept
            }
        };
        self.body.get(kept).op(Instruction::I32Eqz).if_();
        for arg in args {
            self.push(*arg)?;
        }
        let number = self.shared.symbols.number(Generator::callee(position));
        self.body
            .call(number)
            .tee(kept)
            .op(Instruction::I32Eqz)
            .if_()
            .constant(NO_RESULT)
            .set(kept)
            .end()
            .end();
        self.body.get(kept).constant(NO_RESULT).op(Instruction::I32Eq);
        self.undefined_if();
        self.body.get(kept);
        self.pop(result);
        Ok(())
    }

    fn builtin(&mut self, name: &str, args: &[Operand], result: Local, location: Location) -> Result<()> {
        self.require_arguments(args)?;
        if self.inline_builtin(name, args, result, location)?
            || self.regex_call(name, args, result, location)?
            || self.format_call(name, args, result, location)?
        {
            return Ok(());
        }
        let unsupported =
            || CompileError::UnsupportedBuiltin { name: name.to_owned(), at: self.shared.position(location) };
        // A function that our table does not have is one that the embedding host adds.
        let implementation = rego_builtins::by_name(name).map(|row| row.implementation);
        match implementation {
            Some(Implementation::Either(..)) if self.shared.target == Target::Engine => {
                self.host_call(name, args, result, location)
            }
            Some(Implementation::Module(symbol) | Implementation::Either(symbol, _))
                if self.shared.has_runtime(symbol) =>
            {
                for arg in args {
                    self.push(*arg)?;
                }
                self.call_runtime(symbol);
                self.builtin_result(result, location)
            }
            Some(Implementation::Host(_)) | None => self.host_call(name, args, result, location),
            Some(_) => Err(unsupported()),
        }
    }

    /// Leaves the block when an argument is undefined. Only input and data can be: every other operand has been
    /// assigned by a statement that was defined.
    fn require_arguments(&mut self, args: &[Operand]) -> Result<()> {
        for arg in args {
            if matches!(arg, Operand::Local(local) if self.is_document(*local)) {
                self.push(*arg)?;
                self.body.op(Instruction::I32Eqz);
                self.undefined_if();
            }
        }
        Ok(())
    }

    /// Whether a local is input or data.
    pub(super) fn is_document(&self, local: Local) -> bool {
        self.documents().contains(&local)
    }

    /// Whether a local is the data document.
    pub(super) fn is_data(&self, local: Local) -> bool {
        self.documents().get(1) == Some(&local)
    }

    /// The locals of input and data.
    fn documents(&self) -> &[Local] {
        match self.kind {
            Kind::Plan { .. } => &[Local::INPUT, Local::DATA],
            Kind::Func { func, .. } => func.params.get(..2).unwrap_or_default(),
        }
    }

    /// Generates the operations that are worth doing in place; false for all others.
    fn inline_builtin(
        &mut self,
        name: &str,
        args: &[Operand],
        result: Local,
        location: Location,
    ) -> Result<bool> {
        if let ("object.get", [object, key, default]) = (name, args) {
            let get_or = self.shared.helper(Helper::GetOr);
            for argument in [object, key, default] {
                self.push(*argument)?;
            }
            self.body.call(get_or);
            self.builtin_result(result, location)?;
            return Ok(true);
        }
        if let ("count", [collection]) = (name, args) {
            self.push_count(*collection)?;
            self.builtin_result(result, location)?;
            return Ok(true);
        }
        let [a, b] = *args else { return Ok(false) };
        let order = match name {
            "lt" => Some(Order::Less),
            "lte" => Some(Order::LessOrEqual),
            "gt" => Some(Order::Greater),
            "gte" => Some(Order::GreaterOrEqual),
            _ => None,
        };
        if let Some(order) = order {
            self.push_order(order, a, b)?;
            self.pop(result);
            return Ok(true);
        }
        let arithmetic = match name {
            "plus" => Some(Arithmetic::Plus),
            "minus" => Some(Arithmetic::Minus),
            "mul" => Some(Arithmetic::Times),
            _ => None,
        };
        if let Some(operation) = arithmetic {
            self.push_arithmetic(operation, a, b)?;
            self.builtin_result(result, location)?;
            return Ok(true);
        }
        match name {
            "rem" if self.push_remainder(a, b)? => {
                self.builtin_result(result, location)?;
                return Ok(true);
            }
            "equal" | "neq" => {
                self.push_equal(a, b)?;
                if name == "neq" {
                    self.body.op(Instruction::I32Eqz);
                }
            }
            "internal.member_2" => self.push_membership(a, b)?,
            _ => return Ok(false),
        }
        self.boolean();
        self.pop(result);
        Ok(true)
    }

    pub(super) fn host_call(
        &mut self,
        name: &str,
        args: &[Operand],
        result: Local,
        location: Location,
    ) -> Result<()> {
        let has_result = self.push_host_call(name, args, location)?;
        if has_result {
            return self.builtin_result(result, location);
        }
        self.body.op(Instruction::Drop);
        Ok(())
    }

    /// Pushes what a function of the host gives; whether that is a result.
    pub(super) fn push_host_call(
        &mut self,
        name: &str,
        args: &[Operand],
        location: Location,
    ) -> Result<bool> {
        let builtins = &self.shared.policy.static_.builtin_funcs;
        let arguments = u8::try_from(args.len()).ok().filter(|_| args.len() <= HostFunction::MAX_ARGUMENTS);
        let (Some(arguments), Some(id)) = (arguments, builtins.iter().position(|b| b.name == name)) else {
            return Err(CompileError::TooManyArguments {
                name: name.to_owned(),
                arguments: args.len(),
                at: self.shared.position(location),
            });
        };
        let has_result = builtins.get(id).is_some_and(rego_ir::BuiltinFunc::has_result);
        if !self.shared.host_functions.contains(&id) {
            self.shared.host_functions.push(id);
        }
        // The second argument is the context, which OPA's ABI reserves.
        self.body.constant(u32::try_from(id).unwrap_or(u32::MAX)).constant(0);
        for arg in args {
            self.push(*arg)?;
        }
        let number = self.shared.symbols.number(Callee::Host(HostFunction::Builtin(arguments)));
        self.body.call(number);
        Ok(has_result)
    }

    /// Takes the result of a built-in function from the stack. Without one, an error that it left gets its position.
    pub(super) fn builtin_result(&mut self, result: Local, location: Location) -> Result<()> {
        self.facts.assign(result);
        let record = self.shared.location_record(location)?;
        let variable = self.local(result);
        self.body.tee(variable).op(Instruction::I32Eqz).if_().constant(record);
        self.call_runtime("rt_builtin_failed");
        self.undefined();
        self.body.end();
        Ok(())
    }

    /// A call by path. The parts that are constant choose the candidates at compile time; a constant object, nested
    /// once for each other part, maps the rest to the candidate's number.
    pub(super) fn call_dynamic(&mut self, args: &[Local], result: Local, path: &[Operand]) -> Result<()> {
        self.facts.assign(result);
        let mut constants = Vec::new();
        for part in path {
            constants.push(match part {
                Operand::String(index) => Part::Is(self.shared.string_text(*index)),
                _ => Part::Varies,
            });
        }
        let mut candidates = Vec::new();
        let mut tree = Node::default();
        for func in &self.shared.policy.funcs {
            let matches = func.path.len() == path.len()
                && func.params.len() == args.len()
                && func.path.iter().zip(&constants).all(|(name, part)| part.admits(name));
            if let (true, Some((position, _))) = (matches, self.shared.functions.get(func.name.as_str())) {
                let varying =
                    func.path.iter().zip(&constants).filter(|(_, part)| matches!(part, Part::Varies));
                tree.insert(varying.map(|(name, _)| name.as_str()), candidates.len());
                candidates.push(*position);
            }
        }
        if candidates.is_empty() {
            self.undefined();
            return Ok(());
        }
        self.push_candidate(&tree, path)?;
        self.call_candidate(&candidates, args, result)
    }

    /// Pushes the number of the candidate that the varying parts name, and leaves the block when there is none.
    fn push_candidate(&mut self, tree: &Node<'_>, path: &[Operand]) -> Result<()> {
        let found = self.temporary();
        let tree = self.shared.constants.value(&tree.value())?;
        self.body.constant(tree).set(found);
        for part in path.iter().filter(|part| !matches!(part, Operand::String(_))) {
            self.body.get(found);
            self.push(*part)?;
            self.call_runtime("rt_get");
            self.body.tee(found).op(Instruction::I32Eqz);
            self.undefined_if();
        }
        self.body.get(found).constant(1).op(Instruction::I32ShrU);
        Ok(())
    }

    fn call_candidate(&mut self, candidates: &[u32], args: &[Local], result: Local) -> Result<()> {
        let chosen = self.temporary();
        let variable = self.local(result);
        self.body.set(chosen).block();
        let done = self.body.depth();
        for _ in candidates {
            self.body.block();
        }
        let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
        let targets: Vec<u32> = (0..count).collect();
        self.body.get(chosen).op(Instruction::BrTable(Cow::Owned(targets), count.saturating_sub(1)));
        for position in candidates {
            self.body.end();
            for arg in args {
                self.push(Operand::Local(*arg))?;
            }
            let number = self.shared.symbols.number(Generator::callee(*position));
            self.body.call(number).set(variable).br(done);
        }
        self.body.end();
        // The function exists, so the alternatives in between are not for it.
        self.body.get(variable).op(Instruction::I32Eqz).if_();
        self.leave(FOUND_UNDEFINED);
        self.body.end();
        Ok(())
    }
}

/// A part of the path of a dynamic call.
enum Part<'a> {
    Is(&'a str),
    Varies,
}

impl Part<'_> {
    fn admits(&self, name: &str) -> bool {
        match self {
            Self::Is(constant) => *constant == name,
            Self::Varies => true,
        }
    }
}

/// The candidates of a dynamic call, by the varying parts of their paths.
#[derive(Default)]
struct Node<'a> {
    children: BTreeMap<&'a str, Node<'a>>,
    candidate: Option<usize>,
}

impl<'a> Node<'a> {
    fn insert(&mut self, names: impl Iterator<Item = &'a str>, candidate: usize) {
        let leaf = names.fold(self, |node, name| node.children.entry(name).or_default());
        leaf.candidate = Some(candidate);
    }

    /// An object for a node, a small integer for a candidate.
    fn value(&self) -> Value {
        match self.candidate {
            Some(candidate) => Value::from(i64::try_from(candidate).unwrap_or(i64::MAX)),
            None => {
                Value::object(self.children.iter().map(|(name, node)| (Value::from(*name), node.value())))
            }
        }
    }
}
