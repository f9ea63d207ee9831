//! The webhook, at a test server: signed, repeated until it is taken, and not lost with a process that is killed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard_confirm::{
    Courier, CourierConfig, Desk, DeskConfig, DeskError, MemoryStore, Person, Refused, SqliteStore, State,
    Store, signature,
};
use guard_core::{ConfirmRequest, DecisionId, Json, Request, SystemClock, User};
use test_support::Folder;

const SECRET: &[u8] = b"a secret for tests only";
const PATIENCE: Duration = Duration::from_secs(60);

/// One request that the server was sent.
#[derive(Debug)]
struct Posted {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Posted {
    fn header(&self, name: &str) -> &str {
        let found = self.head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_else(|| panic!("no {name} in {:?}", self.head))
    }

    fn json(&self) -> serde_json::Value {
        let signed = signature(SECRET, self.header("x-hexarch-timestamp"), &self.body).unwrap();
        assert_eq!(self.header("x-hexarch-signature"), signed);
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server that answers with these statuses, one after the other, and the last one from then on; 0 says nothing and
/// hangs up.
fn server(statuses: Vec<u16>) -> (String, Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    let statuses = Mutex::new(statuses);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let status = {
                let mut statuses = statuses.lock().unwrap();
                if statuses.len() > 1 { statuses.remove(0) } else { statuses[0] }
            };
            let Ok(posted) = answer(stream.unwrap(), status) else { continue };
            if sender.send(posted).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

fn answer(stream: TcpStream, status: u16) -> std::io::Result<Posted> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body)?;
    if status != 0 {
        let text = format!(
            "HTTP/1.1 {status} Whatever\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        reader.get_mut().write_all(text.as_bytes())?;
    }
    Ok(Posted { head, body })
}

fn request() -> Request {
    let mut request = Request {
        operation: "delete".into(),
        user: Some(User { id: "ada".into(), roles: vec![] }),
        ..Request::new("safe_delete")
    };
    request.context.insert("password".into(), Json::of(&"hunter2").unwrap());
    request.context.insert("table".into(), Json::of(&"users").unwrap());
    request
}

fn desk(store: Arc<dyn Store>, config: DeskConfig) -> Desk {
    Desk::new(store, Arc::new(SystemClock::new()), config).announcing(SECRET)
}

fn ask(desk: &Desk) -> guard_confirm::Asked {
    let details = None;
    let question = ConfirmRequest {
        decision_id: DecisionId::from_u128(3),
        request: request(),
        reason: "sure?".into(),
        details,
    };
    desk.ask(&question).wait().unwrap()
}

fn courier(desk: &Desk, url: String) -> Courier {
    let quick = Duration::from_millis(20);
    let config = CourierConfig {
        link: Some("https://example.com/confirm/".into()),
        timeout: Duration::from_secs(2),
        look: quick,
        first_pause: quick,
        longest_pause: quick * 4,
        ..CourierConfig::new(url, SECRET)
    };
    Courier::start(desk, config).unwrap()
}

#[test]
fn it_is_told_signed_until_it_answers_and_answers_by_link_once() {
    let desk = desk(Arc::new(MemoryStore::new()), DeskConfig::default());
    let (url, posted) = server(vec![500, 0, 302, 404, 204]);
    let asked = ask(&desk);
    let _courier = courier(&desk, url);
    let all: Vec<Posted> = (0..5).map(|_| posted.recv_timeout(PATIENCE).unwrap()).collect();
    assert!(posted.recv_timeout(Duration::from_millis(400)).is_err(), "delivered, and told again");
    let bodies: Vec<serde_json::Value> = all.iter().map(Posted::json).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    let body = &bodies[0];
    assert_eq!(all[0].header("x-hexarch-delivery"), asked.entry.id);
    assert_eq!(
        (&body["policy"], &body["operation"], &body["requester"]),
        (&"safe_delete".into(), &"delete".into(), &"ada".into())
    );
    assert_eq!(body["arguments"], serde_json::json!({"password": "(hidden)", "table": "users"}));
    assert!(!body.to_string().contains("hunter2") && !body.to_string().contains(asked.token.expose()));

    let link = body["approval_url"].as_str().unwrap().strip_prefix("https://example.com/confirm/").unwrap();
    let (id, secret) = link.split_once('/').unwrap();
    assert_eq!((id, secret), (asked.entry.id.as_str(), body["token"].as_str().unwrap()));
    let answer = |secret: &str, who: &str| desk.answer_link(id, secret, &Person::new(who), true, "").wait();
    assert!(matches!(
        answer(&secret.to_uppercase(), "grace"),
        Err(DeskError::Refused(Refused::LinkUsed | Refused::NoToken { .. }))
    ));
    assert_eq!(answer(secret, "grace").unwrap().state, State::Approved);
    assert_eq!(answer(secret, "edsger"), Err(Refused::Approved.into()));
    desk.consume(&asked.token, &request()).wait().unwrap();
}

#[test]
fn a_link_is_for_one_answer_also_where_several_are_needed() {
    let rules = guard_confirm::Rules { approvals: 2, four_eyes: true, ..Default::default() };
    let desk = desk(Arc::new(MemoryStore::new()), DeskConfig { rules, ..DeskConfig::default() });
    let (url, posted) = server(vec![200]);
    let asked = ask(&desk);
    let _courier = courier(&desk, url);
    let secret = posted.recv_timeout(PATIENCE).unwrap().json()["token"].as_str().unwrap().to_owned();
    let answer = |who: &str| desk.answer_link(&asked.entry.id, &secret, &Person::new(who), true, "").wait();
    assert!(matches!(answer("ada"), Err(DeskError::Refused(Refused::NotAllowed { .. }))));
    assert_eq!(answer("grace").unwrap().state, State::Pending);
    assert_eq!(answer("edsger"), Err(Refused::LinkUsed.into()));
}

#[test]
fn what_has_expired_is_given_up() {
    let expires = Duration::from_millis(300);
    let desk = desk(Arc::new(MemoryStore::new()), DeskConfig { expires, ..DeskConfig::default() });
    let (url, posted) = server(vec![503]);
    ask(&desk);
    let _courier = courier(&desk, url);
    posted.recv_timeout(PATIENCE).unwrap();
    std::thread::sleep(expires);
    while posted.recv_timeout(Duration::from_millis(400)).is_ok() {}
}

/// A process that asks and is killed before anybody could tell the webhook, and one that is killed while it tells it.
#[test]
fn a_killed_process_loses_no_message() {
    let folder = Folder::new("confirm-courier");
    let path = folder.path().join("confirm.db");
    let run = |url: &str| {
        let mut process = Command::new(env!("CARGO_BIN_EXE_guard-confirm-asks"));
        process.arg(&path).arg(url).stdout(Stdio::piped());
        let mut process = process.spawn().unwrap();
        let mut id = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut id).unwrap();
        (process, id.trim().to_owned())
    };
    let (mut silent, first) = run("");
    silent.kill().unwrap();
    silent.wait().unwrap();
    // A server that takes the message and never answers: the process is killed in the middle.
    let (url, taken) = server(vec![0]);
    let (mut telling, second) = run(&url);
    taken.recv_timeout(PATIENCE).unwrap();
    telling.kill().unwrap();
    telling.wait().unwrap();

    let (url, posted) = server(vec![200]);
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let _courier = courier(&desk(store, DeskConfig::default()), url);
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 2 {
        let posted = posted.recv_timeout(PATIENCE).unwrap();
        told.insert(posted.json()["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(told, [first, second].into());
}
