//! Finds the arrays, objects and sets that a plan builds of constants only, so that they are laid out at compile time
//! instead of being built again by every evaluation.
//!
//! A plan has no literal for a collection: it makes an empty one and adds to it. It is constant when every statement
//! that may change it stands behind it in the same block, before anything but other constants, and adds constants.
//! Which statements may change it is found by following the locals that may hold it.

use rego_ir::{Block, Local, Operand, Static, Stmt, StmtKind};
use rego_value::{Number, Value};

use crate::flow::{Flow, Parts};
use crate::hash::{Map, Set};

/// A statement, by its address in the plan, which does not move while it is compiled.
pub(crate) type StmtId = usize;

pub(crate) fn id(stmt: &Stmt) -> StmtId {
    core::ptr::from_ref(stmt).addr()
}

/// The constant collections of one plan or function.
#[derive(Default)]
pub(crate) struct Folded {
    values: Map<StmtId, Value>,
    absorbed: Set<StmtId>,
    sizes: Map<StmtId, usize>,
    reads: Map<StmtId, usize>,
    read_anywhere: Set<Local>,
    parts: Parts,
}

impl Folded {
    /// The collection that a `Make…` statement stands for, contents included.
    pub(crate) fn value(&self, stmt: &Stmt) -> Option<&Value> {
        self.values.get(&id(stmt))
    }

    /// How many statements add to the collection that a `Make…` statement makes: a hint at its size.
    pub(crate) fn size(&self, stmt: &Stmt) -> usize {
        self.sizes.get(&id(stmt)).copied().unwrap_or(0)
    }

    /// How many statements may read what a statement makes for a local, those that change it among them; none where any
    /// number may.
    pub(crate) fn reads(&self, stmt: &Stmt, target: Local) -> Option<usize> {
        let known = !self.read_anywhere.contains(&target);
        known.then(|| self.reads.get(&id(stmt)).copied().unwrap_or(0))
    }

    /// Whether a `Dot` looks for a part of the function's result, to add to it.
    pub(crate) fn finds_part(&self, stmt: &Stmt) -> bool {
        self.parts.finders.contains(&id(stmt))
    }

    /// Whether a `Make…` statement makes such a part, where it is missing.
    pub(crate) fn makes_part(&self, stmt: &Stmt) -> bool {
        self.parts.makers.contains(&id(stmt))
    }

    /// Whether a statement adds to such a collection, or makes a part of one, and so has nothing left to do.
    pub(crate) fn is_absorbed(&self, stmt: &Stmt) -> bool {
        self.absorbed.contains(&id(stmt))
    }
}

/// Analyses the blocks of a plan or function.
pub(crate) fn fold(blocks: &[Block], constants: &Static) -> Folded {
    let flow = Flow::of(blocks);
    let mut folded = Folded { parts: Parts::of(blocks), ..Folded::default() };
    // Where a part of some collection is changed, no collection is certain to stay as it was made.
    if !flow.changes_parts {
        blocks.iter().for_each(|block| fold_block(block, constants, &flow.changes, &mut folded));
    }
    absorb_parts(blocks, &mut folded);
    (folded.reads, folded.read_anywhere) = (flow.reads, flow.read_anywhere);
    folded.sizes = flow.changes.iter().map(|(maker, changes)| (*maker, changes.len())).collect();
    folded
}

fn fold_block(block: &Block, constants: &Static, changes: &Map<StmtId, Vec<StmtId>>, folded: &mut Folded) {
    for (position, stmt) in block.stmts.iter().enumerate() {
        let made = matches!(
            stmt.kind,
            StmtKind::MakeArray { .. } | StmtKind::MakeObject { .. } | StmtKind::MakeSet { .. }
        );
        if made && !folded.values.contains_key(&id(stmt)) {
            // Planners make the numbers that go into a collection before they make it.
            let (before, _) = block.stmts.split_at_checked(position).unwrap_or_default();
            let scalars = before.iter().rev().take_while(|stmt| is_scalar(stmt)).count();
            let rest = block.stmts.get(position - scalars..).unwrap_or_default();
            Run { constants, changes, locals: Map::default(), open: Map::default() }.run(rest, folded);
        }
        stmt.kind.blocks().iter().for_each(|inner| fold_block(inner, constants, changes, folded));
    }
}

