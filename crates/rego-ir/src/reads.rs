//! Which parts of the input a policy can read.
//!
//! [`input_reads`] follows the input document through locals, parameters and results, and gives a tree of the keys
//! under which anything is read. A reader that is given the tree may leave out every member that is not in it: no
//! evaluation can tell the difference.
//!
//! The analysis keeps, for each local of each function, the set of places in the input whose value it may hold
//! (without regard to the order of statements, but with locals that blocks merely share told apart), and grows these sets until nothing changes. A place whose value goes
//! where it cannot be followed (a built-in function, a collection, the result) is read as a whole.
//!
//! What a reader must keep at *every* place of the tree, also at one from which nothing is read:
//! - a scalar as it is, so that comparing it with a constant, or its truth, comes out the same;
//! - of an object or array its kind, so that it stays defined, equal to no scalar, and of the same type.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{Block, Func, Local, Operand, Plan, Policy, StmtKind, StringIndex, scopes};

/// What is read at a place of the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Everything, at any depth. Then there are no parts.
    pub whole: bool,
    /// Members with these keys, if the value is an object.
    pub members: BTreeMap<String, Reads>,
    /// All elements of an array, and all members of an object that are not among `members`: their keys and what this
    /// says of their values.
    pub each: Option<Box<Reads>>,
}

/// Deeper places count as read as a whole. Also what ends the search where locals pass places round in a ring.
pub const MAX_DEPTH: usize = 32;

/// More places than this count as the whole input.
const MAX_PLACES: usize = 1 << 16;

/// More places than this in one local are each read as a whole, and the local is followed no further: definitions of one
/// rule share their locals, and there may be thousands.
const MAX_PLACES_OF_LOCAL: usize = 64;

/// What any entrypoint of the policy can read of its input.
#[must_use]
pub fn input_reads(policy: &Policy) -> Reads {
    let plan = |plan: &Plan| Plan {
        name: plan.name.clone(),
        blocks: scopes::split(&plan.blocks, &[Local::INPUT, Local::DATA]),
    };
    let func = |func: &Func| Func {
        blocks: if may_hold_input(func) { scopes::split(&func.blocks, &func.params) } else { Vec::new() },
        params: func.params.clone(),
        path: func.path.clone(),
        name: func.name.clone(),
        return_: func.return_,
    };
    let plans: Vec<Plan> = policy.plans.iter().map(plan).collect();
    let funcs: Vec<Func> = policy.funcs.iter().map(func).collect();
    let mut analysis = Analysis::new(&plans, &funcs, &policy.static_.strings);
    analysis.run();
    analysis.tree(ROOT)
}

/// The index of a place.
type PlaceId = usize;

const ROOT: PlaceId = 0;

/// A place in the input.
#[derive(Default)]
struct Place {
    depth: usize,
    whole: bool,
    members: BTreeMap<StringIndex, PlaceId>,
    each: Option<PlaceId>,
}

/// A plan or a function.
#[derive(Default)]
struct Body<'a> {
    blocks: &'a [Block],
    func: Option<&'a Func>,
    /// What each local may hold.
    locals: HashMap<Local, BTreeSet<PlaceId>>,
    /// Locals that hold a number or null that the plan makes, and nothing else.
    constants: BTreeSet<Local>,
    /// Locals that are not followed: whatever they hold is read as a whole.
    crowded: BTreeSet<Local>,
    /// What it may return.
    returned: BTreeSet<PlaceId>,
    callers: BTreeSet<usize>,
    /// Locals that [`StmtKind::AssignVarOnce`] may assign twice, and so compare.
    compared: BTreeSet<Local>,
    waiting: bool,
}

struct Analysis<'a> {
    strings: &'a [String],
    places: Vec<Place>,
    bodies: Vec<Body<'a>>,
    by_name: HashMap<&'a str, usize>,
    /// The functions that a dynamic call may reach.
    dynamic: Vec<usize>,
    waiting: Vec<usize>,
}

/// Whether a local of a function may hold a part of the input at all: a table of thousands of rows holds none, and is not
/// looked at row by row.
fn may_hold_input(func: &Func) -> bool {
    let mut pending: Vec<&Block> = func.blocks.iter().collect();
    while let Some(block) = pending.pop() {
        for stmt in &block.stmts {
            let mut holds = matches!(stmt.kind, StmtKind::Call { .. } | StmtKind::CallDynamic { .. });
            stmt.kind.for_each_read(|local| holds |= func.params.contains(&local));
            if holds {
                return true;
            }
            pending.extend(stmt.kind.blocks());
        }
    }
    false
}

