//! `hexarch-ctl confirm serve`: the pages of links, over HTTP and in a browser.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![cfg(unix)]

mod browser;
mod support;

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Output;
use std::time::{Duration, Instant};

use guard_confirm::{Rules, State};
use test_support::{Folder, PostgresServer, RedisServer, free_port};

use support::{Setting, Site, Told, ctl, delete, raw, request};

const JSON: &str = "accept: application/json";

fn title(told: &Told) -> &str {
    let after = told.body.split_once("<h1>").unwrap_or_else(|| panic!("{told:?}")).1;
    after.split_once("</h1>").unwrap().0
}

/// What holds with every store.
fn pages(store: &str) {
    let site = Site::start(Folder::new("confirm-serve"), &Setting::at(store), &["--as", "grace"]);
    shows_and_decides_once(&site);
    tells_what_stands(&site);
    two_at_once(&site);
    let log = site.log();
    assert!(log.contains("approved by grace: approved") && log.contains("rejected by grace"), "{log}");
}

fn shows_and_decides_once(site: &Site) {
    let (asked, path) = site.ask(&delete(0));
    let shown = site.get(&path);
    assert_eq!((shown.status, title(&shown)), (200, "May this call run?"));
    for part in ["/drafts/0/&lt;b&gt;", "deletes need a person", "(hidden)", "<strong>grace</strong>"] {
        assert!(shown.body.contains(part), "{part}: {}", shown.body);
    }
    for header in [
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-frame-options: deny",
        "content-security-policy: default-src 'none'",
        "content-type: text/html; charset=utf-8",
    ] {
        assert!(shown.head.contains(header), "{header}: {}", shown.head);
    }
    let secret = path.rsplit_once('/').unwrap().1;
    assert!(!shown.body.contains(secret) && !shown.body.contains("sk-1234"));
    // Looking spends nothing, however it is done.
    assert_eq!(site.call("HEAD", &path, &[], "").body, "");
    assert_eq!(site.call("GET", &path, &[JSON], "").json()["state"], "pending");
    for (headers, body, status) in [
        (&["content-type: application/x-www-form-urlencoded"][..], "", 400),
        (&["content-type: application/x-www-form-urlencoded"], "answer=yes", 400),
        (&["content-type: application/x-www-form-urlencoded"], "answer=approve&answer=reject", 400),
        (&["content-type: application/json"], "{\"answer\": true}", 400),
        (&["content-type: application/json"], "answer=approve", 400),
        (&["content-type: text/plain"], "{\"answer\":\"approve\"}", 415),
        (&[], "answer=approve", 415),
    ] {
        assert_eq!(site.call("POST", &path, headers, body).status, status, "{headers:?} {body}");
    }
    assert_eq!(site.call("PUT", &path, &[], "answer=approve").status, 405);
    assert_eq!(site.desk.look(&asked.handle).wait().unwrap().state, State::Pending);
    let done = site.post(&path, "note=fine+%3Cb%3E&answer=approve");
    assert_eq!((done.status, title(&done)), (200, "Approved"));
    assert!(done.body.contains("fine &lt;b&gt;"), "{}", done.body);
    let entry = site.desk.consume(&asked.token, &delete(0)).wait().unwrap();
    assert_eq!((&*entry.votes[0].by, &*entry.votes[0].note), ("grace", "fine <b>"));
    let again = site.post(&path, "answer=approve");
    assert_eq!((again.status, title(&again)), (409, "Approved, and done"));
    let after = site.get(&path);
    assert_eq!((after.status, title(&after)), (410, "Approved, and done"));
}

