//! `#[guarded]`, for `hexarch-guardrails`, which says what it does and what its options mean.
//!
//! Job: put a check of a policy before the body of a function or method, synchronous or not, and tell the policy its
//! named arguments.
//!
//! **Invariants.** The body is behind the check on every path. What cannot be guarded, or captured, is an error at its
//! place. The function keeps its signature, but for `wrap`, and its documentation says what the policy is told and what
//! it is not.

mod arguments;
mod expand;
mod options;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Checks a policy before the function runs: see `hexarch_guardrails::guarded`.
#[proc_macro_attribute]
pub fn guarded(options: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = expand::guarded(options.into(), item.into());
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}