/// Collects the locals that hold numbers and null that the plan makes, and those that hold other things.
fn constants(blocks: &[Block], made: &mut BTreeSet<Local>, others: &mut BTreeSet<Local>) {
    for stmt in blocks.iter().flat_map(|block| &block.stmts) {
        match &stmt.kind {
            StmtKind::MakeNumberInt { target, .. }
            | StmtKind::MakeNumberRef { target, .. }
            | StmtKind::MakeNull { target } => {
                made.insert(*target);
            }
            kind => kind.for_each_write(|local| {
                others.insert(local);
            }),
        }
        constants(stmt.kind.blocks(), made, others);
    }
}

impl<'a> Analysis<'a> {
    fn new(plans: &'a [Plan], funcs: &'a [Func], strings: &'a [String]) -> Self {
        let plans = plans.iter().map(|plan| Body { blocks: &plan.blocks, ..Body::default() });
        let funcs =
            funcs.iter().map(|func| Body { blocks: &func.blocks, func: Some(func), ..Body::default() });
        let mut bodies: Vec<Body<'a>> = plans.chain(funcs).collect();
        for body in &mut bodies {
            let mut seen = BTreeSet::new();
            compared(body.blocks, false, &mut seen, &mut body.compared);
            let mut others = body.func.map(|func| func.params.iter().copied().collect()).unwrap_or_default();
            constants(body.blocks, &mut body.constants, &mut others);
            body.constants.retain(|local| !others.contains(local));
            if body.func.is_none() {
                body.locals.insert(Local::INPUT, BTreeSet::from([ROOT]));
            }
        }
        let named = bodies.iter().enumerate().filter_map(|(id, body)| Some((id, body.func?)));
        let by_name = named.clone().map(|(id, func)| (func.name.as_str(), id)).collect();
        let dynamic = named.filter(|(_, func)| !func.path.is_empty()).map(|(id, _)| id).collect();
        Self { strings, places: vec![Place::default()], bodies, by_name, dynamic, waiting: Vec::new() }
    }

    fn run(&mut self) {
        // Every body once, so that whatever it does with its arguments is known; then those whose facts have changed.
        (0..self.bodies.len()).rev().for_each(|body| self.wake(body));
        while let Some(id) = self.waiting.pop() {
            if let Some(body) = self.bodies.get_mut(id) {
                body.waiting = false;
                let blocks = body.blocks;
                self.blocks(id, blocks);
            }
            if self.places.len() > MAX_PLACES {
                self.escape(ROOT);
                return;
            }
        }
    }

    fn wake(&mut self, id: usize) {
        if let Some(body) = self.bodies.get_mut(id).filter(|body| !body.waiting) {
            body.waiting = true;
            self.waiting.push(id);
        }
    }

    fn blocks(&mut self, body: usize, blocks: &[Block]) {
        for stmt in blocks.iter().flat_map(|block| &block.stmts) {
            self.statement(body, &stmt.kind);
            self.blocks(body, stmt.kind.blocks());
        }
    }

