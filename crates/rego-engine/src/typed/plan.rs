//! What is read of a type's values, and where it goes.

use super::bind::Misfit;
use crate::input::{EmptySlots, Member, Node};

/// What a type looks like to a policy.
#[derive(Clone, Debug)]
pub enum InputShape {
    /// A value without parts, in words: `a string`.
    Scalar(&'static str),
    /// An object with these members.
    Struct {
        /// The type's name.
        name: &'static str,
        /// Its fields, in the order in which they are written.
        fields: &'static [ShapeField],
    },
    /// An array of these.
    List(fn() -> InputShape),
    /// An object with any keys.
    Map(fn() -> InputShape),
    /// Anything.
    Any,
}

/// A field of a struct.
#[derive(Clone, Copy, Debug)]
pub struct ShapeField {
    /// The member's key.
    pub name: &'static str,
    /// What it holds.
    pub shape: fn() -> InputShape,
}

/// Where the parts of a value go: made by [`Module::bind`](crate::Module::bind).
#[derive(Debug)]
pub struct InputPlan(pub(super) Plan);

#[derive(Debug)]
pub(super) enum Plan {
    /// Everything is read, and nothing is known.
    Whole,
    /// The value has no parts, or none that are read.
    Scalar,
    /// Some members of an object are read: each has a place.
    Slots {
        /// The object before any member has its value.
        empty: EmptySlots,
        /// For each field where its value goes, if it is read.
        fields: Box<[Option<Slot>]>,
        /// The same for values of which the keys are not known before.
        names: Box<[(Box<str>, Slot)]>,
    },
    /// All members of an object are read.
    Every {
        /// For each field.
        fields: Box<[Every]>,
        /// As above; a key's handle and hash with its plan.
        names: Box<[(Box<str>, Every)]>,
        /// All other members.
        each: Box<InputPlan>,
    },
    /// The elements are read, or nothing but that it is an array.
    List(Option<Box<InputPlan>>),
    /// Anything: what is read of it.
    Any(Box<Node>),
}

/// A member of an object of which some members are read.
#[derive(Debug)]
pub(super) struct Slot {
    /// Where its value lies in the object, in bytes.
    pub(super) place: usize,
    pub(super) plan: InputPlan,
}

/// A member of an object all of whose members are read.
#[derive(Debug)]
pub(super) struct Every {
    /// Hash and handle of its key, where that is a constant of the module.
    pub(super) key: Option<[u32; 2]>,
    pub(super) plan: InputPlan,
}

/// Finds out where parts go, and what does not fit.
pub(super) struct Planner {
    pub(super) misfits: Vec<Misfit>,
}

impl Planner {
    /// What a node reads of a shape. `path` is where that is.
    pub(super) fn plan(&mut self, shape: &InputShape, node: &Node, path: &str) -> InputPlan {
        if node.whole {
            return InputPlan(Plan::Whole);
        }
        InputPlan(match shape {
            InputShape::Any => Plan::Any(Box::new(node.clone())),
            InputShape::Scalar(what) => {
                self.no_parts(what, node, path);
                Plan::Scalar
            }
            InputShape::List(element) => {
                let what = "a list";
                node.members
                    .iter()
                    .for_each(|member| self.misfit(&format!("{path}.{}", member.key), path, what));
                let each = node.each.as_ref();
                Plan::List(each.map(|each| Box::new(self.plan(&element(), each, &format!("{path}[_]")))))
            }
            InputShape::Struct { name, fields } => {
                for member in &node.members {
                    if fields.iter().all(|field| *field.name != *member.key) {
                        let reason = format!("`{name}` has no field for it");
                        self.misfits.push(Misfit { path: format!("{path}.{}", member.key), reason });
                    }
                }
                self.members(fields, None, node, path)
            }
            InputShape::Map(value) => self.members(&[], Some(*value), node, path),
        })
    }

    fn members(
        &mut self,
        fields: &[ShapeField],
        value: Option<fn() -> InputShape>,
        node: &Node,
        path: &str,
    ) -> Plan {
        let value = value.map(|value| value());
        let Some(each) = &node.each else {
            let mut slot = |shape: &InputShape, position: usize| {
                let member = node.members.get(position)?;
                let plan = self.plan(shape, &member.node, &format!("{path}.{}", member.key));
                Some(Slot { place: EmptySlots::place(position), plan })
            };
            let fields =
                fields.iter().map(|field| slot(&(field.shape)(), node.position(field.name)?)).collect();
            let names =
                value.iter().flat_map(|value| node.members.iter().enumerate().map(move |at| (value, at)));
            let names = names
                .filter_map(|(value, (position, member))| Some((member.key.clone(), slot(value, position)?)));
            return Plan::Slots { names: names.collect(), fields, empty: node.empty().clone() };
        };
        let fields = fields.iter().map(|field| {
            let path = format!("{path}.{}", field.name);
            let position = node.position(field.name);
            let part = position
                .and_then(|position| node.members.get(position))
                .map_or(&**each, |member| &member.node);
            let key = position.and_then(|position| node.members.get(position)).map(Member::entry);
            Every { key, plan: self.plan(&(field.shape)(), part, &path) }
        });
        let fields = fields.collect();
        let names = value.iter().flat_map(|value| node.members.iter().map(move |member| (value, member)));
        let names = names.map(|(value, member)| {
            let plan = self.plan(value, &member.node, &format!("{path}.{}", member.key));
            (member.key.clone(), Every { key: Some(member.entry()), plan })
        });
        let names = names.collect();
        let shape = value.as_ref().unwrap_or(&InputShape::Any);
        Plan::Every { fields, names, each: Box::new(self.plan(shape, each, &format!("{path}[_]"))) }
    }

    /// A value without parts of which parts are read.
    fn no_parts(&mut self, what: &str, node: &Node, path: &str) {
        for member in &node.members {
            self.misfit(&format!("{path}.{}", member.key), path, what);
        }
        if node.each.is_some() {
            self.misfit(&format!("{path}[_]"), path, what);
        }
    }

    fn misfit(&mut self, read: &str, path: &str, what: &str) {
        self.misfits.push(Misfit { path: read.to_owned(), reason: format!("`{path}` is {what}") });
    }
}
