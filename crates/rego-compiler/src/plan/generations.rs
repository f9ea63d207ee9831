//! Which functions are planned already, and which calls are replaced at the moment.
//!
//! A `with` that replaces a function or hides a rule changes what rules mean, so rules are planned anew under it. Each
//! such `with` is a *generation*: it has its own functions (`g1.data.p` beside `g0.data.p`) and may pass further
//! variables to them, the ones that functions are replaced by.

use std::collections::HashMap;

use rego_syntax::ast::{Name, Term};

/// Planned functions by generation. There is always at least one generation.
pub(super) struct Generations {
    current: Generation,
    outer: Vec<Generation>,
    /// Generations that ended, by the number of the one around them and by what they replace.
    ended: HashMap<(u32, String), Generation>,
    next: u32,
    next_variable: u32,
}

struct Generation {
    number: u32,
    /// Function names by the path of their rules.
    functions: HashMap<String, String>,
    /// The variables that are passed to each function ahead of its own arguments.
    variables: Vec<Name>,
    /// What it replaces, if that is the same whenever it is described so.
    context: Option<String>,
}

impl Generations {
    /// The first generation, whose functions are passed `input` and `data`.
    pub(super) fn new() -> Self {
        let variables = vec![Name::new("input"), Name::new("data")];
        let current = Generation { number: 0, functions: HashMap::new(), variables, context: None };
        Self { current, outer: Vec::new(), ended: HashMap::new(), next: 1, next_variable: 0 }
    }

    /// Begins a generation that passes `variables` in addition. With a `context`, an earlier one of the same context is
    /// taken up again.
    pub(super) fn begin(&mut self, variables: Vec<Name>, context: Option<String>) {
        let ended = context.clone().and_then(|context| self.ended.remove(&(self.current.number, context)));
        let new = ended.unwrap_or_else(|| {
            let mut passed = self.current.variables.clone();
            passed.extend(variables);
            let number = self.next;
            self.next += 1;
            Generation { number, functions: HashMap::new(), variables: passed, context }
        });
        self.outer.push(std::mem::replace(&mut self.current, new));
    }

    /// Goes back to the generation before.
    pub(super) fn end(&mut self) {
        if let Some(outer) = self.outer.pop() {
            let ended = std::mem::replace(&mut self.current, outer);
            if let Some(context) = ended.context.clone() {
                self.ended.insert((self.current.number, context), ended);
            }
        }
    }

    /// A number for a variable's name that no other variable has.
    pub(super) fn new_variable(&mut self) -> u32 {
        self.next_variable += 1;
        self.next_variable
    }

    /// The number of the current generation.
    pub(super) fn number(&self) -> u32 {
        self.current.number
    }

    /// The variables that are passed to each function of the current generation.
    pub(super) fn variables(&self) -> &[Name] {
        &self.current.variables
    }

    /// The function planned for a path in the current generation.
    pub(super) fn function(&self, path: &str) -> Option<&String> {
        self.current.functions.get(path)
    }

    /// Notes the function planned for a path in the current generation.
    pub(super) fn add_function(&mut self, path: String, name: String) {
        self.current.functions.insert(path, name);
    }
}

/// What one `with` puts in the place of functions, by their dotted names.
pub(super) type Replacements = HashMap<String, Term>;

/// The replacements in force. What replaces a function calls the originals, so it is planned with none in force.
#[derive(Default)]
pub(super) struct Mocks {
    in_force: Vec<Replacements>,
    set_aside: Vec<Vec<Replacements>>,
}

impl Mocks {
    /// Puts replacements in force.
    pub(super) fn begin(&mut self, replacements: Replacements) {
        self.in_force.push(replacements);
    }

    /// Ends the replacements that were put in force last.
    pub(super) fn end(&mut self) {
        self.in_force.pop();
    }

    /// Sets all replacements aside until [`Self::restore`].
    pub(super) fn set_aside(&mut self) {
        self.set_aside.push(std::mem::take(&mut self.in_force));
    }

    /// Undoes one [`Self::set_aside`].
    pub(super) fn restore(&mut self) {
        if let Some(in_force) = self.set_aside.pop() {
            self.in_force = in_force;
        }
    }

    /// What a function is replaced by.
    pub(super) fn replacement(&self, function: &str) -> Option<&Term> {
        self.in_force.iter().rev().find_map(|replacements| replacements.get(function))
    }
}
