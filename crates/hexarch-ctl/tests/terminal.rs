//! `confirmation: {ask: terminal}` at a real pseudo-terminal, which `script` of util-linux gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use test_support::Folder;

/// A loaded machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

const RUN: &str =
    "run --policy work --operation touch --context table=users --secret iban=DE99 --context api_key=sk-1234";

fn folder(more: &str) -> Folder {
    let folder = Folder::new("hexarch-terminal");
    let file = format!(
        "confirmation: {{ask: terminal{more}}}\npolicies:\n  - id: work\n    rules:\n      - {{operation: touch, action: require_confirmation}}\n"
    );
    std::fs::write(folder.path().join("hexarch.yaml"), file).unwrap();
    folder
}

/// `hexarch-ctl run -- touch done` with a terminal of its own.
struct Session {
    child: Child,
    keys: Option<ChildStdin>,
    screen: Arc<Mutex<String>>,
    folder: Folder,
}

impl Session {
    /// `before` is what the shell does before.
    fn start(folder: Folder, before: &str) -> Self {
        let line = format!("{before} '{}' {RUN} -- touch done", env!("CARGO_BIN_EXE_hexarch-ctl"));
        // Whoever runs the tests may ignore ^C, as shells do for what they run behind them, and all below inherit it.
        let mut child = Command::new("env")
            .args(["--default-signal=INT", "script"])
            .args(["--quiet", "--flush", "--return", "--command", &line, "/dev/null"])
            .current_dir(folder.path())
            .env("USER", "ada")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (screen, mut out) = (Arc::new(Mutex::new(String::new())), child.stdout.take().unwrap());
        let seen = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(length @ 1..) = out.read(&mut bytes) {
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(bytes.get(..length).unwrap()));
            }
        });
        let keys = child.stdin.take();
        Self { child, keys, screen, folder }
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    fn until(&self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            assert!(Instant::now() < end, "{text}: {}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn press(&mut self, keys: &str) {
        let to = self.keys.as_mut().unwrap();
        to.write_all(keys.as_bytes()).unwrap();
        to.flush().unwrap();
    }

    /// The exit code, whether the command ran, and what was seen.
    fn end(mut self) -> (Option<i32>, bool, String) {
        let end = Instant::now() + PATIENCE;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            if Instant::now() > end {
                self.child.kill().unwrap();
                panic!("it has not ended: {}", self.screen());
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let ran = self.folder.path().join("done").exists();
        let screen = self.screen();
        (code, ran, screen)
    }
}

const QUESTION: &str = "yes or no: ";

fn answered(keys: &[&str]) -> (Option<i32>, bool, String) {
    let mut session = Session::start(folder(""), "");
    session.until(QUESTION);
    for keys in keys {
        session.press(keys);
    }
    session.end()
}

#[test]
fn yes_lets_it_run() {
    for keys in
        [&["yes\n"][..], &["y\n"], &["approve\n"], &["  YES \r"], &["what?\n", "y\n"], &["ye", "s", "\n"]]
    {
        let (code, ran, screen) = answered(keys);
        assert_eq!((code, ran), (Some(0), true), "{keys:?}: {screen}");
    }
}

#[test]
fn anything_else_does_not() {
    for keys in [
        &["no\n"][..],
        &["n\n"],
        &["reject\n"],
        &["yes please\n", "sure\n", "\n"],
        &["\u{4}"],
        &["yes\u{15}no\n"],
    ] {
        let (code, ran, screen) = answered(keys);
        assert_eq!((code, ran), (Some(3), false), "{keys:?}: {screen}");
    }
    // Whoever breaks it off is asked nothing more.
    let (code, ran, screen) = answered(&["\u{3}"]);
    assert!(code != Some(0) && !ran, "{code:?}: {screen}");
}

#[test]
fn a_terminal_that_is_gone_says_no() {
    let mut session = Session::start(folder(""), "");
    session.until(QUESTION);
    session.keys = None;
    let (code, ran, screen) = session.end();
    assert_eq!((code, ran), (Some(3), false), "{screen}");
}

#[test]
fn nobody_there_is_a_no_in_time() {
    let session = Session::start(folder(", expires_seconds: 1"), "");
    session.until(QUESTION);
    let (code, ran, screen) = session.end();
    assert_eq!((code, ran), (Some(3), false), "{screen}");
    assert!(screen.contains("nobody confirmed it"), "{screen}");
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let mut session = Session::start(folder(", expires_seconds: 2"), "echo ready; sleep 1;");
    session.until("ready");
    session.press("yes\nyes\nyes\n");
    session.until(QUESTION);
    let (code, ran, screen) = session.end();
    assert_eq!((code, ran), (Some(3), false), "{screen}");
}

#[test]
fn no_secret_is_seen() {
    let (_, _, screen) = answered(&["no\n"]);
    for part in ["work", "touch", "users", "(hidden)", "ada"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    for secret in ["DE99", "sk-1234"] {
        assert!(!screen.contains(secret), "{screen}");
    }
}

#[test]
fn without_a_terminal_it_is_denied() {
    let folder = folder("");
    for stdin in ["", "yes\n"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"));
        command.args(RUN.split(' ')).args(["--", "touch", "done"]).current_dir(folder.path());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may have ended before it could be told anything.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&output.stderr).contains("no terminal"), "{output:?}");
        assert!(!folder.path().join("done").exists());
    }
    // Half a terminal is none: whoever sees the question could not answer, or the other way round.
    let line = format!("'{}' {RUN} -- touch done </dev/null", env!("CARGO_BIN_EXE_hexarch-ctl"));
    let script = ["--quiet", "--return", "--command", &line, "/dev/null"];
    let output =
        Command::new("script").args(script).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}
