//! Rules by path: every rule hangs at the ground beginning of its reference.
//!
//! The nodes live in one list, so neither building nor dropping a tree recurses; a path may be of any length.

use std::collections::BTreeMap;

use rego_syntax::ast::{Module, Name, Ref, Rule, RuleKind, Term, Value};

use crate::types;
use crate::{locals, visit};

/// Names a rule, or one of its `else` branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    /// Index of the module.
    pub module: usize,
    /// Index of the rule in its module.
    pub rule: usize,
    /// 0 for the rule itself, 1 for its first `else`, and so on.
    pub branch: usize,
}

/// A rule as the tree knows it.
#[derive(Clone, Debug)]
pub struct RuleEntry {
    /// Which rule (branch 0).
    pub id: RuleId,
    /// Its reference from `data` on, with the variables of the source.
    pub reference: Ref,
    /// The number of its arguments.
    pub arity: usize,
    /// Whether it has one value or contributes to a set.
    pub kind: RuleKind,
    /// `default`
    pub default: bool,
    /// Whether it has a constant value and no condition.
    pub constant: bool,
    /// How many `else` it has.
    pub branches: usize,
}

/// A node of a [`RuleTree`].
#[derive(Clone, Debug, Default)]
pub struct RuleNode {
    /// The rules whose reference has this node as its ground beginning.
    pub rules: Vec<RuleEntry>,
    /// By step, in Rego's order.
    pub children: BTreeMap<Value, NodeId>,
    /// `data.system`, which iteration over `data` does not reach.
    pub hidden: bool,
}

/// Names a node of a [`RuleTree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

/// All rules of a program by path.
#[derive(Clone, Debug)]
pub struct RuleTree {
    nodes: Vec<RuleNode>,
}

impl Default for RuleTree {
    fn default() -> Self {
        Self { nodes: vec![RuleNode::default()] }
    }
}

impl RuleTree {
    /// The tree of these modules. The position of a module is the module part of its rules' ids.
    pub(crate) fn build(modules: &[Module]) -> Self {
        let mut tree = Self::default();
        for (index, module) in modules.iter().enumerate() {
            if module.rules.is_empty() {
                tree.insert(&module.package.path);
            }
            for (position, rule) in module.rules.iter().enumerate() {
                let id = RuleId { module: index, rule: position, branch: 0 };
                let entry = RuleEntry::new(id, rule, module);
                let node = tree.insert(&entry.reference.ground_prefix());
                if let Some(node) = tree.nodes.get_mut(node.0) {
                    node.rules.push(entry);
                }
            }
        }
        let system =
            [Term::var("data", rego_syntax::Span::NONE), Term::string("system", rego_syntax::Span::NONE)];
        if let Some(found) = tree.find(&system)
            && let Some(node) = tree.nodes.get_mut(found.0)
        {
            node.hidden = true;
        }
        tree
    }

    fn insert(&mut self, path: &[Term]) -> NodeId {
        let mut at = self.root();
        for step in path {
            let next = NodeId(self.nodes.len());
            let known = match self.nodes.get_mut(at.0) {
                Some(node) => *node.children.entry(step.value.clone()).or_insert(next),
                None => next,
            };
            if known == next {
                self.nodes.push(RuleNode::default());
            }
            at = known;
        }
        at
    }

    /// The node above all others; its one child of interest is `data`.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// The node behind a name of it.
    pub fn node(&self, id: NodeId) -> Option<&RuleNode> {
        self.nodes.get(id.0)
    }

    /// The node one step below another.
    pub fn child(&self, id: NodeId, step: &Value) -> Option<NodeId> {
        self.node(id)?.children.get(step).copied()
    }

    /// The node at a path.
    pub fn find(&self, path: &[Term]) -> Option<NodeId> {
        path.iter().try_fold(self.root(), |at, step| self.child(at, &step.value))
    }

    /// The rules that a path names exactly.
    pub fn rules_at(&self, path: &[Term]) -> &[RuleEntry] {
        self.find(path).and_then(|id| self.node(id)).map_or(&[], |node| &node.rules)
    }

