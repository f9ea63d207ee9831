//! A program without a compiler that decides by a module compiled ahead of time:
//!
//! ```text
//! openssl genpkey -algorithm ed25519 -out key.pem
//! hexarch-ctl --config hexarch.yaml policy build --native --signing-key key.pem -o policy.native
//! cargo run --release --no-default-features --example precompiled -- hexarch.yaml policy.native KEY POLICY OPERATION RESOURCE
//! ```
//!
//! KEY is the public key, which `policy build` prints.

use std::error::Error;
use std::time::Instant;

use hexarch_guardrails::{Guardian, PublicKey};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [yaml, module, key, policy, operation, resource] = arguments.as_slice() else {
        return Err("usage: precompiled HEXARCH.YAML MODULE KEY POLICY OPERATION RESOURCE".into());
    };
    let key: PublicKey = key.parse()?;
    let module = std::fs::read(module)?;
    let start = Instant::now();
    let guardian = Guardian::builder().policy_file(yaml).precompiled(module, &[key]).build()?;
    let ready = start.elapsed();
    let verdict = guardian.check(policy)?.operation(operation).resource(resource).decide()?;
    println!("{}: {} (ready after {ready:?})", verdict.decision.action, verdict.decision.reason);
    Ok(())
}
