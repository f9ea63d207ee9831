//! `http.send` against a server of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rego_builtins::network::{Hosts, Network, ResponseCache};
use rego_builtins::{Context, ErrorCode};
use rego_net::Client;
use serde_json::json;
use support::{Reply, Server, begin, open, raw, response, send, show, with};

#[test]
fn without_a_network_the_error_names_the_function_and_how_to_allow_it() {
    let request = json!({"method": "get", "url": "http://127.0.0.1:1/", "raise_error": false});
    let error = send(&mut Context::default(), &request).unwrap_err();
    assert!(error.message.contains("does not let policies use the network"), "{}", error.message);
    assert!(error.message.contains("with_network") && !error.halt);
    let name = rego_value::Value::from("localhost");
    let error = support::call("net.lookup_ip_addr", &mut Context::default(), &name).unwrap_err();
    assert!(error.message.contains("with_network"), "{}", error.message);
}

#[test]
fn hosts_that_are_not_listed_are_not_spoken_with_nor_looked_up() {
    let server = Server::start(|_, _| response("200 OK", "", "secret"));
    let lists = [
        Network::new(Client::new(), Hosts::only(["allowed.example"])),
        Network::new(Client::new(), Hosts::any()).with_allow_net(["allowed.example".to_owned()]),
    ];
    for network in lists {
        let mut context = with(network);
        let port = server.address.port();
        let urls = [
            format!("http://127.0.0.1:{port}/"),
            format!("http://allowed.example@127.0.0.1:{port}/"),
            format!("http://127.0.0.1:{port}\\@allowed.example/"),
            format!("http://2130706433:{port}/"),
            format!("http://0x7f.1:{port}/?allowed.example"),
            "unix://allowed.example/?socket=%2Ftmp%2Fno.sock".to_owned(),
        ];
        for url in urls {
            let error = send(&mut context, &json!({"method": "get", "url": url})).unwrap_err();
            assert!(error.message.starts_with("disallowed host: "), "{url}: {}", error.message);
        }
        let name = rego_value::Value::from("localhost");
        let error = support::call("net.lookup_ip_addr", &mut context, &name).unwrap_err();
        assert_eq!(error.message, "disallowed host: localhost");
    }
    assert_eq!(server.hits(), 0);
}

#[test]
fn a_redirect_is_followed_only_if_asked_for_and_only_to_listed_hosts() {
    let inner = Server::start(|_, _| response("200 OK", "", "secret"));
    let away = format!("Location: http://localhost:{}/\r\n", inner.address.port());
    let outer = Server::start(move |path, _| match path {
        "/start" => response("302 Found", "Location: /end\r\n", ""),
        "/loop" => response("302 Found", "Location: /loop\r\n", ""),
        "/away" => response("302 Found", &away, ""),
        _ => response("200 OK", "", "end"),
    });
    let mut context = with(Network::new(Client::new(), Hosts::only(["127.0.0.1"])));
    let request = |path: &str, follow: bool| json!({"method": "get", "url": outer.url(path), "enable_redirect": follow});
    let plain = show(&send(&mut context, &request("/start", false)).unwrap());
    assert_eq!((&plain["status_code"], &plain["headers"]["location"]), (&json!(302), &json!(["/end"])));
    let followed = show(&send(&mut context, &request("/start", true)).unwrap());
    assert_eq!((&followed["status"], &followed["raw_body"]), (&json!("200 OK"), &json!("end")));
    let error = send(&mut context, &request("/away", true)).unwrap_err();
    assert!(error.message.contains("disallowed host: localhost"), "{}", error.message);
    assert_eq!(inner.hits(), 0);
    let error = send(&mut context, &request("/loop", true)).unwrap_err();
    assert!(error.message.contains("redirects"), "{}", error.message);
}

#[test]
fn a_slow_server_ends_with_the_requests_time_or_the_evaluations() {
    let server = Server::start(|_, _| Reply::Slow(Duration::from_millis(600), raw("200 OK", "", "late")));
    let mut context = open();
    let begun = Instant::now();
    let request = json!({"method": "get", "url": server.url("/"), "timeout": "100ms"});
    let error = send(&mut context, &request).unwrap_err();
    assert_eq!(error.message, format!("Get {}: request timed out", server.url("/")));
    assert!(begun.elapsed() < Duration::from_millis(500));
    let quiet =
        json!({"method": "get", "url": server.url("/q"), "timeout": 100_000_000, "raise_error": false});
    let answer = show(&send(&mut context, &quiet).unwrap());
    assert_eq!(
        (&answer["status_code"], &answer["error"]["code"]),
        (&json!(0), &json!("eval_http_send_network_error"))
    );
    // The evaluation's deadline ends everything, raised or not.
    context.deadline = Instant::now().checked_add(Duration::from_millis(50));
    let begun = Instant::now();
    let patient = json!({
        "method": "get", "url": server.url("/d"), "timeout": "1m", "raise_error": false, "max_retry_attempts": 5,
    });
    let error = send(&mut context, &patient).unwrap_err();
    assert!(error.halt && error.code == ErrorCode::Cancel, "{error}");
    assert!(begun.elapsed() < Duration::from_millis(500));
}

