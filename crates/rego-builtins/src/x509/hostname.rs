//! Whether a certificate is for a host (RFC 6125).

use std::net::IpAddr;

use super::certificate::Certificate;

/// The bytes of an address, four where it is one of IPv4 in whatever notation.
fn address(text: &str) -> Option<Vec<u8>> {
    Some(match text.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    })
}

/// Bytes of an address in the form of [`address`].
fn canonical(bytes: &[u8]) -> Vec<u8> {
    match <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(bytes).to_canonical()) {
        Ok(IpAddr::V4(address)) => address.octets().to_vec(),
        _ => bytes.to_vec(),
    }
}

/// Whether a certificate's alternative names hold this host. Its common name does not count.
pub(super) fn is_for(certificate: &Certificate, host: &str) -> bool {
    let names = &certificate.details.names;
    let inner =
        host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|inner| !inner.is_empty());
    if let Some(address) = address(inner.unwrap_or(host)) {
        return names.ips.iter().any(|ip| canonical(ip) == address);
    }
    let host = host.to_ascii_lowercase();
    let is_valid = is_hostname(host.strip_suffix('.').unwrap_or(&host), false);
    names.dns.iter().any(|name| {
        if is_valid && is_hostname(name, true) {
            matches(&name.to_ascii_lowercase(), host.strip_suffix('.').unwrap_or(&host))
        } else {
            // What is no host name must be written alike.
            !matches!(host.as_str(), "" | ".") && name.eq_ignore_ascii_case(&host)
        }
    })
}

/// Whether a text may be a host name; a pattern may have `*` for its first label.
fn is_hostname(text: &str, pattern: bool) -> bool {
    let label = |(at, label): (usize, &str)| {
        pattern && at == 0 && label == "*"
            || !label.is_empty()
                && !label.starts_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text != "*" && text.split('.').enumerate().all(label)
}

fn matches(pattern: &str, host: &str) -> bool {
    let (pattern, host): (Vec<&str>, Vec<&str>) = (pattern.split('.').collect(), host.split('.').collect());
    let mut labels = pattern.iter().zip(&host).enumerate();
    pattern.len() == host.len()
        && labels.all(|(at, (pattern, label))| at == 0 && *pattern == "*" || pattern == label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_the_first_label_alone() {
        assert!(matches("*.example.org", "a.example.org"));
        assert!(!matches("*.example.org", "a.b.example.org"));
        assert!(!matches("*.example.org", "example.org"));
        assert!(!matches("a.*.org", "a.b.org"));
        assert!(is_hostname("*.a", true) && !is_hostname("*.a", false) && !is_hostname("*", true));
        assert!(!is_hostname("-a", false) && is_hostname("a-_b", false) && !is_hostname("a..b", true));
    }

    #[test]
    fn addresses_are_compared_by_value() {
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_eq!(canonical(&address("10.0.0.1").unwrap()), [10, 0, 0, 1]);
        assert_eq!(address("example.org"), None);
    }
}
