//! Real Redis and PostgreSQL servers, each of a test's own: on a free port, with its data in a folder of its own, so that
//! it can be killed and started again.

use std::marker::PhantomData;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Folder, free_port};

/// A loaded machine starts a server in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis that writes every change down before it answers.
pub type RedisServer = Server<Redis>;

/// A PostgreSQL with a data folder of its own.
pub type PostgresServer = Server<Postgres>;

/// A server of a test's own, killed when this is dropped.
#[derive(Debug)]
pub struct Server<K: Kind> {
    process: Child,
    port: u16,
    folder: Folder,
    kind: PhantomData<K>,
}

/// What kind of server it is.
pub trait Kind {
    /// The program.
    const PROGRAM: &'static str;

    /// Makes what it needs in its folder.
    fn prepare(_folder: &Path) {}

    /// How it is started.
    fn command(port: u16, folder: &Path) -> Command;

    /// Whether it answers.
    fn answers(port: u16) -> bool;

    /// Its address.
    fn url(port: u16) -> String;
}

impl<K: Kind> Server<K> {
    /// Starts one on a free port and waits until it answers.
    ///
    /// # Panics
    ///
    /// Where the machine has none: `cargo xtask test` installs it.
    #[must_use]
    pub fn start() -> Self {
        let (port, folder) = (free_port(), Folder::new(K::PROGRAM));
        K::prepare(folder.path());
        let process = spawned::<K>(port, folder.path());
        let mut server = Self { process, port, folder, kind: PhantomData };
        server.wait();
        server
    }

    fn wait(&mut self) {
        let end = Instant::now() + PATIENCE;
        while !K::answers(self.port) {
            assert!(Instant::now() < end, "{} does not answer on port {}", K::PROGRAM, self.port);
            std::thread::sleep(Duration::from_millis(20));
            // The children of one that was killed notice it later, and until they leave its folder is in use.
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                self.process = spawned::<K>(self.port, self.folder.path());
            }
        }
    }

    /// Kills it in the middle of whatever it does, and starts it again with what it had written down.
    pub fn restart(&mut self) {
        self.kill();
        self.process = spawned::<K>(self.port, self.folder.path());
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
        K::url(self.port)
    }
}

impl<K: Kind> Drop for Server<K> {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawned<K: Kind>(port: u16, folder: &Path) -> Child {
    K::command(port, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}: `cargo xtask test` installs it", K::PROGRAM))
}

/// `redis-server`.
#[derive(Debug)]
pub struct Redis;

impl Kind for Redis {
    const PROGRAM: &'static str = "redis-server";

    fn command(port: u16, folder: &Path) -> Command {
        let mut command = Command::new(Self::PROGRAM);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(folder);
        command
    }

    /// While it still loads its file it answers with an error.
    fn answers(port: u16) -> bool {
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

    fn url(port: u16) -> String {
        format!("redis://127.0.0.1:{port}/0")
    }
}

/// `postgres`.
#[derive(Debug)]
pub struct Postgres;

impl Kind for Postgres {
    const PROGRAM: &'static str = "postgres";

    fn prepare(folder: &Path) {
        give_to_postgres(folder);
        let mut make = as_postgres("initdb");
        make.args(["--auth", "trust", "--username", "postgres", "--encoding", "UTF8", "--no-sync", "-D"]);
        let made = make.arg(folder.join("data")).current_dir("/").output();
        let made = made.unwrap_or_else(|error| panic!("initdb: {error}: `cargo xtask test` installs it"));
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn command(port: u16, folder: &Path) -> Command {
        let mut command = as_postgres(Self::PROGRAM);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-D"]).arg(folder.join("data"));
        command.arg("-k").arg(folder).current_dir("/");
        command
    }

    fn answers(port: u16) -> bool {
        let mut ready = Command::new(program("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null());
        ready.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    fn url(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }
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
