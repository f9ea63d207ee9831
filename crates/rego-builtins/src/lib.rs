//! The one table of Rego's built-in functions, and their host implementations.
//!
//! Job: say for every built-in function what it is called, what it takes and gives, and who carries it
//! out; and carry out those that the module leaves to its host. The type checker, the code generator,
//! the engine, documentation and the capabilities document all read [`all`] and [`by_name`].
//!
//! Invariant: every function OPA 1.22.2 has is a row here, with the same signature and flags; a row
//! that nobody carries out says so ([`Implementation::Unsupported`]) and fails at compile time.
//!
//! Shown by `tests/table.rs` (the rows against OPA's own list), `tests/differential`, `tests/texts` and
//! `tests/crypto` (generated calls against a real OPA).

mod args;
mod asn1;
mod aws;
mod base64;
mod bounds;
mod cache;
mod casts;
mod context;
mod crypto;
mod encoding;
mod environment;
mod error;
mod glob;
mod globs;
mod gofmt;
mod gotime;
mod graph;
mod graphql;
mod implementation;
mod json_schema;
mod json_text;
mod jwt;
mod keys;
mod net;
pub mod network;
mod numbers;
mod object;
mod output;
mod parse_module;
mod patch;
mod pem;
mod private_keys;
mod regex;
mod semver;
mod strings;
mod table;
mod template;
mod time;
mod types;
mod units;
mod uri;
mod url;
mod uuid;
mod x509;
mod yaml;

pub use bounds::may_take_long;
pub use context::Context;
pub use error::{BuiltinError, ErrorCode};
pub use implementation::{HostFn, Implementation};
pub use json_schema::json_schema_problem;
pub use output::Output;
pub use regex::CompiledPattern;
pub use table::{Arg, Builtin, all, by_infix, by_name, names};
pub use types::Type;