#[test]
fn garbage_is_an_error_and_bodies_have_a_limit() {
    let server = Server::start(|path, _| match path {
        "/garbage" => Reply::Raw(b"\x16\x03\x01 not http at all\r\n\r\n".to_vec()),
        "/short" => Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec()),
        "/close" => Reply::Close,
        "/big" => response("200 OK", "", &"x".repeat(5000)),
        _ => Reply::Raw(
            b"HTTP/1.1 200 Fine By Me\r\nContent-Type: application/json\r\n\r\n{\"a\": [1.50, {}]".to_vec(),
        ),
    });
    let mut context = with(Network::new(Client::new().with_max_body(4096), Hosts::any()));
    for path in ["/garbage", "/short", "/close", "/big"] {
        let error = send(&mut context, &json!({"method": "get", "url": server.url(path)})).unwrap_err();
        assert!(error.code == ErrorCode::Builtin && !error.halt, "{path}: {error}");
    }
    // JSON that is none leaves the body null.
    let answer = show(&send(&mut context, &json!({"method": "get", "url": server.url("/half")})).unwrap());
    assert_eq!((&answer["status"], &answer["body"]), (&json!("200 Fine By Me"), &json!(null)));
    assert_eq!(answer["raw_body"], json!("{\"a\": [1.50, {}]"));
}

