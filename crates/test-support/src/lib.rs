//! What the tests and the judges share: random numbers, settings, folders, the real OPA and its test cases.
//!
//! Nothing that users build depends on it: it is a dev-dependency, or one of the programs that judge. It knows no other
//! crate, so that each may use it. What a test asks for and the machine does not have is a panic that says so: such tests
//! are ignored unless they are asked for.
#![allow(clippy::panic, reason = "what is missing fails the test that asked for it")]

#[cfg(feature = "certificates")]
mod certificates;
mod folder;
mod opa;
mod places;
mod random;
mod server;
mod servers;

#[cfg(feature = "certificates")]
pub use certificates::Authority;
pub use folder::Folder;
pub use opa::{build_bundle, opa, unpack};
pub use places::{corpus, root, setting};
pub use random::Random;
pub use server::{OpaServer, free_port};
pub use servers::{PostgresServer, RedisServer};
