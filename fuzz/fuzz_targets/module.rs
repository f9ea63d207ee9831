//! Any bytes as a WebAssembly module: the engine loads it or says why not, within its limits, and evaluates what it
//! loaded without a panic.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module};

static ENGINE: LazyLock<Option<Engine>> = LazyLock::new(|| {
    let default_deadline = Duration::from_millis(50);
    Engine::new(Config { memory_limit: 16 << 20, default_deadline, optimise: false, ..Config::default() }).ok()
});

fuzz_target!(|bytes: &[u8]| {
    let Some(engine) = ENGINE.as_ref() else { return };
    let Ok(module) = Module::new(engine, bytes) else { return };
    let Ok(mut instance) = Instance::new(&module) else { return };
    let names: Vec<String> = module.entrypoints().map(str::to_owned).collect();
    for name in names {
        let _ = instance.evaluate(&name, Input::Json(b"{\"a\": [1]}"), &EvalContext::default());
    }
});
