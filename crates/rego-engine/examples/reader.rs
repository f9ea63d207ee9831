//! How long reading an input takes, apart from deciding it: from a JSON text to what lies in the module's memory.
//!
//! ```sh
//! cargo run -p rego-build --example emit -- shared/bench/policies /tmp/modules
//! cargo build --workspace --exclude hexarch-benches --profile profiling --example reader
//! target/profiling/examples/reader /tmp/modules/p3.wasm shared/bench/policies/p3/input_*.json
//! ```
//!
//! The least time of many short runs in nanoseconds, for each text alone and for all of them in rotation. The reader is
//! compiled into this program as it stands, since it is no part of the crate's interface.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a tool for its authors, whose figures are far below 2^52"
)]

#[allow(dead_code, unreachable_pub, unused_imports, reason = "the engine uses the rest")]
#[path = "../src/input/mod.rs"]
mod input;

use std::hint::black_box;
use std::time::Instant;

use input::{Node, Scratch};

/// Runs, of which the fastest counts.
const RUNS: usize = 2_000;

/// Rounds between two looks at the clock.
const ROUNDS: u32 = 50;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, module, texts @ ..] = arguments.as_slice() else {
        println!("reader MODULE TEXT...");
        return;
    };
    let node = input::decode(section(&std::fs::read(module).unwrap(), b"rego-input")).unwrap();
    let contents: Vec<String> = texts.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut bench = Bench { node, memory: vec![0; 1 << 22], scratch: Scratch::default() };
    for (path, text) in texts.iter().zip(&contents) {
        let time = bench.nanoseconds(std::slice::from_ref(text));
        println!("{time:7.0} ns, {:6} bytes, {path}", text.len());
    }
    println!("{:7.0} ns in rotation", bench.nanoseconds(&contents));
}

struct Bench {
    node: Node,
    memory: Vec<u8>,
    scratch: Scratch,
}

impl Bench {
    fn nanoseconds(&mut self, texts: &[String]) -> f64 {
        let mut least = f64::MAX;
        for _ in 0..RUNS {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                texts.iter().for_each(|text| self.read(black_box(text.as_bytes())));
            }
            least = least.min(start.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
        }
        least / texts.len() as f64
    }

    fn read(&mut self, text: &[u8]) {
        let text = std::str::from_utf8(text).unwrap();
        let placed =
            input::read_text(text.as_bytes(), &self.node, &mut self.memory, 1 << 16, &mut self.scratch);
        assert!(black_box(placed).is_ok(), "no JSON");
    }
}

/// The content of a module's custom section.
fn section<'m>(module: &'m [u8], wanted: &[u8]) -> &'m [u8] {
    let mut rest = &module[8..];
    loop {
        let id = rest[0];
        let (size, after) = number(&rest[1..]);
        let (body, following) = after.split_at(size);
        rest = following;
        if id == 0 {
            let (length, body) = number(body);
            let (name, content) = body.split_at(length);
            if name == wanted {
                return content;
            }
        }
    }
}

/// An unsigned LEB128 number and what follows it.
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let last = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let (digits, rest) = bytes.split_at(last + 1);
    (digits.iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f)), rest)
}
