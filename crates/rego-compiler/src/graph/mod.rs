//! Which rules refer to which. Every walk over it is a loop: chains of rules may be of any length.

mod dependencies;
mod narrow;

use std::collections::{BTreeMap, BTreeSet};

use rego_syntax::ast::Module;

use crate::rule_tree::{RuleId, RuleTree};
use crate::visit;

/// The dependencies of the rules of a program; each `else` is a rule of its own here.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    edges: BTreeMap<RuleId, BTreeSet<RuleId>>,
    reverse: BTreeMap<RuleId, BTreeSet<RuleId>>,
    /// Edges that exist only if a variable has the right value.
    possible: BTreeSet<(RuleId, RuleId)>,
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
            dependencies.iter().filter(|found| found.certain).map(|found| found.rule).collect();
        for found in dependencies {
            for branch in 0..=found.branches {
                let to = RuleId { branch, ..found.rule };
                self.edges.entry(from).or_default().insert(to);
                self.reverse.entry(to).or_default().insert(from);
                if !certain.contains(&found.rule) {
                    self.possible.insert((from, to));
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
                if certain && self.possible.contains(&(id, next)) {
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

    /// The rules that lie on a circle.
    pub(crate) fn on_cycles(&self) -> BTreeSet<RuleId> {
        let sorted = self.sorted();
        let mut assigned: BTreeMap<RuleId, usize> = BTreeMap::new();
        let mut sizes: Vec<usize> = Vec::new();
        // Against the edges, in the reverse of the order in which they were left: each tree is one component.
        for root in sorted.into_iter().rev() {
            let component = sizes.len();
            let mut pending = vec![root];
            let mut size = 0;
            while let Some(id) = pending.pop() {
                if let std::collections::btree_map::Entry::Vacant(free) = assigned.entry(id) {
                    free.insert(component);
                    size += 1;
                    pending.extend(self.dependents(id));
                }
            }
            sizes.push(size);
        }
        let in_circle = |(id, component): (&RuleId, &usize)| {
            let several = sizes.get(*component).is_some_and(|size| *size > 1);
            (several || self.dependencies(*id).any(|next| next == *id)).then_some(*id)
        };
        assigned.iter().filter_map(in_circle).collect()
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
