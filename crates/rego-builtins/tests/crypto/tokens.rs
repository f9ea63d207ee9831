//! Tokens, keys for them, and what policies ask of them.

use rego_builtins::{Context, by_name};
use rego_value::Value;
use rego_value::json::{self, Escape};
use test_support::Random;

use crate::certificates::{Plan, certificate};
use crate::der::{base64, base64url, mutated, pem};
use crate::keys::{Key, keys};

pub(crate) fn object(members: Vec<(&str, Value)>) -> Value {
    Value::object(members.into_iter().map(|(name, value)| (Value::from(name), value)))
}

/// A key as JWK, now and then with something wrong.
pub(crate) fn jwk(key: &Key, private: bool, random: &mut Random) -> Value {
    let mut members: Vec<(&str, Value)> =
        key.jwk(private).into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    match random.below(40) {
        0 => members.push(("alg", Value::from(key.algorithm()))),
        1 => members
            .push(("alg", Value::from(*random.pick(&["RS256", "ES256", "RSA-OAEP", "A128KW", "x", "none"])))),
        2 => members.push(("kid", Value::from(*random.pick(&["a", "b", ""])))),
        3 => members.push(("kid", Value::from(1))),
        4 => drop(members.remove(random.below(members.len()))),
        5 => {
            let at = random.below(members.len());
            let wrong = ["", "AA", "!", "P-256", "P-384", "Ed448", "AQAB", "AAAA"];
            members[at].1 = Value::from(*random.pick(&wrong));
        }
        6 => {
            let at = random.below(members.len());
            members[at].1 = [Value::Null, Value::from(1), Value::array([])][random.below(3)].clone();
        }
        7 => members
            .push((random.pick::<&str>(&["use", "key_ops", "x5t", "x5c", "extra"]), Value::from("sig"))),
        8 => members.push(("key_ops", Value::array([Value::from("sign")]))),
        _ => {}
    }
    object(members)
}

pub(crate) fn secret_jwk(random: &mut Random) -> Value {
    let secret: &[u8] = [&b"secret"[..], b"", b"another secret, longer than the other one"][random.below(3)];
    let mut members = vec![("kty", Value::from("oct")), ("k", Value::from(base64url(secret)))];
    if random.one_in(4) {
        members.push(("alg", Value::from("HS256")));
    }
    object(members)
}

fn text(value: &Value) -> String {
    json::to_string(value, Escape::Plain)
}

/// The public side of a key as the text of a certificate, PEM or JWK, or something else.
pub(crate) fn public_text(key: &Key, random: &mut Random) -> String {
    match random.below(28) {
        0..=2 | 14.. => pem("PUBLIC KEY", &key.public_info()),
        3 | 4 => {
            let plan = Plan { subject: "a", issuer: "a", key, signer: key, extensions: Vec::new() };
            pem("CERTIFICATE", &certificate(&plan, random))
        }
        5 | 6 => text(&jwk(key, false, random)),
        7 => text(&jwk(key, true, random)),
        8 | 9 => {
            let mut set = vec![jwk(key, false, random)];
            for _ in 0..random.below(3) {
                let other = random.pick(keys());
                set.push(if random.one_in(5) { secret_jwk(random) } else { jwk(other, false, random) });
            }
            if random.one_in(2) {
                set.reverse();
            }
            text(&object(vec![("keys", Value::array(set))]))
        }
        10 => pem("PUBLIC KEY", &mutated(&key.public_info(), random)),
        11 => pem("CERTIFICATE", &key.public_info()),
        12 => (*random.pick(&[
            "",
            "secret",
            "{}",
            "[]",
            "null",
            "{\"keys\":[]}",
            "{\"keys\":{}}",
            "{\"keys\":1}",
            "{\"kty\":\"x\"}",
            "{\"kty\":1}",
            "{\"kty\":",
        ]))
        .to_owned(),
        _ => pem("PUBLIC KEY", &key.public_info()) + random.pick::<&str>(&["x", "\n", " "]),
    }
}

