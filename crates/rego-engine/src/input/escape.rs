//! What stands in a string with escapes.

/// Appends the text of a string whose escapes are known to be well formed, in the place of what was in `out`.
///
/// Half of a surrogate pair without the other is U+FFFD, as in Go.
pub(super) fn decode(mut literal: &[u8], out: &mut Vec<u8>) {
    out.clear();
    while let Some(plain) = memchr::memchr(b'\\', literal) {
        let (before, escape) = literal.split_at_checked(plain).unwrap_or_default();
        out.extend_from_slice(before);
        let (character, length) = character(escape);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        literal = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(literal);
}

/// The character of the escape at the beginning, and its length.
fn character(escape: &[u8]) -> (char, usize) {
    let plain = match escape.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return by_number(escape),
        Some(byte) => char::from(*byte),
        None => char::REPLACEMENT_CHARACTER,
    };
    (plain, 2)
}

fn by_number(escape: &[u8]) -> (char, usize) {
    let first = number(escape);
    if (0xd800..0xdc00).contains(&first)
        && let Some(next @ [b'\\', b'u', ..]) = escape.get(6..)
        && let second @ 0xdc00..0xe000 = number(next)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

/// The number of `\uXXXX`.
fn number(escape: &[u8]) -> u32 {
    let digits = escape.get(2..6).unwrap_or_default();
    digits.iter().fold(0, |code, digit| code << 4 | char::from(*digit).to_digit(16).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use rego_value::{Value, json};

    #[test]
    fn escapes_mean_what_the_whole_reader_makes_of_them() {
        for literal in [
            "",
            "plain",
            r"\n",
            r#"a\"b\\c\/d\b\f\n\r\t"#,
            r"\u0041\u00e9\u20ac",
            r"\ud83d\ude00",
            r"\ud83d",
            r"\ud83dx",
            r"\ud83d\n",
            r"\ud83d\u0041",
            r"\ude00\ud83d",
            r"\ud83d\ud83d\ude00",
            r"é\u0000é",
        ] {
            let mut out = vec![1, 2, 3];
            super::decode(literal.as_bytes(), &mut out);
            let value = json::parse(format!("\"{literal}\"").as_bytes()).unwrap();
            assert_eq!(Value::from(String::from_utf8(out).unwrap()), value, "{literal}");
        }
    }
}
