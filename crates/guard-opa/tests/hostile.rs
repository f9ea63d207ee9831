//! The client against a server that misbehaves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use guard_core::{Deadline, block_on};
use guard_opa::{Client, Config, ConfigError, DataPath, OpaError};
use support::{Answer, serve};
use test_support::free_port;

const DEADLINE: Duration = Duration::from_millis(400);

fn ask(url: &str) -> Result<String, OpaError> {
    let client = Client::new(&Config { max_reply: 10_000, ..Config::new(url) }).unwrap();
    let begin = Instant::now();
    let answer = block_on(client.ask(&DataPath::of(["p"]).unwrap(), "{}", Deadline::after(DEADLINE)));
    assert!(begin.elapsed() < DEADLINE + Duration::from_millis(400), "{:?}", begin.elapsed());
    answer
}

#[test]
fn whatever_comes_is_an_error_in_time() {
    let table = [
        (Answer::Hang, "OPA did not answer within 400 ms"),
        (Answer::Drip, "OPA did not answer within 400 ms"),
        (Answer::Flood, "OPA's answer is longer than 10000 bytes"),
        (Answer::Close, "OPA cannot be reached: "),
        (Answer::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()), "OPA cannot be reached: "),
        (Answer::Bytes(vec![0xff; 3_000]), "OPA cannot be reached: "),
        (
            Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".to_vec()),
            "OPA cannot be reached: ",
        ),
        (Answer::ok(""), "OPA's answer cannot be read: EOF while parsing a value"),
        (Answer::ok("<html>"), "OPA's answer cannot be read: expected value"),
        (Answer::ok("[]"), "OPA's answer cannot be read: "),
        (Answer::ok("{\"result\": {\"allowed\": tr"), "OPA's answer cannot be read: "),
        (Answer::ok("\u{fffd}"), "OPA's answer cannot be read: "),
        (Answer::ok("{}"), "`data/p` is undefined"),
        (Answer::ok("{\"result\": null}"), "`data/p` is undefined"),
        (
            Answer::ok(&format!("{{\"result\": \"{}\"}}", "x".repeat(20_000))),
            "OPA's answer is longer than 10000 bytes",
        ),
        (Answer::reply("500 Internal Server Error", "boom"), "OPA answered with status 500: boom"),
        (
            Answer::reply("404 Not Found", "{\"code\": \"c\", \"message\": \"m\"}"),
            "OPA answered with status 404: m",
        ),
        (Answer::reply("204 No Content", ""), "OPA's answer cannot be read: "),
    ];
    for (answer, expected) in table {
        let error = ask(&serve(answer.clone())).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{answer:?}: {error}");
    }
    assert_eq!(ask(&serve(Answer::ok("{\"result\": {\"a\": 1e999}}"))).unwrap(), "{\"a\": 1e999}");
}

#[test]
fn nobody_is_there() {
    let error = ask(&format!("http://127.0.0.1:{}", free_port())).unwrap_err();
    assert!(matches!(error, OpaError::Unreachable { .. }), "{error}");
}

/// A token must not travel to where a redirect points.
#[test]
fn redirects_are_not_followed() {
    let elsewhere = serve(Answer::ok("{\"result\": true}"));
    let redirect =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}/\r\ncontent-length: 0\r\n\r\n");
    let error = ask(&serve(Answer::Bytes(redirect.into_bytes()))).unwrap_err();
    assert!(matches!(&error, OpaError::Refused(refused) if refused.status == 307), "{error}");
}

#[test]
fn addresses_that_are_none_are_refused() {
    for url in ["", "localhost:8181", "ftp://x", "/v1", "http://"] {
        assert!(matches!(Client::new(&Config::new(url)), Err(ConfigError::Url { .. })), "{url}");
    }
    let token = Some("a\nb".to_owned());
    assert!(matches!(Client::new(&Config { token, ..Config::new("http://x") }), Err(ConfigError::Token)));
    let shown = format!("{:?}", Config { token: Some("secret".into()), ..Config::new("http://x") });
    assert!(!shown.contains("secret"), "{shown}");
}
