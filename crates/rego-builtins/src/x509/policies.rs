//! Certificate policies along a chain (RFC 5280, 6.1, as updated by RFC 9618).
//!
//! No policy is asked for by whoever calls, so that a chain fails only where one of its certificates requires a
//! policy and none is left, or maps what must not be mapped.

use std::collections::{BTreeMap, BTreeSet};

use super::certificate::Certificate;

/// 2.5.29.32.0, encoded.
const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0x00];

/// The policies that are valid for one certificate of the chain, each with those that it may lead to.
type Level = BTreeMap<Vec<u8>, Node>;

#[derive(Clone)]
struct Node {
    /// The policies of the next certificate that this one accepts.
    expected: Vec<Vec<u8>>,
    /// The policies of the level above of which this one follows.
    parents: BTreeSet<Vec<u8>>,
}

impl Node {
    fn new(policy: &[u8], parents: BTreeSet<Vec<u8>>) -> Self {
        Self { expected: vec![policy.to_vec()], parents }
    }
}

/// How many certificates may still follow before something is required or forbidden.
struct Counters {
    explicit_policy: usize,
    policy_mapping: usize,
    any_policy: usize,
}

impl Counters {
    /// Goes on to the next certificate below an issuer.
    fn pass(&mut self, issuer: &Certificate) {
        if issuer.raw_issuer != issuer.raw_subject {
            for counter in [&mut self.explicit_policy, &mut self.policy_mapping, &mut self.any_policy] {
                *counter = counter.saturating_sub(1);
            }
        }
        let details = &issuer.details;
        let limits = [
            (&mut self.explicit_policy, details.require_explicit_policy),
            (&mut self.policy_mapping, details.inhibit_policy_mapping),
            (&mut self.any_policy, details.inhibit_any_policy),
        ];
        for (counter, limit) in limits {
            if let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) {
                *counter = limit.min(*counter);
            }
        }
    }
}

/// Whether the policies of a chain, leaf first, allow it.
pub(super) fn hold(chain: &[&Certificate]) -> bool {
    let [leaf, issuers @ .., _root] = chain else { return true };
    let count = issuers.len() + 1;
    let mut counters =
        Counters { explicit_policy: count + 1, policy_mapping: count + 1, any_policy: count + 1 };
    let top = Level::from([(ANY.to_vec(), Node::new(ANY, BTreeSet::new()))]);
    let mut graph = Some(vec![top]);
    for (position, certificate) in issuers.iter().rev().chain([leaf]).enumerate() {
        let is_leaf = position + 1 == count;
        let policies = certificate.details.policies.as_deref().unwrap_or_default();
        if policies.is_empty() {
            graph = None;
        }
        if counters.explicit_policy == 0 && graph.is_none() {
            return false;
        }
        if let Some(levels) = &mut graph {
            let self_issued = certificate.raw_issuer == certificate.raw_subject;
            let any_allowed = counters.any_policy > 0 || !is_leaf && self_issued;
            descend(levels, policies, any_allowed);
            if !is_leaf && !map(levels, certificate, counters.policy_mapping > 0) {
                return false;
            }
        }
        if !is_leaf {
            counters.pass(certificate);
        }
    }
    let mut required = counters.explicit_policy.saturating_sub(1) == 0;
    required |= leaf.details.require_explicit_policy == Some(0);
    !required || graph.is_some_and(|levels| any_is_valid(&levels))
}

/// Adds the level of a certificate with these policies.
fn descend(levels: &mut Vec<Level>, policies: &[Vec<u8>], any_allowed: bool) {
    let Some(above) = levels.last() else { return };
    let mut level = Level::new();
    for policy in policies.iter().filter(|policy| policy.as_slice() != ANY) {
        let expecting = above.iter().filter(|(_, node)| node.expected.contains(policy));
        let mut parents: BTreeSet<Vec<u8>> = expecting.map(|(policy, _)| policy.clone()).collect();
        if parents.is_empty() && above.contains_key(ANY) {
            parents.insert(ANY.to_vec());
        }
        if !parents.is_empty() {
            level.insert(policy.clone(), Node::new(policy, parents));
        }
    }
    if any_allowed && policies.iter().any(|policy| policy == ANY) {
        let mut missing: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
        for (parent, node) in above {
            for expected in node.expected.iter().filter(|expected| !level.contains_key(*expected)) {
                missing.entry(expected.clone()).or_default().insert(parent.clone());
            }
        }
        level.extend(missing.into_iter().map(|(policy, parents)| {
            let node = Node::new(&policy, parents);
            (policy, node)
        }));
    }
    levels.push(level);
    prune(levels);
}

/// Takes out what leads to no policy of the last level. The top stays.
fn prune(levels: &mut [Level]) {
    for at in (1..levels.len().saturating_sub(1)).rev() {
        let (above, below) = levels.split_at_mut(at + 1);
        if let (Some(level), Some(next)) = (above.last_mut(), below.first()) {
            level.retain(|policy, _| next.values().any(|node| node.parents.contains(policy)));
        }
    }
}

/// Carries out the mappings of an issuer; false where `anyPolicy` is mapped.
fn map(levels: &mut [Level], issuer: &Certificate, allowed: bool) -> bool {
    let mappings = &issuer.details.policy_mappings;
    let mut mapped: BTreeMap<&[u8], Vec<Vec<u8>>> = BTreeMap::new();
    for (from, to) in mappings {
        if !allowed {
            if let Some(level) = levels.last_mut() {
                level.remove(from);
            }
        } else if from == ANY || to == ANY {
            return false;
        } else {
            mapped.entry(from).or_default().push(to.clone());
        }
    }
    if !mappings.is_empty() {
        prune(levels);
    }
    let Some(level) = levels.last_mut() else { return true };
    for (from, to) in mapped {
        if let Some(node) = level.get_mut(from) {
            node.expected = to;
        } else if level.contains_key(ANY) {
            level.insert(from.to_vec(), Node { expected: to, parents: BTreeSet::from([ANY.to_vec()]) });
        }
    }
    true
}

/// Whether a policy is left that the whole chain allows.
fn any_is_valid(levels: &[Level]) -> bool {
    let from_any = |node: &Node| node.parents.len() == 1 && node.parents.contains(ANY);
    levels.last().is_some_and(|level| level.contains_key(ANY))
        || levels.iter().flatten().any(|(policy, node)| policy != ANY && from_any(node))
}
