//! The `opa-wasm` crate, as host for modules of OPA's and of ours.

use opa_wasm::Runtime;
use opa_wasm::wasmtime::{Config, Engine, Module, OptLevel, RegallocAlgorithm, Store};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Answer, only};
use crate::Decision;

/// A module in this host, with data loaded.
pub struct Host {
    store: Store<()>,
    policy: opa_wasm::Policy<opa_wasm::DefaultContext>,
}

impl Host {
    /// Instantiates a module and loads its data document (JSON text).
    ///
    /// # Errors
    ///
    /// What the host says of the module or of the data.
    pub fn new(module: &[u8], data: &str) -> Result<Self, String> {
        Self::with_config(&Config::new(), module, data)
    }

    /// The same for a module that is evaluated once: it is compiled in less time than one that is to be fast takes.
    ///
    /// # Errors
    ///
    /// What the host says of the module or of the data.
    pub fn compiled_quickly(module: &[u8], data: &str) -> Result<Self, String> {
        let mut config = Config::new();
        config
            .cranelift_opt_level(OptLevel::None)
            .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
        Self::with_config(&config, module, data)
    }

    fn with_config(config: &Config, module: &[u8], data: &str) -> Result<Self, String> {
        let data: Box<RawValue> = serde_json::from_str(data).map_err(|error| error.to_string())?;
        let engine = Engine::new(config).map_err(|error| error.to_string())?;
        let module = Module::new(&engine, module).map_err(|error| format!("{error:#}"))?;
        let mut store = Store::new(&engine, ());
        let load = async {
            let runtime = Runtime::new(&mut store, &module).await?;
            runtime.with_data(&mut store, &data).await
        };
        let policy = pollster::block_on(load).map_err(|error| format!("{error:#}"))?;
        Ok(Self { store, policy })
    }

    /// Evaluates an entrypoint on an input (JSON text) and reads the result set.
    ///
    /// # Errors
    ///
    /// What the host says of the evaluation.
    pub fn evaluate<R: DeserializeOwned>(&mut self, entrypoint: &str, input: &str) -> Result<R, String> {
        let input: &RawValue = serde_json::from_str(input).map_err(|error| error.to_string())?;
        let evaluate = self.policy.evaluate(&mut self.store, entrypoint, &input);
        pollster::block_on(evaluate).map_err(|error| format!("{error:#}"))
    }

    /// Evaluates an entrypoint that decides.
    ///
    /// # Panics
    ///
    /// When there is no decision.
    pub fn decide(&mut self, entrypoint: &str, input: &str) -> Decision {
        only(self.evaluate::<Vec<Answer>>(entrypoint, input).unwrap())
    }
}
