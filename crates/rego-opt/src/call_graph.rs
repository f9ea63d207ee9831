//! Who calls whom.

use std::collections::HashMap;

use rego_ir::{Block, Policy, StmtKind};

/// The calls of a policy.
pub(crate) struct CallGraph {
    /// The positions of functions by name.
    positions: HashMap<String, usize>,
    /// How often each function is called by name, in all plans and functions.
    pub(crate) calls: Vec<usize>,
    /// Functions so that callees come before their callers, as long as nothing recurses.
    pub(crate) order: Vec<usize>,
    /// Some call finds its function by path, when it is run.
    pub(crate) is_dynamic: bool,
}

impl CallGraph {
    pub(crate) fn new(policy: &Policy) -> Self {
        let positions: HashMap<String, usize> =
            policy.funcs.iter().enumerate().map(|(at, func)| (func.name.clone(), at)).collect();
        let mut graph =
            Self { positions, calls: vec![0; policy.funcs.len()], order: Vec::new(), is_dynamic: false };
        let callees: Vec<Vec<usize>> = policy.funcs.iter().map(|func| graph.count(&func.blocks)).collect();
        for plan in &policy.plans {
            graph.count(&plan.blocks);
        }
        graph.order = callees_first(&callees);
        graph
    }

    /// The position of a function.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// Counts the calls in blocks, and gives the functions that are called.
    fn count(&mut self, blocks: &[Block]) -> Vec<usize> {
        let mut callees = Vec::new();
        let mut pending: Vec<&Block> = blocks.iter().collect();
        while let Some(block) = pending.pop() {
            for stmt in &block.stmts {
                match &stmt.kind {
                    StmtKind::Call { func, .. } => {
                        if let Some(position) = self.position(func) {
                            callees.push(position);
                            if let Some(calls) = self.calls.get_mut(position) {
                                *calls += 1;
                            }
                        }
                    }
                    StmtKind::CallDynamic { .. } => self.is_dynamic = true,
                    kind => pending.extend(kind.blocks()),
                }
            }
        }
        callees
    }
}

/// The order in which each function stands behind those that it calls. What is on a ring stands anywhere.
fn callees_first(callees: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(callees.len());
    let mut seen = vec![false; callees.len()];
    for root in 0..callees.len() {
        let mut open = vec![(root, 0)];
        while let Some((at, next)) = open.pop() {
            if next == 0 && seen.get_mut(at).is_none_or(|seen| std::mem::replace(seen, true)) {
                continue;
            }
            match callees.get(at).and_then(|callees| callees.get(next)) {
                Some(callee) => {
                    open.push((at, next + 1));
                    open.push((*callee, 0));
                }
                None => order.push(at),
            }
        }
    }
    order
}
