//! Texts that nobody meant: every mutation of a real file gives a file or problems with places in it, in
//! bounded time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use guard_policy::{ProblemCode, parse, translate};

const SAMPLE: &str = include_str!("translate/sample.yaml");
const ODD: &str = include_str!("translate/odd.yaml");

/// Pieces that mean something to YAML, to the schema or to Rego.
const PIECES: &[&str] = &[
    ":",
    "-",
    "\n",
    "\t",
    "  ",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: *a",
    "#",
    "|",
    ">",
    "!",
    "!!str ",
    "%",
    "---\n",
    "\u{feff}",
    "\u{0}",
    "é",
    "🚀",
    "action: block",
    "rules:",
    "- id: x",
    "22:00-06:00",
    "1e9",
    "-1",
    "null",
];

/// A generator of numbers that is the same everywhere (Knuth's constants for 64 bits).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn mutated(text: &str, numbers: &mut Numbers) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(chars.len());
        match numbers.below(4) {
            0 => {
                let end = (at + 1 + numbers.below(8)).min(chars.len());
                chars.drain(at..end);
            }
            1 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
            2 => chars.truncate(at.max(1)),
            _ => {
                let from = numbers.below(chars.len());
                let piece: Vec<char> = chars[from..].iter().copied().take(20).collect();
                chars.splice(at..at, piece);
            }
        }
        if chars.is_empty() {
            chars.push(' ');
        }
    }
    chars.into_iter().collect()
}

#[test]
fn no_mutation_of_a_file_does_harm() {
    let mut numbers = Numbers(2026);
    let mut accepted = 0;
    for _ in 0..3_000 {
        let text = mutated(if numbers.below(2) == 0 { SAMPLE } else { ODD }, &mut numbers);
        match parse("hexarch.yaml", &text) {
            Ok(file) => {
                accepted += 1;
                assert!(!translate(&file).modules().is_empty());
            }
            Err(problems) => {
                assert!(problems.count() > 0);
                let lines = text.lines().count() + 1;
                for problem in problems.iter() {
                    assert!(problem.place.line <= lines, "{problem:?} of {lines} lines in {text:?}");
                }
                assert!(!problems.to_string().is_empty());
            }
        }
    }
    assert!(accepted > 100, "{accepted}");
}

/// A bound that only a quadratic reader breaks, in a test build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn ten_thousand_policies_are_read_and_translated() {
    let mut text = String::from("policies:\n");
    for number in 0..10_000 {
        write!(text, "  - id: policy_{number}\n    rules:\n      - resource: api-{number}\n        monthly_budget: 10\n")
            .unwrap();
    }
    let start = Instant::now();
    let file = parse("hexarch.yaml", &text).unwrap();
    let package = translate(&file);
    assert_eq!(package.policies().len(), 10_000);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[test]
fn large_nonsense_is_refused_in_time() {
    let mut bomb = String::from("policies: &a0 [x, x, x, x, x, x, x, x]\n");
    for level in 1..40 {
        let before = format!("*a{}", level - 1);
        writeln!(bomb, "k{level}: &a{level} [{}]", vec![before; 8].join(", ")).unwrap();
    }
    let mut merges = String::from("base: &base\n");
    for key in 0..2_000 {
        writeln!(merges, "  key{key}: 1").unwrap();
    }
    merges.push_str("policies:\n");
    for _ in 0..500 {
        merges.push_str("  - <<: *base\n");
    }
    for (name, text) in [
        ("bomb", bomb),
        ("merges", merges),
        ("brackets", "[".repeat(1_000_000)),
        ("dashes", "- ".repeat(1_000_000)),
        ("one long line", "a".repeat(4_000_000)),
        ("one long key", format!("{}: 1\n", "k".repeat(1_000))),
        ("colons", ":".repeat(100_000)),
        ("quotes", "\"".repeat(100_001)),
        ("doubled keys", "policies: []\n".repeat(50_000)),
        ("anchors", (0..50_000).map(|n| format!("k{n}: &a{n} 1\n")).collect()),
    ] {
        let start = Instant::now();
        let problems = parse("hexarch.yaml", &text).expect_err(name);
        assert!(start.elapsed() < PATIENCE, "{name}: {:?}", start.elapsed());
        assert!(problems.iter().all(|problem| problem.message.len() < 2_000), "{name}");
    }
    let bomb = parse("h", "a: &a [1]\nb: &b [*a, *a]\npolicies: []\n").unwrap_err();
    assert!(bomb.iter().all(|problem| problem.code == ProblemCode::UnknownKey));
}
