//! `hexarch-ctl policy build`: what it writes is run, and what it cannot build it refuses.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

use hexarch_guardrails::{BuildError, Guardian, NativeError, PublicKey};
use rego_engine::{Config, Engine, Environment, EvalContext, Input, Instance, Module, Verified};
use rego_value::Value;
use test_support::Folder;

/// The secret of 32 sevens, as openssl writes it.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
-----END PRIVATE KEY-----
";

const YAML: &str = r#"
policies:
  - id: safe_delete
    rules:
      - operation: delete
        resource: "production/*"
        action: block
"#;

const REGO: &str = "package demo\n\nsum := input.a + 1 if input.b == data.c\n";

fn hexarch_ctl(folder: &Folder, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hexarch-ctl")).current_dir(folder.path()).args(words).output().unwrap()
}

/// Builds, and gives what was said.
fn built(folder: &Folder, words: &[&str]) -> String {
    let output = hexarch_ctl(folder, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Folder, words: &[&str]) -> String {
    let output = hexarch_ctl(folder, words);
    assert!(!output.status.success(), "{words:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn key() -> PublicKey {
    PublicKey::of_secret(&[7; 32])
}

fn guardian(yaml: &Path, module: &Path, key: PublicKey) -> Result<Guardian, BuildError> {
    Guardian::builder().policy_file(yaml).precompiled(std::fs::read(module).unwrap(), &[key]).build()
}

#[test]
fn a_guardian_runs_the_machine_code_of_its_policies_and_no_other() {
    let folder = Folder::new("hexarch-build-native");
    folder.write("key.pem", KEY);
    let yaml = folder.write("hexarch.yaml", YAML);
    let said = built(&folder, &["policy", "build", "--native", "--signing-key", "key.pem"]);
    assert!(said.contains(&format!("public key  {}\n", key())) && said.contains("wasmtime    "), "{said}");
    let native = folder.path().join("policy.native");
    let decide = |guardian: &Guardian| {
        let check = guardian.check("safe_delete").unwrap().operation("delete").resource("production/users");
        check.decide().unwrap().decision.allowed
    };
    assert!(!decide(&guardian(&yaml, &native, key()).unwrap()));
    let words = ["policy", "build", "--native", "--cpu", "baseline", "--signing-key", "key.pem", "-o", "any"];
    assert!(built(&folder, &words).contains("features    none\n"));
    assert!(!decide(&guardian(&yaml, &folder.path().join("any"), key()).unwrap()));

    let stranger = guardian(&yaml, &native, PublicKey::of_secret(&[8; 32])).err();
    assert!(matches!(stranger, Some(BuildError::Native(NativeError::UntrustedKey { .. }))), "{stranger:?}");
    let other = folder.write("other.yaml", YAML.replace("production", "staging"));
    let error = guardian(&other, &native, key()).err();
    assert!(matches!(error, Some(BuildError::OtherSources)), "{error:?}");
}

#[test]
fn rego_files_are_built_for_their_entrypoints() {
    let folder = Folder::new("hexarch-build-rego");
    folder.write("key.pem", KEY);
    folder.write("demo.rego", REGO);
    folder.write("data.json", r#"{"c": "yes"}"#);
    let engine = Engine::new(Config::default()).unwrap();
    let sum = |module: &Module| {
        let mut instance = Instance::new(module).unwrap();
        instance.set_data_json(br#"{"c": "yes"}"#).unwrap();
        let input = Input::from(r#"{"a": 41, "b": "yes"}"#);
        instance.evaluate("demo/sum", input, &EvalContext::default()).unwrap().into_result()
    };
    let output = hexarch_ctl(&folder, &["policy", "build", "-e", "demo/sum", "demo.rego", "data.json"]);
    assert!(output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("data documents are not part of a module"), "{told}");
    let wasm = std::fs::read(folder.path().join("policy.wasm")).unwrap();
    assert_eq!(sum(&Module::new(&engine, &wasm).unwrap()), Some(Value::from(42)));

    built(
        &folder,
        &["policy", "build", "-e", "demo/sum", "--native", "--signing-key", "key.pem", "demo.rego"],
    );
    let native = std::fs::read(folder.path().join("policy.native")).unwrap();
    let verified = Verified::by_key(&native, &[key()]).unwrap();
    let module = Module::from_native(&engine, &verified, &Environment::default()).unwrap();
    assert_eq!(sum(&module), Some(Value::from(42)));
}

#[test]
fn what_a_decision_costs_is_explained() {
    let folder = Folder::new("hexarch-build-cost");
    folder.write("demo.rego", REGO);
    folder.write("hexarch.yaml", YAML);
    let said = built(&folder, &["policy", "build", "--explain-cost", "-e", "demo/sum", "demo.rego"]);
    let expected = "input that is read
  input.a.**                  everything below
  input.b.**                  everything below
rules, and how many of their bodies begin by comparing the input with a constant
  data.demo.sum               0 of 1
built-in functions
  in the module               plus
  in the host, if it is ours
  in the host
";
    assert_eq!(said, expected);
    let said = built(&folder, &["policy", "build", "--explain-cost"]);
    assert!(said.contains("input.operation") && said.contains("data.guardrails.evaluate"), "{said}");
    assert!(!folder.path().join("policy.wasm").exists());
}

#[test]
fn what_cannot_be_built_is_refused() {
    let folder = Folder::new("hexarch-build-wrong");
    folder.write("key.pem", KEY);
    folder.write("rsa.pem", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n");
    folder.write("demo.rego", REGO);
    folder.write("wrong.rego", "package demo\n\np if x\n");
    folder.write("hexarch.yaml", YAML);
    for (words, expected) in [
        (&["demo.rego"][..], "wasm compilation requires at least one entrypoint"),
        (&["-e", "demo/absent", "demo.rego"], "demo/absent"),
        (&["-e", "demo/p", "wrong.rego"], "var x is unsafe"),
        (&["-t", "plan", "-e", "demo/sum", "demo.rego"], "must be one of {wasm}"),
        (&["-e", "demo/sum"], "the policy file's entrypoint is `guardrails/evaluate`"),
        (&["--native"], "--signing-key"),
        (&["--cpu", "baseline"], "--native"),
        (&["--native", "--signing-key", "rsa.pem"], "not an unencrypted Ed25519 private key"),
        (&["--native", "--signing-key", "demo.rego"], "demo.rego: "),
        (&["--native", "--signing-key", "absent.pem"], "absent.pem: No such file"),
        (&["-o", "absent/policy.wasm"], "absent/policy.wasm: No such file"),
    ] {
        let told = refused(&folder, &[&["policy", "build"], words].concat());
        assert!(told.contains(expected), "{words:?}: {told}");
        assert!(!told.contains("panicked"), "{told}");
    }
    assert!(!folder.path().join("policy.native").exists());
}
