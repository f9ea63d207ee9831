//! The requests of P1 and P2 as Rust values, for callers that have them as such: no text is read.

use std::borrow::Cow;

use rego_engine::{Binding, PolicyInput};
use serde::Deserialize;

use crate::Decision;
use crate::engines::ours::Loaded;

/// A request of P1.
#[derive(Deserialize, PolicyInput)]
pub struct Guardrail<'a> {
    #[serde(borrow)]
    user: User<'a>,
    action: Cow<'a, str>,
    resource: Resource<'a>,
    model: Cow<'a, str>,
    cost_cents: i64,
    tokens: i64,
    timestamp: i64,
    confirm: Option<bool>,
}

#[derive(Deserialize, PolicyInput)]
struct User<'a> {
    id: Cow<'a, str>,
    tier: Cow<'a, str>,
    roles: Vec<Cow<'a, str>>,
}

#[derive(Deserialize, PolicyInput)]
struct Resource<'a> {
    #[serde(rename = "type")]
    #[policy(rename = "type")]
    kind: Cow<'a, str>,
    id: Cow<'a, str>,
    env: Option<Cow<'a, str>>,
}

/// A request of P2.
#[derive(Deserialize, PolicyInput)]
pub struct Rbac<'a> {
    user: Cow<'a, str>,
    action: Cow<'a, str>,
    #[serde(borrow)]
    resource: Resource<'a>,
}

/// Decides the request at a position.
pub type Decide = Box<dyn FnMut(usize) -> Decision>;

/// Decides these requests, each of which is made once; none for a policy that has no struct.
///
/// # Panics
///
/// When a text is no request of the policy, or the policy reads what the struct does not have.
#[must_use]
pub fn load(policy: &str, engine: Loaded, texts: &[String]) -> Option<Decide> {
    match policy {
        "p1" => {
            let binding = engine.module().bind::<Guardrail<'_>>().unwrap();
            Some(decide(engine, binding, texts, |text| serde_json::from_str(text).unwrap()))
        }
        "p2" => {
            let binding = engine.module().bind::<Rbac<'_>>().unwrap();
            Some(decide(engine, binding, texts, |text| serde_json::from_str(text).unwrap()))
        }
        _ => None,
    }
}

fn decide<T: PolicyInput<Static = T> + 'static>(
    mut engine: Loaded,
    binding: Binding<T>,
    texts: &[String],
    read: impl Fn(&'static str) -> T,
) -> Decide {
    // They live as long as the benchmark.
    let requests: Vec<T> = texts.iter().map(|text| read(Box::leak(text.clone().into_boxed_str()))).collect();
    Box::new(move |at| engine.decide_input(binding.input(&requests[at % requests.len()])))
}