fn tells_what_stands(site: &Site) {
    let (asked, path) = site.ask(&delete(1));
    let told = site.call("POST", &path, &[JSON, "content-type: application/json"], "{\"answer\":\"reject\"}");
    assert_eq!((told.status, &told.json()["state"]), (200, &"rejected".into()));
    let other = site.post(&path, "answer=approve");
    assert_eq!((other.status, title(&other)), (409, "Rejected"));
    assert_eq!(site.get(&path).status, 410);
    assert_eq!(site.call("GET", &path, &[JSON], "").json()["votes"][0]["by"], "grace");
    assert!(site.desk.consume(&asked.token, &delete(1)).wait().is_err());
    // Whoever has no link hears nothing, and the same of every confirmation.
    let (open, path) = site.ask(&delete(2));
    let secret = path.rsplit_once('/').unwrap().1;
    let mut other = secret.to_owned();
    other.replace_range(0..1, if secret.starts_with('A') { "B" } else { "A" });
    let id = &open.entry.id;
    let no_link = site.get(&format!("/confirm/{id}/{other}"));
    assert_eq!((no_link.status, title(&no_link)), (404, "This link leads nowhere"));
    for wrong in [
        format!("/confirm/{}/{secret}", asked.entry.id),
        format!("/confirm/{}/{secret}", "0".repeat(32)),
        format!("/confirm/{id}/{}", &secret[1..]),
        format!("/confirm/{id}/{}", open.token.expose()),
        format!("/confirm/{id}/{secret}/"),
        format!("/confirm/{id}/"),
        format!("/confirm/{id}"),
        format!("/confirmed/{id}/{secret}"),
        format!("/{id}/{secret}"),
        "/confirm".to_owned(),
        "/".to_owned(),
    ] {
        for told in [site.get(&wrong), site.post(&wrong, "answer=approve")] {
            assert_eq!((told.status, &told.body), (404, &no_link.body), "{wrong}");
        }
    }
    assert_eq!(site.post(&path, "answer=reject").status, 200);
}

/// Two browsers at once, one of which says yes and the other no: one is heard.
fn two_at_once(site: &Site) {
    for number in 10..30 {
        let (asked, path) = site.ask(&delete(number));
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(|| site.post(&path, "answer=approve").status);
            let other = scope.spawn(|| site.post(&path, "answer=reject").status);
            (one.join().unwrap(), other.join().unwrap())
        });
        let state = site.desk.look(&asked.handle).wait().unwrap().state;
        let told = (one, other, state);
        assert!(matches!(told, (200, 409, State::Approved) | (409, 200, State::Rejected)), "{told:?}");
    }
}

#[test]
fn pages_of_a_file() {
    let folder = Folder::new("confirm-serve-store");
    pages(&Setting::in_file(&folder).store);
}

