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
/// `postgres://USER@HOST:PORT/DB`, `opa:http://HOST:PORT` with `?copy=PATH` for a replica's own copy and `?root=NAMES` for
/// documents elsewhere than below `hexarch/ledger`; and `leased:` before one that processes share, for slices of it, with
/// `?journal=PATH` for a folder in which is written down what is spent of them. Which of them there are is a matter of
/// features.
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
        let (url, copy) = taken(url, "copy");
        let (url, root) = taken(&url, "root");
        let mut config = crate::OpaConfig { copy: copy.map(Into::into), ..crate::OpaConfig::new(url) };
        config.root = root.unwrap_or(config.root);
        return Ok(Box::new(crate::OpaStore::connect(&config, clock)?));
    }
    let detail =
        "it is no address of a store: `memory:`, `sqlite:PATH`, `redis://…`, `postgres://…`, `opa:http://…`"
            .to_owned();
    // An address may hold a password: its beginning says what was meant.
    let store = address.split(':').next().unwrap_or_default().to_owned();
    Err(Unusable { store, detail }.into())
}

/// Takes an option of ours out of an address: `?NAME=VALUE` or `&NAME=VALUE`, as it stands there.
#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
fn taken(address: &str, name: &str) -> (String, Option<String>) {
    let found = ['?', '&'].iter().find_map(|mark| {
        let (before, rest) = address.split_once(&format!("{mark}{name}="))?;
        Some((*mark, before, rest))
    });
    let Some((mark, before, rest)) = found else { return (address.to_owned(), None) };
    match rest.split_once('&') {
        Some((value, rest)) => (format!("{before}{mark}{rest}"), Some(value.to_owned())),
        None => (before.to_owned(), Some(rest.to_owned())),
    }
}

/// Slices of the store at an address, which lies with its server or file: nobody else could share what is in memory.
#[cfg_attr(
    not(any(feature = "sqlite", feature = "redis", feature = "postgres")),
    expect(unused_variables, reason = "nothing is shared without a feature")
)]
fn leased(address: &str, clock: Arc<dyn Clock>) -> Result<Box<dyn Store>, StateError> {
    #[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
    let (address, config) = {
        let (address, journal) = taken(address, "journal");
        (address, LeasedConfig { journal: journal.map(Into::into), ..LeasedConfig::default() })
    };
    #[cfg(feature = "sqlite")]
    if let Some(path) = address.strip_prefix("sqlite:") {
        let store = crate::SqliteStore::open(&crate::SqliteConfig::new(path), Arc::clone(&clock))?;
        return Ok(Box::new(Leased::new(store, config, clock)?));
    }
    #[cfg(feature = "redis")]
    if address.starts_with("redis://") {
        let store = crate::RedisStore::connect(&crate::RedisConfig::new(address))?;
        return Ok(Box::new(Leased::new(store, config, clock)?));
    }
    #[cfg(feature = "postgres")]
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        let store = crate::PostgresStore::connect(&crate::PostgresConfig::new(address))?;
        return Ok(Box::new(Leased::new(store, config, clock)?));
    }
    let detail =
        "slices are of a store that processes share: `sqlite:PATH`, `redis://…`, `postgres://…`".to_owned();
    let store = address.split(':').next().unwrap_or_default().to_owned();
    Err(Unusable { store: format!("leased:{store}"), detail }.into())
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::taken;

    #[test]
    fn options_are_taken_out_of_an_address() {
        let of = |address: &str| {
            let (rest, value) = taken(address, "copy");
            (rest, value.unwrap_or_default())
        };
        let pair = |rest: &str, value: &str| (rest.to_owned(), value.to_owned());
        assert_eq!(of("http://h:1"), pair("http://h:1", ""));
        assert_eq!(of("http://h:1?copy=/a/b.db"), pair("http://h:1", "/a/b.db"));
        assert_eq!(of("http://h:1?copy=/a&root=x/y"), pair("http://h:1?root=x/y", "/a"));
        assert_eq!(of("http://h:1?root=x&copy=/a"), pair("http://h:1?root=x", "/a"));
        assert_eq!(of("u://h?s=1&copy=/a&t=2"), pair("u://h?s=1&t=2", "/a"));
    }
}
