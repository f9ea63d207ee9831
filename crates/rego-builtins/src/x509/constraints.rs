//! Name constraints (RFC 5280, 4.2.1.10): which names a certificate's issuers allow in it.

use std::net::{IpAddr, SocketAddr};

use super::certificate::Certificate;
use super::extensions::Subtrees;
use super::mailbox::{self, Mailbox, is_domain};
use crate::asn1::oid;
use crate::url::Url;

/// Whether the names of each certificate are within what every issuer above it allows. The leaf comes first.
pub(super) fn hold(chain: &[&Certificate]) -> bool {
    chain.iter().enumerate().all(|(at, certificate)| {
        let mut issuers = chain.iter().skip(at + 1).filter(|issuer| issuer.details.has_name_constraints);
        certificate.extension(oid::SUBJECT_ALT_NAME).is_none()
            || issuers.clone().next().is_none()
            || Names::of(certificate).is_some_and(|names| issuers.all(|issuer| names.are_allowed_by(issuer)))
    })
}

/// The alternative names of a certificate, in the form in which they are compared.
struct Names<'a> {
    ips: &'a [Vec<u8>],
    dns: &'a [String],
    uris: Vec<String>,
    emails: Vec<Mailbox>,
}

impl<'a> Names<'a> {
    /// `None` when one of them cannot be compared with anything.
    fn of(certificate: &'a Certificate) -> Option<Self> {
        let names = &certificate.details.names;
        let email = |email: &String| {
            let mut mailbox = mailbox::parse(email)?;
            mailbox.domain = mailbox.domain.to_lowercase();
            Some(mailbox)
        };
        let uris = names.uris.iter().map(uri_host).collect::<Option<Vec<_>>>()?;
        let emails = names.emails.iter().map(email).collect::<Option<Vec<_>>>()?;
        let valid = names.dns.iter().chain(&uris).all(|name| is_domain(name, false))
            && emails.iter().all(|mailbox| is_domain(&mailbox.domain, false));
        valid.then_some(Self { ips: &names.ips, dns: &names.dns, uris, emails })
    }

    fn are_allowed_by(&self, issuer: &Certificate) -> bool {
        let (permitted, excluded) = (&issuer.details.permitted, &issuer.details.excluded);
        let allowed = |any_permitted: bool, is_permitted: bool, is_excluded: bool| {
            (is_permitted || !any_permitted) && !is_excluded
        };
        let ip = |ip: &Vec<u8>| {
            let within = |list: &Subtrees| list.ips.iter().any(|network| contains(network, ip));
            allowed(!permitted.ips.is_empty(), within(permitted), within(excluded))
        };
        let domain = |permitted: &[String], excluded: &[String], name: &str| {
            let is_permitted = permitted.iter().any(|constraint| is_below(constraint, name));
            allowed(!permitted.is_empty(), is_permitted, is_excluded(excluded, name))
        };
        let email = |mailbox: &Mailbox| {
            let exact = |list: &[String]| {
                let mut boxes = list.iter().filter_map(|text| mailbox::parse(text));
                boxes.any(|other| {
                    other.local == mailbox.local && other.domain.to_lowercase() == mailbox.domain
                })
            };
            let is_permitted = exact(&permitted.emails)
                || domains(&permitted.emails).iter().any(|constraint| is_below(constraint, &mailbox.domain));
            let excluded_domains: Vec<String> = domains(&excluded.emails);
            let is_excluded = exact(&excluded.emails) || is_excluded(&excluded_domains, &mailbox.domain);
            allowed(!permitted.emails.is_empty(), is_permitted, is_excluded)
        };
        self.ips.iter().all(ip)
            && self.dns.iter().all(|name| domain(&permitted.dns, &excluded.dns, name))
            && self.uris.iter().all(|host| domain(&permitted.uris, &excluded.uris, host))
            && self.emails.iter().all(email)
    }
}

/// Those constraints on mail that name a domain.
fn domains(constraints: &[String]) -> Vec<String> {
    constraints.iter().filter(|constraint| !constraint.contains('@')).cloned().collect()
}

/// Whether a name is the one of a constraint or below it; if the constraint begins with a dot, below it.
fn is_below(constraint: &str, name: &str) -> bool {
    let (constraint, name) = (constraint.to_ascii_lowercase(), name.to_ascii_lowercase());
    match name.strip_suffix(constraint.as_str()) {
        Some(rest) => {
            rest.is_empty() || rest.ends_with('.') || constraint.is_empty() || constraint.starts_with('.')
        }
        None => false,
    }
}

/// As [`is_below`]; and a pattern is excluded by any name that it stands for.
fn is_excluded(constraints: &[String], name: &str) -> bool {
    let parent = |name: &str| name.find('.').and_then(|dot| name.get(dot..)).map(str::to_lowercase);
    constraints.iter().any(|constraint| {
        is_below(constraint, name)
            || name.starts_with('*') && parent(name).is_some_and(|name| parent(constraint) == Some(name))
    })
}

fn contains((address, mask): &(Vec<u8>, Vec<u8>), ip: &[u8]) -> bool {
    let mut bytes = address.iter().zip(mask).zip(ip);
    address.len() == ip.len() && bytes.all(|((address, mask), byte)| address & mask == byte & mask)
}

/// The host of a URI; `None` for an address, and where there is no host.
fn uri_host(uri: &Url) -> Option<String> {
    let host = String::from_utf8_lossy(&uri.host).to_lowercase();
    if host.is_empty() || host.starts_with('[') && host.ends_with(']') {
        return None;
    }
    let name = match host.rsplit_once(':') {
        Some(_) if host.starts_with('[') => return host.parse::<SocketAddr>().ok().and(None),
        Some((name, _)) if name.contains(':') => return None,
        Some((name, _)) => name.to_owned(),
        None => host,
    };
    name.parse::<IpAddr>().is_err().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_label_by_label() {
        assert!(is_below("example.org", "a.Example.org") && is_below("example.org", "example.org"));
        assert!(is_below(".example.org", "a.example.org") && is_below("", "anything"));
        assert!(!is_below("example.org", "badexample.org") && !is_below(".example.org", "example.org"));
        let excluded = ["a.example.org".to_owned()];
        assert!(is_excluded(&excluded, "*.example.org") && !is_excluded(&excluded, "b.example.org"));
    }

    #[test]
    fn networks_contain_addresses_of_their_family() {
        let network = (vec![10, 1, 0, 0], vec![255, 255, 0, 0]);
        assert!(contains(&network, &[10, 1, 2, 3]) && !contains(&network, &[10, 2, 0, 0]));
        assert!(!contains(&network, &[0; 16]));
    }
}
