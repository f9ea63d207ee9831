//! Names on their way into OPA's paths.

use std::fmt::Write as _;

use thiserror::Error;

/// A document's path, as the names it consists of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataPath(String);

/// A name that a path cannot carry: HTTP servers tidy such paths up, and would end at another document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` cannot be part of a path in OPA: it is empty, or has an empty, `.` or `..` part")]
pub struct UnpushableName {
    /// The name.
    pub name: String,
}

impl DataPath {
    /// The path of these names below `data`.
    ///
    /// # Errors
    /// When a name cannot be part of a path.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnpushableName> {
        let mut path = String::new();
        for name in names {
            if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
                return Err(UnpushableName { name: name.to_owned() });
            }
            if !path.is_empty() {
                path.push('/');
            }
            percent_encode(&mut path, name);
        }
        Ok(Self(path))
    }

    /// The names, percent-encoded and joined by slashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as JSON patches name it: a pointer, and percent-encoded, since OPA decodes both.
    pub(crate) fn to_pointer(&self) -> String {
        format!("/{}", self.0.replace("%7E", "%7E0"))
    }
}

fn percent_encode(out: &mut String, name: &str) {
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded() {
        let path = DataPath::of(["a", "ü b/c", "~1%"]).unwrap();
        assert_eq!(path.as_str(), "a/%C3%BC%20b%2Fc/%7E1%25");
        assert_eq!(path.to_pointer(), "/a/%C3%BC%20b%2Fc/%7E01%25");
    }

    #[test]
    fn names_that_servers_tidy_up_are_refused() {
        for name in ["", ".", "..", "a//b", "/a", "a/", "a/../b"] {
            assert!(DataPath::of(["x", name]).is_err(), "{name}");
        }
    }
}