pub(crate) fn header(algorithm: &str, random: &mut Random) -> Value {
    let mut members = vec![("alg", Value::from(algorithm))];
    match random.below(26) {
        0 => members.push(("typ", Value::from("JWT"))),
        1 => members.push(("kid", Value::from(*random.pick(&["a", "b", ""])))),
        2 => members.push(("cty", Value::from(*random.pick(&["JWT", "jwt", "x"])))),
        3 => members.push(("crit", Value::array([Value::from(*random.pick(&["exp", "kid"]))]))),
        4 => members.extend([("crit", Value::array([Value::from("x")])), ("x", Value::from(1))]),
        5 => members.push((
            "crit",
            [Value::array([]), Value::from("x"), Value::array([Value::from(1)])][random.below(3)].clone(),
        )),
        6 => members.push(("enc", Value::from("x"))),
        7 => members.push(("kid", Value::from(7))),
        _ => {}
    }
    object(members)
}

pub(crate) fn claims(random: &mut Random) -> Value {
    let mut members = vec![("sub", Value::from("me"))];
    let seconds = |random: &mut Random| Value::from([0, 1, 999, 1000, 1001, 4_000_000_000][random.below(6)]);
    if random.one_in(3) {
        members.push(("exp", if random.one_in(8) { Value::from("x") } else { seconds(random) }));
    }
    if random.one_in(3) {
        members.push(("nbf", if random.one_in(8) { Value::Null } else { seconds(random) }));
    }
    if random.one_in(3) {
        members.push(("iss", Value::from(*random.pick(&["me", "you"]))));
    }
    match random.below(6) {
        0 => members.push(("aud", Value::from("us"))),
        1 => members.push(("aud", Value::array([Value::from("them"), Value::from("us")]))),
        2 => members.push(("aud", Value::from(1))),
        _ => {}
    }
    object(members)
}

/// A token of this header and payload, signed by us with a key (JWK).
pub(crate) fn sign(header: &Value, payload: &str, key: &Value) -> Option<String> {
    let row = by_name("io.jwt.encode_sign_raw").unwrap();
    let args = [Value::from(text(header)), Value::from(payload), Value::from(text(key))];
    let signed = row.implementation.host().unwrap()(&mut Context::default(), &args);
    signed.ok().flatten().and_then(|token| token.as_str().map(str::to_owned))
}

fn exact_jwk(key: &Key) -> Value {
    object(key.jwk(true).into_iter().map(|(name, value)| (name, Value::from(value))).collect())
}

/// Algorithms that a key may sign with.
pub(crate) fn algorithms(key: &Key) -> &'static [&'static str] {
    match key {
        Key::Rsa(_) => &["RS256", "RS384", "RS512", "PS256", "PS384"],
        Key::Ed25519(_) => &["EdDSA"],
        _ => &["ES256", "ES384", "ES512"],
    }
}

/// A token signed with a key, which may be nested, cut, or otherwise wrong.
pub(crate) fn token(key: &Key, algorithm: &str, random: &mut Random) -> String {
    let payload = if random.one_in(15) {
        (*random.pick(&["[]", "", "{", "\"x\"", "{\"a\":1,\"a\":2}"])).to_owned()
    } else {
        text(&claims(random))
    };
    let head = header(algorithm, random);
    let signed = match key {
        // There is no JWK with this curve.
        Key::P224(_) => None,
        _ => sign(&head, &payload, &exact_jwk(key)),
    };
    let mut token = signed.unwrap_or_else(|| {
        format!(
            "{}.{}.{}",
            base64url(text(&head).as_bytes()),
            base64url(payload.as_bytes()),
            base64url(b"none")
        )
    });
    if random.one_in(15) {
        let mut outer = vec![("alg", Value::from(algorithm)), ("cty", Value::from("JWT"))];
        if random.one_in(3) {
            outer[1].1 = Value::from("jwt");
        }
        let quoted = if random.one_in(2) { format!("\"{token}\"") } else { token.clone() };
        token = sign(&object(outer), &quoted, &exact_jwk(key)).unwrap_or(token);
    }
    spoiled(token, random)
}

