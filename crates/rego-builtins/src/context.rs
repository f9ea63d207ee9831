//! What one evaluation gives to built-in functions besides their arguments.

use std::collections::HashMap;
use std::time::Instant;

use rego_value::Value;

use crate::cache::Patterns;
use crate::network::{Network, Session};
use crate::output::Output;

/// Everything that makes a nondeterministic function what it is, fixed within one evaluation, so that
/// an evaluation can be repeated exactly; and what may be kept between evaluations for speed alone.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The time of `time.now_ns`, in nanoseconds since 1970-01-01 UTC.
    pub now_ns: i64,
    /// The value of `opa.runtime`; an empty object when there is none.
    pub runtime: Option<Value>,
    /// When the evaluation must have ended, for functions that wait.
    pub deadline: Option<Instant>,
    /// The clock of the deadline, for functions that compute long; without one, they are bounded by what they produce.
    pub clock: Option<fn() -> Instant>,
    /// The way out to the network; without one, functions that need it fail.
    pub network: Option<Network>,
    /// The responses of this evaluation.
    pub(crate) http: Session,
    /// The state of the random number generator.
    random: u64,
    /// Answers of functions that give the same one to the same question within one evaluation.
    answers: HashMap<String, Value>,
    /// What the evaluation says beside its answers.
    pub output: Output,
    /// Expressions that were compiled before; they make no difference to any answer.
    pub(crate) patterns: Patterns,
}

impl Context {
    /// Forgets the last evaluation.
    pub fn begin(&mut self, now_ns: i64, seed: u64) {
        self.now_ns = now_ns;
        self.random = seed;
        if !self.output.is_empty() {
            self.output = Output::default();
        }
        if !self.answers.is_empty() {
            self.answers.clear();
        }
        self.http.clear();
    }

    /// Whether the evaluation must have ended by now.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.zip(self.clock).is_some_and(|(deadline, now)| now() >= deadline)
    }

    /// The answer that [`Context::once`] found before.
    pub(crate) fn answer(&self, question: &str) -> Option<&Value> {
        self.answers.get(question)
    }

    /// The next 64 random bits, which depend on nothing but the seed (SplitMix64).
    pub(crate) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// The answer to a question within this evaluation, found once.
    pub(crate) fn once(&mut self, question: String, find: impl FnOnce(&mut Self) -> Value) -> Value {
        if let Some(answer) = self.answers.get(&question) {
            return answer.clone();
        }
        let answer = find(self);
        self.answers.insert(question, answer.clone());
        answer
    }
}
