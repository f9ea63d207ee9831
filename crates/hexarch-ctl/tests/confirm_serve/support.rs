//! A server of the pages, the webhook that it tells, and a caller that speaks HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard_confirm::{Asked, Desk, DeskConfig, Rules};
use guard_core::{ConfirmRequest, DecisionId, Json, Request, SystemClock, User};
use serde_json::Value;
use test_support::Folder;

/// A loaded machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);
const SECRET: &str = "the secret of the webhook";

/// What of a page's server is of a test's own.
pub(crate) struct Setting {
    pub(crate) store: String,
    pub(crate) rules: Rules,
    pub(crate) expires: Duration,
}

impl Setting {
    pub(crate) fn in_file(folder: &Folder) -> Self {
        Self::at(&format!("sqlite:{}", folder.path().join("confirm.db").display()))
    }

    pub(crate) fn at(store: &str) -> Self {
        Self { store: store.to_owned(), rules: Rules::default(), expires: Duration::from_secs(600) }
    }
}

/// A process of `hexarch-ctl confirm serve`, and the webhook that it tells.
pub(crate) struct Site {
    child: Child,
    /// Host and port, or the path of a socket.
    pub(crate) address: String,
    pub(crate) desk: Desk,
    messages: Mutex<Receiver<Value>>,
    folder: Folder,
}

pub(crate) fn ctl(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"));
    command.current_dir(folder.path()).env("USER", "ada").env_remove("HEXARCH_CONFIRMATIONS");
    command
}

impl Site {
    /// Starts it with these arguments, among them who is there.
    pub(crate) fn start(folder: Folder, setting: &Setting, arguments: &[&str]) -> Self {
        let (hook, messages) = webhook();
        let file = format!(
            "confirmation:\n  store: '{}'\n  webhook: {{url: '{hook}', secret: '{SECRET}', link: 'http://127.0.0.1/confirm/'}}\n\
             policies: [{{id: p, rules: [{{operation: x, action: block}}]}}]\n",
            setting.store
        );
        std::fs::write(folder.path().join("hexarch.yaml"), file).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = ctl(&folder);
        command.args(["confirm", "serve"]).args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        let address = line.trim().rsplit_once(" at ").unwrap_or_else(|| panic!("{line}{log}")).1.to_owned();
        let config =
            DeskConfig { rules: setting.rules.clone(), expires: setting.expires, ..DeskConfig::default() };
        let store = guard_confirm::open(&setting.store).unwrap();
        let desk = Desk::new(store, Arc::new(SystemClock::new()), config).announcing(SECRET);
        Self { child, address, desk, messages: messages.into(), folder }
    }

    /// Asks, and gives the path of the link that the webhook was told.
    pub(crate) fn ask(&self, request: &Request) -> (Asked, String) {
        let ask = ConfirmRequest {
            decision_id: DecisionId::from_u128(7),
            request: request.clone(),
            reason: "deletes need a person".into(),
            details: None,
        };
        let asked = self.desk.ask(&ask).wait().unwrap();
        let message = self.messages.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        assert_eq!(message["id"], asked.entry.id.as_str());
        let url = message["approval_url"].as_str().unwrap();
        let path = url.strip_prefix("http://127.0.0.1").unwrap().to_owned();
        assert!(path.starts_with(&format!("/confirm/{}/", asked.entry.id)), "{path}");
        (asked, path)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn call(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Told {
        let text = request(method, path, headers, body);
        raw(TcpStream::connect(&self.address).unwrap(), text.as_bytes())
    }

    pub(crate) fn get(&self, path: &str) -> Told {
        self.call("GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Told {
        self.call("POST", path, &["content-type: application/x-www-form-urlencoded"], body)
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Takes every message, and hands on what is in it.
fn webhook() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            let told = reader.read_exact(&mut body).is_ok();
            let _ = reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            if !told || sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

pub(crate) fn request(method: &str, path: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: confirm.test\r\n");
    headers.iter().for_each(|header| text.push_str(&format!("{header}\r\n")));
    format!("{text}content-length: {}\r\n\r\n{body}", body.len())
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends this, and reads until the server closes. Nothing at all is status 0.
pub(crate) fn raw(mut stream: impl std::io::Read + std::io::Write, bytes: &[u8]) -> Told {
    // It may have answered, and closed, before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Told { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// A call of Ada's.
pub(crate) fn delete(number: usize) -> Request {
    let mut request = Request {
        operation: "delete".into(),
        resource: format!("/drafts/{number}/<b>"),
        user: Some(User { id: "ada".into(), roles: vec![] }),
        ..Request::new("safe_delete")
    };
    request.context.insert("table".into(), Json::of(&"users").unwrap());
    request.context.insert("api_key".into(), Json::of(&"sk-1234").unwrap());
    request
}
