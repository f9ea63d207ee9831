//! The reader against the whole reader and serde_json, on texts made at random and broken at random.

use rego_value::{Value, abi, json};
use serde::de::IgnoredAny;
use test_support::Random;

use super::{Fault, Node, Scratch, decode, read_text, write_value};
use rego_value::abi::projection::{EACH, WHOLE};

const KEYS: [&str; 14] = [
    "a",
    "b",
    "id",
    "kind",
    "image",
    "labels",
    "resource",
    "metadata",
    "timestamp",
    "cost_cents",
    "securityContext",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "caf\u{e9}",
];

const SCALARS: [&str; 38] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "7",
    "-12",
    "123",
    "4096",
    "1234567",
    "12345678",
    "-12345678",
    "123456789",
    "1772620200",
    "1073741823",
    "1073741824",
    "-1073741825",
    "123456789012345",
    "1234567890123456",
    "999999999999999999",
    "-9223372036854775808",
    "9223372036854775807",
    "9223372036854775808",
    "1.0",
    "1.50",
    "2e3",
    "0.5E-7",
    "123456789012345678901234567890",
    "\"\"",
    "\"x\"",
    "\"sixteen bytes ok\"",
    "\"seventeen bytes!!\"",
    "\"a longer text, of 40 bytes or so, and on\"",
    "\"caf\u{e9} \\u00e9\\n\"",
    "\"\u{1f600}\\ud83d\\ude00\\ud83d\"",
    "\"C:\\\\a\\\"b\\/\"",
    "\"eight by\"",
    "\"\\u0061\"",
];

/// Texts and projections at random.
struct Maker(Random);

impl Maker {
    fn key(&mut self) -> String {
        let key = self.0.text(&KEYS);
        // An escape does not make it another key.
        if key == "id" && self.0.below(4) == 0 { "\\u0069d".to_owned() } else { key.to_owned() }
    }

    fn text(&mut self, depth: usize) -> String {
        let space = self.0.text(&["", "", "", " ", "\n\t", "\r\n        "]);
        match self.0.below(if depth == 0 { 1 } else { 4 }) {
            0 => self.0.text(&SCALARS).to_owned(),
            1 => {
                let count = self.0.below(5);
                let items: Vec<String> = (0..count).map(|_| self.text(depth - 1)).collect();
                format!("[{space}{}{space}]", items.join(&format!("{space},")))
            }
            _ => {
                // More members than an object has without an index, some of them twice.
                let most = if self.0.below(6) == 0 { 24 } else { 7 };
                let count = self.0.below(most);
                let member = |_| format!("\"{}\"{space}:{space}{}", self.key(), self.text(depth - 1));
                let members: Vec<String> = (0..count).map(member).collect();
                format!("{{{space}{}{space}}}", members.join(&format!(",{space}")))
            }
        }
    }

    /// The text with a few bytes changed, taken out, doubled or cut off.
    fn mutated(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.0.below(3) {
            let at = self.0.below(bytes.len().max(1));
            match self.0.below(6) {
                0 if self.0.below(4) == 0 => bytes.truncate(at),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 if at < bytes.len() => bytes.insert(at, bytes[at]),
                3 | 4 => bytes.insert(at, *self.0.pick(b"\"\\{}[],:0-.eEu+ \0\n1tfn/")),
                _ if at < bytes.len() => bytes[at] = u8::try_from(self.0.below(256)).unwrap(),
                _ => {}
            }
        }
        bytes
    }

    /// A section that says what is read.
    fn section(&mut self, depth: usize, out: &mut Vec<u8>) {
        let kind = self.0.below(if depth == 0 { 2 } else { 6 });
        let each = u8::from(kind == 2 || kind == 3) * EACH;
        out.push(if kind == 0 { WHOLE } else { each });
        let mut keys: Vec<&str> = KEYS.to_vec();
        keys.sort_unstable();
        keys.retain(|_| depth > 0 && kind > 2 && self.0.below(3) > 0);
        out.extend(u32::try_from(keys.len()).unwrap().to_le_bytes());
        for key in keys {
            out.extend(handle_of(key).to_le_bytes());
            out.extend(u32::try_from(key.len()).unwrap().to_le_bytes());
            out.extend(key.as_bytes());
            self.section(depth - 1, out);
        }
        if each != 0 {
            self.section(depth - 1, out);
        }
    }
}

/// Where the keys lie in the memory, as a module's constants do.
fn handle_of(key: &str) -> u32 {
    let position = KEYS.iter().position(|other| *other == key).unwrap();
    64 * (1 + u32::try_from(position).unwrap())
}

const TOP: u32 = 64 * 16;

fn memory() -> Vec<u8> {
    let mut memory = vec![0; 1 << 18];
    for key in KEYS {
        let mut writer = abi::Writer::constants(handle_of(key));
        writer.string(key).unwrap();
        let bytes = writer.into_bytes();
        memory[handle_of(key) as usize..][..bytes.len()].copy_from_slice(&bytes);
    }
    // What was there before must not matter.
    memory[TOP as usize..].fill(0xaa);
    memory
}