    /// Calls `f` on `start` and, in order, all nodes below it; `true` leaves out what is below.
    pub fn depth_first(&self, start: NodeId, f: &mut dyn FnMut(NodeId, &RuleNode) -> bool) {
        let mut pending = vec![start];
        while let Some(id) = pending.pop() {
            let Some(node) = self.node(id) else { continue };
            if !f(id, node) {
                pending.extend(node.children.values().rev());
            }
        }
    }

    /// The rules that a reference may refer to. Steps that are not constant match everything, so there may
    /// be more of them than the reference can reach.
    pub fn rules_dynamic(&self, reference: &[Term], with_hidden: bool) -> Vec<&RuleEntry> {
        let mut found = BTreeMap::new();
        let mut pending = vec![(self.root(), 0usize)];
        while let Some((id, at)) = pending.pop() {
            let Some(node) = self.node(id) else { continue };
            let Some(step) = reference.get(at) else {
                self.collect_below(id, with_hidden, &mut found);
                continue;
            };
            if at == 0 || types::is_constant(&step.value) {
                if let Some(child) = node.children.get(&step.value) {
                    self.collect_intersecting(*child, reference, at + 1, &mut found);
                    pending.push((*child, at + 1));
                }
            } else {
                for child in node.children.values() {
                    let hidden = self.node(*child).is_some_and(|node| node.hidden);
                    if with_hidden || !hidden {
                        self.collect_intersecting(*child, reference, at + 1, &mut found);
                        pending.push((*child, at + 1));
                    }
                }
            }
        }
        found.into_values().collect()
    }

    fn collect_below<'a>(
        &'a self,
        start: NodeId,
        with_hidden: bool,
        found: &mut BTreeMap<RuleId, &'a RuleEntry>,
    ) {
        let mut pending = vec![start];
        while let Some(id) = pending.pop() {
            let Some(node) = self.node(id) else { continue };
            found.extend(node.rules.iter().map(|entry| (entry.id, entry)));
            if with_hidden || !node.hidden {
                pending.extend(node.children.values());
            }
        }
    }

    /// Rules with variables in their reference hang together at its ground beginning, so what stands behind
    /// that has to be compared.
    fn collect_intersecting<'a>(
        &'a self,
        id: NodeId,
        reference: &[Term],
        from: usize,
        found: &mut BTreeMap<RuleId, &'a RuleEntry>,
    ) {
        for entry in self.node(id).map_or(&[][..], |node| &node.rules) {
            let mut steps = entry.reference.iter().zip(reference).skip(from);
            let meets =
                steps.all(|(a, b)| a == b || !types::is_constant(&a.value) || !types::is_constant(&b.value));
            if meets {
                found.insert(entry.id, entry);
            }
        }
    }
}

impl RuleEntry {
    fn new(id: RuleId, rule: &Rule, module: &Module) -> Self {
        Self {
            id,
            reference: rule.full_ref(&module.package),
            arity: rule.head.args.len(),
            kind: rule.head.rule_kind(),
            default: rule.default,
            constant: is_constant(rule),
            branches: visit::chain(rule).count() - 1,
        }
    }

    /// The rule and its `else` branches.
    pub fn ids(&self) -> impl Iterator<Item = RuleId> + use<> {
        let id = self.id;
        (0..=self.branches).map(move |branch| RuleId { branch, ..id })
    }

    /// The name of the rule: its reference without the package.
    pub fn name(&self) -> Option<&Name> {
        self.reference.last().and_then(Term::as_string)
    }
}

fn is_constant(rule: &Rule) -> bool {
    let value = rule.head.value.as_ref();
    locals::is_true(&rule.body)
        && value.is_some_and(|term| match &term.value {
            Value::Var(_) => true,
            value if visit::is_scalar(value) => true,
            Value::Array(_) | Value::Object(_) | Value::Set(_) => term.is_ground(),
            _ => false,
        })
}
