//! Finding a chain from a certificate to the one that is trusted (RFC 5280, 6), as Go finds it.

use super::certificate::Certificate;
use super::options::Options;
use super::{constraints, hostname, policies};
use crate::asn1::oid;

/// As many signatures are checked in search of chains, so that no set of certificates takes for ever.
const MAX_SIGNATURE_CHECKS: usize = 100;

/// `keyCertSign` among the bits of a key's usage.
const CERT_SIGN: i64 = 1 << 5;

/// Go's numbers of extended key usages.
const ANY_USAGE: i64 = 0;
const SERVER_AUTH: i64 = 1;

/// What a certificate is in a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Leaf,
    Intermediate,
    Root,
}

type Chain<'a> = Vec<&'a Certificate>;

/// The first good chain, from the leaf to the root.
pub(super) fn verify<'a>(
    root: &'a Certificate,
    intermediates: &'a [Certificate],
    leaf: &'a Certificate,
    options: &Options,
) -> Option<Chain<'a>> {
    let mut search = Search { root, intermediates, options, checks: 0, found: Vec::new() };
    if !search.is_valid(leaf, Role::Leaf, &[]) {
        return None;
    }
    if !options.host.is_empty() && !hostname::is_for(leaf, &options.host) {
        return None;
    }
    if leaf.raw == root.raw {
        search.found.push(vec![leaf]);
    } else {
        search.extend(&[leaf]);
    }
    search.found.into_iter().find(|chain| {
        policies::hold(chain) && usages_hold(chain, &options.key_usages) && constraints::hold(chain)
    })
}

struct Search<'a, 'b> {
    root: &'a Certificate,
    intermediates: &'a [Certificate],
    options: &'b Options,
    checks: usize,
    found: Vec<Chain<'a>>,
}

impl<'a> Search<'a, '_> {
    /// Finds all chains that begin like this one; false when too much was tried.
    fn extend(&mut self, chain: &[&'a Certificate]) -> bool {
        let Some(child) = chain.last().copied() else { return true };
        let roots = parents(child, std::slice::from_ref(self.root));
        let intermediates = parents(child, self.intermediates);
        let candidates = roots.into_iter().map(|candidate| (Role::Root, candidate));
        for (role, candidate) in
            candidates.chain(intermediates.into_iter().map(|one| (Role::Intermediate, one)))
        {
            self.checks += 1;
            if self.checks > MAX_SIGNATURE_CHECKS {
                return false;
            }
            if candidate.public_key.is_none()
                || is_in(candidate, chain)
                || !signed_by(child, candidate)
                || !self.is_valid(candidate, role, chain)
            {
                continue;
            }
            let longer: Chain<'a> = chain.iter().copied().chain([candidate]).collect();
            if role == Role::Root {
                self.found.push(longer);
            } else if !self.extend(&longer) {
                return false;
            }
        }
        true
    }

    /// Whether a certificate may stand at the end of a chain.
    fn is_valid(&self, certificate: &Certificate, role: Role, chain: &[&Certificate]) -> bool {
        let details = &certificate.details;
        if !details.unhandled_critical.is_empty() {
            return false;
        }
        if chain.last().is_some_and(|child| child.raw_issuer != certificate.raw_subject) {
            return false;
        }
        let now = i128::from(self.options.now_ns);
        let nanoseconds = |seconds: i64| i128::from(seconds) * 1_000_000_000;
        if now < nanoseconds(certificate.not_before.seconds)
            || now > nanoseconds(certificate.not_after.seconds)
        {
            return false;
        }
        let is_ca = details.basic_constraints.is_some_and(|basic| basic.is_ca);
        if role == Role::Intermediate && !is_ca {
            return false;
        }
        let between = i64::try_from(chain.len()).unwrap_or(i64::MAX) - 1;
        details.basic_constraints.is_none_or(|basic| basic.max_path < 0 || between <= basic.max_path)
    }
}

/// The certificates that may have issued another, those whose key's name fits first.
fn parents<'a>(child: &Certificate, pool: &'a [Certificate]) -> Vec<&'a Certificate> {
    let wanted = child.details.authority_key_id.as_deref().unwrap_or_default();
    let rank = |candidate: &Certificate| {
        let id = candidate.details.subject_key_id.as_deref().unwrap_or_default();
        if id == wanted {
            0
        } else if id.is_empty() || wanted.is_empty() {
            1
        } else {
            2
        }
    };
    let mut parents: Vec<&Certificate> = Vec::new();
    for candidate in pool.iter().filter(|candidate| candidate.raw_subject == child.raw_issuer) {
        if parents.iter().all(|known| known.raw != candidate.raw) {
            parents.push(candidate);
        }
    }
    parents.sort_by_key(|candidate| rank(candidate));
    parents
}

/// Whether a chain has this certificate already, or one that says the same of the same key.
fn is_in(candidate: &Certificate, chain: &[&Certificate]) -> bool {
    let names = candidate.extension(oid::SUBJECT_ALT_NAME);
    for certificate in chain {
        if certificate.raw_subject != candidate.raw_subject
            || certificate.raw_key_info != candidate.raw_key_info
        {
            continue;
        }
        match (names, certificate.extension(oid::SUBJECT_ALT_NAME)) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other => return true,
            (Some(_), Some(_)) => {}
            _ => return false,
        }
    }
    false
}

/// Whether a certificate may sign others, and has signed this one.
fn signed_by(child: &Certificate, parent: &Certificate) -> bool {
    let basic = parent.details.basic_constraints;
    if basic.map_or(parent.version == 3, |basic| !basic.is_ca) {
        return false;
    }
    let usage = parent.details.key_usage;
    if usage != 0 && usage & CERT_SIGN == 0 {
        return false;
    }
    let key = parent.public_key.as_ref();
    key.is_some_and(|key| child.signature_algorithm.verify(key, &child.raw_tbs, &child.signature))
}

/// Whether one of the usages is allowed by every certificate of a chain.
fn usages_hold(chain: &[&Certificate], wanted: &[i64]) -> bool {
    if wanted.contains(&ANY_USAGE) {
        return true;
    }
    let wanted = if wanted.is_empty() { &[SERVER_AUTH] } else { wanted };
    let allows = |certificate: &Certificate, usage: i64| {
        let details = &certificate.details;
        details.ext_key_usage.is_empty() && details.unknown_ext_key_usage.is_empty()
            || details.ext_key_usage.contains(&ANY_USAGE)
            || details.ext_key_usage.contains(&usage)
    };
    wanted.iter().any(|usage| chain.iter().all(|certificate| allows(certificate, *usage)))
}
