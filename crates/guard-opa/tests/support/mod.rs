//! A server that misbehaves.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// What the misbehaving server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Reads the request and says nothing.
    Hang,
    /// Sends the head and one byte of the body every now and then.
    Drip,
    /// Closes at once.
    Close,
    /// Sends a body that never ends.
    Flood,
}

impl Answer {
    pub(crate) fn reply(status: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        Self::Bytes(format!("{head}{body}").into_bytes())
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::reply("200 OK", body)
    }
}

/// Starts a server that gives this answer to every request; its address.
pub(crate) fn serve(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || misbehave(stream, &answer));
        }
    });
    url
}

fn misbehave(mut stream: TcpStream, answer: &Answer) -> Option<()> {
    let mut request = [0; 4096];
    if matches!(answer, Answer::Close) {
        return None;
    }
    let _ = stream.read(&mut request).ok()?;
    match answer {
        Answer::Bytes(bytes) => {
            stream.write_all(bytes).ok()?;
            // What is left of the request is read, lest closing resets the connection before the answer is.
            stream.set_read_timeout(Some(Duration::from_millis(200))).ok()?;
            while stream.read(&mut request).is_ok_and(|count| count > 0) {}
        }
        Answer::Hang => std::thread::sleep(Duration::from_secs(20)),
        Answer::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").ok()?;
            for _ in 0..200 {
                stream.write_all(b" ").ok()?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Answer::Close => {}
        Answer::Flood => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").ok()?;
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
            for _ in 0..10_000 {
                stream.write_all(chunk.as_bytes()).ok()?;
            }
        }
    }
    Some(())
}
