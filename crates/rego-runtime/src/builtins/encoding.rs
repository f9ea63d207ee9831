//! Base64.

use super::operands::string;
use crate::error::{Failure, Outcome};
use crate::text::push_int;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;

const STANDARD: [u8; 2] = *b"+/";
const URL: [u8; 2] = *b"-_";

fn encode(bytes: &[u8], last_two: [u8; 2]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place > chunk.len() {
                out.push('=');
                continue;
            }
            let digit = (word >> (18 - 6 * place) & 63) as u8;
            out.push(char::from(match digit {
                0..26 => b'A' + digit,
                26..52 => b'a' + digit - 26,
                52..62 => b'0' + digit - 52,
                62 => last_two[0],
                _ => last_two[1],
            }));
        }
    }
    out
}

/// Go's decoder with padding: line ends are skipped; the error is the offset at which it was seen.
fn decode(text: &[u8], last_two: [u8; 2]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut word = 0u32;
    let mut count = 0;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        let digit = match *byte {
            b'\n' | b'\r' => continue,
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b if b == last_two[0] => 62,
            b if b == last_two[1] => 63,
            b'=' if count >= 2 => return padding(text, at, word, count, out),
            _ => return Err(at - 1),
        };
        word = word << 6 | u32::from(digit);
        count += 1;
        if count == 4 {
            out.extend(word.to_be_bytes().iter().skip(1));
            (word, count) = (0, 0);
        }
    }
    if count == 0 { Ok(out) } else { Err(text.len() - count) }
}

/// The rest after the first `=`, which stands before `at`.
fn padding(text: &[u8], mut at: usize, word: u32, count: usize, mut out: Vec<u8>) -> Result<Vec<u8>, usize> {
    let skip = |mut at: usize| {
        while let Some(b'\n' | b'\r') = text.get(at) {
            at += 1;
        }
        at
    };
    at = skip(at);
    if count == 2 {
        match text.get(at) {
            Some(b'=') => at = skip(at + 1),
            Some(_) => return Err(at - 1),
            None => return Err(text.len()),
        }
    }
    if at < text.len() {
        return Err(at);
    }
    let bytes = (word << (6 * (4 - count))).to_be_bytes();
    out.extend(bytes.iter().skip(1).take(count - 1));
    Ok(out)
}

fn decoded(result: Result<Vec<u8>, usize>) -> Outcome {
    match result {
        // A Go string holds any bytes; ours hold text, and JSON output would replace the rest anyway.
        Ok(bytes) => Ok(Value::string(&String::from_utf8_lossy(&bytes))),
        Err(at) => {
            let mut offset = String::new();
            push_int(&mut offset, at as i64);
            Err(Failure::builtin(&["illegal base64 data at input byte ", &offset]))
        }
    }
}

pub(super) fn base64_encode(a: Value) -> Outcome {
    Ok(Value::string(&encode(string(a, 1)?.as_bytes(), STANDARD)))
}

pub(super) fn base64_decode(a: Value) -> Outcome {
    decoded(decode(string(a, 1)?.as_bytes(), STANDARD))
}

pub(super) fn base64_is_valid(a: Value) -> Outcome {
    Ok(Value::bool(a.as_str().is_some_and(|text| decode(text.as_bytes(), STANDARD).is_ok())))
}

pub(super) fn base64url_encode(a: Value) -> Outcome {
    Ok(Value::string(&encode(string(a, 1)?.as_bytes(), URL)))
}

/// The padding may be missing.
pub(super) fn base64url_decode(a: Value) -> Outcome {
    let text = string(a, 1)?;
    let missing = match text.len() % 4 {
        _ if text.ends_with('=') => "",
        0 => "",
        2 => "==",
        3 => "=",
        _ => return Err(Failure::builtin(&["illegal base64url string: ", text])),
    };
    let mut padded = String::from(text);
    padded.push_str(missing);
    decoded(decode(padded.as_bytes(), URL))
}
