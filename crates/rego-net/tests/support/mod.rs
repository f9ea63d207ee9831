//! A server that does what a test says, and a way to call `http.send`.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests; each uses a part of it"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rego_builtins::network::{Hosts, Network};
use rego_builtins::{BuiltinError, Context};
use rego_net::Client;
use rego_value::{Value, json};

/// What a client sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request, of which it is given the path and how many came before.
pub(crate) enum Reply {
    /// These bytes, and the connection is closed.
    Raw(Vec<u8>),
    /// Nothing for a while, then these bytes.
    Slow(Duration, Vec<u8>),
    /// The connection is closed without a word.
    Close,
}

/// A response with length and date.
pub(crate) fn response(status: &str, headers: &str, body: &str) -> Reply {
    Reply::Raw(raw(status, headers, body))
}

pub(crate) fn raw(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    pub(crate) fn start(reply: impl Fn(&str, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream.try_clone().unwrap(), stream, &reply, &log);
            }
        });
        Self { address, received }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn hits(&self) -> usize {
        self.received().len()
    }
}

/// Answers one request of a connection.
pub(crate) fn serve(
    read: impl Read,
    mut write: impl Write,
    reply: &dyn Fn(&str, usize) -> Reply,
    log: &Mutex<Vec<Received>>,
) {
    let mut reader = BufReader::new(read);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or(0) == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.trim().split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0)];
    let _ = reader.read_exact(&mut body);
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let before = log.lock().unwrap().iter().filter(|known| known.line.contains(&path)).count();
    log.lock().unwrap().push(Received {
        line: line.trim().to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    match reply(&path, before) {
        Reply::Raw(bytes) => drop(write.write_all(&bytes)),
        Reply::Slow(wait, bytes) => {
            std::thread::sleep(wait);
            drop(write.write_all(&bytes));
        }
        Reply::Close => {}
    }
    let _ = write.flush();
}

/// A context whose network is open to all hosts.
pub(crate) fn open() -> Context {
    with(Network::new(Client::new(), Hosts::any()))
}

pub(crate) fn with(network: Network) -> Context {
    let mut context = Context::default();
    context.network = Some(network);
    begin(&mut context, 1_700_000_000);
    context
}

/// Begins an evaluation at a time in seconds.
pub(crate) fn begin(context: &mut Context, seconds: i64) {
    context.begin(seconds * 1_000_000_000, 0);
    context.deadline = Instant::now().checked_add(Duration::from_secs(10));
}

pub(crate) fn call(
    name: &str,
    context: &mut Context,
    argument: &Value,
) -> Result<Option<Value>, BuiltinError> {
    let function = rego_builtins::by_name(name).unwrap().implementation.host().unwrap();
    function(context, std::slice::from_ref(argument))
}

pub(crate) fn send(context: &mut Context, request: &serde_json::Value) -> Result<Value, BuiltinError> {
    call("http.send", context, &value(request)).map(|answer| answer.unwrap())
}

pub(crate) fn value(json: &serde_json::Value) -> Value {
    json::parse(json.to_string().as_bytes()).unwrap()
}

/// A response as JSON.
pub(crate) fn show(value: &Value) -> serde_json::Value {
    serde_json::from_str(&json::to_string(value, json::Escape::Plain)).unwrap()
}
