//! What is JSON, what its strings and numbers are, and how they are written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_value::json::{self, Error, Escape};
use rego_value::{Number, NumberError, Value};

fn plain(text: &str) -> String {
    json::to_string(
        &json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")),
        Escape::Plain,
    )
}

#[test]
fn texts_are_read_and_written() {
    for (text, written) in [
        (" null ", "null"),
        ("[ 1 , 2.50 , -0 , 1e5, 12345678901234567890 ]", "[1,2.50,-0,1e5,12345678901234567890]"),
        ("{\"b\":1,\"a\":[],\"b\":{}}", "{\"a\":[],\"b\":{}}"),
        ("\"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\\\\\"\"", "\"é😀/\\b\\f\\n\\r\\t\\\\\\\"\""),
        ("\"<&>\\u2028\\u007f\\u0001\"", "\"<&>\\u2028\u{7f}\\u0001\""),
        ("\"\\ud800\\ud800\\udc00x\\udc00\"", "\"\u{fffd}\u{10000}x\u{fffd}\""),
        ("\"12345678\\n\"", "\"12345678\\n\""),
        (
            "\"long enough for more than one word, and plain\"",
            "\"long enough for more than one word, and plain\"",
        ),
    ] {
        assert_eq!(plain(text), written);
    }
    assert_eq!(json::to_string(&Value::from("<&>"), Escape::Html), "\"\\u003c\\u0026\\u003e\"");
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    for (bytes, text) in [
        (&b"\"a\xffb\""[..], "a\u{fffd}b"),
        (b"\"\xc3\"", "\u{fffd}"),
        (b"\"\xe2\x82\xac\xe2\x82\"", "€\u{fffd}\u{fffd}"),
        (b"\"\xed\xa0\x80\"", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\"\xf4\x90\x80\x80\"", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
    ] {
        assert_eq!(json::parse(bytes).unwrap(), Value::from(text), "{bytes:?}");
    }
}

#[test]
fn whatever_else_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "truex",
        "+1",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\u{1}\"",
        "\"\n\"",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{a:1}",
        "{1:2}",
        "[1}",
        "]",
        "1 2",
        "\u{feff}1",
        "'a'",
        "NaN",
        "// 1",
        "[1]]",
        "\"abcdefg\n\"",
        "{\"a\" \"b\"}",
    ] {
        assert!(json::parse(text.as_bytes()).is_err(), "{text}");
        assert!(!json::is_valid(text.as_bytes()), "{text}");
    }
}

#[test]
fn errors_say_what_and_where() {
    let error = json::parse(b"[1, x]").unwrap_err();
    assert_eq!(
        (error.offset, error.to_string().as_str()),
        (4, "invalid character 'x' looking for beginning of value")
    );
    let error = json::parse(b"{\"a\" 1}").unwrap_err();
    assert_eq!((error.offset, error.to_string().as_str()), (5, "invalid character '1' after object key"));
    assert_eq!(json::parse(b"1 2").unwrap_err().kind, Error::TrailingData);
    assert_eq!(json::parse(b"[1").unwrap_err().kind, Error::UnexpectedEnd);
}

#[test]
fn exponents_have_a_limit() {
    assert!(json::parse(b"1e30000").is_ok());
    assert_eq!(json::parse(b"1e30104").unwrap_err().kind, Error::NumberTooBig);
    assert_eq!(json::parse(b"1e-999999999999999999999").unwrap_err().kind, Error::NumberTooBig);
    assert!(json::is_valid(b"1e999999999999999999999"));
    assert!(json::parse(b"0e999999").is_ok());
    assert_eq!(Number::parse_literal(&"1".repeat(31_001)).unwrap_err(), NumberError::TooBig);
    assert!(Number::parse(&"1".repeat(31_001)).is_ok());
}

#[test]
fn keys_are_written_by_their_texts() {
    let number = |text: &str| Value::Number(Number::parse(text).unwrap());
    let object = Value::object([
        (number("10"), Value::from("ten")),
        (number("9"), Value::from("nine")),
        (Value::array([Value::from("a")]), Value::from("list")),
        (Value::set([]), Value::from("set")),
    ]);
    assert_eq!(
        json::to_string(&object, Escape::Plain),
        "{\"10\":\"ten\",\"9\":\"nine\",\"[\\\"a\\\"]\":\"list\",\"[]\":\"set\"}"
    );
    assert_eq!(object.to_string(), "{9: \"nine\", 10: \"ten\", [\"a\"]: \"list\", set(): \"set\"}");
}

#[test]
fn numbers_are_one_value_in_any_notation() {
    let number = |text: &str| Number::parse(text).unwrap();
    let ascending = [
        "-1e400",
        "-9223372036854775809",
        "-1.5",
        "-1",
        "-1e-400",
        "0",
        "1e-400",
        "0.1",
        "1",
        "1.0000000000000000000001",
        "1e20",
        "1e400",
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(number(a).cmp(&number(b)), i.cmp(&j), "{a} {b}");
        }
    }
    for (a, b) in [
        ("1", "1.0"),
        ("100", "1e2"),
        ("-0", "0.0"),
        ("0.10", "1e-1"),
        ("18446744073709551616.0", "18446744073709551616"),
    ] {
        assert_eq!(number(a), number(b));
        assert_eq!(number(a).hash32(), number(b).hash32());
    }
    assert_eq!(Number::from_f64(1_234_567.0).unwrap().to_string(), "1.234567e+06");
    assert_eq!(Number::from_f64(0.1).unwrap().to_string(), "0.1");
    assert_eq!(Number::from_f64(-100.0).unwrap().to_string(), "-100");
    assert!(Number::from_f64(f64::NAN).is_err());
}

/// Texts that differ by a few bytes from good ones are read or refused as another reader does.
#[test]
fn mutated_texts_are_judged_as_by_serde() {
    let seeds = [
        r#"{"user":{"id":"u-17","roles":["admin","dev"],"tier":"gold"},"cost_cents":1250,"confirm":true,"ratio":0.25}"#,
        r#"[1,-2,3.5e2,[],{},"plain ascii text longer than eight","x\ny\"z",null,false,{"a":{"b":[{"c":[[0]]}]}}]"#,
        r#"  {"a" : [ 1 , 2 ] , "b" : "" , "1234567" : "12345678" , "c":"\/\\\t"}  "#,
    ];
    let alphabet = br#"{}[]:,"0123456789-+.eE truefalsn\/b "#;
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % bound
    };
    let mut accepted = 0;
    for _ in 0..60_000 {
        let mut text = seeds[random(seeds.len())].as_bytes().to_vec();
        for _ in 0..=random(3) {
            let at = random(text.len().max(1)).min(text.len());
            match random(4) {
                0 if at < text.len() => text[at] = alphabet[random(alphabet.len())],
                1 => text.insert(at, alphabet[random(alphabet.len())]),
                2 if at < text.len() => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
        }
        let (ours, theirs) = (json::parse(&text), serde_json::from_slice::<serde_json::Value>(&text));
        let shown = String::from_utf8_lossy(&text).into_owned();
        // Ours keeps numbers of any size, which serde's f64 refuses.
        if theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range")) {
            continue;
        }
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{shown}");
        assert_eq!(json::is_valid(&text), theirs.is_ok(), "{shown}");
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            accepted += 1;
            let written = json::to_string(&ours, Escape::Plain);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), theirs, "{shown}");
        }
    }
    assert!(accepted > 1_000, "{accepted}");
}
