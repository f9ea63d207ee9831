//! What `#[guarded]` expands to is written in terms of this.

use serde::Serialize;

use crate::check::Check;
use crate::error::GuardError;

/// What a guarded function can return: something that says that it did not run. It is implemented for every
/// `Result<T, E>` whose error a [`GuardError`] can become; implement it for types of your own, such as the responses of a
/// web framework.
#[diagnostic::on_unimplemented(
    message = "a guarded function cannot return `{Self}`, which does not say that it did not run",
    label = "not a `Result<_, E>` with `E: From<GuardError>`",
    note = "change the return type, add `wrap` to `#[guarded(…)]`, or implement `GuardedReturn` for it"
)]
pub trait GuardedReturn {
    /// What the caller of a function gets that was not run.
    fn denied(error: GuardError) -> Self;
}

impl<T, E: From<GuardError>> GuardedReturn for Result<T, E> {
    fn denied(error: GuardError) -> Self {
        Err(error.into())
    }
}

/// An argument of a guarded function becomes part of the request's context. The name is what an error message shows.
#[inline]
pub fn capture_or_skip<T: Serialize + ?Sized>(check: Check, name: &str, argument: &T) -> Check {
    check.context(name, argument)
}

/// The same for one that is marked as a secret.
#[inline]
pub fn secret_or_skip<T: Serialize + ?Sized>(check: Check, name: &str, argument: &T) -> Check {
    check.secret(name, argument)
}

/// `with`.
#[inline]
pub fn apply(check: Check, with: impl FnOnce(Check) -> Check) -> Check {
    with(check)
}

/// A function's body, which `return` and `?` leave.
#[inline]
pub fn call<T>(body: impl FnOnce() -> T) -> T {
    body()
}
