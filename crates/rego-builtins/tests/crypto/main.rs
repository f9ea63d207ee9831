//! Generated tokens, keys, certificates and requests, read, checked and signed by us and by a real OPA: values,
//! undefinedness, error codes and error texts must agree, and OPA must accept what we sign.
//!
//! Everything is made in the run itself. `SEED` repeats a run, `CASES` sets the number of calls per function,
//! `ONLY` picks functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "modules of the other test use more of themselves")]

mod certificates;
#[path = "../differential/corpus.rs"]
mod corpus;
mod der;
#[path = "../../../rego-regex/tests/generate/mod.rs"]
mod expressions;
#[path = "../differential/generate.rs"]
mod generate;
mod keys;
#[path = "../differential/opa.rs"]
mod opa;
mod tokens;

use rego_builtins::{Context, by_name};
use rego_value::Value;
use rego_value::json::{self, Escape};
use test_support::{Random, setting};

use certificates::{any_certificate, certificate, chain, request};
use der::{base64, mostly, mutated, pem};
use keys::{Key, keys};
use opa::{Answer, Call};
use tokens::object;

/// The time for certificates: OPA asks its clock.
fn now_ns() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_nanos()).unwrap()
}

fn ours(call: &Call) -> Answer {
    let function = call.row.implementation.host().expect("a host function");
    let mut context = Context::default();
    context.begin(now_ns(), 1);
    match function(&mut context, &call.args) {
        Ok(Some(value)) => Answer::Value(json::to_string(&value, Escape::Plain)),
        Ok(None) => Answer::Undefined,
        Err(error) => {
            Answer::Error(error.code.as_str().to_owned(), format!("{}: {}", call.row.name, error.message))
        }
    }
}

fn same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Answer::Value(ours), Answer::Value(theirs)) => {
            ours == theirs || json::parse(ours.as_bytes()) == json::parse(theirs.as_bytes())
        }
        (Answer::Error(code, ours), Answer::Error(their_code, theirs)) => {
            code == their_code && (ours == theirs || same_up_to_detail(ours, theirs))
        }
        // A public key is no secret, though OPA takes the bytes of this one for one.
        (Answer::Error(_, ours), Answer::Value(_)) => {
            ours.contains("jwsbb.Sign: invalid key type *jwk.okpPublicKey. []byte is required")
        }
        _ => ours == theirs,
    }
}

/// Go prints types and addresses of its own in these; what stands before them must agree.
fn same_up_to_detail(ours: &str, theirs: &str) -> bool {
    const DETAILS: [&str; 4] = [
        "unknown elliptic curve: ",
        "asn1: structure error: tags don't match",
        "into Go value of type struct",
        "cannot parse JSON: ",
    ];
    let before = |text: &str, detail: &str| text.find(detail).map(|at| text[..at].to_owned());
    DETAILS
        .iter()
        .any(|detail| before(ours, detail).is_some() && before(ours, detail) == before(theirs, detail))
}

/// Asks both about as many calls as `CASES` says, or 200.
fn compare(name: &str, mut arguments: impl FnMut(&mut Random) -> Vec<Value>) {
    if !name.contains(&std::env::var("ONLY").unwrap_or_default()) {
        return;
    }
    let opa = test_support::opa();
    let (seed, cases) = (setting("SEED", 20_261_122), setting("CASES", 200));
    let mut random = Random::new(seed);
    let row = by_name(name).unwrap();
    let calls: Vec<Call> = (0..cases).map(|_| Call { row, args: arguments(&mut random) }).collect();
    let (mut wrong, mut good, mut values, mut errors) = (Vec::new(), 0, 0, 0);
    for batch in calls.chunks(100) {
        for (call, theirs) in batch.iter().zip(opa::answers(opa, batch)) {
            let ours = ours(call);
            match &theirs {
                Answer::Error(..) => errors += 1,
                Answer::Value(text) if text == "true" || text.starts_with("[true") => good += 1,
                _ => values += 1,
            }
            if !same(&ours, &theirs) {
                wrong.push(format!("{}\n    ours: {ours:?}\n    OPA:  {theirs:?}", call.text(0)));
            }
        }
    }
    println!(
        "{name}: SEED={seed} CASES={cases}: {good} good, {values} other values, {errors} errors, {} differ",
        wrong.len()
    );
    let shown = wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{name} SEED={seed}: {} of {} calls differ\n{shown}", wrong.len(), calls.len());
}