#[test]
fn retries_wait_and_stop() {
    let server =
        Server::start(|_, before| if before < 2 { Reply::Close } else { response("200 OK", "", "third") });
    let request = |path: &str, retries: u32| json!({"method": "get", "url": server.url(path), "max_retry_attempts": retries});
    assert!(send(&mut open(), &request("/a", 1)).is_err());
    assert_eq!(server.hits(), 2);
    let begun = Instant::now();
    let answer = send(&mut open(), &request("/b", 2)).unwrap();
    assert_eq!(show(&answer)["raw_body"], json!("third"));
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[test]
fn what_is_sent_is_what_the_request_says() {
    let server = Server::start(|_, _| response("200 OK", "", ""));
    let requests = [
        json!({"method": "post", "url": server.url("/a?b=c%20d"), "body": {"x": [1, "<"]}, "headers": {"x-one": "1", "Host": "elsewhere"}}),
        json!({"method": "put", "url": server.url("/b"), "body": 1, "raw_body": "raw"}),
        json!({"method": "delete", "url": server.url(""), "headers": {"User-Agent": "me", "Content-Length": "7"}}),
    ];
    for request in &requests {
        send(&mut open(), request).unwrap();
    }
    let received = server.received();
    assert_eq!(received[0].line, "POST /a?b=c%20d HTTP/1.1");
    assert_eq!(received[0].body, "{\"x\":[1,\"\\u003c\"]}");
    assert_eq!((received[0].header("x-one"), received[0].header("host")), (Some("1"), Some("elsewhere")));
    assert_eq!((received[1].line.as_str(), received[1].body.as_str()), ("PUT /b HTTP/1.1", "raw"));
    assert_eq!(
        (received[2].line.as_str(), received[2].header("user-agent")),
        ("DELETE / HTTP/1.1", Some("me"))
    );
    let smuggled = json!({"method": "get", "url": server.url("/c"), "headers": {"x": "a\r\nHost: b"}});
    assert!(send(&mut open(), &smuggled).is_err());
    assert!(send(&mut open(), &json!({"method": "ge t", "url": server.url("/c")})).is_err());
    assert_eq!(server.hits(), 3);
}

#[test]
fn equal_requests_of_an_evaluation_are_sent_once_and_ignored_headers_do_not_count() {
    let server =
        Server::start(|path, _| response(if path == "/500" { "500 Broken" } else { "200 OK" }, "", "x"));
    let mut context = open();
    let request = |path: &str, id: u32| {
        let headers = json!({"x-id": id.to_string(), "x": "y"});
        json!({"method": "get", "url": server.url(path), "headers": headers, "cache_ignored_headers": ["x-id"]})
    };
    for id in 0..3 {
        send(&mut context, &request("/", id)).unwrap();
    }
    assert_eq!(server.hits(), 1);
    // What is not cacheable by its code is asked for again, as with OPA.
    for id in 0..3 {
        send(&mut context, &request("/500", id)).unwrap();
    }
    assert_eq!(server.hits(), 4);
    begin(&mut context, 1_700_000_000);
    send(&mut context, &request("/", 0)).unwrap();
    assert_eq!(server.hits(), 5);
}

/// The number of requests that reach the server in evaluations at these seconds after the date of the responses.
fn hits(headers: &'static str, parameters: serde_json::Value, seconds: &[i64]) -> usize {
    // 1700000000 in the form of HTTP.
    let dated = format!("Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n{headers}");
    let server = Server::start(move |_, before| match before {
        0 => response("200 OK", &dated, "{}"),
        _ if dated.contains("ETag") => response("304 Not Modified", &dated, ""),
        _ => response("200 OK", &dated, "{}"),
    });
    let cache = Arc::new(ResponseCache::new(1 << 20));
    let mut request = json!({"method": "get", "url": server.url("/")});
    request.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
    for second in seconds {
        // Another instance each time, with the same cache.
        let network = Network::new(Client::new(), Hosts::any()).with_cache(Arc::clone(&cache));
        let mut context = with(network);
        begin(&mut context, 1_700_000_000 + second);
        let answer = send(&mut context, &request).unwrap();
        assert_eq!(show(&answer)["status_code"], json!(200));
    }
    server.hits()
}

#[test]
fn responses_are_kept_between_evaluations_as_their_headers_or_the_request_say() {
    let cache = || json!({"cache": true});
    let force = |seconds: i64| json!({"force_cache": true, "force_cache_duration_seconds": seconds});
    assert_eq!(hits("Cache-Control: max-age=60\r\n", json!({}), &[0, 1]), 2);
    assert_eq!(hits("Cache-Control: max-age=60\r\n", cache(), &[0, 30, 59]), 1);
    assert_eq!(hits("Cache-Control: max-age=60\r\n", cache(), &[0, 60, 61]), 3);
    assert_eq!(hits("Cache-Control: no-store, max-age=60\r\n", cache(), &[0, 1]), 2);
    assert_eq!(hits("Expires: Tue, 14 Nov 2023 22:14:20 GMT\r\n", cache(), &[0, 59, 60]), 2);
    assert_eq!(hits("", cache(), &[0, 1]), 2);
    assert_eq!(hits("Cache-Control: no-store\r\n", force(10), &[0, 9]), 1);
    assert_eq!(hits("Cache-Control: max-age=60\r\n", force(10), &[0, 9, 10, 19]), 2);
    // A stale response is asked for again, and good for another while if the server says so.
    assert_eq!(hits("Cache-Control: max-age=60\r\nETag: \"a\"\r\n", cache(), &[0, 59, 60, 61]), 3);
    assert_eq!(hits("ETag: \"a\"\r\n", force(10), &[0, 10, 19, 20]), 3);
    for (parameters, problem) in [
        (json!({"force_cache": true}), "'force_cache_duration_seconds' parameter is missing"),
        (json!({"cache": 1}), "invalid value for \"cache\" field"),
        (json!({"cache_ignored_headers": 1, "headers": {}}), "must be an array of strings"),
        (json!({"timeout": "1 parsec"}), "invalid timeout value"),
        (json!({"max_retry_attempts": -1}), "max_retry_attempts"),
        (json!({"raise_error": 0}), "invalid value for raise_error field"),
    ] {
        let mut request = json!({"method": "get", "url": "http://127.0.0.1:1/"});
        request.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
        let error = send(&mut open(), &request).unwrap_err();
        assert!(error.message.contains(problem), "{error}");
    }
}

#[test]
fn names_are_looked_up_and_addresses_are_their_own() {
    let lookup = |name: &str| {
        let name = rego_value::Value::from(name);
        support::call("net.lookup_ip_addr", &mut open(), &name).map(|answer| show(&answer.unwrap()))
    };
    assert_eq!(lookup("10.0.0.1").unwrap(), json!(["10.0.0.1"]));
    assert_eq!(lookup("::1").unwrap(), json!(["::1"]));
    let local = lookup("localhost").unwrap();
    assert!([json!(["127.0.0.1"]), json!(["127.0.0.1", "::1"]), json!(["::1"])].contains(&local), "{local}");
    assert!(lookup("").unwrap_err().message.contains("no such host"));
}

#[cfg(unix)]
#[test]
fn a_socket_of_the_file_system_is_a_host_of_its_own() {
    use std::os::unix::net::UnixListener;
    let path = std::env::temp_dir().join(format!("rego-net-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let log = std::sync::Mutex::default();
            support::serve(
                stream.try_clone().unwrap(),
                stream,
                &|path, _| response("200 OK", "", path),
                &log,
            );
        }
    });
    let name = path.to_str().unwrap();
    let request = json!({"method": "get", "url": format!("unix://localhost/a/b?socket={}&x=1", name.replace('/', "%2F"))});
    let mut context = with(Network::new(Client::new(), Hosts::only([format!("unix:{name}")])));
    assert_eq!(show(&send(&mut context, &request).unwrap())["raw_body"], json!("/a/b?x=1"));
    let mut context = with(Network::new(Client::new(), Hosts::only(["localhost"])));
    assert!(send(&mut context, &request).unwrap_err().message.starts_with("disallowed host: unix:"));
    std::fs::remove_file(path).unwrap();
}