#[test]
#[ignore = "needs Redis"]
fn needs_redis_pages() {
    pages(&RedisServer::start().url());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn needs_postgres_pages() {
    pages(&PostgresServer::start().url());
}

#[test]
fn what_has_expired_is_over() {
    let folder = Folder::new("confirm-serve");
    let setting = Setting { expires: Duration::from_millis(1_500), ..Setting::in_file(&folder) };
    let site = Site::start(folder, &setting, &["--as", "grace"]);
    let (asked, path) = site.ask(&delete(0));
    let end = Instant::now() + Duration::from_secs(30);
    while site.desk.look(&asked.handle).wait().unwrap().state == State::Pending && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    for told in [site.get(&path), site.post(&path, "answer=approve")] {
        assert_eq!((told.status, title(&told)), (410, "Expired"));
    }
}

#[test]
fn approvers_and_four_eyes_hold() {
    let folder = Folder::new("confirm-serve");
    let rules = Rules { approvers: vec!["@lead".into()], four_eyes: true, approvals: 2 };
    let setting = Setting { rules, ..Setting::in_file(&folder) };
    let proxy = ["--identity-header", "X-Forwarded-User", "--roles-header", "X-Forwarded-Groups"];
    let site = Site::start(folder, &setting, &[&proxy[..], &["--trusted-proxy", "127.0.0.0/8"]].concat());
    let form = "content-type: application/x-www-form-urlencoded";
    let as_user = |method: &str, path: &str, user: &str, roles: &str, body: &str| {
        let (user, roles) = (format!("x-forwarded-user: {user}"), format!("x-forwarded-groups: {roles}"));
        site.call(method, path, &[&user, &roles, form], body)
    };
    let (asked, path) = site.ask(&delete(0));
    // Nobody is there, two are, or somebody who may not.
    assert_eq!(site.get(&path).status, 403);
    assert_eq!(
        site.call("GET", &path, &["x-forwarded-user: grace", "x-forwarded-user: ada"], "").status,
        403
    );
    let stranger = as_user("POST", &path, "eve", "staff", "answer=approve");
    assert_eq!(stranger.status, 403);
    assert!(!stranger.body.contains("drafts"), "{}", stranger.body);
    assert_eq!(as_user("GET", &path, "eve", "staff", "").status, 403);
    // Who asks sees it, even as a lead, and cannot approve it.
    let own = as_user("GET", &path, "ada", "lead", "");
    assert!(own.status == 200 && !own.body.contains("value=\"approve\""), "{}", own.body);
    assert_eq!(as_user("POST", &path, "ada", "lead", "answer=approve").status, 403);
    let first = as_user("POST", &path, "grace", "staff, lead", "answer=approve");
    assert_eq!((first.status, title(&first)), (200, "Not decided yet"));
    // The link is used; the second person is known, and needs none.
    assert_eq!(as_user("POST", &path, "linus", "lead", "answer=approve").status, 409);
    let known = format!("/confirm/{}", asked.entry.id);
    assert_eq!(as_user("GET", &known, "eve", "staff", "").status, 403);
    let shown = as_user("GET", &known, "linus", "lead", "");
    let seal = shown.body.split_once("name=\"seal\" value=\"").unwrap().1.split_once('"').unwrap().0;
    for forged in ["answer=approve".to_owned(), format!("answer=approve&seal={}", "0".repeat(seal.len()))] {
        assert_eq!(as_user("POST", &known, "linus", "lead", &forged).status, 403, "{forged}");
    }
    let sealed = format!("answer=approve&seal={seal}");
    assert_eq!(as_user("POST", &known, "barbara", "lead", &sealed).status, 403, "another's form");
    let second = as_user("POST", &known, "linus", "lead", &sealed);
    assert_eq!((second.status, title(&second)), (200, "Approved"));
    assert_eq!(title(&as_user("GET", &known, "grace", "lead", "")), "Approved");
    assert!(site.desk.consume(&asked.token, &delete(0)).wait().is_ok());
}

#[test]
fn only_the_proxy_says_who_is_there() {
    let folder = Folder::new("confirm-serve");
    let setting = Setting::in_file(&folder);
    let who = ["--identity-header", "x-user", "--trusted-proxy", "192.0.2.1"];
    let site = Site::start(folder, &setting, &who);
    let (_, path) = site.ask(&delete(0));
    assert_eq!(site.call("GET", &path, &["x-user: grace"], "").status, 403);
}

#[test]
fn a_unix_socket_is_the_proxys() {
    let folder = Folder::new("confirm-serve");
    let setting = Setting::in_file(&folder);
    let socket = folder.path().join("confirm.sock");
    // A server that was killed has left its socket behind.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let listen = format!("unix:{}", socket.display());
    let mut site = Site::start(folder, &setting, &["--identity-header", "x-user", "--listen", &listen]);
    let (_, path) = site.ask(&delete(0));
    let text = request("GET", &path, &["x-user: grace", JSON], "");
    let told = raw(UnixStream::connect(&socket).unwrap(), text.as_bytes());
    assert_eq!(told.status, 200, "{told:?}");
    // A second one does not take it away.
    let second =
        ctl(site.folder()).args(["confirm", "serve", "--as", "x", "--listen", &listen]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    site.terminate();
    assert_eq!(site.wait(), Some(0));
    assert!(!socket.exists());
}

#[test]
fn what_is_long_or_slow_or_no_request_is_bounded() {
    let folder = Folder::new("confirm-serve");
    let setting = Setting::in_file(&folder);
    let mut site = Site::start(folder, &setting, &["--as", "grace"]);
    let (_, path) = site.ask(&delete(0));
    let began = Instant::now();
    let connect = || TcpStream::connect(&site.address).unwrap();
    let mut slow = connect();
    slow.write_all(format!("GET {path} HTTP/1.1\r\nhost: x").as_bytes()).unwrap();
    let mut stuck = connect();
    let head = request("POST", &path, &["content-type: application/json"], "");
    stuck.write_all(head.replace("content-length: 0", "content-length: 99").as_bytes()).unwrap();
    let idle: Vec<TcpStream> = (0..64).map(|_| connect()).collect();
    let long = format!("answer=approve&note={}", "x".repeat(20_000));
    assert_eq!(site.post(&path, &long).status, 413);
    let header = format!("x-long: {}", "x".repeat(40_000));
    assert_eq!(site.call("GET", &path, &[&header], "").status, 431);
    let many: Vec<String> = (0..100).map(|number| format!("x-{number}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(site.call("GET", &path, &many, "").status, 431);
    assert!(matches!(site.get(&format!("/confirm/{}", "x".repeat(40_000))).status, 414 | 431));
    for garbage in ["\r\n\r\n", "\u{16}\u{3}\u{1}", "GET\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let told = raw(connect_half(&site), garbage.as_bytes());
        assert!(matches!(told.status, 0 | 400), "{garbage:?}: {told:?}");
    }
    assert_eq!(site.get(&path).status, 200);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // The slow ones are sent away.
    assert!(matches!(raw(slow, b"").status, 0 | 408));
    assert_eq!(raw(stuck, b"").status, 408);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    drop(idle);
    assert_eq!(site.get(&path).status, 200);
    site.terminate();
    assert_eq!(site.wait(), Some(0));
}

/// A stream whose other side hears that nothing more comes.
fn connect_half(site: &Site) -> Half {
    Half(TcpStream::connect(&site.address).unwrap())
}

struct Half(TcpStream);

impl std::io::Write for Half {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(bytes)?;
        self.0.shutdown(std::net::Shutdown::Write)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Read for Half {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(bytes)
    }
}

#[test]
fn who_is_being_served_when_it_ends_is_served() {
    let folder = Folder::new("confirm-serve");
    let setting = Setting::in_file(&folder);
    let mut site = Site::start(folder, &setting, &["--as", "grace"]);
    let (asked, path) = site.ask(&delete(0));
    let mut stream = TcpStream::connect(&site.address).unwrap();
    let text = request("POST", &path, &["content-type: application/x-www-form-urlencoded"], "answer=approve");
    let (first, rest) = text.split_at(text.len() - 3);
    stream.write_all(first.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    site.terminate();
    // Nobody else is served from now on.
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(&site.address).is_ok() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(TcpStream::connect(&site.address).is_err());
    assert_eq!(raw(stream, rest.as_bytes()).status, 200);
    assert_eq!(site.wait(), Some(0));
    assert_eq!(site.desk.look(&asked.handle).wait().unwrap().state, State::Approved);
}

#[test]
fn a_secret_is_in_nothing_that_is_printed() {
    let folder = Folder::new("confirm-serve");
    let setting = Setting::in_file(&folder);
    let site = Site::start(folder, &setting, &["--as", "gra\u{1b}ce"]);
    let (asked, path) = site.ask(&delete(0));
    for _ in 0..2 {
        site.get(&path);
        site.post(&path, "answer=approve");
        site.post(&path, "answer=reject");
        site.call("DELETE", &path, &[], "");
    }
    let log = site.log();
    let secret = path.rsplit_once('/').unwrap().1;
    assert!(!log.contains(secret) && !log.contains(asked.token.expose()) && !log.contains('\u{1b}'), "{log}");
    assert!(log.contains(&asked.entry.id) && log.lines().count() >= 2, "{log}");
}

#[test]
#[ignore = "needs Redis"]
fn needs_redis_a_store_that_does_not_answer_is_told() {
    let mut server = RedisServer::start();
    let site = Site::start(Folder::new("confirm-serve"), &Setting::at(&server.url()), &["--as", "grace"]);
    let (_, path) = site.ask(&delete(0));
    server.kill();
    for told in [site.get(&path), site.post(&path, "answer=approve")] {
        assert_eq!((told.status, title(&told)), (503, "Not at the moment"));
        assert!(told.head.contains("retry-after: "), "{}", told.head);
        assert!(!told.body.to_lowercase().contains("redis"), "{}", told.body);
    }
    let log = site.log();
    assert!(log.contains("does not answer") && !log.contains(path.rsplit_once('/').unwrap().1), "{log}");
    server.restart();
    assert_eq!(site.post(&path, "answer=approve").status, 200);
}

fn fails(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } =
        ctl(folder).args(["confirm", "serve"]).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn what_is_wrong_is_told_at_once() {
    let folder = Folder::new("confirm-serve");
    let store = Setting::in_file(&folder).store;
    let store = ["--store", &store];
    let link = ["--link", "https://app.example.com/confirm"];
    for (more, told) in [
        (&[][..], "--as"),
        (&["--as", "a", "--identity-header", "x-user"], "cannot be used with"),
        (&["--identity-header", "x-user"], "--trusted-proxy"),
        (&["--identity-header", "no header", "--trusted-proxy", "::1"], "invalid HTTP header name"),
        (&["--identity-header", "x-user", "--trusted-proxy", "localhost"], "10.0.0.0/24"),
        (&["--as", ""], "--as <USER>': the name is empty"),
        (&["--as", "a", "--listen", "8182"], "127.0.0.1:8182"),
        (&["--as", "a", "--listen", "unix:"], "path"),
        (&["--as", "a", "--link", "app.example.com/confirm"], "https://app.example.com/confirm"),
        (&["--as", "a", "--link", "ftp://app.example.com"], "neither with https://"),
        (&["--as", "a", "--link", "https://app.example.com/?x=1"], "`?`"),
    ] {
        let link = if more.contains(&"--link") { &[][..] } else { &link[..] };
        let (code, text) = fails(&folder, &[&store[..], link, more].concat());
        assert_eq!(code, Some(2), "{more:?}: {text}");
        assert!(text.contains(told), "{more:?}: {text}");
    }
    let (code, text) = fails(&folder, &[&store[..], &["--as", "a"]].concat());
    assert!(code == Some(2) && text.contains("--link"), "{text}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, text) = fails(&folder, &[&store[..], &link, &["--as", "a", "--listen", &address]].concat());
    assert!(code == Some(1) && text.contains(&format!("cannot listen on {address}")), "{text}");
    for dead in [
        format!("redis://:hunter2@127.0.0.1:{}/0", free_port()),
        format!("postgres://u:hunter2@127.0.0.1:{}/d", free_port()),
        "sqlite:/no/such/folder/confirm.db".to_owned(),
        "memory:".to_owned(),
    ] {
        let (code, text) = fails(&folder, &[&["--store", &dead, "--as", "a"][..], &link].concat());
        assert!(code == Some(1) && !text.contains("hunter2"), "{dead}: {code:?} {text}");
    }
}

/// A program without TLS says at once that it cannot reach such a webhook.
#[test]
fn a_webhook_that_cannot_be_told_is_warned_of() {
    let folder = Folder::new("confirm-serve");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let store = Setting::in_file(&folder).store;
    let webhook = "{url: 'https://127.0.0.1:9/hook', secret: 'the secret of the webhook', link: 'https://app.example.com'}";
    let policy = "policies: [{id: p, rules: [{operation: x, action: block}]}]";
    folder
        .write("hexarch.yaml", format!("confirmation: {{store: '{store}', webhook: {webhook}}}\n{policy}\n"));
    let (code, text) = fails(&folder, &["--as", "a", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!((code, text.contains("feature `tls`")), (Some(1), !cfg!(feature = "tls")), "{text}");
}

#[test]
fn a_link_that_others_can_read_is_warned_of() {
    let folder = Folder::new("confirm-serve");
    let setting = Setting::in_file(&folder);
    let site = Site::start(folder, &setting, &["--as", "grace", "--link", "http://app.example.com/confirm"]);
    assert!(site.log().contains("warning"), "{}", site.log());
}