    fn statement(&mut self, body: usize, kind: &StmtKind) {
        match kind {
            StmtKind::Dot { source, key, target } => {
                let found: BTreeSet<PlaceId> = match *key {
                    Operand::String(key) => self
                        .places_of(body, *source)
                        .into_iter()
                        .map(|place| self.member(place, key))
                        .collect(),
                    _ => self.places_of(body, *source).into_iter().map(|place| self.each(place)).collect(),
                };
                self.read(body, *key);
                self.assign(body, *target, found);
            }
            StmtKind::Scan { source, value, .. } => {
                let places = self.places_of(body, Operand::Local(*source));
                let found = places.into_iter().map(|place| self.each(place)).collect();
                self.assign(body, *value, found);
            }
            // The number of elements is kept with the elements.
            StmtKind::Len { source, .. } => {
                for place in self.places_of(body, *source) {
                    self.each(place);
                }
            }
            StmtKind::AssignVar { source, target } => self.copy(body, *source, *target),
            StmtKind::AssignVarOnce { source, target } => {
                let compared = self.bodies.get(body).is_some_and(|body| body.compared.contains(target));
                if compared {
                    self.read(body, *source);
                } else {
                    self.copy(body, *source, *target);
                }
            }
            // What stands in for a part of the input is read as a whole; what it stands in for, as the block reads it.
            StmtKind::With { value, .. } => self.read(body, *value),
            StmtKind::Call { func, args, result } => match self.by_name.get(func.as_str()) {
                Some(callee) => self.call(body, *callee, args, *result),
                None => args.iter().for_each(|arg| self.read(body, *arg)),
            },
            StmtKind::CallDynamic { args, result, path } => {
                path.iter().for_each(|key| self.read(body, *key));
                let args: Vec<Operand> = args.iter().copied().map(Operand::Local).collect();
                for callee in self.dynamic.clone() {
                    self.call(body, callee, &args, *result);
                }
            }
            StmtKind::ReturnLocal { source } => self.give_back(body, *source),
            // A collection equals no constant, and a scalar is kept as it is.
            StmtKind::Equal { a, b } | StmtKind::NotEqual { a, b } => {
                if !self.is_scalar_constant(body, *a) && !self.is_scalar_constant(body, *b) {
                    self.read(body, *a);
                    self.read(body, *b);
                }
            }
            // Kept at every place.
            StmtKind::IsDefined { .. }
            | StmtKind::IsUndefined { .. }
            | StmtKind::IsArray { .. }
            | StmtKind::IsObject { .. }
            | StmtKind::IsSet { .. } => {}
            other => other.for_each_read(|local| self.read(body, Operand::Local(local))),
        }
    }

    /// Whether an operand is a scalar that the plan makes, whatever else happens.
    fn is_scalar_constant(&self, body: usize, operand: Operand) -> bool {
        let Operand::Local(local) = operand else { return true };
        self.bodies.get(body).is_some_and(|body| body.constants.contains(&local))
    }

    /// The places whose value the operand may be.
    fn places_of(&self, body: usize, operand: Operand) -> BTreeSet<PlaceId> {
        let Operand::Local(local) = operand else { return BTreeSet::new() };
        self.bodies.get(body).and_then(|body| body.locals.get(&local)).cloned().unwrap_or_default()
    }

    fn copy(&mut self, body: usize, source: Operand, target: Local) {
        let places = self.places_of(body, source);
        self.assign(body, target, places);
    }

    fn assign(&mut self, id: usize, target: Local, places: BTreeSet<PlaceId>) {
        if places.is_empty() {
            return;
        }
        let Some(body) = self.bodies.get_mut(id) else { return };
        if body.crowded.contains(&target) {
            places.into_iter().for_each(|place| self.escape(place));
            return;
        }
        let held = body.locals.entry(target).or_default();
        let before = held.len();
        held.extend(places);
        if held.len() == before {
            return;
        }
        if held.len() > MAX_PLACES_OF_LOCAL {
            let held = std::mem::take(held);
            body.crowded.insert(target);
            held.into_iter().for_each(|place| self.escape(place));
        }
        self.wake(id);
    }

    fn call(&mut self, caller: usize, callee: usize, args: &[Operand], result: Local) {
        let params = self.bodies.get(callee).and_then(|body| body.func).map(|func| func.params.clone());
        for (param, arg) in params.into_iter().flatten().zip(args) {
            let places = self.places_of(caller, *arg);
            self.assign(callee, param, places);
        }
        let Some(body) = self.bodies.get_mut(callee) else { return };
        body.callers.insert(caller);
        let returned = body.returned.clone();
        self.assign(caller, result, returned);
    }

    fn give_back(&mut self, id: usize, source: Local) {
        let places = self.places_of(id, Operand::Local(source));
        let Some(body) = self.bodies.get_mut(id) else { return };
        let before = body.returned.len();
        body.returned.extend(places);
        if body.returned.len() > before {
            for caller in body.callers.clone() {
                self.wake(caller);
            }
        }
    }

    /// The value goes where it is not followed.
    fn read(&mut self, body: usize, operand: Operand) {
        for place in self.places_of(body, operand) {
            self.escape(place);
        }
    }

    fn escape(&mut self, place: PlaceId) {
        if let Some(place) = self.places.get_mut(place) {
            place.whole = true;
        }
    }

    fn member(&mut self, place: PlaceId, key: StringIndex) -> PlaceId {
        self.part(
            place,
            |place| place.members.get(&key).copied(),
            |place, part| {
                place.members.insert(key, part);
            },
        )
    }

