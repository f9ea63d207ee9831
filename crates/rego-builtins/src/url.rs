//! URLs with all of their parts, as Go's `net/url.URL` holds and writes them: certificates show them whole, and
//! signatures of requests are made of them.

use rego_value::Value;

use crate::encoding::text;
use crate::keys::object;
use crate::uri::{self, Escaped, escape_path, is_host_byte, unescape};

/// A parsed URL. Texts are bytes, since escapes can hide what is no UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Url {
    scheme: String,
    opaque: String,
    user: Option<User>,
    pub(crate) host: Vec<u8>,
    path: Vec<u8>,
    /// The path as it was written, if escaping `path` gives another one.
    raw_path: Option<String>,
    pub(crate) query: String,
    empty_query: bool,
    fragment: Vec<u8>,
    raw_fragment: String,
    no_authority: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl Url {
    pub(crate) fn parse(source: &str) -> Result<Self, String> {
        let parts = uri::split(source)?;
        let user = |written: &str| {
            let (name, password) = match written.split_once(':') {
                Some((name, password)) => (name, Some(password)),
                None => (written, None),
            };
            let password = password.map(|password| unescape(password, Escaped::Other)).transpose()?;
            Ok::<_, String>(User { name: unescape(name, Escaped::Other)?, password })
        };
        let raw_fragment = if escape(&parts.fragment, is_fragment_byte) == parts.raw_fragment {
            ""
        } else {
            parts.raw_fragment
        };
        Ok(Self {
            user: parts.user.map(user).transpose()?,
            opaque: parts.opaque.to_owned(),
            raw_path: parts.raw_path.map(str::to_owned),
            query: parts.query.to_owned(),
            raw_fragment: raw_fragment.to_owned(),
            scheme: parts.scheme,
            host: parts.host,
            path: parts.path,
            empty_query: parts.empty_query,
            fragment: parts.fragment,
            no_authority: parts.no_authority,
        })
    }

    /// The path for a request: as it was written, if that is a way to write it.
    pub(crate) fn escaped_path(&self) -> String {
        match &self.raw_path {
            Some(raw) if raw.bytes().all(|byte| is_path_byte(byte) || b"!'()*[]%".contains(&byte)) => {
                raw.clone()
            }
            _ if self.path == b"*" => "*".to_owned(),
            _ => escape_path(&self.path),
        }
    }

    fn escaped_fragment(&self) -> String {
        let raw = &self.raw_fragment;
        let allowed = |byte: u8| is_fragment_byte(byte) || b"'[]%".contains(&byte);
        if !raw.is_empty() && raw.bytes().all(allowed) {
            return raw.clone();
        }
        escape(&self.fragment, is_fragment_byte)
    }

    /// The URL as a text.
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            self.write_place(&mut out);
        } else {
            out.push_str(&self.opaque);
        }
        if self.empty_query || !self.query.is_empty() {
            out.push('?');
            out.push_str(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push('#');
            out.push_str(&self.escaped_fragment());
        }
        out
    }

    /// Authority and path.
    fn write_place(&self, out: &mut String) {
        let has_authority = !self.host.is_empty() || self.user.is_some();
        let empty_authority = !self.scheme.is_empty() && !self.no_authority && !self.path.is_empty();
        if has_authority || empty_authority {
            out.push_str("//");
            if let Some(user) = &self.user {
                out.push_str(&escape(&user.name, is_user_byte));
                if let Some(password) = &user.password {
                    out.push(':');
                    out.push_str(&escape(password, is_user_byte));
                }
                out.push('@');
            }
            out.push_str(&escape(&self.host, is_host_byte));
        }
        let path = self.escaped_path();
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            out.push('/');
        }
        if out.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
            out.push_str("./");
        }
        out.push_str(&path);
    }

    /// As Go's JSON has it, which tells of a user only that there is one.
    pub(crate) fn to_value(&self) -> Value {
        object([
            ("Scheme", self.scheme.as_str().into()),
            ("Opaque", self.opaque.as_str().into()),
            ("User", if self.user.is_some() { object([]) } else { Value::Null }),
            ("Host", text(&self.host)),
            ("Path", text(&self.path)),
            ("Fragment", text(&self.fragment)),
            ("RawQuery", self.query.as_str().into()),
            ("RawPath", self.raw_path.as_deref().unwrap_or_default().into()),
            ("RawFragment", self.raw_fragment.as_str().into()),
            ("ForceQuery", self.empty_query.into()),
            ("OmitHost", self.no_authority.into()),
        ])
    }
}

fn escape(bytes: &[u8], is_plain: fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if is_plain(*byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn is_user_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~$&+,;=".contains(&byte)
}

fn is_path_byte(byte: u8) -> bool {
    is_user_byte(byte) || b"/:@".contains(&byte)
}

fn is_fragment_byte(byte: u8) -> bool {
    is_path_byte(byte) || b"!()*?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_written_as_they_were_read() {
        for text in [
            "http://h/a%2Fb?x=1#f",
            "http://u:p@h:1/a",
            "mailto:a@b.org",
            "spiffe://cluster.local/ns/default",
            "file:///a/b",
            "urn:a:b",
            "http://h?",
            "/a/b",
            "a",
            "http://[::1]:80/",
            "x:/a",
            "http://h/#a'b",
        ] {
            assert_eq!(Url::parse(text).unwrap().to_text(), text);
        }
        assert_eq!(Url::parse("http://h/a b").unwrap().escaped_path(), "/a%20b");
        assert_eq!(Url::parse("http://h/(a)").unwrap().escaped_path(), "/(a)");
        assert!(Url::parse("http://h:x/").is_err());
    }
}
