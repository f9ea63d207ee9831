//! JSON inside texts, with the words of Go's decoder for what is wrong.

use rego_value::Value;
use rego_value::json::{self, Error, Event, Parent, ParseError, Sink, parse_into};

/// The value of a text that holds one, as `json.unmarshal` reads it.
pub(crate) fn unmarshal(text: &[u8]) -> Result<Value, String> {
    let error = match json::parse(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let (first, rest) = text.split_at_checked(error.offset).unwrap_or((text, &[]));
    match error.kind {
        Error::TrailingData => match token(rest) {
            Some(token) => Err(format!(
                "error: invalid character '{}' after top-level value",
                String::from_utf8_lossy(token)
            )),
            // OPA takes a `null` that follows for the end of the text.
            None if rest.starts_with(b"null") => json::parse(first).map_err(|error| error.to_string()),
            None => {
                let byte = rest.first().copied().unwrap_or_default();
                let kind = Error::InvalidCharacter(byte, "looking for beginning of value");
                Err(ParseError { kind, offset: error.offset }.to_string())
            }
        },
        _ => Err(words(text, &error)),
    }
}

/// The value at the beginning of a text; what follows does not matter.
pub(crate) fn first(text: &[u8]) -> Result<Value, String> {
    match json::parse(text) {
        Ok(value) => Ok(value),
        Err(ParseError { kind: Error::TrailingData, offset }) => {
            let first = text.get(..offset).unwrap_or_default();
            json::parse(first).map_err(|error| words(first, &error))
        }
        Err(error) => Err(words(text, &error)),
    }
}

fn words(text: &[u8], error: &ParseError) -> String {
    match error.kind {
        Error::UnexpectedEnd if text.iter().all(u8::is_ascii_whitespace) => "EOF".to_owned(),
        Error::UnexpectedEnd => "unexpected EOF".to_owned(),
        _ => error.to_string(),
    }
}

/// The token with which a text begins.
fn token(text: &[u8]) -> Option<&[u8]> {
    let until = |end: &dyn Fn(u8) -> bool| text.split(|byte| end(*byte)).next();
    match text.first()? {
        b'{' | b'[' => text.get(..1),
        b'"' => text.get(1..)?.split(|byte| *byte == b'"').next(),
        b'-' | b'0'..=b'9' => {
            until(&|byte| !(byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')))
        }
        _ => [&b"true"[..], b"false"].into_iter().find(|word| text.starts_with(word)),
    }
}

/// What a member of the object at the top of a text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Absent,
    Text(String),
    /// Something else, by the name of its kind.
    Other(&'static str),
}

/// The member of this name; of several, the first one, unlike [`unmarshal`]. A text that is no object has none.
pub(crate) fn first_member(text: &[u8], name: &str) -> Result<Member, ParseError> {
    let mut sink = FirstMember { name, found: Member::Absent, open: Vec::new(), next: false };
    parse_into(text, &mut sink)?;
    Ok(sink.found)
}

struct FirstMember<'a> {
    name: &'a str,
    found: Member,
    open: Vec<Parent>,
    /// The value that follows is the one.
    next: bool,
}

impl FirstMember<'_> {
    fn found(&mut self, what: impl FnOnce() -> Member) {
        if std::mem::take(&mut self.next) {
            self.found = what();
        }
    }
}

impl Sink for FirstMember<'_> {
    fn scalar(&mut self, event: Event<'_>) -> Result<(), Error> {
        self.found(|| match event {
            Event::Null => Member::Other("null"),
            Event::Bool(true) => Member::Other("true"),
            Event::Bool(false) => Member::Other("false"),
            Event::Int(_) | Event::Number(_) => Member::Other("number"),
            Event::String(bytes, _) => Member::Text(String::from_utf8_lossy(bytes).into_owned()),
        });
        Ok(())
    }

    fn key(&mut self, text: &[u8], _: u32) -> Result<(), Error> {
        let wanted = self.open.as_slice() == [Parent::Object] && text == self.name.as_bytes();
        self.next = wanted && self.found == Member::Absent;
        Ok(())
    }

    fn begin(&mut self, kind: Parent) -> Result<(), Error> {
        self.found(|| Member::Other(if kind == Parent::Array { "array" } else { "object" }));
        self.open.push(kind);
        Ok(())
    }

    fn end(&mut self) -> Result<Parent, Error> {
        self.open.pop();
        Ok(self.open.last().copied().unwrap_or(Parent::Top))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_member_of_several_counts() {
        let member = |text: &str| first_member(text.as_bytes(), "alg").unwrap();
        assert_eq!(member(r#"{"x":{"alg":"no"},"alg":"a","alg":"b"}"#), Member::Text("a".to_owned()));
        assert_eq!(member(r#"{"alg":[1],"alg":"b"}"#), Member::Other("array"));
        assert_eq!(member(r#"["alg"]"#), Member::Absent);
        assert!(first_member(b"{", "alg").is_err());
    }

    #[test]
    fn what_follows_a_value_is_told_or_ignored() {
        assert_eq!(unmarshal(b"{} 1"), Err("error: invalid character '1' after top-level value".to_owned()));
        assert_eq!(
            unmarshal(b"{} x"),
            Err("invalid character 'x' looking for beginning of value".to_owned())
        );
        assert_eq!(unmarshal(b"{} null"), Ok(Value::object([])));
        assert_eq!(unmarshal(b" "), Err("EOF".to_owned()));
        assert_eq!(unmarshal(b"{"), Err("unexpected EOF".to_owned()));
        assert_eq!(first(b"{} x"), Ok(Value::object([])));
    }
}
