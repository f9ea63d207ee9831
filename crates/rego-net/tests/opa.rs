//! The same requests from a real OPA and from ours: the answers and what the server receives are equal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::process::Command;

use serde_json::{Value as Json, json};
use support::{Reply, Server, open, response, send, show};

/// What OPA says of a request: the response, or the error's message.
fn opa(request: &Json) -> Result<Json, String> {
    let query = format!("x := http.send({request})");
    let output = Command::new(test_support::opa())
        .args(["eval", "--strict-builtin-errors", "--format", "json", &query])
        .output()
        .unwrap();
    let answer: Json = serde_json::from_slice(&output.stdout).unwrap();
    match answer.pointer("/result/0/bindings/x") {
        Some(response) => Ok(response.clone()),
        None => Err(answer["errors"][0]["message"].as_str().unwrap_or_default().to_owned()),
    }
}

fn ours(request: &Json) -> Result<Json, String> {
    let answer = send(&mut open(), request);
    answer.map(|answer| show(&answer)).map_err(|error| format!("http.send: {}", error.message))
}

fn reply(path: &str) -> Reply {
    let json = "Content-Type: application/json; charset=utf-8\r\n";
    match path {
        "/json" => response("200 OK", json, r#"{"a": [1.50, 1e3, {}], "b": "\u00e9"}"#),
        "/problem" => response("404 Not Found", "Content-Type: application/problem+json\r\n", "[1]"),
        "/broken" => response("200 OK", json, r#"{"a": 1"#),
        "/string" => response("200 OK", json, r#""a\"b" x"#),
        "/number" => response("200 OK", json, "12 x"),
        "/literal" => response("200 OK", json, "trueand more"),
        "/joined" => response("200 OK", json, "12x"),
        "/glued" => response("200 OK", json, r#"[1, "]"]x"#),
        "/trailing" => response("200 OK", json, r#"{"a": 1} {"b": 2}"#),
        "/text" => response("200 Fine", "Content-Type: text/plain\r\nX-A: 1\r\nx-a: 2\r\n", "{}"),
        "/closing" => response("200 OK", "Connection: Close\r\n", "{}"),
        // Closed, and said to be: Go posts again over a connection that it takes for open, and does not try twice.
        "/redirect" => response("302 Found", "Location: /json\r\nConnection: close\r\n", ""),
        "/again" => response("307 Temporary Redirect", "Location: /json\r\nConnection: close\r\n", ""),
        "/empty" => Reply::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        "/chunked" => Reply::Raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".to_vec(),
        ),
        "/bytes" => Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\xff\xc3b".to_vec()),
        "/slow" => Reply::Slow(std::time::Duration::from_millis(400), Vec::new()),
        "/close" => Reply::Close,
        _ => response("200 OK", "", ""),
    }
}

fn requests(server: &Server) -> Vec<Json> {
    let get = |path: &str, more: Json| {
        let mut request = json!({"method": "get", "url": server.url(path)});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let mut requests: Vec<Json> = [
        "/json",
        "/problem",
        "/broken",
        "/trailing",
        "/string",
        "/number",
        "/literal",
        "/joined",
        "/glued",
        "/text",
        "/closing",
        "/redirect",
        "/empty",
        "/chunked",
        "/bytes",
        "/close",
    ]
    .into_iter()
    .map(|path| get(path, json!({})))
    .collect();
    requests.extend([
        get("/text", json!({"force_json_decode": true})),
        get("/broken", json!({"force_json_decode": true})),
        get("/redirect", json!({"enable_redirect": true})),
        get("/redirect", json!({"enable_redirect": true, "method": "post", "body": {"a": 1}})),
        get(
            "/again",
            json!({"enable_redirect": true, "method": "post", "body": {"a": 1}, "headers": {"x-a": "b"}}),
        ),
        get("/x", json!({"method": "POST", "body": {"z": "<&>", "a": [1, 2.50, null]}})),
        get("/x", json!({"method": "Put", "raw_body": "\"quoted\"", "body": 1})),
        get("/x", json!({"headers": {"content-type": "a/b", "X-Y": "z", "Host": "other.example"}})),
        get("/x", json!({"headers": {"a": 1}})),
        get("/x", json!({"headers": [1]})),
        get("/x", json!({"timeout": true})),
        get("/x", json!({"timeout": "1x"})),
        get("/x", json!({"timeout": 1.5})),
        get("/x", json!({"method": 1})),
        get("/x", json!({"enable_redirect": "yes"})),
        get("/x", json!({"max_retry_attempts": "1"})),
        get("/x", json!({"max_retry_attempts": -1})),
        get("/x", json!({"cache": "yes"})),
        get("/x", json!({"force_cache": true})),
        get("/x", json!({"force_cache": true, "force_cache_duration_seconds": 1.5})),
        get("/x", json!({"cache": true, "caching_mode": "none"})),
        get("/x", json!({"force_json_decode": 1})),
        get("/x", json!({"raise_error": 1})),
        get("/x", json!({"unknown": 1})),
        get("/x", json!({"cache_ignored_headers": ["a"], "headers": {"a": "b"}})),
        get("/x", json!({"cache_ignored_headers": "a", "headers": {"a": "b"}})),
        get("/slow", json!({"timeout": "100ms"})),
        get("/slow", json!({"timeout": "100ms", "raise_error": false})),
        get("/close", json!({"raise_error": false})),
        json!({"method": "get"}),
        json!({"method": "get", "url": "http://127.0.0.1:1/x"}),
        json!({"method": "get", "url": "http://127.0.0.1:1/x", "raise_error": false}),
        json!({"method": "get", "url": "ftp://127.0.0.1/x"}),
        json!({"method": "get", "url": "http:///x"}),
        json!({"method": "ge t", "url": server.url("/x")}),
    ]);
    requests
}

/// What the server received of a request, without what a client says of itself.
fn essence(received: &support::Received) -> Json {
    let own = ["user-agent", "accept-encoding", "connection"];
    let mut headers: Vec<_> =
        received.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    headers.sort();
    json!({"line": received.line, "headers": headers, "body": received.body})
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_same_requests_have_the_same_answers_and_arrive_the_same() {
    let server = Server::start(|path, _| reply(path));
    let mut different = Vec::new();
    let requests = requests(&server);
    for request in &requests {
        if request["url"].as_str().is_some_and(|url| url.ends_with("/slow")) {
            // The server is busy with these for longer than either waits.
            let (theirs, ours) = (opa(request), ours(request));
            if theirs != ours {
                different.push(format!("{request}\n  OPA  {theirs:?}\n  ours {ours:?}"));
            }
            std::thread::sleep(std::time::Duration::from_millis(900));
            continue;
        }
        let before = server.hits();
        let theirs = opa(request);
        let between = server.hits();
        let ours = ours(request);
        let after = server.received();
        let sent: Vec<Json> = after[before..between].iter().map(essence).collect();
        let sent_by_us: Vec<Json> = after[between..].iter().map(essence).collect();
        if theirs != ours || sent != sent_by_us {
            different.push(format!("{request}\n  OPA  {theirs:?}\n  ours {ours:?}\n  OPA  sent {sent:?}\n  ours sent {sent_by_us:?}"));
        }
    }
    println!("{} of {} requests are answered alike", requests.len() - different.len(), requests.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
}
