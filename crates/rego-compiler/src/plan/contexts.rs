//! What rules and functions mean at some place, and which functions are planned for that.
//!
//! A `with` that replaces a function or hides a rule changes what rules mean, so rules are planned anew under it. Each
//! such `with` makes a *context*: it has its own functions (`g1.data.p` beside `g0.data.p`) and may pass further
//! variables to them, the ones that functions are replaced by.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use rego_syntax::ast::{Name, Term};

use super::trie::NodeId;

/// What one `with` puts in the place of functions, by their dotted names.
pub(super) type Replacements = BTreeMap<String, Term>;

/// What rules and functions mean.
#[derive(Default)]
pub(super) struct Context {
    /// Tells its functions from those of other contexts.
    pub(super) number: u32,
    /// The variables that are passed to each function ahead of its own arguments.
    pub(super) variables: Vec<Name>,
    /// What functions are replaced by.
    pub(super) replaced: Replacements,
    /// The rules that base data hides.
    pub(super) hidden: Vec<NodeId>,
    /// The paths of the functions whose `with` led here. If such a function were needed here
    /// again, there would be no end of contexts.
    pub(super) within: Vec<String>,
}

impl Context {
    /// The context of an entrypoint, whose functions are passed `input` and `data`.
    pub(super) fn outermost() -> Self {
        Self { variables: vec![Name::new("input"), Name::new("data")], ..Self::default() }
    }
}

/// All contexts.
#[derive(Default)]
pub(super) struct Contexts {
    /// By the number of the context around them and by a description of what they change in it.
    known: HashMap<(u32, String), Rc<Context>>,
    last: u32,
    variables: u32,
}

impl Contexts {
    /// Numbers a new context. With a description, an earlier one of the same description is taken instead.
    pub(super) fn add(
        &mut self,
        around: u32,
        description: Option<String>,
        mut context: Context,
    ) -> Rc<Context> {
        let key = description.map(|description| (around, description));
        if let Some(known) = key.as_ref().and_then(|key| self.known.get(key)) {
            return Rc::clone(known);
        }
        self.last += 1;
        context.number = self.last;
        let context = Rc::new(context);
        if let Some(key) = key {
            self.known.insert(key, Rc::clone(&context));
        }
        context
    }

    /// A number for a variable's name that no other variable has.
    pub(super) fn new_variable(&mut self) -> u32 {
        self.variables += 1;
        self.variables
    }
}
