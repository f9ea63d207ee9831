//! Rules by the path of strings that their references begin with.
//!
//! INVARIANT: a node that holds rules has no children. Rules whose references meet (`a.b.c` and `a.b[x]`) stand in
//! one node, the shallowest, because they make one document and are planned as one function.

use std::collections::BTreeMap;

use rego_syntax::ast::{Name, Ref, Rule, Term};

/// A rule and its reference from `data` on.
#[derive(Clone)]
pub(super) struct PlannedRule<'a> {
    /// The reference, `data` first.
    pub(super) reference: Ref,
    /// The rule.
    pub(super) rule: &'a Rule,
}

/// A node of the trie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NodeId(usize);

#[derive(Default)]
struct Node<'a> {
    children: BTreeMap<Name, NodeId>,
    rules: Vec<PlannedRule<'a>>,
}

/// The trie. Its root is `data`.
pub(super) struct RuleTrie<'a> {
    nodes: Vec<Node<'a>>,
    /// The nodes that are not seen at the moment, because a `with` puts data in their place.
    hidden: Vec<NodeId>,
}

impl<'a> RuleTrie<'a> {
    /// A trie of no rules.
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()], hidden: Vec::new() }
    }

    /// The node of `data`.
    pub(super) fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// Makes the node of a package, so that a package without rules is an empty document.
    pub(super) fn add_package(&mut self, path: &[Term]) {
        self.insert_path(path);
    }

    /// Adds a rule.
    pub(super) fn add_rule(&mut self, rule: PlannedRule<'a>) {
        let prefix = rule.reference.string_prefix();
        let id = self.insert_path(prefix.steps());
        let mut rules = self.take_rules_below(id);
        rules.push(rule);
        if let Some(node) = self.nodes.get_mut(id.0) {
            node.rules = rules;
        }
    }

    /// The child, unless a `with` hides it.
    pub(super) fn child(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let child = *self.node(id)?.children.get(key)?;
        (!self.hidden.contains(&child)).then_some(child)
    }

    /// The children that no `with` hides, by key.
    pub(super) fn children(&self, id: NodeId) -> Vec<(Name, NodeId)> {
        let Some(node) = self.node(id) else { return Vec::new() };
        node.children
            .iter()
            .filter(|(_, child)| !self.hidden.contains(child))
            .map(|(key, child)| (key.clone(), *child))
            .collect()
    }

    /// Whether a node has children, hidden or not.
    pub(super) fn has_children(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| !node.children.is_empty())
    }

    /// The rules of a node.
    pub(super) fn rules(&self, id: NodeId) -> &[PlannedRule<'a>] {
        self.node(id).map_or(&[], |node| &node.rules)
    }

    /// The number of arguments of the function at a node; 0 if it holds no function.
    pub(super) fn arity(&self, id: NodeId) -> usize {
        self.rules(id).first().map_or(0, |r| r.rule.head.args.len())
    }

    /// The node of a reference that begins with `data`, if it is there and not hidden.
    pub(super) fn lookup(&self, reference: &[Term]) -> Option<NodeId> {
        let (head, steps) = reference.split_first()?;
        if head.as_var()? != "data" {
            return None;
        }
        steps.iter().try_fold(self.root(), |node, step| self.child(node, step.as_string()?))
    }

    /// Hides these nodes and no others.
    pub(super) fn set_hidden(&mut self, hidden: Vec<NodeId>) {
        self.hidden = hidden;
    }

    fn node(&self, id: NodeId) -> Option<&Node<'a>> {
        self.nodes.get(id.0)
    }

    /// Goes down the path, making nodes; stops at a node that holds rules.
    fn insert_path(&mut self, steps: &[Term]) -> NodeId {
        let mut id = self.root();
        for key in steps.iter().map_while(Term::as_string) {
            if !self.rules(id).is_empty() {
                return id;
            }
            let next = NodeId(self.nodes.len());
            let Some(node) = self.nodes.get_mut(id.0) else { return id };
            let child = *node.children.entry(key.clone()).or_insert(next);
            if child == next {
                self.nodes.push(Node::default());
            }
            id = child;
        }
        id
    }

    /// The rules of a node and of everything below it, which is cut off.
    fn take_rules_below(&mut self, id: NodeId) -> Vec<PlannedRule<'a>> {
        let Some(node) = self.nodes.get_mut(id.0) else { return Vec::new() };
        let mut rules = std::mem::take(&mut node.rules);
        for child in std::mem::take(&mut node.children).into_values() {
            rules.extend(self.take_rules_below(child));
        }
        rules
    }
}