fn read(text: &str, node: &Node, memory: &mut [u8], scratch: &mut Scratch) -> Result<Value, Fault> {
    let placed = read_text(text.as_bytes(), node, memory, TOP, scratch)?;
    Ok(seen(memory, placed.handle).unwrap())
}

/// A value as lookups see it: without the members that are undefined.
fn seen(memory: &[u8], handle: u32) -> Option<Value> {
    if handle == abi::UNDEFINED {
        return None;
    }
    Some(match abi::View::new(memory, handle).unwrap() {
        abi::View::Array(items) => Value::array(items.iter().map(|(item, _)| seen(memory, item).unwrap())),
        abi::View::Object(members) => {
            let member = |(key, value)| Some((abi::read(memory, key).unwrap(), seen(memory, value)?));
            Value::object(members.iter().filter_map(member))
        }
        _ => abi::read(memory, handle).unwrap(),
    })
}

fn compare(seed: u64, turns: usize) {
    let mut maker = Maker(Random::new(seed));
    let (mut memory, mut other, mut scratch) = (memory(), memory(), Scratch::default());
    let (mut accepted, mut refused) = (0, 0);
    let mut nodes = vec![Node::whole()];
    for turn in 0..turns {
        if turn % 64 == 0 {
            nodes.truncate(1);
            for _ in 0..3 {
                let mut section = Vec::new();
                maker.section(3, &mut section);
                nodes.push(decode(&section).unwrap());
            }
        }
        let depth = maker.0.below(6);
        let text = maker.text(depth);
        let bytes = if turn % 8 == 0 { text.into_bytes() } else { maker.mutated(&text) };
        let told = || format!("seed {seed}, turn {turn}: {}", String::from_utf8_lossy(&bytes));
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        let value = json::parse(&bytes);
        let is_too_big = value.as_ref().is_err_and(|error| error.kind == json::Error::NumberTooBig);
        if !is_too_big {
            assert_eq!(value.is_ok(), serde_json::from_str::<IgnoredAny>(text).is_ok(), "{}", told());
        }
        for node in &nodes {
            let found = read(text, node, &mut memory, &mut scratch);
            assert_eq!(found.is_ok(), value.is_ok(), "{}", told());
            let (Ok(found), Ok(value)) = (found, &value) else { continue };
            let placed = write_value(value, node, &mut other, TOP).unwrap();
            assert_eq!(Some(&found), seen(&other, placed.handle).as_ref(), "{}", told());
            assert!(!node.whole || found == *value, "{}", told());
        }
        *if value.is_ok() { &mut accepted } else { &mut refused } += 1;
    }
    assert!(accepted > turns / 5 && refused > turns / 5, "{accepted} accepted, {refused} refused");
}

#[test]
fn texts_are_read_and_refused_as_the_whole_readers_do() {
    // Miri takes a thousand times as long.
    compare(20_261_122, if cfg!(miri) { 50 } else { 5_000 });
}

#[test]
#[ignore = "takes minutes where it is not optimised"]
fn needs_time_a_million_texts() {
    compare(1, 1_200_000);
}

#[test]
fn nesting_ends_where_the_whole_reader_ends() {
    let (mut memory, mut scratch) = (memory(), Scratch::default());
    memory.resize(1 << 21, 0);
    let skipping = decode(&[0; 5]).unwrap();
    for depth in [1, 62, 63, 64, 65, 127, 128, 129, 1_000, 9_999, 10_000, 10_001, 20_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]"), ("{\"a\":[", "]}")] {
            let count = depth / close.len();
            for inside in ["1", "[]", "{}", "\"x\""] {
                let whole = format!("{}{inside}{}", open.repeat(count), close.repeat(count));
                let crossed = whole.replacen(close, if close.starts_with(']') { "}" } else { "]" }, 1);
                for text in [&whole, &crossed, &whole[..whole.len() - 1], &format!("{whole}]")] {
                    let expected = json::is_valid(text.as_bytes());
                    for node in [&Node::whole(), &skipping] {
                        let found = read_text(text.as_bytes(), node, &mut memory, TOP, &mut scratch).is_ok();
                        assert_eq!(found, expected, "{depth} of {open}, {inside}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_memory_of_any_size_is_full_or_not() {
    let text = r#"{"a": {"b": [1, 12345678901, 1.5, "sixteen bytes ok", null]}, "c": {"\u0061": true}}"#;
    let mut section = vec![0, 1, 0, 0, 0];
    section.extend(handle_of("a").to_le_bytes());
    section.extend([1, 0, 0, 0, b'a', WHOLE, 0, 0, 0, 0]);
    for node in [Node::whole(), decode(&section).unwrap()] {
        let (mut memory, mut scratch) = (memory(), Scratch::default());
        let end = read_text(text.as_bytes(), &node, &mut memory, TOP, &mut scratch).unwrap().end;
        for size in 0..end {
            let outcome = read_text(text.as_bytes(), &node, &mut memory[..size as usize], TOP, &mut scratch);
            assert!(matches!(outcome, Err(Fault::Full)), "{size} of {end}");
        }
        assert!(read_text(text.as_bytes(), &node, &mut memory[..end as usize], TOP, &mut scratch).is_ok());
    }
}