/// A key that can sign with an algorithm, mostly.
fn key_for(algorithm: &str, random: &mut Random) -> &'static Key {
    loop {
        let key = random.pick(keys());
        let fits = tokens::algorithms(key).contains(&algorithm)
            || algorithm == "PS512" && matches!(key, Key::Rsa(_));
        if fits && !matches!(key, Key::P224(_)) || random.one_in(12) {
            return key;
        }
    }
}

fn verify(name: &str, algorithm: &'static str) {
    compare(name, |random| {
        let key = key_for(algorithm, random);
        let token = tokens::token(key, algorithm, random);
        let other = if random.one_in(12) { random.pick(keys()) } else { key };
        vec![Value::from(token), Value::from(tokens::public_text(other, random))]
    });
}

macro_rules! needs_opa {
    ($($test:ident: $body:block)*) => {
        $(
            #[test]
            #[ignore = "needs OPA"]
            fn $test() $body
        )*
    };
}

needs_opa! {
    needs_opa_verify_with_rsa: {
        for (name, algorithm) in [
            ("rs256", "RS256"), ("rs384", "RS384"), ("rs512", "RS512"),
            ("ps256", "PS256"), ("ps384", "PS384"), ("ps512", "PS512"),
        ] {
            verify(&format!("io.jwt.verify_{name}"), algorithm);
        }
    }
    needs_opa_verify_with_curves: {
        for (name, algorithm) in
            [("es256", "ES256"), ("es384", "ES384"), ("es512", "ES512"), ("eddsa", "EdDSA")]
        {
            verify(&format!("io.jwt.verify_{name}"), algorithm);
        }
    }
    needs_opa_verify_with_secrets: {
        for (name, algorithm) in [("hs256", "HS256"), ("hs384", "HS384"), ("hs512", "HS512")] {
            compare(&format!("io.jwt.verify_{name}"), |random| {
                let token = tokens::secret_token("secret", algorithm, random);
                let secret = if random.one_in(6) { "other" } else { "secret" };
                vec![Value::from(token), Value::from(secret)]
            });
        }
    }
    needs_opa_decode: {
        compare("io.jwt.decode", |random| {
            let key = random.pick(keys());
            let algorithm = *random.pick(tokens::algorithms(key));
            vec![Value::from(tokens::token(key, algorithm, random))]
        });
    }
    needs_opa_decode_verify: {
        compare("io.jwt.decode_verify", |random| {
            if random.one_in(5) {
                let algorithm = *random.pick(&["HS256", "HS384", "HS512", "HMAC_WITH_SHA256", "none"]);
                let token = tokens::secret_token("secret", algorithm, random);
                return vec![Value::from(token), tokens::secret_constraints("secret", random)];
            }
            let key = random.pick(keys());
            let algorithm = *random.pick(tokens::algorithms(key));
            let token = tokens::token(key, algorithm, random);
            vec![Value::from(token), tokens::constraints(key, algorithm, random)]
        });
    }
    needs_opa_encode_sign: {
        compare("io.jwt.encode_sign", |random| sign_arguments(random).to_vec());
    }
    needs_opa_encode_sign_raw: {
        compare("io.jwt.encode_sign_raw", |random| {
            let texts = sign_arguments(random).map(|value| json::to_string(&value, Escape::Plain));
            let mut args = texts.map(Value::from).to_vec();
            if random.one_in(6) {
                let odd = ["", "{", "x", "{\"alg\":\"EdDSA\",\"alg\":\"x\"}", "[1]", "{} x"];
                args[random.below(3)] = Value::from(*random.pick(&odd));
            }
            args
        });
    }
    needs_opa_parse_certificates: {
        compare("crypto.x509.parse_certificates", |random| {
            let ders: Vec<Vec<u8>> = (0..=random.below(2)).map(|_| any_certificate(random)).collect();
            vec![Value::from(certificates_text(&ders, random))]
        });
    }
    needs_opa_verify_certificates: {
        compare("crypto.x509.parse_and_verify_certificates", |random| {
            let chain = chain(random);
            vec![Value::from(certificates_text(&chain, random))]
        });
    }
    needs_opa_verify_certificates_with_options: {
        compare("crypto.x509.parse_and_verify_certificates_with_options", |random| {
            let chain = chain(random);
            vec![Value::from(certificates_text(&chain, random)), options(random)]
        });
    }
    needs_opa_parse_requests: {
        compare("crypto.x509.parse_certificate_request", |random| {
            let der = request(random);
            vec![Value::from(match random.below(6) {
                0 => base64(&der),
                1 => pem("CERTIFICATE", &der),
                2 => base64(pem("CERTIFICATE REQUEST", &der).as_bytes()),
                _ => pem("CERTIFICATE REQUEST", &der),
            })]
        });
    }
    needs_opa_parse_private_keys: {
        for name in ["crypto.parse_private_keys", "crypto.x509.parse_rsa_private_key"] {
            compare(name, |random| {
                let key = random.pick(keys());
                vec![Value::from(tokens::private_text(key, random))]
            });
        }
    }
    needs_opa_parse_key_pairs: {
        compare("crypto.x509.parse_keypair", |random| {
            let key = random.pick(keys());
            let plan = certificates::Plan { subject: "a", issuer: "a", key, signer: key, extensions: Vec::new() };
            let der = certificate(&plan, random);
            let other = if random.one_in(8) { random.pick(keys()) } else { key };
            let pair = [certificates_text(&[der], random), tokens::private_text(other, random)];
            let [certificate, key] = pair.map(Value::from);
            if random.one_in(20) { vec![key, certificate] } else { vec![certificate, key] }
        });
    }
    needs_opa_sign_requests: {
        compare("providers.aws.sign_req", aws_arguments);
    }
    needs_opa_accepts_what_we_sign: {
        signatures_are_accepted();
    }
}

