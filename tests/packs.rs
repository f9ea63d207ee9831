//! The packs that this crate embeds decide as their tables say: the module that `build.rs` made, in our engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use guard_policy::Table;
use hexarch_guardrails::{DECISION_ENTRYPOINT, packs};
use rego_engine::{Config, Engine, EvalContext, Instance, Module};

#[test]
fn every_row_of_every_table_holds() {
    let engine = Engine::new(Config::default()).unwrap();
    let mut wrong = Vec::new();
    let mut rows = 0;
    for pack in packs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(pack.name).join("table.yaml");
        // The demonstration's calls stand in for a table: `demo_decides_as_its_script_says`.
        let Ok(text) = std::fs::read_to_string(&path) else {
            assert_eq!(pack.name, "demo", "{} is missing", path.display());
            continue;
        };
        let table = Table::parse(&path.display().to_string(), &text).unwrap();
        let module = Module::new(&engine, pack.module).unwrap();
        let mut instance = Instance::new(&module).unwrap();
        for row in table.rows() {
            rows += 1;
            instance.set_data_json(row.data().to_string().as_bytes()).unwrap();
            let input = row.input().to_string();
            let answer =
                instance.evaluate(DECISION_ENTRYPOINT, input.as_str().into(), &EvalContext::default());
            let decision = rego_value::json::to_string(
                answer.unwrap().result().expect("a decision"),
                rego_value::json::Escape::Plain,
            );
            if let Err(why) = row.check(&serde_json::from_str(&decision).unwrap()) {
                wrong.push(format!("{}: {}: {why}", pack.name, row.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {rows} rows do not hold:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows > 50, "only {rows} rows were found");
}
