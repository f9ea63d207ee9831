//! Any bytes as JSON and as a number: what is read is written as a text that reads as the same value, and the validator
//! agrees with the reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rego_value::Number;
use rego_value::json::{self, Escape};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Number::parse_literal(text);
        if let Ok(number) = Number::parse(text) {
            assert_eq!(Number::parse(&number.text()).as_ref(), Ok(&number));
        }
    }
    let parsed = json::parse(bytes);
    if parsed.is_ok() {
        assert!(json::is_valid(bytes));
    }
    let Ok(value) = parsed else { return };
    for escape in [Escape::Plain] {
        let written = json::to_string(&value, escape);
        assert_eq!(json::parse(written.as_bytes()).as_ref(), Ok(&value), "{written}");
    }
});