/// Header, payload and key, of an algorithm whose signatures are always the same.
fn sign_arguments(random: &mut Random) -> [Value; 3] {
    let (algorithm, key) = match random.below(8) {
        0 | 1 => (*random.pick(&["HS256", "HS384", "HS512"]), tokens::secret_jwk(random)),
        2 => (
            *random.pick(&["RS256", "EdDSA", "HS256"]),
            tokens::jwk(random.pick(keys()), !random.one_in(3), random),
        ),
        3 => (
            *random.pick(&["none", "x", "ES256K", "Ed25519", "HMAC_WITH_SHA256"]),
            tokens::secret_jwk(random),
        ),
        _ => loop {
            let key = random.pick(keys());
            if matches!(key, Key::Rsa(_) | Key::Ed25519(_)) {
                let algorithm = if matches!(key, Key::Rsa(_)) { "RS384" } else { "EdDSA" };
                break (algorithm, tokens::jwk(key, true, random));
            }
        },
    };
    let key = if random.one_in(10) { object(vec![("keys", Value::array([key]))]) } else { key };
    let header = match random.below(15) {
        0 => object(vec![("alg", Value::from(1))]),
        1 => object(vec![]),
        _ => tokens::header(algorithm, random),
    };
    [header, tokens::claims(random), key]
}

fn certificates_text(ders: &[Vec<u8>], random: &mut Random) -> String {
    let pems = || ders.iter().map(|der| pem("CERTIFICATE", der)).collect::<String>();
    match random.below(24) {
        0 => base64(&ders.concat()),
        1 => base64(pems().as_bytes()),
        2 => pems() + "text behind",
        3 => pem("X", &ders[0]),
        4 => pem("CERTIFICATE", &mutated(&ders[0], random)),
        _ => pems(),
    }
}

fn options(random: &mut Random) -> Value {
    let mut members = Vec::new();
    if random.one_in(2) {
        let hosts = [
            "a.example.org",
            "x.example.com",
            "A.Example.Org.",
            "b.example.org",
            "10.0.0.1",
            "[::1]",
            "\"a.example.org\"",
        ];
        members.push(("DNSName", Value::from(*random.pick(&hosts))));
    }
    if random.one_in(2) {
        let times = [1_600_000_000_000_000_000, 2_000_000_000_000_000_000, 1, 4_000_000_000_000_000_000];
        members.push(("CurrentTime", Value::from(times[if random.one_in(3) { random.below(4) } else { 0 }])));
    }
    if random.one_in(2) {
        let names =
            ["KeyUsageAny", "KeyUsageServerAuth", "KeyUsageClientAuth", "KeyUsageOCSPSigning", "KeyUsageBad"];
        let chosen: Vec<Value> =
            (0..=random.below(2)).map(|_| Value::from(*mostly(&names, 4, random))).collect();
        members.push(("KeyUsages", if random.one_in(2) { Value::set(chosen) } else { Value::array(chosen) }));
    }
    if random.one_in(15) {
        members.push((
            random.pick::<&str>(&["DNSName", "CurrentTime", "KeyUsages", "MaxConstraintComparisons", "x"]),
            [Value::from(1), Value::from("x"), Value::Null][random.below(3)].clone(),
        ));
    }
    object(members)
}

