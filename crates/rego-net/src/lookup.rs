//! Names to addresses, by the system's resolver.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rego_builtins::network::LookupFailure;

/// How many names may be looked up at a time. The resolver cannot be interrupted: a thread waits for it to give up, long
/// after its evaluation has, so that they must not become many.
const MOST: usize = 64;

static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// How long to wait for the resolver where there is no deadline.
const PATIENCE: Duration = Duration::from_secs(30);

/// The addresses of a host; an address is its own.
pub(crate) fn lookup(host: &str, deadline: Option<Instant>) -> Result<Vec<IpAddr>, LookupFailure> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let failed = |what: &str| LookupFailure::Failed(format!("lookup {host}: {what}"));
    if host.is_empty() || host.contains('\0') {
        return Err(failed("no such host"));
    }
    if RUNNING.fetch_add(1, Ordering::Relaxed) >= MOST {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        return Err(failed("too many names are being looked up"));
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let name = host.to_owned();
    let thread = std::thread::Builder::new().name("net.lookup_ip_addr".to_owned()).spawn(move || {
        let found = (name.as_str(), 0).to_socket_addrs();
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        // Nobody may be waiting any more.
        let _ = sender.send(found.map(|found| found.map(|address| address.ip()).collect::<Vec<_>>()));
    });
    if let Err(error) = thread {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        return Err(failed(&error.to_string()));
    }
    let left = deadline.map_or(PATIENCE, |deadline| deadline.saturating_duration_since(Instant::now()));
    match receiver.recv_timeout(left) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(failed("no such host")),
        Err(_) => Err(LookupFailure::Deadline),
    }
}
