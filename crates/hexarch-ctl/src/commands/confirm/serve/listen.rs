//! Taking requests, with a bound to everything that a caller could make long or many.

use std::io::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::people::Peer;
use super::site::Site;
use crate::failure::Failure;

/// At most so many are served at once; others wait.
const MOST_AT_ONCE: u32 = 256;
/// A head has to be there by then.
const HEAD: Duration = Duration::from_secs(10);
/// And everything is over by then, the store's answer and the caller's reading included.
const WHOLE: Duration = Duration::from_secs(60);
/// Who is being served when it is to end has so long.
const FAREWELL: Duration = Duration::from_secs(10);
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;

/// Where to listen.
#[derive(Debug, Clone)]
pub(super) enum Address {
    /// Host and port.
    Tcp(String),
    /// A Unix socket.
    Socket(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok();
        match text.strip_prefix("unix:") {
            Some("") => Err("`unix:` is followed by a path".to_owned()),
            Some(path) => Ok(Self::Socket(path.into())),
            None if text.rsplit_once(':').is_some_and(port) => Ok(Self::Tcp(text.to_owned())),
            None => Err("an address such as 127.0.0.1:8182, or unix:/run/confirm.sock".to_owned()),
        }
    }
}

/// Serves until a signal ends it.
pub(super) fn serve(address: &Address, site: Site, link: &Url) -> Result<(), Failure> {
    let stop = Arc::new(Notify::new());
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let told = Arc::clone(&stop);
    let wait = move || {
        if signals.forever().next().is_some() {
            told.notify_one();
        }
    };
    std::thread::Builder::new().name("hexarch-signals".to_owned()).spawn(wait)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = Listener::bind(address).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "serving {link}/ID/SECRET at {}", listener.shown())?;
        out.flush()?;
        drop(out);
        take(listener, &Arc::new(site), &stop).await;
        Ok(())
    })
}

async fn take(listener: Listener, site: &Arc<Site>, stop: &Notify) {
    let places = Arc::new(Semaphore::new(MOST_AT_ONCE as usize));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stop.notified() => break,
            next = next => next,
        };
        match (place, accepted) {
            (Ok(place), Ok((stream, peer))) => {
                tokio::spawn(one(stream, peer, Arc::clone(site), place));
            }
            // Such as too many open files: those who are served give theirs back.
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    // Whoever comes now is to find nobody, and not to wait.
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, places.acquire_many(MOST_AT_ONCE)).await;
}

/// Serves one request.
async fn one(stream: Stream, peer: Peer, site: Arc<Site>, _place: OwnedSemaphorePermit) {
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, std::convert::Infallible>(site.answer(peer, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).keep_alive(false);
    builder.max_buf_size(LONGEST_HEAD).max_headers(MOST_HEADERS);
    // Who sends what is no request, is too slow or goes away has been told what there is to tell.
    let _ = match stream {
        Stream::Tcp(stream) => {
            tokio::time::timeout(WHOLE, builder.serve_connection(TokioIo::new(stream), service)).await
        }
        Stream::Socket(stream) => {
            tokio::time::timeout(WHOLE, builder.serve_connection(TokioIo::new(stream), service)).await
        }
    };
}

enum Stream {
    Tcp(tokio::net::TcpStream),
    Socket(tokio::net::UnixStream),
}

enum Listener {
    Tcp(TcpListener),
    Socket(UnixListener, PathBuf),
}

impl Listener {
    async fn bind(address: &Address) -> Result<Self, Failure> {
        let failed = |place: &str, error: std::io::Error| {
            Failure::Failed(format!("cannot listen on {place}: {error}"))
        };
        match address {
            Address::Tcp(address) => {
                TcpListener::bind(address).await.map(Self::Tcp).map_err(|error| failed(address, error))
            }
            Address::Socket(path) => {
                let shown = path.display().to_string();
                // What a server that was killed has left behind.
                let is_left = |error: std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
                if std::os::unix::net::UnixStream::connect(path).is_err_and(is_left) {
                    std::fs::remove_file(path).map_err(|error| failed(&shown, error))?;
                }
                let listener = UnixListener::bind(path).map_err(|error| failed(&shown, error))?;
                // The proxy is the owner, or of the group.
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o660);
                std::fs::set_permissions(path, mode).map_err(|error| failed(&shown, error))?;
                Ok(Self::Socket(listener, path.clone()))
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "?".to_owned(), |address| address.to_string())
            }
            Self::Socket(_, path) => format!("unix:{}", path.display()),
        }
    }

    async fn accept(&self) -> std::io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Peer::Address(address)))
            }
            Self::Socket(listener, _) => Ok((Stream::Socket(listener.accept().await?.0), Peer::Socket)),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Socket(_, path) = self {
            // If it is gone, it is gone.
            let _ = std::fs::remove_file(path);
        }
    }
}
