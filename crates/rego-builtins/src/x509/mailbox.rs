//! Domain names and mailboxes (RFC 2821), as lax as Go is with both.

/// A mailbox, with its quotes and escapes undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) local: Vec<u8>,
    pub(super) domain: String,
}

/// Whether a name has no empty label but where it may, and no strange character. A constraint may begin with a dot.
pub(super) fn is_domain(name: &str, constraint: bool) -> bool {
    if name.is_empty() {
        return true;
    }
    let name = if constraint { name.strip_prefix('.').unwrap_or(name) } else { name };
    if name.ends_with('.') {
        return false;
    }
    let mut labels = name.split('.');
    // The first label of all may be empty where Go does not look at it.
    labels.all(|label| !label.is_empty() && label.bytes().all(|byte| (33..=126).contains(&byte)))
}

pub(super) fn parse(text: &str) -> Option<Mailbox> {
    let (local, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted_local(quoted.as_bytes())?,
        None => plain_local(text.as_bytes())?,
    };
    let domain = std::str::from_utf8(rest.strip_prefix(b"@")?).ok()?;
    labels_are_valid(domain).then(|| Mailbox { local, domain: domain.to_owned() })
}

/// What is inside of quotes, and what follows them.
fn quoted_local(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut local = Vec::new();
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((local, rest)),
            b'\\' => {
                let (escaped, after) = rest.split_first()?;
                rest = after;
                if !matches!(escaped, 1..=9 | 11 | 12 | 14..=127) {
                    return None;
                }
                local.push(*escaped);
            }
            1..=8 | 11 | 12 | 14..=33 | 35..=91 | 93..=127 => local.push(*byte),
            _ => return None,
        }
    }
}

/// Words with dots between, and what follows them.
fn plain_local(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut local = Vec::new();
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'\\' => {
                let (escaped, after) = after.split_first()?;
                local.push(*escaped);
                rest = after;
            }
            byte if byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte) => {
                local.push(*byte);
                rest = after;
            }
            _ => break,
        }
    }
    let dots = local.starts_with(b".") || local.ends_with(b".") || local.windows(2).any(|pair| pair == b"..");
    (!local.is_empty() && !dots).then_some((local, rest))
}

fn labels_are_valid(domain: &str) -> bool {
    let valid = |label: &str| !label.is_empty() && label.bytes().all(|byte| (33..=126).contains(&byte));
    domain.is_empty() || domain.split('.').all(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_taken_apart() {
        let local = |text: &str| parse(text).map(|mailbox| String::from_utf8(mailbox.local).unwrap());
        assert_eq!(local("a.b@x.org").as_deref(), Some("a.b"));
        assert_eq!(local("\"a b\\\"\"@x.org").as_deref(), Some("a b\""));
        assert_eq!(local("a\\@b@x.org").as_deref(), Some("a@b"));
        for bad in ["", "a", ".a@x", "a..b@x", "a.@x", "a@x.", "a@x..y", "\"a@x", "a b@x"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn constraints_may_begin_with_a_dot() {
        assert!(is_domain("a.b", false) && is_domain("", false) && is_domain(".a", true));
        assert!(!is_domain("a.", false) && !is_domain("a..b", false) && !is_domain("a b", false));
        assert!(!is_domain(".a", false));
    }
}
