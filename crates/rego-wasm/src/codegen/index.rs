//! Blocks that begin with an equality of one path and different constants are chosen by the path's value, not tried one
//! after the other: `allow if { input.method == "GET"; … }` a thousand times costs what it costs once.
//!
//! The choice only leaves out blocks that would be undefined at that equality; a chosen block runs as a whole, so that
//! it may be chosen by a constant that merely compares equal. Before the equality stand only statements that can do
//! nothing but be undefined, so leaving them out is not seen.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use rego_ir::{Block, Local, Operand, Stmt, StmtKind, StringIndex};
use rego_value::{Number, Value};
use wasm_encoder::Instruction;

use super::Result;
use super::function::{FuncGen, Label};

/// Fewer blocks are tried one after the other.
const FEWEST: usize = 4;

/// More statements than this are not looked at for an equality.
const PREFIX: usize = 32;

/// Members below a parameter, by constant keys.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    base: Local,
    keys: Vec<StringIndex>,
}

/// An equality in a block: what must have which value for the block to be defined.
struct Guard<'p> {
    place: Place,
    /// The statements that look the place up.
    steps: Vec<&'p Stmt>,
    /// What holds its value then.
    value: Local,
    constant: Value,
}

impl<'p> FuncGen<'_, 'p> {
    /// Generates blocks that run one after the other, each of which may be undefined.
    pub(super) fn sequence(&mut self, blocks: &'p [Block]) -> Result<()> {
        if blocks.len() < FEWEST {
            return blocks.iter().try_for_each(|block| self.block(block));
        }
        let blocks: Vec<&'p Block> = blocks.iter().collect();
        self.sequence_by(&blocks, &mut Vec::new())
    }

    /// The same; nothing is chosen by the places in `used`, whose values are known already.
    fn sequence_by(&mut self, blocks: &[&'p Block], used: &mut Vec<Place>) -> Result<()> {
        let guards: Vec<Vec<Guard<'p>>> = blocks.iter().map(|block| self.guards(block)).collect();
        let mut at = 0;
        while let Some(block) = blocks.get(at) {
            let rest = guards.get(at..).unwrap_or_default();
            match self.run(rest, used) {
                Some((position, length)) => {
                    let chosen = blocks.get(at..at + length).unwrap_or_default();
                    self.choose(chosen, rest, position, used)?;
                    at += length;
                }
                None => {
                    self.block(block)?;
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// The guard of the first block by whose place most blocks from here on are chosen, and how many those are.
    fn run(&self, guards: &[Vec<Guard<'p>>], used: &[Place]) -> Option<(usize, usize)> {
        let first = guards.first()?;
        let length_of = |guard: &Guard<'p>| {
            guards.iter().take_while(|others| others.iter().any(|other| other.place == guard.place)).count()
        };
        let free = first.iter().enumerate().filter(|(_, guard)| !used.contains(&guard.place));
        let (position, length) =
            free.map(|(at, guard)| (at, length_of(guard))).max_by_key(|(_, length)| *length)?;
        (length >= FEWEST && self.paths.replaced == 0).then_some((position, length))
    }

    /// Generates the choice among blocks by the place of the first one's guard at `position`.
    fn choose(
        &mut self,
        blocks: &[&'p Block],
        guards: &[Vec<Guard<'p>>],
        position: usize,
        used: &mut Vec<Place>,
    ) -> Result<()> {
        let Some(guard) = guards.first().and_then(|guards| guards.get(position)) else { return Ok(()) };
        let mut cases: BTreeMap<&Value, Vec<&'p Block>> = BTreeMap::new();
        for (block, guards) in blocks.iter().zip(guards) {
            if let Some(own) = guards.iter().find(|other| other.place == guard.place) {
                cases.entry(&own.constant).or_default().push(block);
            }
        }
        let numbered = cases.keys().zip(0i64..).map(|(key, case)| ((*key).clone(), Value::from(case)));
        let index = self.shared.constants.value(&Value::object(numbered))?;
        let before = self.facts.mark();
        let chosen = self.used_temporary();
        self.body.block();
        let end = self.body.depth();
        self.labels.push(Label { depth: end, with: None });
        guard.steps.iter().try_for_each(|step| self.stmt(step))?;
        // The plan does not count this block.
        self.labels.pop();
        self.body.constant(index);
        self.push(Operand::Local(guard.value))?;
        self.call_runtime("rt_get");
        self.body.tee(chosen).op(Instruction::I32Eqz).br_if(end);
        let count = u32::try_from(cases.len()).unwrap_or(u32::MAX);
        for _ in 0..count {
            self.body.block();
        }
        let targets: Vec<u32> = (0..count).collect();
        self.body.get(chosen).constant(1).op(Instruction::I32ShrU);
        self.body.op(Instruction::BrTable(Cow::Owned(targets), count.saturating_sub(1)));
        self.release(chosen);
        used.push(guard.place.clone());
        for blocks in cases.values() {
            self.body.end();
            self.sequence_by(blocks, used)?;
            self.body.br(end);
        }
        used.pop();
        self.body.end();
        self.facts.go_back(before);
        blocks.iter().for_each(|block| self.facts.forget_writes(block));
        guard.steps.iter().for_each(|step| step.kind.for_each_write(|local| self.facts.assign(local)));
        Ok(())
    }

    /// The equalities of places and constants at the beginning of a block.
    fn guards(&self, block: &'p Block) -> Vec<Guard<'p>> {
        let mut places: HashMap<Local, (Place, Vec<&'p Stmt>)> = HashMap::new();
        let mut constants: HashMap<Local, Value> = HashMap::new();
        let mut guards: Vec<Guard<'p>> = Vec::new();
        for stmt in block.stmts.iter().take(PREFIX) {
            match &stmt.kind {
                StmtKind::Dot { source: Operand::Local(source), key, target } => {
                    let known = self.place(*source, &places);
                    if let (Some((mut place, mut steps)), Operand::String(key)) = (known, key) {
                        place.keys.push(*key);
                        steps.push(stmt);
                        places.insert(*target, (place, steps));
                    }
                }
                StmtKind::MakeNumberInt { value, target } => {
                    constants.insert(*target, Value::from(*value));
                }
                StmtKind::MakeNumberRef { index, target } => {
                    let Ok(number) = Number::parse(self.shared.string_text(*index)) else { break };
                    constants.insert(*target, Value::Number(number));
                }
                StmtKind::Equal { a, b } => {
                    let constant = |operand: &Operand| self.constant_value(*operand, &constants);
                    let (value, constant) = match (a, b, constant(a), constant(b)) {
                        (Operand::Local(value), _, None, Some(constant))
                        | (_, Operand::Local(value), Some(constant), None) => (*value, constant),
                        _ => continue,
                    };
                    if let Some((place, steps)) = self.place(value, &places)
                        && guards.iter().all(|guard| guard.place != place)
                    {
                        guards.push(Guard { place, steps, value, constant });
                    }
                }
                StmtKind::NotEqual { .. } => {}
                _ => break,
            }
        }
        guards
    }

    /// The place that a local holds the value of: a parameter is one itself.
    fn place(
        &self,
        local: Local,
        places: &HashMap<Local, (Place, Vec<&'p Stmt>)>,
    ) -> Option<(Place, Vec<&'p Stmt>)> {
        if self.is_parameter(local) {
            return Some((Place { base: local, keys: Vec::new() }, Vec::new()));
        }
        places.get(&local).cloned()
    }

    fn constant_value(&self, operand: Operand, constants: &HashMap<Local, Value>) -> Option<Value> {
        match operand {
            Operand::Local(local) => constants.get(&local).cloned(),
            Operand::String(index) => Some(Value::from(self.shared.string_text(index))),
            Operand::Bool(truth) => Some(Value::Bool(truth)),
        }
    }
}
