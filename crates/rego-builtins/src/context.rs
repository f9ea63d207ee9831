//! What one evaluation gives to built-in functions besides their arguments.

/// Everything that makes a nondeterministic function what it is, fixed within one evaluation, so that
/// an evaluation can be repeated exactly.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The time of `time.now_ns`, in nanoseconds since 1970-01-01 UTC.
    pub now_ns: i64,
    /// The seed of `rand.intn` and `uuid.rfc4122`.
    pub seed: u64,
}
