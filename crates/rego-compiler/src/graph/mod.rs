//! Which rules refer to which. Every walk over it is a loop: chains of rules may be of any length.

mod cause;
mod dependencies;
mod narrow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use cause::{DynamicRef, Shown};

use rego_syntax::ast::Module;

use crate::rule_tree::{RuleId, RuleTree};
use crate::visit;

/// The dependencies of the rules of a program; each `else` is a rule of its own here.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    edges: BTreeMap<RuleId, BTreeSet<RuleId>>,
    reverse: BTreeMap<RuleId, BTreeSet<RuleId>>,
    /// Edges that exist only if a variable has the right value.
    possible: BTreeMap<(RuleId, RuleId), Arc<DynamicRef>>,
}

impl Graph {
    pub(crate) fn build(modules: &[Module], tree: &RuleTree) -> Self {
        let mut graph = Self::default();
        for (index, module) in modules.iter().enumerate() {
            for (position, rule) in module.rules.iter().enumerate() {
                for (branch, rule) in visit::chain(rule).enumerate() {
                    let from = RuleId { module: index, rule: position, branch };
                    graph.edges.entry(from).or_default();
                    graph.connect(from, dependencies::of_rule(rule, tree));
                }
            }
        }
        graph
    }

    fn connect(&mut self, from: RuleId, dependencies: Vec<dependencies::Dependency>) {
        let certain: BTreeSet<RuleId> =
            dependencies.iter().filter(|found| found.condition.is_none()).map(|found| found.rule).collect();
        for found in dependencies {
            for branch in 0..=found.branches {
                let to = RuleId { branch, ..found.rule };
                self.edges.entry(from).or_default().insert(to);
                self.reverse.entry(to).or_default().insert(from);
                if let Some(condition) = found.condition.as_ref().filter(|_| !certain.contains(&found.rule)) {
                    self.possible.entry((from, to)).or_insert_with(|| condition.clone());
                }
            }
        }
    }

    /// The rules that a rule refers to.
    pub fn dependencies(&self, id: RuleId) -> impl Iterator<Item = RuleId> + '_ {
        self.edges.get(&id).into_iter().flatten().copied()
    }

    /// The rules that refer to a rule.
    pub fn dependents(&self, id: RuleId) -> impl Iterator<Item = RuleId> + '_ {
        self.reverse.get(&id).into_iter().flatten().copied()
    }

    /// All rules, each behind those that it refers to. Where rules refer to each other in a circle their order
    /// among themselves means nothing.
    pub fn sorted(&self) -> Vec<RuleId> {
        let mut sorted = Vec::with_capacity(self.edges.len());
        let mut entered = BTreeSet::new();
        for root in self.edges.keys() {
            let mut pending = vec![(*root, false)];
            while let Some((id, done)) = pending.pop() {
                if done {
                    sorted.push(id);
                } else if entered.insert(id) {
                    pending.push((id, true));
                    let next: Vec<RuleId> =
                        self.dependencies(id).filter(|next| !entered.contains(next)).collect();
                    pending.extend(next.into_iter().rev().map(|next| (next, false)));
                }
            }
        }
        sorted
    }

    /// A shortest way from a rule back to itself, if there is one. With `certain` only steps count that are
    /// there whatever the variables hold.
    pub(crate) fn cycle(&self, start: RuleId, certain: bool) -> Option<Vec<RuleId>> {
        let mut came_from: BTreeMap<RuleId, RuleId> = BTreeMap::new();
        let mut level = std::collections::VecDeque::from([start]);
        while let Some(id) = level.pop_front() {
            for next in self.dependencies(id) {
                if certain && self.possible.contains_key(&(id, next)) {
                    continue;
                }
                if next == start {
                    return Some(trace(&came_from, start, id));
                }
                if let std::collections::btree_map::Entry::Vacant(free) = came_from.entry(next) {
                    free.insert(id);
                    level.push_back(next);
                }
            }
        }
        None
    }

    /// The reference through which a rule may refer to another, if none does whatever its variables hold.
    pub(crate) fn condition(&self, from: RuleId, to: RuleId) -> Option<&DynamicRef> {
        self.possible.get(&(from, to)).map(|condition| &**condition)
    }

    /// The rules that lie on circles; those that reach each other together.
    pub(crate) fn circles(&self) -> Vec<Vec<RuleId>> {
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        // Against the edges, in the reverse of the order in which they were left: what is reached belongs together.
        for root in self.sorted().into_iter().rev() {
            let mut pending = vec![root];
            let mut together = Vec::new();
            while let Some(id) = pending.pop() {
                if seen.insert(id) {
                    together.push(id);
                    pending.extend(self.dependents(id));
                }
            }
            let to_itself = |id: &RuleId| self.dependencies(*id).any(|next| next == *id);
            if together.len() > 1 || together.first().is_some_and(to_itself) {
                together.sort();
                circles.push(together);
            }
        }
        circles
    }
}

fn trace(came_from: &BTreeMap<RuleId, RuleId>, start: RuleId, last: RuleId) -> Vec<RuleId> {
    let mut path = vec![start, last];
    let mut at = last;
    while at != start
        && let Some(before) = came_from.get(&at)
    {
        path.push(*before);
        at = *before;
    }
    if last == start {
        path.pop();
        path.push(start);
    }
    path.reverse();
    path
}
