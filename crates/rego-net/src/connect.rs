//! Who is spoken with, and the connection to them.

use std::io;
use std::net::SocketAddr;

use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rego_builtins::network::{HttpFailure, TlsOptions};
use tokio::net::{TcpStream, lookup_host};
use url::{Host, Url};

/// A connection of either kind.
pub(crate) type Stream = Box<dyn Connection>;

pub(crate) trait Connection: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Connection for T {}

/// Where a URL leads.
pub(crate) struct Target {
    place: Place,
    /// Host and port as the header `Host` has them.
    authority: String,
    /// Path and query.
    path: String,
}

enum Place {
    Tcp {
        host: Host<String>,
        port: u16,
        tls: bool,
    },
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no such sockets"))]
    Socket {
        path: String,
    },
}

impl Target {
    /// # Errors
    /// Schemes other than `http`, `https` and `unix`; no host; a name and a password, which belong into a header.
    pub(crate) fn of(url: &Url) -> Result<Self, HttpFailure> {
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            "unix" => return Self::socket(url),
            other => return Err(HttpFailure::Network(format!("unsupported protocol scheme {other:?}"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            let what = "a URL with a name and a password is not supported: send the header `Authorization`";
            return Err(HttpFailure::Invalid(what.to_owned()));
        }
        let no_host = || HttpFailure::Network("http: no Host in request URL".to_owned());
        let host = url.host().ok_or_else(no_host)?.to_owned();
        let port = url.port_or_known_default().ok_or_else(no_host)?;
        // The port only where it was written.
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self { place: Place::Tcp { host, port, tls }, authority, path })
    }

    /// `unix://host/path?socket=/a/socket&…`: the first parameter of that name is the socket, and none is sent.
    fn socket(url: &Url) -> Result<Self, HttpFailure> {
        let socket = url.query_pairs().find(|(name, _)| name == "socket").map(|(_, path)| path.into_owned());
        let Some(socket) = socket else {
            return Err(HttpFailure::Network("unsupported protocol scheme \"unix\"".to_owned()));
        };
        let mut rest = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in url.query_pairs().filter(|(name, _)| name != "socket") {
            rest.append_pair(&name, &value);
        }
        let (rest, path) = (rest.finish(), if url.path().is_empty() { "/" } else { url.path() });
        let path = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
        let authority = url.host_str().unwrap_or("localhost").to_owned();
        Ok(Self { place: Place::Socket { path: socket }, authority, path })
    }

    /// The name under which the list of hosts has to have it: a socket is `unix:` and its path.
    pub(crate) fn permission(&self) -> String {
        match &self.place {
            Place::Tcp { host: Host::Ipv6(address), .. } => address.to_string(),
            Place::Tcp { host, .. } => host.to_string(),
            Place::Socket { path } => format!("unix:{path}"),
        }
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// Opens a connection.
pub(crate) async fn open(target: &Target, options: &TlsOptions) -> Result<Stream, HttpFailure> {
    match &target.place {
        Place::Tcp { host, port, tls } => {
            let stream = dial(host, *port).await.map_err(HttpFailure::Network)?;
            if *tls { secure(stream, host, options).await } else { Ok(Box::new(TokioIo::new(stream))) }
        }
        Place::Socket { path } => socket(path).await,
    }
}

/// Connects to the first address that answers. The error is in the words of Go's `net`.
async fn dial(host: &Host<String>, port: u16) -> Result<TcpStream, String> {
    let addresses: Vec<SocketAddr> = match host {
        Host::Ipv4(address) => vec![SocketAddr::from((*address, port))],
        Host::Ipv6(address) => vec![SocketAddr::from((*address, port))],
        Host::Domain(name) => {
            let found = lookup_host((name.as_str(), port)).await;
            found.map_err(|_| format!("dial tcp: lookup {name}: no such host"))?.collect()
        }
    };
    let mut failure = format!("dial tcp: lookup {host}: no such host");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Requests are small and wait for their answers.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failure = format!("dial tcp {address}: connect: {}", reason(&error)),
        }
    }
    Err(failure)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::NetworkUnreachable => "network is unreachable".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to host".to_owned(),
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(unix)]
async fn socket(path: &str) -> Result<Stream, HttpFailure> {
    let stream = tokio::net::UnixStream::connect(path).await;
    let stream = stream
        .map_err(|error| HttpFailure::Network(format!("dial unix {path}: connect: {}", reason(&error))))?;
    Ok(Box::new(TokioIo::new(stream)))
}

#[cfg(not(unix))]
async fn socket(_: &str) -> Result<Stream, HttpFailure> {
    Err(HttpFailure::Invalid("there are no Unix sockets on this system".to_owned()))
}

#[cfg(feature = "tls")]
async fn secure(stream: TcpStream, host: &Host<String>, options: &TlsOptions) -> Result<Stream, HttpFailure> {
    let name = match host {
        Host::Ipv6(address) => address.to_string(),
        host => host.to_string(),
    };
    let stream = crate::tls::connect(stream, &name, options).await?;
    Ok(Box::new(TokioIo::new(stream)))
}

#[cfg(not(feature = "tls"))]
async fn secure(_: TcpStream, _: &Host<String>, _: &TlsOptions) -> Result<Stream, HttpFailure> {
    let what = "https is not available: the host was built without the feature `tls` of rego-net";
    Err(HttpFailure::Invalid(what.to_owned()))
}
