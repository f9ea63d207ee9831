//! The formatter against OPA's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod corpus;

use rego_syntax::ast::RegoVersion;
use rego_syntax::{FileId, FormatError, FormatOptions, ParserOptions, SourceFile, format_module};

/// How many results are OPA's, how many are refused, and the first that are neither.
#[derive(Default)]
struct Tally {
    total: usize,
    same: usize,
    refused: usize,
    different: Vec<String>,
}

impl Tally {
    fn add(&mut self, id: &str, source: &str, wanted: &str, options: &FormatOptions) {
        self.total += 1;
        let file = SourceFile::new(FileId(0), "p.rego", source);
        match format_module(&file, options) {
            Ok(text) if text == wanted => self.same += 1,
            Err(FormatError::Unfaithful { reason }) => {
                self.refused += 1;
                if std::env::var_os("SHOW").is_some() {
                    println!("{id}: {reason}\n{source}\n=== wanted\n{wanted}");
                }
            }
            Ok(text) => {
                self.different.push(format!("{id}\n{source}\n=== wanted\n{wanted}\n=== found\n{text}"));
            }
            Err(error) => self.different.push(format!("{id}\n{source}\n{error:?}")),
        }
    }

    /// All results are OPA's but for `refused` ones and `different` ones.
    fn assert(&self, what: &str, refused: usize, different: usize) {
        println!(
            "{what}: {} of {} as OPA, {} refused, {} different",
            self.same,
            self.total,
            self.refused,
            self.different.len()
        );
        let first: Vec<&str> = self.different.iter().take(12).map(String::as_str).collect();
        assert_eq!((self.refused, self.different.len()), (refused, different), "{}", first.join("\n-----\n"));
    }
}

fn options(from: RegoVersion, to: RegoVersion, drop: bool) -> FormatOptions {
    FormatOptions { parser: ParserOptions::for_version(from), target: to, drop_redundant_imports: drop }
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_modules_are_laid_out_as_by_opa() {
    let folder = corpus::folder();
    let mut tally = Tally::default();
    let v1 = options(RegoVersion::V1, RegoVersion::V1, false);
    for (index, case) in corpus::read(&folder.join("fmt/modules.jsonl")).iter().enumerate() {
        let (source, wanted) = (case["source"].as_str().unwrap(), case["formatted"].as_str().unwrap());
        tally.add(&format!("modules.jsonl:{index}"), source, wanted, &v1);
    }
    // Refused: OPA's layout of these moves a comment into another, or drops elements and arguments.
    tally.assert("modules.jsonl", 11, 0);
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_opas_own_tests_of_its_formatter() {
    let folder = corpus::folder();
    let mut tally = Tally::default();
    for case in corpus::read(&folder.join("fmt/testfiles.json")) {
        let (from, to) = match case["group"].as_str().unwrap() {
            "v0" => (RegoVersion::V0, RegoVersion::V0),
            "v1" => (RegoVersion::V1, RegoVersion::V1),
            "v2" => (RegoVersion::V2, RegoVersion::V2),
            "v0_to_v1" => (RegoVersion::V0, RegoVersion::V0CompatV1),
            _ => continue,
        };
        let Some(wanted) = case["formatted"].as_str() else { continue };
        let source = case["source"].as_str().unwrap();
        let id = format!("{} {}", case["group"], case["name"]);
        tally.add(&id, source, wanted, &options(from, to, false));
    }
    tally.assert("testfiles.json", 0, 0);
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_options_of_the_command() {
    let folder = corpus::folder();
    let mut tally = Tally::default();
    for (index, case) in corpus::read(&folder.join("fmt/options.jsonl")).iter().enumerate() {
        let args: Vec<&str> = case["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        let (from, to) = if args.contains(&"--v0-v1") {
            (RegoVersion::V0, RegoVersion::V0CompatV1)
        } else if args.contains(&"--v0-compatible") {
            (RegoVersion::V0, RegoVersion::V0)
        } else {
            (RegoVersion::V1, RegoVersion::V1)
        };
        let options = options(from, to, args.contains(&"--drop-v0-imports"));
        let (source, wanted) = (case["source"].as_str().unwrap(), case["formatted"].as_str().unwrap());
        tally.add(&format!("options.jsonl:{index} {args:?}"), source, wanted, &options);
    }
    tally.assert("options.jsonl", 0, 0);
}

#[test]
fn what_is_formatted_stays_as_it_is() {
    let text = "package p\n\nimport data.x\n\n# why\nallow if {\n\tx.y == [\n\t\t1, # one\n\t\t2,\n\t]\n}\n";
    let file = SourceFile::new(FileId(0), "p.rego", text);
    let v1 = options(RegoVersion::V1, RegoVersion::V1, false);
    assert_eq!(format_module(&file, &v1).unwrap(), text);
}

#[test]
fn a_layout_that_would_lose_something_is_refused() {
    let v1 = options(RegoVersion::V1, RegoVersion::V1, false);
    for text in ["package p\n\nx := {\"a\": 1, \"a\": 2}\n", "package p\n\nx := f( # a\n# b\n1)\n"] {
        let file = SourceFile::new(FileId(0), "p.rego", text);
        assert!(matches!(format_module(&file, &v1), Err(FormatError::Unfaithful { .. })), "{text}");
    }
    let broken = SourceFile::new(FileId(0), "p.rego", "package p\n\nx := [\n");
    assert!(matches!(format_module(&broken, &v1), Err(FormatError::Parse(_))));
    let to_v2 = options(RegoVersion::V1, RegoVersion::V2, false);
    let file = SourceFile::new(FileId(0), "p.rego", "package p\n");
    assert!(matches!(format_module(&file, &to_v2), Err(FormatError::Unsupported { .. })));
}
