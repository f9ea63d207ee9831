//! A store by its address.

use std::sync::Arc;

use guard_core::{Clock, StateError, StateOperator, StateStore, Unusable};

use crate::MemoryStore;
#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
use crate::{Leased, LeasedConfig};

/// A store that callers and operators use.
pub trait Store: StateStore + StateOperator {}

impl<S: StateStore + StateOperator> Store for S {}

/// Opens the store at an address: `memory:`, `sqlite:PATH`, `redis://HOST:PORT/DB`,
/// `postgres://USER@HOST:PORT/DB`, `opa:http://HOST:PORT` with `?copy=PATH` for a replica's own copy; and `leased:` before
/// one that processes share, for slices of it. Which of them there are is a matter of features.
///
/// # Errors
/// When the address is none, its store is not built in, or the store cannot be opened.
pub fn open(address: &str, clock: Arc<dyn Clock>) -> Result<Box<dyn Store>, StateError> {
    if let Some(shared) = address.strip_prefix("leased:") {
        return leased(shared, clock);
    }
    if address == "memory:" {
        return Ok(Box::new(MemoryStore::new(clock)));
    }
    #[cfg(feature = "sqlite")]
    if let Some(path) = address.strip_prefix("sqlite:") {
        return Ok(Box::new(crate::SqliteStore::open(&crate::SqliteConfig::new(path), clock)?));
    }
    #[cfg(feature = "redis")]
    if address.starts_with("redis://") {
        return Ok(Box::new(crate::RedisStore::connect(&crate::RedisConfig::new(address))?));
    }
    #[cfg(feature = "postgres")]
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        return Ok(Box::new(crate::PostgresStore::connect(&crate::PostgresConfig::new(address))?));
    }
    #[cfg(feature = "opa")]
    if let Some(url) = address.strip_prefix("opa:") {
        let (url, copy) = match url.split_once("?copy=") {
            Some((url, copy)) => (url, Some(copy.into())),
            None => (url, None),
        };
        let config = crate::OpaConfig { copy, ..crate::OpaConfig::new(url) };
        return Ok(Box::new(crate::OpaStore::connect(&config, clock)?));
    }
    let detail =
        "it is no address of a store: `memory:`, `sqlite:PATH`, `redis://…`, `postgres://…`, `opa:http://…`"
            .to_owned();
    // An address may hold a password: its beginning says what was meant.
    let store = address.split(':').next().unwrap_or_default().to_owned();
    Err(Unusable { store, detail }.into())
}

/// Slices of the store at an address, which lies with its server or file: nobody else could share what is in memory.
#[cfg_attr(
    not(any(feature = "sqlite", feature = "redis", feature = "postgres")),
    expect(unused_variables, reason = "nothing is shared without a feature")
)]
fn leased(address: &str, clock: Arc<dyn Clock>) -> Result<Box<dyn Store>, StateError> {
    #[cfg(feature = "sqlite")]
    if let Some(path) = address.strip_prefix("sqlite:") {
        let store = crate::SqliteStore::open(&crate::SqliteConfig::new(path), Arc::clone(&clock))?;
        return Ok(Box::new(Leased::new(store, LeasedConfig::default(), clock)?));
    }
    #[cfg(feature = "redis")]
    if address.starts_with("redis://") {
        let store = crate::RedisStore::connect(&crate::RedisConfig::new(address))?;
        return Ok(Box::new(Leased::new(store, LeasedConfig::default(), clock)?));
    }
    #[cfg(feature = "postgres")]
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        let store = crate::PostgresStore::connect(&crate::PostgresConfig::new(address))?;
        return Ok(Box::new(Leased::new(store, LeasedConfig::default(), clock)?));
    }
    let detail =
        "slices are of a store that processes share: `sqlite:PATH`, `redis://…`, `postgres://…`".to_owned();
    let store = address.split(':').next().unwrap_or_default().to_owned();
    Err(Unusable { store: format!("leased:{store}"), detail }.into())
}