fn aws_arguments(random: &mut Random) -> Vec<Value> {
    let urls = [
        "https://examplebucket.s3.amazonaws.com/test.txt",
        "https://host:8443/a%2Fb/c d?x=1&y=%20#f",
        "http://h",
        "h",
        "http://h/(a)*'b'",
        "http://bad host/",
        "",
    ];
    let mut request = vec![
        ("method", Value::from(*random.pick(&["GET", "POST", "put"]))),
        ("url", Value::from(*random.pick(&urls))),
    ];
    if random.one_in(2) {
        let names = ["Content-Type", "x-amz-date", "User-Agent", "Host", "X-É", "authorization"];
        let headers: Vec<(&str, Value)> =
            (0..random.below(4)).map(|_| (*random.pick(&names), Value::from("v"))).collect();
        request.push(("headers", object(headers)));
    }
    match random.below(5) {
        0 => request.push(("raw_body", Value::from("<body>"))),
        1 => request
            .push(("body", object(vec![("a", Value::from("<b>")), ("c", Value::set([Value::from(1)]))]))),
        2 => request.push(("body", Value::from("text"))),
        _ => {}
    }
    let mut config = vec![
        ("aws_service", Value::from(*random.pick(&["s3", "glacier", "iam", "ec2"]))),
        ("aws_access_key", Value::from("AKIDEXAMPLE")),
        ("aws_secret_access_key", Value::from("key")),
        ("aws_region", Value::from("us-east-1")),
    ];
    if random.one_in(4) {
        config.push(("aws_session_token", Value::from("token")));
    }
    if random.one_in(4) {
        config.push((
            "disable_payload_signing",
            [Value::from(true), Value::from(false), Value::from(1)][random.below(3)].clone(),
        ));
    }
    if random.one_in(8) {
        let wrong = [Value::Null, Value::from(1), Value::array([])][random.below(3)].clone();
        let list = if random.one_in(2) { &mut request } else { &mut config };
        let at = random.below(list.len());
        if random.one_in(2) {
            list[at].1 = wrong;
        } else {
            list[at].0 = "unknown";
        }
    }
    let times = [Value::from(1_700_000_000_000_000_000), Value::from(-1), Value::from("x"), Value::Null];
    let time = if random.one_in(15) { random.pick(&times).clone() } else { times[0].clone() };
    vec![object(request), object(config), time]
}

/// Signatures that differ from one time to the next: those of ours must be good for OPA.
fn signatures_are_accepted() {
    let opa = test_support::opa();
    let seed = setting("SEED", 20_261_122);
    let mut random = Random::new(seed);
    let mut calls = Vec::new();
    while calls.len() < 200 {
        let key = random.pick(keys());
        let algorithm = *random.pick(tokens::algorithms(key));
        let header = object(vec![("alg", Value::from(algorithm))]);
        let private =
            object(key.jwk(true).into_iter().map(|(name, value)| (name, Value::from(value))).collect());
        let Some(token) =
            tokens::sign(&header, &json::to_string(&tokens::claims(&mut random), Escape::Plain), &private)
        else {
            assert!(matches!(key, Key::P224(_)), "{algorithm}");
            continue;
        };
        let row = by_name(&format!("io.jwt.verify_{}", algorithm.to_lowercase())).unwrap();
        calls.push(Call {
            row,
            args: vec![Value::from(token), Value::from(pem("PUBLIC KEY", &key.public_info()))],
        });
    }
    for (call, theirs) in calls.iter().zip(opa::answers(opa, &calls)) {
        assert_eq!(theirs, Answer::Value("true".to_owned()), "SEED={seed} {}", call.text(0));
        assert_eq!(ours(call), theirs, "SEED={seed} {}", call.text(0));
    }
    println!("{} signatures accepted, SEED={seed}", calls.len());
}
