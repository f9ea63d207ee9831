//! Values in the arena behave as `rego_value`'s do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_runtime::{exports, native};
use rego_value::{Value, abi};

const TEXTS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "1.0",
    "1e0",
    "-1",
    "1073741823",
    "1073741824",
    "-1073741824",
    "-1073741825",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "0.5",
    "1.50",
    "15e-1",
    "1e400",
    "\"\"",
    "\"a\"",
    "\"abcdefgh\"",
    "\"abcdefg\"",
    "\"abcdefgi\"",
    "\"ä\\n\\u0000\"",
    "[]",
    "[1]",
    "[1.0]",
    "[1,2]",
    "[[]]",
    "[[[1]],2]",
    "{}",
    "{\"a\":1}",
    "{\"a\":1.0}",
    "{\"b\":1}",
    "{\"a\":1,\"b\":[2,{}]}",
    "{\"b\":[2.0,{}],\"a\":1}",
    "{\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9,\"10\":10,\"11\":11,\"12\":12,\"13\":13}",
];

#[test]
fn order_equality_and_hash_agree() {
    native::reset();
    let pairs: Vec<_> = TEXTS
        .iter()
        .map(|text| (rego_value::json::parse(text.as_bytes()).unwrap(), native::parse(text).unwrap()))
        .collect();
    for (host, module) in &pairs {
        assert_eq!(abi::hash_value(host), native::hash(*module), "{host}");
        assert_eq!(rego_value::json::to_string(host, rego_value::json::Escape::Plain), native::json(*module));
        for (other_host, other_module) in &pairs {
            assert_eq!(host.cmp(other_host), native::compare(*module, *other_module), "{host} {other_host}");
            assert_eq!(host == other_host, native::equal(*module, *other_module), "{host} {other_host}");
            if host == other_host {
                assert_eq!(native::hash(*module), native::hash(*other_module), "{host} {other_host}");
            }
        }
    }
}

#[test]
fn sets_are_read_and_written() {
    native::reset();
    for (text, written) in [
        ("set()", "set()"),
        ("{ 3, 1.0, 1, \"a\" }", "{1.0,3,\"a\"}"),
        ("{1: {2: set()}, [1]: {{}}}", "{1:{2:set()},[1]:{{}}}"),
        ("[{{1}}, {\"a\": 1}]", "[{{1}},{\"a\":1}]"),
    ] {
        assert_eq!(native::rego(native::parse(text).unwrap()), written);
    }
    for text in ["{1,}", "{1:}", "{1:2,3}", "{1,2:3}", "[1}", "{", "set(", "1 2", "", "{:1}", "[1,]"] {
        assert!(native::parse(text).is_none(), "{text}");
    }
}

#[test]
fn iteration_is_sorted_and_lookups_survive_it() {
    native::reset();
    let members: Vec<String> = (0..100).map(|i| format!("\"k{}\":{i}", (i * 37) % 100)).collect();
    let object = native::parse(&format!("{{{}}}", members.join(","))).unwrap();
    let keys: Vec<_> =
        native::entries(object).into_iter().map(|(key, _)| key.as_str().unwrap().to_owned()).collect();
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(keys, sorted);
    for i in 0..100i64 {
        let key = exports::rt_get(object, native::parse(&format!("\"k{}\"", (i * 37) % 100)).unwrap());
        assert_eq!(key, rego_runtime::Value::int(i));
    }
}

#[test]
fn tables_of_all_sizes_are_sorted() {
    for len in (0..60).chain([95, 96, 97, 100, 191, 192, 193, 1_000]) {
        native::reset();
        // In an order of its own for each; as texts, 10 stands before 9.
        let keys: Vec<String> =
            (0..len).map(|at| (at * 7_919 + len) % 10_007).map(|key| key.to_string()).collect();
        let members: Vec<String> = keys.iter().map(|key| format!("\"{key}\":\"{key}\"")).collect();
        let object = native::parse(&format!("{{{}}}", members.join(","))).unwrap();
        assert_eq!(exports::rt_iter_len(object), len);
        let sorted: std::collections::BTreeSet<&String> = keys.iter().collect();
        let members: Vec<String> = sorted.iter().map(|key| format!("\"{key}\":\"{key}\"")).collect();
        assert_eq!(native::json(object), format!("{{{}}}", members.join(",")));
        for key in &keys {
            let key = native::parse(&format!("\"{key}\"")).unwrap();
            assert!(native::compare(exports::rt_get(object, key), key).is_eq(), "{len}");
        }
    }
}

#[test]
fn the_last_of_equal_keys_stays() {
    native::reset();
    assert_eq!(native::json(native::parse("{\"a\":1,\"b\":2,\"a\":3}").unwrap()), "{\"a\":3,\"b\":2}");
}

