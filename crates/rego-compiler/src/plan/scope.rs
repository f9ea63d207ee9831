//! What belongs to the one function or entrypoint that is being planned: its locals, its variables, its blocks.

use std::collections::HashMap;

use rego_ir::{Local, Location, Operand};
use rego_syntax::ast::Name;

use super::blocks::Blocks;

/// The state of the function or entrypoint that is being planned.
pub(super) struct Scope {
    /// The open blocks.
    pub(super) blocks: Blocks,
    /// The source of the statements that are appended.
    pub(super) location: Location,
    frames: Vec<HashMap<Name, Operand>>,
    next_local: u32,
}

impl Scope {
    /// A scope whose first free local is `next_local`.
    pub(super) fn new(next_local: u32) -> Self {
        Self {
            blocks: Blocks::default(),
            location: Location::default(),
            frames: vec![HashMap::new()],
            next_local,
        }
    }

    /// A scope with the locals of the two documents and nothing else.
    pub(super) fn of_documents() -> Self {
        let mut scope = Self::new(2);
        scope.bind(Name::new("input"), Local::INPUT);
        scope.bind(Name::new("data"), Local::DATA);
        scope
    }

    /// A local that is not in use.
    pub(super) fn new_local(&mut self) -> Local {
        let local = Local(self.next_local);
        self.next_local += 1;
        local
    }

    /// The next local that [`Self::new_local`] gives.
    pub(super) fn next_local(&self) -> u32 {
        self.next_local
    }

    /// Makes the locals from `next_local` on free again. What they held must be of no more use.
    pub(super) fn reuse_locals_from(&mut self, next_local: u32) {
        self.next_local = next_local;
    }

    /// The value of a variable, if it has one by now.
    pub(super) fn value_of(&self, name: &str) -> Option<Operand> {
        self.frames.iter().rev().find_map(|frame| frame.get(name)).copied()
    }

    /// Gives a variable its value.
    pub(super) fn bind(&mut self, name: Name, value: impl Into<Operand>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.insert(name, value.into());
        }
    }

    /// Begins a body whose variables end with it.
    pub(super) fn push_frame(&mut self) {
        self.frames.push(HashMap::new());
    }

    /// Ends the variables of a body.
    pub(super) fn pop_frame(&mut self) {
        self.frames.pop();
    }

    /// The variables of the innermost body, by name.
    pub(super) fn frame_sorted(&self) -> Vec<(Name, Operand)> {
        let frame = self.frames.last().into_iter().flatten();
        let mut all: Vec<_> = frame.map(|(name, value)| (name.clone(), *value)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }
}
