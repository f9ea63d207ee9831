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