    fn each(&mut self, place: PlaceId) -> PlaceId {
        self.part(place, |place| place.each, |place, part| place.each = Some(part))
    }

    fn part(
        &mut self,
        id: PlaceId,
        find: impl FnOnce(&Place) -> Option<PlaceId>,
        add: impl FnOnce(&mut Place, PlaceId),
    ) -> PlaceId {
        let new = self.places.len();
        let Some(place) = self.places.get_mut(id) else { return id };
        if place.depth >= MAX_DEPTH {
            place.whole = true;
        }
        if place.whole {
            return id;
        }
        if let Some(part) = find(place) {
            return part;
        }
        add(place, new);
        let depth = place.depth + 1;
        self.places.push(Place { depth, ..Place::default() });
        new
    }

    fn tree(&self, id: PlaceId) -> Reads {
        let Some(place) = self.places.get(id).filter(|place| !place.whole) else {
            return Reads { whole: true, ..Reads::default() };
        };
        let name = |key: StringIndex| self.strings.get(usize::try_from(key.0).ok()?).cloned();
        let members = place.members.iter().filter_map(|(key, part)| Some((name(*key)?, self.tree(*part))));
        let mut reads = Reads {
            whole: false,
            members: members.collect(),
            each: place.each.map(|part| Box::new(self.tree(part))),
        };
        if let Some(each) = &reads.each {
            reads.members.values_mut().for_each(|member| member.add(each));
        }
        reads
    }
}

impl Reads {
    /// What `other` reads as well.
    fn add(&mut self, other: &Self) {
        if self.whole || other.whole {
            *self = Self { whole: true, ..Self::default() };
            return;
        }
        for (key, part) in &other.members {
            match self.members.get_mut(key) {
                Some(member) => member.add(part),
                None => {
                    let mut member = part.clone();
                    if let Some(each) = &self.each {
                        member.add(each);
                    }
                    self.members.insert(key.clone(), member);
                }
            }
        }
        let Some(each) = &other.each else { return };
        for (key, member) in &mut self.members {
            if !other.members.contains_key(key) {
                member.add(each);
            }
        }
        match &mut self.each {
            Some(own) => own.add(each),
            None => self.each = Some(each.clone()),
        }
    }
}

/// Collects the locals that may be assigned more than once by [`StmtKind::AssignVarOnce`].
fn compared(blocks: &[Block], repeated: bool, seen: &mut BTreeSet<Local>, found: &mut BTreeSet<Local>) {
    for stmt in blocks.iter().flat_map(|block| &block.stmts) {
        if let StmtKind::AssignVarOnce { target, .. } = &stmt.kind
            && (!seen.insert(*target) || repeated)
        {
            found.insert(*target);
        }
        let repeated = repeated || matches!(stmt.kind, StmtKind::Scan { .. });
        compared(stmt.kind.blocks(), repeated, seen, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as text: `whole`, or `{key: …, *: …}`.
    fn show(reads: &Reads) -> String {
        if reads.whole {
            return "whole".to_owned();
        }
        let members = reads.members.iter().map(|(key, part)| format!("{key}: {}", show(part)));
        let each = reads.each.iter().map(|part| format!("*: {}", show(part)));
        format!("{{{}}}", members.chain(each).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn what_is_added_covers_both() {
        let leaf = Reads::default;
        let whole = || Reads { whole: true, ..Reads::default() };
        let of = |members: &[(&str, Reads)], each: Option<Reads>| Reads {
            whole: false,
            members: members.iter().map(|(key, part)| ((*key).to_owned(), part.clone())).collect(),
            each: each.map(Box::new),
        };
        let mut reads = of(&[("a", leaf()), ("b", of(&[("x", leaf())], None))], None);
        reads.add(&of(&[("b", of(&[("y", whole())], None)), ("c", leaf())], None));
        assert_eq!(show(&reads), "{a: {}, b: {x: {}, y: whole}, c: {}}");
        reads.add(&of(&[("c", leaf())], Some(of(&[("z", leaf())], None))));
        assert_eq!(show(&reads), "{a: {z: {}}, b: {x: {}, y: whole, z: {}}, c: {}, *: {z: {}}}");
        reads.add(&of(&[("d", leaf())], None));
        assert_eq!(show(&reads), "{a: {z: {}}, b: {x: {}, y: whole, z: {}}, c: {}, d: {z: {}}, *: {z: {}}}");
        reads.add(&whole());
        assert_eq!(show(&reads), "whole");
    }
}
