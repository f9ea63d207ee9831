//! The steps of an evaluation and of a change of data, as calls into a running instance.

use std::sync::Arc;
use std::time::Duration;

use rego_value::Value;

use crate::abi::Abi;
use crate::data::Change;
use crate::error::EvalError;
use crate::evaluation::{EvalContext, Input, ResultSet};
use crate::live::Live;

/// What a step comes to: a wasmtime error stands for whatever stopped the module.
enum Stop {
    Wasm(wasmtime::Error),
    Eval(EvalError),
}

impl From<wasmtime::Error> for Stop {
    fn from(error: wasmtime::Error) -> Self {
        Stop::Wasm(error)
    }
}

impl From<EvalError> for Stop {
    fn from(error: EvalError) -> Self {
        Stop::Eval(error)
    }
}

impl Live {
    /// Evaluates an entrypoint and reads the answers out.
    pub(crate) fn evaluate(
        &mut self,
        entrypoint: i32,
        input: Input<'_>,
        context: &EvalContext,
        deadline: Duration,
    ) -> Result<ResultSet, EvalError> {
        let host = self.store.data_mut();
        host.limits.refused = false;
        host.first_failure = None;
        host.context.begin(context.now_ns, context.seed);
        let outcome = self.steps(entrypoint, input);
        let answers = self.settle(outcome, deadline)?;
        match &self.store.data().first_failure {
            Some(error) if context.strict => Err(EvalError::Policy(error.clone())),
            _ => Ok(answers),
        }
    }

    fn steps(&mut self, entrypoint: i32, input: Input<'_>) -> Result<ResultSet, Stop> {
        let abi = Arc::clone(&self.abi);
        abi.heap_ptr_set.call(&mut self.store, self.heap_base)?;
        let input = self.input(&abi, input)?;
        let context = abi.ctx_new.call(&mut self.store, ())?;
        abi.ctx_set_entrypoint.call(&mut self.store, (context, entrypoint))?;
        if self.data != 0 {
            abi.ctx_set_data.call(&mut self.store, (context, self.data))?;
        }
        if input != 0 {
            abi.ctx_set_input.call(&mut self.store, (context, input))?;
        }
        abi.eval.call(&mut self.store, context)?;
        let result = abi.ctx_get_result.call(&mut self.store, context)?;
        match abi.read_value(&mut self.store, result)? {
            Some(Value::Set(answers)) => Ok(ResultSet::new(answers.iter().cloned().collect())),
            Some(Value::Array(answers)) => Ok(ResultSet::new(answers.to_vec())),
            _ => Err(EvalError::MalformedResult.into()),
        }
    }

    fn input(&mut self, abi: &Abi, input: Input<'_>) -> Result<i32, Stop> {
        let address = match input {
            Input::Undefined => return Ok(0),
            Input::Value(value) => abi.write_value(&mut self.store, value)?,
            Input::Json(json) => {
                if std::str::from_utf8(json).is_err() {
                    return Err(EvalError::InvalidInput.into());
                }
                let text = abi.copy_in(&mut self.store, json)?;
                abi.json_parse.call(&mut self.store, text)?
            }
        };
        if address == 0 { Err(EvalError::InvalidInput.into()) } else { Ok(address) }
    }

    /// Lays out the data documents afresh.
    pub(crate) fn load(&mut self, data: &Value, deadline: Duration) -> Result<(), EvalError> {
        self.store.data_mut().limits.refused = false;
        let outcome = self.load_steps(data);
        self.settle(outcome, deadline)
    }

    fn load_steps(&mut self, data: &Value) -> Result<(), Stop> {
        let abi = Arc::clone(&self.abi);
        self.data = 0;
        if let Some(stash) = &abi.stash {
            stash.clear.call(&mut self.store, ())?;
        }
        abi.heap_ptr_set.call(&mut self.store, self.heap_start)?;
        let address = abi.write_value(&mut self.store, data)?;
        if address == 0 {
            return Err(EvalError::InvalidData.into());
        }
        if let Some(stash) = &abi.stash {
            stash.save.call(&mut self.store, ())?;
        }
        self.data = address;
        self.heap_base = abi.heap_ptr_get.call(&mut self.store, ())?;
        self.fresh_base = self.heap_base;
        Ok(())
    }

    /// Changes one document in place.
    pub(crate) fn change(&mut self, change: &Change, deadline: Duration) -> Result<(), EvalError> {
        self.store.data_mut().limits.refused = false;
        let outcome = self.change_steps(change);
        self.settle(outcome, deadline)
    }

    fn change_steps(&mut self, change: &Change) -> Result<(), Stop> {
        let abi = Arc::clone(&self.abi);
        abi.heap_ptr_set.call(&mut self.store, self.heap_base)?;
        if let Some(stash) = &abi.stash {
            stash.restore.call(&mut self.store, ())?;
        }
        let value = match &change.value {
            Some(value) => Some(abi.write_value(&mut self.store, value)?),
            None => None,
        };
        let path = abi.write_value(&mut self.store, &Value::array(change.path.iter().cloned()))?;
        let status = match value {
            Some(value) => abi.add_path.call(&mut self.store, (self.data, path, value))?,
            None => abi.remove_path.call(&mut self.store, (self.data, path))?,
        };
        if status != 0 {
            return Err(EvalError::MalformedResult.into());
        }
        if let Some(stash) = &abi.stash {
            stash.save.call(&mut self.store, ())?;
        }
        self.heap_base = abi.heap_ptr_get.call(&mut self.store, ())?;
        Ok(())
    }

    /// How many bytes beyond the data's own size changes have left behind.
    pub(crate) fn garbage(&self) -> usize {
        let size = |from: i32, to: i32| usize::try_from(i64::from(to) - i64::from(from)).unwrap_or(0);
        size(self.fresh_base, self.heap_base).saturating_sub(size(self.heap_start, self.fresh_base))
    }

    fn settle<T>(&self, outcome: Result<T, Stop>, deadline: Duration) -> Result<T, EvalError> {
        outcome.map_err(|stop| match stop {
            // A text that cannot be parsed for want of memory is not the text's fault.
            Stop::Eval(EvalError::InvalidInput | EvalError::InvalidData)
                if self.store.data().limits.refused =>
            {
                EvalError::MemoryLimit { limit: self.store.data().limits.memory }
            }
            Stop::Eval(error) => error,
            Stop::Wasm(error) => self.failure(&error, deadline),
        })
    }
}
