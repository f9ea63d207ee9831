//! The engines behind one shape: a policy folder in, a closure from JSON text to a decision out.

pub mod opa_wasm;
pub mod ours;
pub mod regorus;

use serde::Deserialize;

use crate::Decision;

/// A host's result set: `[{"result": X}]`, empty when undefined.
#[derive(Deserialize)]
struct Answer {
    result: Decision,
}

/// The only answer of a result set.
fn only(answers: Vec<Answer>) -> Decision {
    let [answer] = <[Answer; 1]>::try_from(answers).ok().expect("one answer");
    answer.result
}
