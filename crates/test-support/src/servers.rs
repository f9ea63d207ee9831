//! Real Redis and PostgreSQL servers, each of a test's own: on a free port, with its data in a folder of its own, so that
//! it can be killed and started again.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Folder, free_port};

/// A loaded machine starts a server in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis that writes every change down before it answers, killed when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    port: u16,
    folder: Folder,
}

impl RedisServer {
    /// Starts one on a free port and waits until it answers.
    ///
    /// # Panics
    ///
    /// Where there is no `redis-server`: `cargo xtask test` installs it.
    #[must_use]
    pub fn start() -> Self {
        let (port, folder) = (free_port(), Folder::new("redis-server"));
        let process = redis(port, folder.path());
        let server = Self { process, port, folder };
        server.wait();
        server
    }

    fn wait(&self) {
        let end = Instant::now() + PATIENCE;
        // It answers while it still loads its file: with an error, which `PING` tells apart.
        while !pings(self.port) {
            assert!(Instant::now() < end, "redis-server does not answer on port {}", self.port);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it in the middle of whatever it does, and starts it again with what it had written down.
    pub fn restart(&mut self) {
        self.kill();
        self.process = redis(self.port, self.folder.path());
        self.wait();
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn redis(port: u16, folder: &Path) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("redis-server: {error}: `cargo xtask test` installs it"))
}

fn pings(port: u16) -> bool {
    use std::io::{Read, Write};
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"+PONG")
    };
    ask().unwrap_or(false)
}

/// A PostgreSQL with a data folder of its own, killed when this is dropped.
#[derive(Debug)]
pub struct PostgresServer {
    process: Child,
    port: u16,
    folder: Folder,
}

impl PostgresServer {
    /// Makes a data folder, starts a server on a free port and waits until it answers.
    ///
    /// # Panics
    ///
    /// Where there is no PostgreSQL: `cargo xtask test` installs it.
    #[must_use]
    pub fn start() -> Self {
        let (port, folder) = (free_port(), Folder::new("postgres-server"));
        let data = folder.path().join("data");
        give_to_postgres(folder.path());
        let mut make = as_postgres("initdb");
        make.args(["--auth", "trust", "--username", "postgres", "--encoding", "UTF8", "--no-sync", "-D"]);
        let made = make.arg(&data).current_dir("/").output();
        let made = made.unwrap_or_else(|error| panic!("initdb: {error}: `cargo xtask test` installs it"));
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let process = postgres(port, &data, folder.path());
        let server = Self { process, port, folder };
        server.wait();
        server
    }

    fn wait(&self) {
        let end = Instant::now() + PATIENCE;
        let port = self.port.to_string();
        loop {
            let mut ready = Command::new(program("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-p", &port]).stdout(Stdio::null()).stderr(Stdio::null());
            if ready.status().is_ok_and(|status| status.success()) {
                return;
            }
            assert!(Instant::now() < end, "postgres does not answer on port {port}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Kills it in the middle of whatever it does, and starts it again with what it had written down.
    pub fn restart(&mut self) {
        self.kill();
        // Its children notice that it is gone, and leave; until then the folder is in use.
        let end = Instant::now() + PATIENCE;
        loop {
            self.process = postgres(self.port, &self.folder.path().join("data"), self.folder.path());
            std::thread::sleep(Duration::from_millis(200));
            match self.process.try_wait() {
                Ok(None) => break,
                _ => assert!(Instant::now() < end, "postgres does not start again"),
            }
        }
        self.wait();
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn postgres(port: u16, data: &Path, sockets: &Path) -> Child {
    as_postgres("postgres")
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-D"])
        .arg(data)
        .arg("-k")
        .arg(sockets)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("postgres: {error}: `cargo xtask test` installs it"))
}

/// Debian keeps PostgreSQL's programs out of the search path, by version.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin").join(name)).collect();
    found.sort();
    found.into_iter().rfind(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// PostgreSQL refuses to run as root: it runs as the user of that name then, in the same process.
fn as_postgres(name: &str) -> Command {
    if !is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program(name));
    command
}

fn give_to_postgres(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").arg("postgres").arg(folder).status();
        assert!(given.is_ok_and(|status| status.success()), "chown postgres {}", folder.display());
    }
}
