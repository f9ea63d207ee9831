//! Taking a token apart.

use rego_value::{Object, Value};

use crate::args::Args;
use crate::base64;
use crate::context::Context;
use crate::encoding::hex;
use crate::error::BuiltinError;
use crate::json_text;

/// The three parts of a token, as they are written.
pub(super) struct Token<'a> {
    pub(super) header: &'a [u8],
    pub(super) payload: &'a [u8],
    signature: &'a [u8],
}

fn failure(message: impl std::fmt::Display) -> BuiltinError {
    BuiltinError::new(message.to_string())
}

impl<'a> Token<'a> {
    pub(super) fn split(text: &'a [u8]) -> Result<Self, BuiltinError> {
        let parts: Vec<&[u8]> = text.split(|byte| *byte == b'.').collect();
        match parts.as_slice() {
            [header, payload, signature] => Ok(Self { header, payload, signature }),
            [_] => Err(BuiltinError::new("encoded JWT had no period separators")),
            parts => Err(failure(format_args!("encoded JWT must have 3 sections, found {}", parts.len()))),
        }
    }

    pub(super) fn header(&self) -> Result<Object, BuiltinError> {
        let bytes = decode_part(self.header)
            .map_err(|problem| failure(format_args!("JWT header had invalid encoding: {problem}")))?;
        let header =
            json_object(&bytes).map_err(|problem| failure(format_args!("bad JWT header: {problem}")))?;
        if header.contains_key(&Value::from("enc")) {
            return Err(BuiltinError::new("JWT is a JWE object, which is not supported"));
        }
        Ok(header)
    }

    /// The bytes of the payload, which is an object, or another token.
    pub(super) fn payload(&self) -> Result<Vec<u8>, BuiltinError> {
        decode_part(self.payload)
            .map_err(|problem| failure(format_args!("JWT payload had invalid encoding: {problem}")))
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, BuiltinError> {
        decode_part(self.signature).map_err(failure)
    }

    /// What the signature is made of.
    pub(super) fn signed(&self) -> Vec<u8> {
        [self.header, b".", self.payload].concat()
    }
}

/// Base64 for URLs, with or without padding.
fn decode_part(part: &[u8]) -> Result<Vec<u8>, String> {
    let padded = match part.len() % 4 {
        _ if part.ends_with(b"=") => part.to_vec(),
        0 => part.to_vec(),
        2 => [part, b"=="].concat(),
        3 => [part, b"="].concat(),
        _ => return Err(format!("illegal base64url string: {}", String::from_utf8_lossy(part))),
    };
    base64::URL.decode(&padded).map_err(|problem| problem.to_string())
}

/// The object of a text that holds one. Of members with equal names the last one counts.
fn json_object(text: &[u8]) -> Result<Object, String> {
    match json_text::unmarshal(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("decoded JSON type was not an Object".to_owned()),
        Err(problem) => Err(format!("invalid JSON: {problem}")),
    }
}

/// The claims of a payload.
pub(super) fn claims(payload: &[u8]) -> Result<Object, BuiltinError> {
    json_object(payload).map_err(failure)
}

/// `io.jwt.decode`: the parts of a token, nothing checked. Of a token in a token, the innermost one's.
pub(crate) fn decode(_: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let mut text = Args(args).string(1)?.as_bytes().to_vec();
    loop {
        let token = Token::split(&text)?;
        let header = token.header()?;
        let payload = token.payload()?;
        match header.get(&Value::from("cty")) {
            Some(Value::String(kind)) if &**kind == "JWT" => {
                // A token that is a JSON string keeps its quotes.
                text = trimmed(&payload).to_vec();
            }
            Some(Value::String(_)) | None => {
                let claims = claims(&payload)?;
                let signature = token.signature().map_err(|problem| {
                    failure(format_args!("JWT signature had invalid encoding: {}", problem.message))
                })?;
                return Ok(Some(Value::array([header.into(), claims.into(), hex(&signature).into()])));
            }
            // OPA crashes here.
            Some(_) => return Err(BuiltinError::new("cty: must be a string")),
        }
    }
}

/// Without the quotes around.
fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b'"' | b'\'', rest @ ..] | [rest @ .., b'"' | b'\''] = text {
        text = rest;
    }
    text
}
