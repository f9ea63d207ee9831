//! References between schemas: URIs, resolved as Go's `net/url` resolves them, with JSON pointers as fragments.
//!
//! The parts are kept as they are written. That is what the names of documents are compared by.

use rego_value::Value;

use crate::uri;

/// A reference, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reference {
    scheme: String,
    /// What follows `//`.
    authority: Option<String>,
    path: String,
    /// What follows the scheme when it does not begin with a slash.
    opaque: String,
    query: Option<String>,
    fragment: String,
}

impl Reference {
    /// # Errors
    /// The text is no URI reference; the error is Go's.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let scheme = uri::scheme(text)?;
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let rest = if scheme.is_empty() { rest } else { rest.get(scheme.len() + 1..).unwrap_or_default() };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let mut parsed = Self { scheme, query, fragment: escaped(fragment, b"?!()*/@:"), ..Self::default() };
        if !parsed.scheme.is_empty() && !rest.starts_with('/') {
            parsed.opaque = rest.to_owned();
            return Ok(parsed);
        }
        let authority =
            rest.strip_prefix("//").filter(|after| !parsed.scheme.is_empty() || !after.starts_with('/'));
        parsed.path = match authority {
            Some(after) => {
                let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
                parsed.authority = Some(authority.to_owned());
                escaped(path, b"/@:")
            }
            None => escaped(rest, b"/@:"),
        };
        Ok(parsed)
    }

    /// The whole reference as text.
    pub(super) fn text(&self) -> String {
        let mut text = self.without_fragment();
        if !self.fragment.is_empty() {
            text.push('#');
            text.push_str(&self.fragment);
        }
        text
    }

    /// The document that is referred to.
    pub(super) fn without_fragment(&self) -> String {
        let Self { scheme, authority, path, opaque, query, .. } = self;
        let mut text = String::new();
        if !scheme.is_empty() {
            text.push_str(scheme);
            text.push(':');
        }
        match authority {
            Some(authority) if !authority.is_empty() || (!scheme.is_empty() && !path.is_empty()) => {
                text.push_str("//");
                text.push_str(authority);
                if !authority.is_empty() && !path.is_empty() && !path.starts_with('/') {
                    text.push('/');
                }
            }
            _ => {}
        }
        if text.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
            text.push_str("./");
        }
        text.push_str(opaque);
        text.push_str(path);
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        text
    }

    /// What a reference within this document refers to.
    pub(super) fn resolve(&self, child: &Reference) -> Reference {
        let mut to = child.clone();
        if child.scheme.is_empty() {
            to.scheme.clone_from(&self.scheme);
        }
        let has_host = child.authority.as_ref().is_some_and(|authority| !authority.is_empty());
        if !child.scheme.is_empty() || has_host {
            to.path = resolve_path(&child.path, "");
            return to;
        }
        if !child.opaque.is_empty() {
            return to;
        }
        if child.path.is_empty() && child.query.is_none() {
            to.query.clone_from(&self.query);
        }
        if child.path.is_empty() && !self.opaque.is_empty() {
            to.opaque.clone_from(&self.opaque);
            to.authority = None;
            return to;
        }
        to.authority.clone_from(&self.authority);
        to.path = resolve_path(&self.path, &child.path);
        to
    }

    /// It names a document without needing another one: a file, or a host.
    pub(super) fn is_canonical(&self) -> bool {
        if self.scheme == "file" {
            return self.path.starts_with('/');
        }
        let host =
            self.authority.as_deref().map(|authority| authority.rsplit('@').next().unwrap_or_default());
        !self.scheme.is_empty() && host.is_some_and(|host| !host.is_empty())
    }

    /// What the fragment points to within a document. A fragment that is no JSON pointer points to all of it.
    pub(super) fn find<'a>(&self, document: &'a Value) -> Result<&'a Value, String> {
        let fragment = unescaped(&self.fragment);
        let Some(pointer) = fragment.strip_prefix('/') else { return Ok(document) };
        let mut at = document;
        for token in pointer.split('/') {
            at = match at {
                Value::Object(members) => {
                    let key = token.replace("~1", "/").replace("~0", "~");
                    members
                        .get(&Value::from(key.as_str()))
                        .ok_or_else(|| format!("Object has no key '{key}'"))?
                }
                Value::Array(items) => {
                    let index: i64 = token.parse().map_err(|_| format!("Invalid array index '{token}'"))?;
                    let found = usize::try_from(index).ok().and_then(|index| items.get(index));
                    let length = items.len();
                    found.ok_or_else(|| format!("Out of bound array[0,{length}] index '{index}'"))?
                }
                _ => return Err(format!("Invalid token reference '{token}'")),
            };
        }
        Ok(at)
    }
}

/// The text, unless it holds what must be escaped: then with all of that escaped.
fn escaped(text: &str, extra: &[u8]) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,;=".contains(&byte) || extra.contains(&byte);
    if text.bytes().all(|byte| plain(byte) || b"%!'()*[]".contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::new();
    for byte in percent_decoded(text) {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescaped(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(text)).into_owned()
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *byte == b'%') {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

/// Section 5.2.4 of RFC 3986; a result that is not empty begins with a slash.
fn resolve_path(base: &str, path: &str) -> String {
    let full = match path.as_bytes().first() {
        None => base.to_owned(),
        Some(b'/') => path.to_owned(),
        Some(_) => {
            format!("{}{path}", base.get(..base.rfind('/').map_or(0, |at| at + 1)).unwrap_or_default())
        }
    };
    if full.is_empty() {
        return full;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut last = "";
    for element in full.split('/') {
        last = element;
        match element {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(element),
        }
    }
    let mut out = kept.join("/");
    if !out.starts_with('/') {
        out.insert(0, '/');
    }
    if matches!(last, "." | "..") && !out.ends_with('/') {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, child: &str) -> String {
        Reference::parse(base).unwrap().resolve(&Reference::parse(child).unwrap()).text()
    }

    #[test]
    fn references_are_resolved() {
        assert_eq!(resolved("", "#/definitions/a"), "#/definitions/a");
        assert_eq!(resolved("", "#"), "");
        assert_eq!(resolved("http://h/a/b.json", "c.json#x"), "http://h/a/c.json#x");
        assert_eq!(resolved("http://h/a/b.json", "../c"), "http://h/c");
        assert_eq!(resolved("http://h/a/b.json", "#foo"), "http://h/a/b.json#foo");
        assert_eq!(resolved("", "foo"), "/foo");
        assert_eq!(resolved("urn:a:b", "#/x"), "urn:a:b#/x");
    }
}
