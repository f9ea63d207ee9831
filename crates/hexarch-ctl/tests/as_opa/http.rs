//! `http.send` from the command line: the same requests of both reach one server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::support::same;

/// A server that answers each request with what it asked for, as long as the test runs.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(stream))));
    port
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines().map_while(Result::ok);
    let asked = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let status = if asked.contains("/missing") { "404 Not Found" } else { "200 OK" };
    let body = format!("{{\"asked\": \"{asked}\", \"n\": 1.50}}");
    let length = body.len();
    let head = "Content-Type: application/json\r\nConnection: close\r\nX-Fixed: yes";
    write!(stream, "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_requests_are_answered() {
    let port = server();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let policy = format!(
        "package p

got := http.send({{\"method\": \"get\", \"url\": \"http://127.0.0.1:{port}/a?b=c\"}})

missing := http.send({{\"method\": \"GET\", \"url\": \"http://127.0.0.1:{port}/missing\"}}).status_code

twice := {{http.send({{\"method\": \"get\", \"url\": \"http://127.0.0.1:{port}/x\"}}).body.n | some _ in [1, 2]}}

refused := http.send({{\"method\": \"get\", \"url\": \"http://127.0.0.1:{closed}/\"}}).status_code

quiet := http.send({{
	\"method\": \"get\", \"url\": \"http://127.0.0.1:{closed}/\", \"raise_error\": false,
}}).status_code

test_got if got.body.asked == \"GET /a?b=c HTTP/1.1\"

test_missing if missing == 404

test_quiet if quiet == 0

test_refused if refused == 200

test_mocked if got.status_code == 7 with http.send as {{\"status_code\": 7}}
"
    );
    let elsewhere = r#"{"builtins": [{"name": "http.send", "decl": {"type": "function",
        "args": [{"type": "object", "dynamic": {"key": {"type": "string"}, "value": {"type": "any"}}}],
        "result": {"type": "any"}}}], "features": ["rego_v1"], "allow_net": ["example.com"]}"#;
    let files = [
        ("p.rego", policy.as_str()),
        (
            "q.rego",
            &format!(
                "package q\n\ngot := http.send({{\"method\": \"get\", \"url\": \"http://127.0.0.1:{port}/\"}})\n"
            ),
        ),
        ("elsewhere.json", elsewhere),
    ];
    let runs = [
        "eval -d p.rego data.p.got",
        "eval -d p.rego data.p.missing",
        "eval -d p.rego data.p.twice",
        "eval -d p.rego data.p.refused",
        "eval -d p.rego data.p.quiet",
        "eval -d q.rego --capabilities elsewhere.json data.q",
        "test p.rego",
    ];
    same("http", &files, &runs);
}