/// Leaves out what only parts of constants were made for: a table of thousands of rows would have a local for each.
fn absorb_parts(blocks: &[Block], folded: &mut Folded) {
    let mut read = Set::default();
    let mut made = Vec::new();
    let mut pending: Vec<&Block> = blocks.iter().collect();
    while let Some(block) = pending.pop() {
        for stmt in block.stmts.iter().filter(|stmt| !folded.is_absorbed(stmt)) {
            stmt.kind.for_each_read(|local| {
                read.insert(local);
            });
            if is_scalar(stmt) || folded.values.contains_key(&id(stmt)) {
                stmt.kind.for_each_write(|local| made.push((local, id(stmt))));
            }
            pending.extend(stmt.kind.blocks());
        }
    }
    let unread = made.into_iter().filter(|(local, _)| !read.contains(local));
    folded.absorbed.extend(unread.map(|(_, stmt)| stmt));
}

/// Whether a statement only makes a local hold a scalar that is in the plan.
fn is_scalar(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::MakeNull { .. } | StmtKind::MakeNumberInt { .. } | StmtKind::MakeNumberRef { .. } => true,
        StmtKind::AssignVar { source, .. } => !matches!(source, Operand::Local(_)),
        _ => false,
    }
}

/// A stretch of statements, carried out at compile time.
struct Run<'a> {
    constants: &'a Static,
    changes: &'a Map<StmtId, Vec<StmtId>>,
    locals: Map<Local, Held>,
    open: Map<StmtId, Open>,
}

/// What a local holds.
#[derive(Clone)]
enum Held {
    Value(Value),
    Made(StmtId),
}

/// A collection in the making. A stretch runs each statement once, and all that may change the collection are known
/// ([`Flow::changes`]), so that it is complete when as many have changed it.
struct Open {
    value: Value,
    /// The statements that have changed it so far.
    done: Vec<StmtId>,
    /// How many there are.
    changes: usize,
}