#[test]
fn documents_change_in_place() {
    native::reset();
    let value = |text: &str| native::parse(text).unwrap();
    let base = value("{\"a\":{\"b\":1}}");
    assert_eq!(exports::opa_value_add_path(base, value("[\"a\",\"c\",\"d\"]"), value("[2]")), 0);
    assert_eq!(exports::opa_value_add_path(base, value("[\"a\",\"b\",\"d\"]"), value("3")), 3);
    assert_eq!(exports::opa_value_add_path(base, value("[]"), value("3")), 3);
    assert_eq!(exports::opa_value_add_path(base, value("1"), value("3")), 2);
    assert_eq!(native::json(base), "{\"a\":{\"b\":1,\"c\":{\"d\":[2]}}}");
    assert_eq!(exports::opa_value_remove_path(base, value("[\"a\",\"b\"]")), 0);
    assert_eq!(exports::opa_value_remove_path(base, value("[\"x\",\"b\"]")), 0);
    assert_eq!(native::json(base), "{\"a\":{\"c\":{\"d\":[2]}}}");
}

#[test]
fn with_copies_what_it_changes() {
    native::reset();
    let value = |text: &str| native::parse(text).unwrap();
    let base = value("{\"a\":{\"b\":1,\"c\":2},\"d\":3}");
    let changed = native::upsert(base, value("[\"a\",\"b\"]"), value("9"));
    assert_eq!(native::json(changed), "{\"a\":{\"b\":9,\"c\":2},\"d\":3}");
    assert_eq!(native::json(base), "{\"a\":{\"b\":1,\"c\":2},\"d\":3}");
    let made = native::upsert(rego_runtime::Value::UNDEFINED, value("[\"a\",\"b\"]"), value("9"));
    assert_eq!(native::json(made), "{\"a\":{\"b\":9}}");
    assert_eq!(
        native::json(native::upsert(base, value("[\"d\",\"b\"]"), value("9"))),
        "{\"a\":{\"b\":1,\"c\":2},\"d\":{\"b\":9}}"
    );
}

#[test]
fn merging_keeps_the_first_and_goes_down_into_objects() {
    native::reset();
    let value = |text: &str| native::parse(text).unwrap();
    let merged = native::merge(
        value("{\"a\":{\"x\":1},\"b\":1}"),
        value("{\"a\":{\"x\":2,\"y\":3},\"b\":{},\"c\":4}"),
    );
    assert_eq!(native::json(merged), "{\"a\":{\"x\":1,\"y\":3},\"b\":1,\"c\":4}");
}

#[test]
fn depth_costs_no_stack() {
    std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(|| {
            native::reset();
            let depth = 10_000;
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let (a, b) = (native::parse(&text).unwrap(), native::parse(&text).unwrap());
            assert!(native::equal(a, b));
            assert_eq!(native::compare(a, b), std::cmp::Ordering::Equal);
            assert_eq!(native::hash(a), native::hash(b));
            assert_eq!(native::json(a), text);
            let text = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
            let (a, b) = (native::parse(&text).unwrap(), native::parse(&text).unwrap());
            assert_eq!(native::compare(a, b), std::cmp::Ordering::Equal);
            assert_eq!(native::hash(a), native::hash(b));
            assert!(native::parse(&format!("[{text}]")).is_none());
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn constants_are_the_same_values() {
    let host = Value::array(TEXTS.iter().map(|text| rego_value::json::parse(text.as_bytes()).unwrap()));
    let mut writer = abi::Writer::constants(64);
    let handle = writer.value(&host).unwrap();
    let mut memory = vec![0u8; 64];
    memory.extend(writer.into_bytes());
    assert_eq!(abi::read(&memory, handle).unwrap(), host);
}

#[test]
fn what_division_gives_is_the_number_that_is_written() {
    native::reset();
    let call = |name: &str, operands: &[rego_runtime::Value]| native::call(name, operands).unwrap().0;
    let number = |text: &str| native::parse(text).unwrap();
    let mut quotients = Vec::new();
    for a in [
        "1",
        "-1",
        "2",
        "7",
        "-22",
        "1700000003",
        "9223372036854775807",
        "0.1",
        "1e-9",
        "-1e15",
        "12345678901234567890123",
    ] {
        for b in ["3", "-7", "60", "1e3", "0.3", "9223372036854775807", "3600"] {
            let quotient = call("div", &[number(a), number(b)]);
            quotients.push((quotient, number(&native::json(quotient))));
        }
    }
    for (quotient, written) in &quotients {
        assert!(native::equal(*quotient, *written));
        assert_eq!(native::hash(*quotient), native::hash(*written));
        for name in ["floor", "ceil", "round", "abs"] {
            assert_eq!(
                native::json(call(name, &[*quotient])),
                native::json(call(name, &[*written])),
                "{name}"
            );
        }
        for (other, other_written) in &quotients {
            let order = native::compare(*written, *other_written);
            assert_eq!(native::compare(*quotient, *other), order);
            assert_eq!(native::compare(*quotient, *other_written), order);
            for name in ["plus", "minus", "mul", "div"] {
                let (kept, read) =
                    (call(name, &[*quotient, *other]), call(name, &[*written, *other_written]));
                assert_eq!(native::json(kept), native::json(read), "{name}");
            }
        }
        for int in ["0", "1", "-1", "28333333", "9223372036854775807"] {
            assert_eq!(native::compare(*quotient, number(int)), native::compare(*written, number(int)));
        }
    }
}
