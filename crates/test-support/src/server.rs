//! A real OPA that serves.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A loaded machine starts OPA in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that nobody listened on a moment ago.
///
/// # Panics
///
/// Where the machine has no loopback address.
#[must_use]
pub fn free_port() -> u16 {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.unwrap_or_else(|error| panic!("no port: {error}")).port()
}

/// A running OPA server, killed when this is dropped.
#[derive(Debug)]
pub struct OpaServer {
    process: Child,
    port: u16,
    tls: bool,
}

impl OpaServer {
    /// Starts the OPA of `opa()` on a free port and waits until it answers.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(crate::opa(), free_port(), &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts the given OPA on the given port of the loopback address, with further arguments of `opa run`.
    ///
    /// # Errors
    ///
    /// Where it does not start.
    pub fn start_with(opa: &Path, port: u16, arguments: &[&str]) -> Result<Self, String> {
        Self::start_as(opa, port, arguments, false)
    }

    /// The same with arguments that have it speak TLS.
    ///
    /// # Errors
    ///
    /// Where it does not start.
    pub fn start_tls(opa: &Path, port: u16, arguments: &[&str]) -> Result<Self, String> {
        Self::start_as(opa, port, arguments, true)
    }

    fn start_as(opa: &Path, port: u16, arguments: &[&str], tls: bool) -> Result<Self, String> {
        let mut run = Command::new(opa);
        run.args(["run", "--server", "--disable-telemetry", "--log-level", "error"])
            .args(["--addr", &format!("127.0.0.1:{port}")])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = run.spawn().map_err(|error| format!("{}: {error}", opa.display()))?;
        let mut server = Self { process, port, tls };
        let end = Instant::now() + PATIENCE;
        while !server.is_healthy() {
            if let Ok(Some(status)) = server.process.try_wait() {
                return Err(format!("{} ended ({status})", opa.display()));
            }
            if Instant::now() > end {
                return Err(format!("{} does not answer on port {port}", opa.display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Kills it in the middle of whatever it does, and starts the OPA of `opa()` on the same port: with nothing, since OPA
    /// writes nothing down.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn restart(&mut self) {
        self.kill();
        *self = Self::start_with(crate::opa(), self.port, &[]).unwrap_or_else(|error| panic!("{error}"));
    }

    fn is_healthy(&self) -> bool {
        let ask = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect(self.address())?;
            // Whoever speaks TLS does not answer to less: that it listens is what can be told.
            if self.tls {
                return Ok(true);
            }
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"GET /health HTTP/1.1\r\nHost: opa\r\nConnection: close\r\n\r\n")?;
            let mut status = [0; 12];
            stream.read_exact(&mut status)?;
            Ok(&status == b"HTTP/1.1 200")
        };
        ask().unwrap_or(false)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address as a URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address())
    }

    /// Kills it, in the middle of whatever it does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for OpaServer {
    fn drop(&mut self) {
        self.kill();
    }
}
