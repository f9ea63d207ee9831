//! Modules of the corpus, broken in many small ways: the parser neither panics nor takes long, and each diagnostic
//! points into the file. The mutations are the same in every run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod corpus;

use std::time::{Duration, Instant};

use rego_syntax::ast::RegoVersion;
use rego_syntax::{
    FileId, FormatOptions, ParserOptions, SourceFile, SourceMap, format_module, parse_module, parse_query,
    render_all,
};
use test_support::Random;

const PIECES: [&str; 40] = [
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "|",
    "&",
    ",",
    ":",
    ":=",
    "=",
    "==",
    ".",
    ";",
    "\n",
    "\"",
    "`",
    "$\"",
    "$`",
    "\\",
    "{x}",
    " not ",
    " if ",
    " else ",
    " with ",
    " as ",
    " some ",
    " every ",
    " in ",
    " contains ",
    " and ",
    " or ",
    "default ",
    "import ",
    "package ",
    "# METADATA\n",
    "\u{0}",
    "é",
    "-",
];

fn mutate(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(chars.len() + 1);
        match random.below(4) {
            0 => {
                let end = (at + random.below(12)).min(chars.len());
                chars.drain(at..end);
            }
            1 => {
                let piece = PIECES[random.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
            2 => {
                let end = (at + random.below(40)).min(chars.len());
                let copy: Vec<char> = chars[at..end].to_vec();
                let to = random.below(chars.len() + 1);
                chars.splice(to..to, copy);
            }
            _ => chars.truncate(at),
        }
    }
    chars.into_iter().collect()
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_mutated_modules_never_panic() {
    let folder = corpus::folder();
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    let versions = [RegoVersion::V1, RegoVersion::V0, RegoVersion::V0CompatV1, RegoVersion::V2];
    for name in ["accepted", "parse"] {
        for case in corpus::read(&folder.join(format!("check/{name}.jsonl"))) {
            let text = case["module"].as_str().unwrap();
            for _ in 0..3 {
                let mutant = mutate(text, &mut random);
                let options = ParserOptions::for_version(versions[random.below(versions.len())]);
                let mut sources = SourceMap::new();
                let file = sources.add("mutant.rego", mutant.as_str());
                let started = Instant::now();
                let parsed = parse_module(&file, &options);
                assert!(started.elapsed() < Duration::from_secs(5), "slow:\n{mutant}");
                assert!(parsed.tree.is_some() || !parsed.diagnostics.is_empty(), "{mutant}");
                for diagnostic in &parsed.diagnostics {
                    assert!(diagnostic.span.end as usize <= mutant.len(), "{diagnostic:?}\n{mutant}");
                }
                let _ = render_all(&parsed.diagnostics, &sources);
                let target = options.rego_version;
                let format = FormatOptions { parser: options.clone(), target, drop_redundant_imports: false };
                if let Ok(text) = format_module(&file, &format) {
                    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
                }
                let _ = parse_query(&SourceFile::new(FileId(0), "query", mutant), &options);
            }
        }
    }
}
