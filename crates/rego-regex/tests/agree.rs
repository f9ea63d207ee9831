//! Programs and tables match what the crate `regex` matches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod generate;

use generate::{Random, expression, text};
use rego_regex::{Expression, Program, Table};

#[test]
fn programs_and_tables_agree_with_the_crate_regex() {
    let mut random = Random::new(7);
    let (mut expressions, mut tables, mut matches) = (0, 0, 0);
    while expressions < 800 {
        let pattern = expression(&mut random, 3, false);
        let Ok(expression) = Expression::parse(&pattern) else { continue };
        expressions += 1;
        let rust = regex::Regex::new(&expression.rust())
            .unwrap_or_else(|error| panic!("{pattern}\n{}\n{error}", expression.rust()));
        let (program, table) = (expression.program(), expression.table());
        let program = Program::new(&program);
        tables += usize::from(table.is_some());
        for _ in 0..12 {
            let text = text(&mut random);
            let expected: Vec<Vec<&str>> = rust
                .captures_iter(&text)
                .map(|found| found.iter().map(|group| group.map_or("", |group| group.as_str())).collect())
                .collect();
            let mut found = Vec::new();
            program.find_all(&text, usize::MAX, |groups| found.push(groups));
            assert_eq!(found, expected, "{pattern:?} in {text:?}, as {}", expression.rust());
            assert_eq!(program.is_match(&text), !expected.is_empty(), "{pattern:?} in {text:?}");
            if let Some(table) = &table {
                assert_eq!(
                    Table::new(table).is_match(&text),
                    !expected.is_empty(),
                    "{pattern:?} in {text:?}"
                );
            }
            matches += expected.len();
        }
    }
    assert!(tables > expressions * 9 / 10 && matches > expressions, "{tables} tables, {matches} matches");
}

#[test]
fn what_go_refuses_is_refused_in_its_words() {
    for (pattern, problem) in [
        ("[a", "missing closing ]: `[a`"),
        ("a)", "unexpected ): `a)`"),
        ("(a", "missing closing ): `(a`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a*?{2}?", "invalid nested repetition operator: `*?{2}?`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("a|+?", "missing argument to repetition operator: `+?`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("(a{500}){3}", "invalid repeat count: `{3}`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\xz1", r"invalid escape sequence: `\xz1`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        (r"\p{Foo}", r"invalid character class range: `\p{Foo}`"),
        ("(?P<a-b>c)", "invalid named capture: `(?P<a-b>`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?x)", "invalid or unsupported Perl syntax: `(?x`"),
    ] {
        let error = Expression::parse(pattern).expect_err(pattern);
        assert_eq!(error.to_string(), format!("error parsing regexp: {problem}"), "{pattern}");
    }
    let nested = "(".repeat(1001) + &")".repeat(1001);
    let error = Expression::parse(&nested).expect_err("too deep").to_string();
    assert!(error.contains("expression nests too deeply"), "{error}");
}

#[test]
fn hard_expressions_take_linear_time() {
    let expression = Expression::parse("(a*)*(a|aa)+(.*){20}b").unwrap();
    let text = "a".repeat(20_000);
    let program = expression.program();
    assert!(!Program::new(&program).is_match(&text));
    if let Some(table) = expression.table() {
        assert!(!Table::new(&table).is_match(&text));
    }
}
