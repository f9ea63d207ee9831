//! Types by path: of rules and functions, and of variables.

use std::collections::BTreeMap;

use rego_syntax::ast::{Term, Value};

use crate::types::{Key, Maybe, Type};

/// How deep the type of a document is known. What lies deeper can be anything.
const MAX_DEPTH: usize = 128;

#[derive(Clone, Debug, Default)]
struct Node {
    ty: Maybe,
    children: BTreeMap<Value, NodeId>,
}

/// Names a node of one tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(usize);

/// The nodes live in one list, so that a path may be of any length.
#[derive(Clone, Debug)]
pub(super) struct TypeTree {
    nodes: Vec<Node>,
}

impl Default for TypeTree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl TypeTree {
    pub(super) fn root(&self) -> NodeId {
        NodeId(0)
    }

    pub(super) fn child(&self, id: NodeId, step: &Value) -> Option<NodeId> {
        self.nodes.get(id.0)?.children.get(step).copied()
    }

    pub(super) fn children(&self, id: NodeId) -> impl Iterator<Item = (&Value, NodeId)> {
        self.nodes.get(id.0).into_iter().flat_map(|node| &node.children).map(|(step, id)| (step, *id))
    }

    /// The type put at a node. Nodes without one lie on the way to others, or are of an unknown variable.
    pub(super) fn ty(&self, id: NodeId) -> Maybe {
        self.nodes.get(id.0).and_then(|node| node.ty.clone())
    }

    pub(super) fn put(&mut self, path: &[Term], ty: Maybe) {
        let at = path.iter().fold(self.root(), |at, step| self.grow(at, &step.value));
        self.set(at, ty);
    }

    pub(super) fn put_one(&mut self, step: &Value, ty: Maybe) {
        let at = self.grow(self.root(), step);
        self.set(at, ty);
    }

    pub(super) fn set(&mut self, id: NodeId, ty: Maybe) {
        if let Some(node) = self.nodes.get_mut(id.0) {
            node.ty = ty;
        }
    }

    /// The child of a node; made if there is none.
    pub(super) fn grow(&mut self, id: NodeId, step: &Value) -> NodeId {
        let next = NodeId(self.nodes.len());
        let Some(node) = self.nodes.get_mut(id.0) else { return id };
        let known = *node.children.entry(step.clone()).or_insert(next);
        if known == next {
            self.nodes.push(Node::default());
        }
        known
    }

    /// The types below a node with the steps that lead to each.
    pub(super) fn leaves(&self, start: NodeId) -> Vec<(Vec<Value>, Type)> {
        let mut found = Vec::new();
        let mut pending: Vec<(Vec<Value>, NodeId)> =
            self.children(start).map(|(step, id)| (vec![step.clone()], id)).collect();
        while let Some((path, id)) = pending.pop() {
            if path.len() > MAX_DEPTH {
                continue;
            }
            match self.ty(id) {
                Some(ty) => found.push((path, ty)),
                None => pending.extend(self.children(id).map(|(step, id)| {
                    let mut longer = path.clone();
                    longer.push(step.clone());
                    (longer, id)
                })),
            }
        }
        found
    }

    /// The type of everything at and below a node. There may be further data beside the rules.
    pub(super) fn extent(&self, id: NodeId) -> Maybe {
        self.extent_to(id, MAX_DEPTH)
    }

    fn extent_to(&self, id: NodeId, depth: usize) -> Maybe {
        if let Some(ty) = self.ty(id) {
            return Some(ty);
        }
        if depth == 0 {
            return Some(Type::any());
        }
        let scalar = |value: &Value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
        let fixed = self
            .children(id)
            .filter(|(step, _)| scalar(step))
            .filter_map(|(step, id)| Some((Key::of_constant(step)?, self.extent_to(id, depth - 1))))
            .collect();
        Some(Type::object(fixed, Some((Some(Type::String), Some(Type::any())))))
    }
}
