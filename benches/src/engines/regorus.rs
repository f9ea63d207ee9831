//! regorus' bytecode VM.

use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use regorus::{Engine, Value};

use crate::Decision;
use crate::policy::Policy;

/// Decides an input's JSON text with a machine that keeps its state.
pub type Decide = Box<dyn FnMut(&str) -> Decision>;

/// Compiles the policy to regorus' bytecode and keeps one VM warm; `None`, said loudly, where regorus cannot.
pub fn load(policy: &Policy) -> Option<Decide> {
    let entrypoint: Arc<str> = format!("data.{}", policy.entrypoint.replace('/', ".")).into();
    let compile = || {
        let mut engine = Engine::new();
        engine.add_policy("policy.rego".to_owned(), policy.source.clone())?;
        let compiled = engine.compile_with_entrypoint(&entrypoint)?;
        let program = Compiler::compile_from_policy(&compiled, &[&*entrypoint]);
        program.map_err(|error| std::io::Error::other(format!("{error:?}")).into())
    };
    let program = match compile().map_err(|error: Box<dyn std::error::Error>| error.to_string()) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("SKIPPED: regorus on {}: {error}", policy.name);
            return None;
        }
    };
    let mut vm = RegoVM::new();
    vm.load_program(program);
    vm.set_data(Value::from_json_str(&policy.data).unwrap()).unwrap();
    Some(Box::new(move |text| {
        vm.set_input(Value::from_json_str(text).unwrap());
        decision(&vm.execute_entry_point_by_index(0).unwrap())
    }))
}

fn decision(value: &Value) -> Decision {
    let text = |key: &str| value[key].as_string().unwrap().as_ref();
    Decision::new(*value["allowed"].as_bool().unwrap(), text("reason"), text("action"))
}
