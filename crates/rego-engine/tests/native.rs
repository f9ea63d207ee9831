//! Modules compiled ahead of time: they decide as the others do, and what is not to be run is refused with its reason.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::OnceLock;

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{
    Config, Cpu, Engine, Environment, EvalContext, Input, Instance, Module, ModuleError, NativeError,
    NativeOptions, Precompiled, PublicKey, Verified,
};
use rego_value::{Value, json};

const POLICY: &str =
    "package t\n\np := {\"sum\": input.a + data.b, \"text\": sprintf(\"%v of %s\", [input.a, input.c])}\n";

const SECRET: [u8; 32] = [7; 32];

fn wasm(target: Target) -> Vec<u8> {
    let wasm = PlanOptions { target, ..PlanOptions::default() };
    let options = Options { wasm, ..Options::default() };
    rego_build::build(&[Source::new("t.rego", POLICY)], &["t/p"], &options).unwrap().bytes
}

/// For this processor; compiled once for all tests.
fn precompiled() -> Precompiled {
    static HOST: OnceLock<Precompiled> = OnceLock::new();
    let options = NativeOptions { cpu: Cpu::Host, sources: [3; 32] };
    HOST.get_or_init(|| Precompiled::compile(&wasm(Target::Engine), &options).unwrap()).clone()
}

fn keys() -> [PublicKey; 1] {
    [PublicKey::of_secret(&SECRET)]
}

fn refused(bytes: &[u8]) -> NativeError {
    Verified::by_key(bytes, &keys()).unwrap_err()
}

