//! `io.jwt.decode_verify`: signature and claims, by an algorithm that the token names and the key allows.

use rego_value::{Number, Object, Value};

use super::algorithm::{Algorithm, verify_hmac};
use super::constraints::{Constraints, Header};
use super::keys::any_accepts;
use super::token::{Token, claims};
use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;
use crate::keys::PublicKey;
use crate::keys::jwk::Material;

/// `io.jwt.decode_verify`: `[true, header, payload]`, or `[false, {}, {}]` when the token is not to be trusted.
pub(crate) fn decode_verify(context: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let args = Args(args);
    let constraints = args.object(2)?;
    let constraints = Constraints::parse(constraints, context.now_ns)?;
    let verified = match verified_parts(args.string(1)?, &constraints)? {
        Some((header, claims)) if claims_hold(&claims, &constraints)? => {
            [true.into(), header.into(), claims.into()]
        }
        _ => [false.into(), Object::new().into(), Object::new().into()],
    };
    Ok(Some(Value::array(verified)))
}

/// Header and claims of the innermost token, if every signature on the way to it is right.
fn verified_parts(token: &str, constraints: &Constraints) -> Result<Option<(Object, Object)>, BuiltinError> {
    let mut text = token.as_bytes().to_vec();
    loop {
        let token = Token::split(&text)?;
        let members = token.header()?;
        let header = Header::parse(&members)?;
        if !header.is_valid() || !constraints.alg.is_empty() && constraints.alg != header.alg {
            return Ok(None);
        }
        let signature = token.signature()?;
        if !signature_holds(constraints, &header, &token.signed(), &signature) {
            return Ok(None);
        }
        let payload = token.payload()?;
        if !header.cty.eq_ignore_ascii_case("JWT") {
            return Ok(Some((members, claims(&payload)?)));
        }
        text = payload;
    }
}

fn signature_holds(constraints: &Constraints, header: &Header, signed: &[u8], signature: &[u8]) -> bool {
    let Some(algorithm) = Algorithm::by_any_name(&header.alg) else { return false };
    let accepts = |material: &Material| match (material, algorithm) {
        (Material::Octets(secret), Algorithm::Hmac(hash)) => verify_hmac(hash, secret, signed, signature),
        (Material::Octets(_), _) => false,
        (Material::Public(key) | Material::Private(key, _), _) => {
            right_length(algorithm, key, signature) && algorithm.verify(key, signed, signature)
        }
    };
    match &constraints.keys {
        Some(keys) => any_accepts(keys, &header.kid, &header.alg, accepts),
        None => accepts(&Material::Octets(constraints.secret.clone().into_bytes())),
    }
}

/// The two numbers of an ECDSA signature fill the size of the curve (RFC 7518, 3.4).
fn right_length(algorithm: Algorithm, key: &PublicKey, signature: &[u8]) -> bool {
    match (algorithm, key) {
        (Algorithm::Ecdsa(_), PublicKey::Ec(key)) => signature.len() == 2 * key.curve.size(),
        _ => true,
    }
}

fn claims_hold(claims: &Object, constraints: &Constraints) -> Result<bool, BuiltinError> {
    let claim = |name: &str| claims.get(&Value::from(name));
    let issuer = claim("iss").and_then(Value::as_str);
    if !constraints.iss.is_empty() && issuer != Some(constraints.iss.as_str()) {
        return Ok(false);
    }
    if !constraints.allows_audience(claim("aud")) {
        return Ok(false);
    }
    let now = Number::from_f64(constraints.seconds).map_err(|error| BuiltinError::new(error.to_string()))?;
    let time = |name: &str| match claim(name) {
        Some(Value::Number(time)) => Ok(Some(time)),
        None => Ok(None),
        Some(_) => Err(BuiltinError::new(format!("{name} value must be a number"))),
    };
    if time("exp")?.is_some_and(|expires| now >= *expires) {
        return Ok(false);
    }
    Ok(time("nbf")?.is_none_or(|begins| now >= *begins))
}

#[cfg(test)]
mod tests {
    use super::super::sign::encode_sign_raw;
    use super::*;
    use crate::base64::URL_RAW;
    use crate::keys::ec;

    fn verified(token: &str, constraints: &[(&str, &str)]) -> bool {
        let members = constraints.iter().map(|(name, value)| (Value::from(*name), Value::from(*value)));
        let args = [Value::from(token), Value::object(members)];
        let answer = decode_verify(&mut Context::default(), &args).unwrap().unwrap();
        answer.as_array().unwrap()[0] == Value::from(true)
    }

    fn signed(header: &str, key: &str) -> String {
        let args = [Value::from(header), Value::from(r#"{"sub":"me"}"#), Value::from(key)];
        let token = encode_sign_raw(&mut Context::default(), &args).unwrap().unwrap();
        token.as_str().unwrap().to_owned()
    }

    /// A key on P-256: public alone, and both.
    fn keys() -> (String, String) {
        let key = ec::Private::new(ec::Curve::P256, &[9; 32]).unwrap();
        let (x, y) = key.public().coordinate_bytes();
        let (x, y, d) = (URL_RAW.encode(x), URL_RAW.encode(y), URL_RAW.encode(key.scalar()));
        let public = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
        let private = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","d":"{d}"}}"#);
        (public, private)
    }

    #[test]
    fn a_public_key_is_no_secret_whatever_the_header_says() {
        let (public, private) = keys();
        assert!(verified(&signed(r#"{"alg":"ES256"}"#, &private), &[("cert", &public)]));
        let secret = format!(r#"{{"kty":"oct","k":"{}"}}"#, URL_RAW.encode(public.as_bytes()));
        let forged = signed(r#"{"alg":"HS256"}"#, &secret);
        assert!(verified(&forged, &[("secret", &public)]));
        assert!(!verified(&forged, &[("cert", &public)]));
        assert!(!verified(&forged, &[("cert", &format!(r#"{{"keys":[{public}]}}"#))]));
        let unsigned = format!("{}.{}.", URL_RAW.encode(br#"{"alg":"none"}"#), URL_RAW.encode(b"{}"));
        assert!(!verified(&unsigned, &[("cert", &public)]));
        assert!(!verified(&unsigned, &[("secret", "x")]));
    }

    #[test]
    fn errors_tell_nothing_of_a_secret() {
        let (_, private) = keys();
        let secret = private.rsplit('"').nth(1).unwrap().to_owned();
        for (header, key) in [
            (r#"{"alg":"RS256"}"#, private.clone()),
            (r#"{"alg":"HS256"}"#, private.clone()),
            (r#"{"alg":"ES256"}"#, private.replace("P-256", "P-384")),
            (r#"{"alg":"ES256"}"#, private.replace("}", ",\"kid\":1}")),
            (r#"{"alg":"ES256"}"#, private.replace('}', "")),
        ] {
            let args = [Value::from(header), Value::from("{}"), Value::from(key)];
            let error = encode_sign_raw(&mut Context::default(), &args).unwrap_err();
            assert!(!error.message.contains(&secret), "{}", error.message);
        }
    }
}
