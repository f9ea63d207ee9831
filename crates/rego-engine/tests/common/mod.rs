//! What the tests of the engine share: modules that the real OPA built.

use test_support::{Folder, build_bundle, opa, unpack};

/// The module OPA makes of a policy.
pub(crate) fn opa_module(policy: &str, entrypoints: &[&str]) -> Vec<u8> {
    let folder = Folder::new("rego-engine");
    folder.write("policy.rego", policy);
    let mut arguments = vec!["-t", "wasm", "policy.rego"];
    arguments.extend(entrypoints.iter().flat_map(|entrypoint| ["-e", *entrypoint]));
    build_bundle(opa(), folder.path(), &arguments).unwrap_or_else(|error| panic!("opa build: {error}"));
    unpack(folder.path(), "/policy.wasm")
}