impl Run<'_> {
    fn run(mut self, stmts: &[Stmt], folded: &mut Folded) {
        for stmt in stmts {
            if self.step(stmt).is_none() {
                break;
            }
        }
        for (maker, open) in self.open {
            if open.is_complete() {
                folded.values.insert(maker, open.value);
                folded.absorbed.extend(open.done);
            }
        }
    }

    /// Carries out a statement; `None` when it cannot be.
    fn step(&mut self, stmt: &Stmt) -> Option<()> {
        match &stmt.kind {
            StmtKind::MakeNull { target } => self.hold(*target, Value::Null),
            StmtKind::MakeNumberInt { value, target } => self.hold(*target, Value::from(*value)),
            StmtKind::MakeNumberRef { index, target } => {
                let text = self.constants.strings.get(usize::try_from(index.0).ok()?)?;
                self.hold(*target, Value::from(Number::parse(text).ok()?));
            }
            StmtKind::AssignVar { source, target } => {
                let value = self.operand(*source)?;
                self.hold(*target, value);
            }
            StmtKind::MakeArray { target, .. } => self.make(stmt, *target, Value::array([])),
            StmtKind::MakeObject { target } => self.make(stmt, *target, Value::object([])),
            StmtKind::MakeSet { target } => self.make(stmt, *target, Value::set([])),
            StmtKind::ArrayAppend { value, array } => {
                let value = self.operand(*value)?;
                let Value::Array(items) = self.changed(stmt, *array)? else { return None };
                items.make_mut().push(value);
            }
            StmtKind::SetAdd { value, set } => {
                let value = self.operand(*value)?;
                let Value::Set(items) = self.changed(stmt, *set)? else { return None };
                items.make_mut().insert(value);
            }
            StmtKind::ObjectInsert { key, value, object } => {
                let (key, value) = (self.operand(*key)?, self.operand(*value)?);
                let Value::Object(members) = self.changed(stmt, *object)? else { return None };
                members.make_mut().insert(key, value);
            }
            _ => return None,
        }
        Some(())
    }

    fn hold(&mut self, local: Local, value: Value) {
        self.locals.insert(local, Held::Value(value));
    }

    fn make(&mut self, stmt: &Stmt, local: Local, value: Value) {
        let changes = self.changes.get(&id(stmt)).map_or(0, Vec::len);
        self.open.insert(id(stmt), Open { value, done: Vec::with_capacity(changes), changes });
        self.locals.insert(local, Held::Made(id(stmt)));
    }

    /// The value of an operand; `None` while it is not known, or may still change.
    fn operand(&self, operand: Operand) -> Option<Value> {
        match operand {
            Operand::Bool(b) => Some(Value::Bool(b)),
            Operand::String(index) => {
                let text = self.constants.strings.get(usize::try_from(index.0).ok()?)?;
                Some(Value::from(text.as_str()))
            }
            Operand::Local(local) => match self.locals.get(&local)? {
                Held::Value(value) => Some(value.clone()),
                Held::Made(maker) => {
                    let open = self.open.get(maker)?;
                    open.is_complete().then(|| open.value.clone())
                }
            },
        }
    }

    /// The collection that a statement changes.
    fn changed(&mut self, stmt: &Stmt, local: Local) -> Option<&mut Value> {
        let Held::Made(maker) = self.locals.get(&local)? else { return None };
        let open = self.open.get_mut(maker)?;
        open.done.push(id(stmt));
        Some(&mut open.value)
    }
}

impl Open {
    fn is_complete(&self) -> bool {
        self.done.len() == self.changes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rego_ir::parse_text;

    use super::*;

    /// The collections of a function's only block that are laid out at compile time.
    fn folded(stmts: &str) -> Vec<String> {
        let strings = ["string \"a\"", "string \"b\"", "string \"1\"", "string \"2\""].join("\n");
        let text = format!("{strings}\n\nfunc \"g0.data.t.f\"(%0, %1) -> %2 path ()\nblock\n{stmts}\nend\n");
        let policy = parse_text(&text).unwrap();
        let folded = fold(&policy.funcs.first().unwrap().blocks, &policy.static_);
        let mut values: Vec<String> = folded.values.values().map(ToString::to_string).collect();
        values.sort_unstable();
        values
    }

    #[test]
    fn numbers_may_be_made_before_the_collection() {
        let object = "%4 = number s2\n%5 = number s3\n%6 = object\ninsert %6[s0] = %4\ninsert %6[s1] = %5\n\
                      %2 = %6\nreturn %2";
        assert_eq!(folded(object), [r#"{"a": 1, "b": 2}"#]);
        let nested = "%4 = number s2\n%6 = object\ninsert %6[s0] = %4\n%7 = object\ninsert %7[s1] = %6\n\
                      %2 = %7\nreturn %2";
        assert_eq!(folded(nested).len(), 2);
    }

    #[test]
    fn what_is_not_known_is_no_part_of_a_constant() {
        let object = "%4 = dot %0[s0]\n%5 = number s2\n%6 = object\ninsert %6[s0] = %5\ninsert %6[s1] = %4\n\
                      %2 = %6\nreturn %2";
        assert!(folded(object).is_empty());
        // Made for somebody else, and another value by now.
        let other = "%4 = number s2\n%4 = dot %0[s0]\n%6 = object\ninsert %6[s0] = %4\n%2 = %6\nreturn %2";
        assert!(folded(other).is_empty());
    }
}
