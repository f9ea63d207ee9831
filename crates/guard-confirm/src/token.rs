//! What a caller comes back with.
//!
//! A secret of 192 random bits stands behind every token. All that is kept of it is hashes: the confirmation's id, by
//! which it is found, and another that the token is held against. The call is bound by a hash that is keyed with the
//! secret, so that arguments that are easy to guess cannot be guessed from what is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guard_core::Request;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::error::{DeskError, Refused};

const BYTES: usize = 24;

/// What only the caller has.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret([u8; BYTES]);

impl Secret {
    pub(crate) fn random() -> Result<Self, DeskError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| DeskError::Random(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// The token: `hxc_`, then the secret.
    pub(crate) fn to_token(&self) -> String {
        format!("hxc_{}", self.to_text())
    }

    pub(crate) fn of_token(token: &str) -> Result<Self, Refused> {
        let text =
            token.strip_prefix("hxc_").ok_or(Refused::NoToken { why: "it does not begin with `hxc_`" })?;
        Self::of_text(text)
    }

    pub(crate) fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(crate) fn of_text(text: &str) -> Result<Self, Refused> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(Refused::NoToken { why: "it is damaged" })
    }

    /// Names the confirmation, and opens nothing.
    pub(crate) fn id(&self) -> String {
        let mut id = self.hashed("id");
        id.truncate(32);
        id
    }

    /// What the token is held against.
    pub(crate) fn hash(&self) -> String {
        self.hashed("token")
    }

    /// What a link's secret is held against.
    pub(crate) fn link_hash(&self) -> String {
        self.hashed("link")
    }

    fn hashed(&self, purpose: &str) -> String {
        hex(&Sha256::new().chain_update(purpose).chain_update([0]).chain_update(self.0).finalize())
    }

    /// The call that it is for.
    pub(crate) fn digest(&self, call: &str) -> Result<String, DeskError> {
        Ok(hex(&keyed(&self.0, &[call.as_bytes()])?))
    }

    /// A secret of its own for the link of a confirmation. Whoever knows the key finds it again, so that it is written
    /// down nowhere.
    pub(crate) fn for_link(key: &[u8], id: &str) -> Result<Self, DeskError> {
        let code = keyed(key, &[b"link", &[0], id.as_bytes()])?;
        let bytes = code.first_chunk::<BYTES>().copied();
        bytes.map(Self).ok_or_else(|| DeskError::Random("a code is too short".to_owned()))
    }
}

/// HMAC-SHA256 of the parts, one after the other.
pub(crate) fn keyed(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], DeskError> {
    let code = Hmac::<Sha256>::new_from_slice(key).map_err(|error| DeskError::Random(error.to_string()))?;
    Ok(parts.iter().fold(code, |code, part| code.chain_update(part)).finalize().into_bytes().into())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The call in one canonical form: everything that the policy decides by and the caller chooses. When it is asked, in
/// which session, and what is merely carried along for the record may differ when the caller comes back. Numbers are
/// bound as they are written: `1.0` is not `1`.
pub(crate) fn canonical(request: &Request) -> Result<String, DeskError> {
    let call = Request {
        session: None,
        confirmed: false,
        confirmation_token: None,
        metadata: Default::default(),
        time: Default::default(),
        ..request.clone()
    };
    let input = call.to_input();
    let mut value =
        rego_value::json::parse(input.as_bytes()).map_err(|error| DeskError::Call(error.to_string()))?;
    // They follow from the cost, and are left out so that what was confirmed before they were told stays confirmed.
    if let rego_value::Value::Object(members) = &mut value {
        members.make_mut().remove(&rego_value::Value::from("cost_micros"));
    }
    Ok(rego_value::json::to_string(&value, rego_value::json::Escape::Plain))
}

#[cfg(test)]
mod tests {
    use guard_core::{Json, Timestamp};

    use super::*;

    fn request(context: &str) -> Request {
        let mut request = Request { operation: "delete".into(), ..Request::new("p") };
        request.context.insert("a".into(), Json::from_text(context).unwrap());
        request
    }

    #[test]
    fn the_same_call_has_one_form_however_it_is_written() {
        let one = canonical(&request(r#"{"x": 1, "y": [1.5, "é"]}"#)).unwrap();
        let other = Request { time: Timestamp::from_seconds(9), ..request(r#"{"y":[1.5,"\u00e9"],"x":1}"#) };
        assert_eq!(one, canonical(&other).unwrap());
        assert_ne!(one, canonical(&request(r#"{"x": 1, "y": [1.5, "e"]}"#)).unwrap());
        let as_root = guard_core::User { id: "root".into(), roles: vec![] };
        assert_ne!(one, canonical(&Request { user: Some(as_root), ..other }).unwrap());
    }

    #[test]
    fn a_token_comes_back_and_nothing_kept_of_it_is_it() {
        let secret = Secret::random().unwrap();
        let token = secret.to_token();
        assert!(Secret::of_token(&token).unwrap() == secret);
        assert!(!token.contains(&secret.id()) && !token.contains(&secret.hash()));
        assert_ne!(secret.hash(), secret.link_hash());
        for wrong in ["", "hxc_", "hxc_AAAA", &token[4..], &format!("{token}A")] {
            assert!(Secret::of_token(wrong).is_err(), "{wrong}");
        }
    }
}