fn decide(module: &Module) -> Value {
    let mut instance = Instance::new(module).unwrap();
    instance.set_data_json(br#"{"b": 40}"#).unwrap();
    let input = Input::from(r#"{"a": 2, "c": "forty-two", "d": [1]}"#);
    let result = instance.evaluate("t/p", input, &EvalContext::default()).unwrap();
    result.into_result().unwrap()
}

#[test]
fn it_decides_as_the_compiled_module_does() {
    let engine = Engine::new(Config::default()).unwrap();
    for target in [Target::Engine, Target::Portable] {
        let wasm = wasm(target);
        let expected = decide(&Module::new(&engine, &wasm).unwrap());
        assert_eq!(expected, json::parse(br#"{"sum": 42, "text": "2 of forty-two"}"#).unwrap());
        for cpu in [Cpu::Host, Cpu::Baseline] {
            let bytes =
                Precompiled::compile(&wasm, &NativeOptions { cpu, sources: [3; 32] }).unwrap().sign(&SECRET);
            let verified = Verified::by_key(&bytes, &keys()).unwrap();
            assert_eq!(verified.sources(), [3; 32]);
            assert_eq!(verified.requirements().cpu_features.is_empty(), cpu == Cpu::Baseline);
            let module = Module::from_native(&engine, &verified, &Environment::default()).unwrap();
            assert_eq!(module.entrypoints().collect::<Vec<_>>(), ["t/p"]);
            assert_eq!(decide(&module), expected);
        }
    }
}

#[test]
fn it_runs_in_an_engine_with_other_limits_and_settings() {
    let config =
        Config { memory_limit: 2 << 20, stack_limit: 256 << 10, optimise: false, ..Config::default() };
    let bytes = precompiled().sign(&SECRET);
    let verified = Verified::by_key(&bytes, &keys()).unwrap();
    let module =
        Module::from_native(&Engine::new(config).unwrap(), &verified, &Environment::default()).unwrap();
    assert!(decide(&module).get_str("sum").is_some());
}

#[test]
#[expect(unsafe_code, reason = "the test made the bytes")]
fn an_unsigned_one_needs_a_caller_who_vouches_for_it() {
    let bytes = precompiled().into_unsigned();
    assert_eq!(refused(&bytes), NativeError::Unsigned);
    // SAFETY: made above.
    let verified = unsafe { Verified::trusted(&bytes) }.unwrap();
    let engine = Engine::new(Config::default()).unwrap();
    let module = Module::from_native(&engine, &verified, &Environment::default()).unwrap();
    assert!(decide(&module).get_str("sum").is_some());
}

#[test]
fn a_stranger_s_is_refused() {
    let bytes = precompiled().sign(&[8; 32]);
    let key: String =
        PublicKey::of_secret(&[8; 32]).to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(refused(&bytes), NativeError::UntrustedKey { key });
    assert!(matches!(Verified::by_key(&bytes, &[]), Err(NativeError::UntrustedKey { .. })));
    assert!(Verified::by_key(&bytes, &[keys()[0], PublicKey::of_secret(&[8; 32])]).is_ok());
    // With the name of a key that is trusted, and the stranger's signature.
    let own = precompiled().sign(&SECRET);
    let at = own.windows(32).position(|window| window == keys()[0].to_bytes()).unwrap();
    let mut forged = bytes;
    forged[at..at + 32].copy_from_slice(&keys()[0].to_bytes());
    assert_eq!(refused(&forged), NativeError::Altered);
}

#[test]
fn what_is_cut_or_altered_is_refused() {
    let bytes = precompiled().sign(&SECRET);
    assert_eq!(refused(b""), NativeError::NotNative);
    assert_eq!(refused(b"\0asm\x01\0\0\0"), NativeError::NotNative);
    assert_eq!(refused(&wasm(Target::Engine)), NativeError::NotNative);
    let front = bytes.len().min(700);
    for end in (1..front).chain((front..bytes.len()).step_by(40_099)).chain([bytes.len() - 1]) {
        let error = refused(&bytes[..end]);
        assert!(
            matches!(error, NativeError::Truncated { found, expected } if found == end && expected > end),
            "{end}: {error}"
        );
    }
    for at in (0..16).chain((16..front).step_by(29)).chain((front..bytes.len()).step_by(40_099)) {
        let mut altered = bytes.clone();
        altered[at] ^= 0x10;
        let error = refused(&altered);
        let expected = match at {
            0..8 => matches!(error, NativeError::NotNative),
            8..10 => matches!(error, NativeError::Format { known: 1, .. }),
            _ => matches!(
                error,
                NativeError::Altered | NativeError::Truncated { .. } | NativeError::UntrustedKey { .. }
            ),
        };
        assert!(expected, "{at}: {error}");
    }
    let longer = [bytes.as_slice(), b"\0"].concat();
    assert_eq!(refused(&longer), NativeError::Altered);
}

/// A container whose header says something else, signed as it should be.
fn made_elsewhere(of: &str, with: &str) -> Vec<u8> {
    assert_eq!(of.len(), with.len());
    let mut bytes = precompiled().into_unsigned();
    let at = bytes.windows(of.len()).position(|window| window == of.as_bytes()).unwrap();
    bytes[at..at + of.len()].copy_from_slice(with.as_bytes());
    bytes
}

#[test]
#[expect(unsafe_code, reason = "what is refused before it is run does no harm")]
fn what_was_made_for_other_machines_is_refused() {
    // SAFETY: the code is this machine's; only the header says something else.
    let refused = |bytes: &[u8]| unsafe { Verified::trusted(bytes) }.unwrap_err();
    let error = refused(&made_elsewhere(concat!("\u{2}\0\0\0", "48"), concat!("\u{2}\0\0\0", "47")));
    assert_eq!(
        error.to_string(),
        "precompiled module was compiled by wasmtime 47, this engine runs the code of wasmtime 48"
    );
    let here = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let there = here.replace(std::env::consts::OS, &"q".repeat(std::env::consts::OS.len()));
    let error = refused(&made_elsewhere(&here, &there));
    assert_eq!(error, NativeError::Target { found: there, known: here });
    let features = precompiled().requirements().cpu_features.clone();
    if let Some(feature) = features.first() {
        let error = refused(&made_elsewhere(feature, &"z".repeat(feature.len())));
        assert!(
            matches!(&error, NativeError::CpuFeatures { missing } if *missing == ["z".repeat(feature.len())]),
            "{error}"
        );
    }
}

#[test]
fn a_module_that_is_none_is_not_compiled() {
    let error = Precompiled::compile(b"no module", &NativeOptions::default()).unwrap_err();
    assert!(matches!(error, ModuleError::Invalid { .. }), "{error}");
}

#[test]
fn keys_that_are_none_are_refused() {
    assert!(PublicKey::from_bytes(&keys()[0].to_bytes()).is_some());
    // Of small order: everything would fit it.
    let mut identity = [0; 32];
    identity[0] = 1;
    assert!(PublicKey::from_bytes(&identity).is_none());
    let text = keys()[0].to_string();
    assert_eq!(text.parse(), Ok(keys()[0]));
    for wrong in ["", "00", &text[1..], &format!("{text}00"), &"z".repeat(64), &"é".repeat(32)] {
        assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
    }
}

#[test]
fn the_version_in_containers_is_wasmtime_s() {
    let lock = include_str!("../../../Cargo.lock");
    let (_, entry) = lock.split_once("name = \"wasmtime\"\nversion = \"").unwrap();
    let major = entry.split('.').next().unwrap();
    assert_eq!(precompiled().requirements().wasmtime, major);
}