/// A token of a shared secret.
pub(crate) fn secret_token(secret: &str, algorithm: &str, random: &mut Random) -> String {
    let key = object(vec![("kty", Value::from("oct")), ("k", Value::from(base64url(secret.as_bytes())))]);
    let payload = text(&claims(random));
    let head = header(algorithm, random);
    spoiled(sign(&head, &payload, &key).unwrap_or_default(), random)
}

fn spoiled(token: String, random: &mut Random) -> String {
    match random.below(22) {
        0 => {
            let mut chars: Vec<char> = token.chars().collect();
            let at = random.below(chars.len().max(1));
            if at < chars.len() {
                chars[at] = *random.pick(&['A', '.', '=', '!', '+', '/', '-', '_', 'z', 'é']);
            }
            chars.into_iter().collect()
        }
        1 => token.chars().take(random.below(token.len() + 1)).collect(),
        2 => token + random.pick::<&str>(&["=", ".", "A", "\n", "=="]),
        _ => token,
    }
}

/// The constraints of `io.jwt.decode_verify`.
pub(crate) fn constraints(key: &Key, algorithm: &str, random: &mut Random) -> Value {
    let mut members = Vec::new();
    if !random.one_in(15) {
        members.push(("cert", Value::from(public_text(key, random))));
    }
    if random.one_in(15) {
        members.push(("secret", Value::from("secret")));
    }
    if random.one_in(4) {
        members.push(("alg", Value::from(if random.one_in(4) { "RS256" } else { algorithm })));
    }
    if random.one_in(4) {
        members.push(("iss", Value::from("me")));
    }
    if random.one_in(4) {
        members.push(("aud", Value::from("us")));
    }
    common(&mut members, random);
    object(members)
}

pub(crate) fn secret_constraints(secret: &str, random: &mut Random) -> Value {
    let mut members = vec![("secret", Value::from(secret))];
    if random.one_in(5) {
        members[0] = ("cert", Value::from(text(&object(vec![("keys", Value::array([secret_jwk(random)]))]))));
    }
    common(&mut members, random);
    object(members)
}

fn common(members: &mut Vec<(&str, Value)>, random: &mut Random) {
    // Always: OPA's clock and ours are not the same.
    members.push((
        "time",
        match random.below(12) {
            0 => Value::from("x"),
            1 => Value::from(-1),
            2 => Value::from(0),
            3 => Value::from(999_999_999_999),
            4 => Value::from(1_000_000_000_001),
            _ => Value::from(1_000_000_000_000),
        },
    ));
    if random.one_in(25) {
        members.push((random.pick::<&str>(&["unknown", "alg", "iss"]), Value::from(1)));
    }
}

/// A private key as text, in any of its containers.
pub(crate) fn private_text(key: &Key, random: &mut Random) -> String {
    let (label, der) = match key.traditional() {
        Some((label, der)) if random.one_in(2) => (label, der),
        _ => ("PRIVATE KEY", key.pkcs8()),
    };
    match random.below(12) {
        0 => pem(label, &mutated(&der, random)),
        1 => pem(random.pick::<&str>(&["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "X"]), &der),
        2 => base64(pem(label, &der).as_bytes()),
        3 => pem(label, &der) + &pem("PRIVATE KEY", &random.pick(keys()).pkcs8()),
        4 => base64(&der),
        5 => (*random.pick(&["", "x", "-----BEGIN X-----", "AAAA", "-----BEGIN A-----\n-----END A-----\n"]))
            .to_owned(),
        6 => format!("text before\n{}text behind", pem(label, &der)),
        _ => pem(label, &der),
    }
}
