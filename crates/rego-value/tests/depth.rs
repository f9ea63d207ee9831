//! No function recurses over a value: the deepest text that is read is handled on a small stack.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_value::json::{self, Escape, MAX_DEPTH};
use rego_value::{Value, abi};
use std::hash::{BuildHasher, RandomState};

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(128 << 10).spawn(work).unwrap().join().unwrap();
}

fn exercise(text: &str) {
    let (a, b) = (json::parse(text.as_bytes()).unwrap(), json::parse(text.as_bytes()).unwrap());
    assert!(a == b);
    assert!(a <= b);
    assert_eq!(abi::hash_value(&a), abi::hash_value(&b));
    let state = RandomState::new();
    assert_eq!(state.hash_one(&a), state.hash_one(&b));
    assert!(json::to_string(&a, Escape::Plain) == text);
    let mut writer = abi::Writer::heap(8);
    let handle = writer.value(&a).unwrap();
    let mut memory = vec![0; 8];
    memory.extend(writer.into_bytes());
    assert!(abi::read(&memory, handle).unwrap() == a);
    let mut copy = a.clone();
    if let Value::Array(items) = &mut copy {
        items.make_mut().push(Value::Null);
    }
    assert!(!format!("{copy}").is_empty());
}

#[test]
fn arrays() {
    on_a_small_stack(|| {
        let depth = MAX_DEPTH as usize;
        exercise(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        exercise(&format!("{}1{}", "[0,".repeat(depth), "]".repeat(depth)));
    });
}

#[test]
fn objects() {
    on_a_small_stack(|| {
        let depth = MAX_DEPTH as usize;
        exercise(&format!("{}null{}", "{\"a\":".repeat(depth), "}".repeat(depth)));
    });
}

#[test]
fn one_level_more_is_refused() {
    let depth = MAX_DEPTH as usize + 1;
    let error = json::parse(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes()).unwrap_err();
    assert_eq!(error.kind, json::Error::TooDeep);
    assert!(!json::is_valid("[".repeat(100_000).as_bytes()));
}

#[test]
fn sets_inside_sets_are_dropped_level_by_level() {
    on_a_small_stack(|| {
        let mut value = Value::set([]);
        for _ in 0..100_000 {
            value = Value::array([value]);
        }
        drop(value);
    });
}
