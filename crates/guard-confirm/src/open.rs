//! A store by its address.

use std::sync::Arc;

use crate::error::StoreError;
use crate::memory::MemoryStore;
use crate::store::Store;

/// Opens the store at an address: `memory:`, `sqlite:PATH`, `redis://HOST:PORT/DB`, `postgres://USER@HOST:PORT/DB`.
/// Which of them there are is a matter of features.
///
/// # Errors
/// When the address is none, its store is not built in, or the store cannot be opened.
pub fn open(address: &str) -> Result<Arc<dyn Store>, StoreError> {
    if address == "memory:" {
        return Ok(Arc::new(MemoryStore::new()));
    }
    #[cfg(feature = "sqlite")]
    if let Some(path) = address.strip_prefix("sqlite:") {
        return Ok(Arc::new(crate::SqliteStore::open(path)?));
    }
    #[cfg(feature = "redis")]
    if address.starts_with("redis://") {
        return Ok(Arc::new(crate::RedisStore::connect(&crate::RedisConfig::new(address))?));
    }
    #[cfg(feature = "postgres")]
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        return Ok(Arc::new(crate::PostgresStore::connect(&crate::PostgresConfig::new(address))?));
    }
    // An address may hold a password: its beginning says what was meant.
    let store = address.split(':').next().unwrap_or_default().to_owned();
    let detail =
        "it is no address of a store that is built in: `memory:`, `sqlite:PATH`, `redis://…`, `postgres://…`";
    Err(StoreError::Unusable { store, detail: detail.to_owned() })
}
