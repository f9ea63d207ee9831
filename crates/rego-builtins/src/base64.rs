//! Base64 as Go reads it: line ends are skipped, bits beyond the last byte are ignored, and an error
//! says at which byte the text goes wrong.

/// One of the four usual forms of base64.
#[derive(Clone, Copy)]
pub(crate) struct Base64 {
    /// `-` and `_` rather than `+` and `/`.
    url: bool,
    /// The last group is filled up with `=`.
    padded: bool,
}

pub(crate) const STANDARD: Base64 = Base64 { url: false, padded: true };
pub(crate) const STANDARD_RAW: Base64 = Base64 { url: false, padded: false };
pub(crate) const URL: Base64 = Base64 { url: true, padded: true };
pub(crate) const URL_RAW: Base64 = Base64 { url: true, padded: false };

/// The offset of the byte that cannot stand where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt(usize);

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "illegal base64 data at input byte {}", self.0)
    }
}

impl Base64 {
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
        for chunk in bytes.chunks(3) {
            let bits = (0..3).fold(0u32, |bits, at| bits << 8 | chunk.get(at).copied().map_or(0, u32::from));
            for position in 0..=chunk.len() {
                out.push(self.digit(bits >> (18 - 6 * position) & 63));
            }
            if self.padded {
                out.extend(std::iter::repeat_n('=', 3 - chunk.len()));
            }
        }
        out
    }

    pub(crate) fn decode(self, text: &[u8]) -> Result<Vec<u8>, Corrupt> {
        let mut out = Vec::with_capacity(text.len() / 4 * 3);
        let (mut bits, mut count) = (0u32, 0usize);
        for (at, byte) in text.iter().enumerate() {
            if let Some(value) = self.value(*byte) {
                (bits, count) = (bits << 6 | value, count + 1);
                if count == 4 {
                    push(&mut out, bits, 3);
                    (bits, count) = (0, 0);
                }
            } else if *byte == b'=' && self.padded {
                padding_is_all(text, at, count)?;
                push(&mut out, bits << (6 * (4 - count)), count - 1);
                return Ok(out);
            } else if !is_line_end(*byte) {
                return Err(Corrupt(at));
            }
        }
        match count {
            0 => Ok(out),
            2 | 3 if !self.padded => {
                push(&mut out, bits << (6 * (4 - count)), count - 1);
                Ok(out)
            }
            _ => Err(Corrupt(text.len() - count)),
        }
    }

    fn digit(self, value: u32) -> char {
        let value = u8::try_from(value).unwrap_or_default();
        char::from(match value {
            0..=25 => b'A' + value,
            26..=51 => b'a' + (value - 26),
            52..=61 => b'0' + (value - 52),
            62 if self.url => b'-',
            62 => b'+',
            _ if self.url => b'_',
            _ => b'/',
        })
    }

    fn value(self, byte: u8) -> Option<u32> {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' if !self.url => 62,
            b'-' if self.url => 62,
            b'/' if !self.url => 63,
            b'_' if self.url => 63,
            _ => return None,
        };
        Some(u32::from(value))
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Whether the padding that begins at an offset, after so many digits of its group, ends the text.
fn padding_is_all(text: &[u8], at: usize, count: usize) -> Result<(), Corrupt> {
    if count < 2 {
        return Err(Corrupt(at));
    }
    let next = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().position(|byte| !is_line_end(*byte)).map_or(text.len(), |skipped| from + skipped)
    };
    let mut end = at + 1;
    if count == 2 {
        let second = next(end);
        match text.get(second) {
            None => return Err(Corrupt(text.len())),
            Some(b'=') => end = second + 1,
            Some(_) => return Err(Corrupt(second - 1)),
        }
    }
    let trailing = next(end);
    if trailing < text.len() { Err(Corrupt(trailing)) } else { Ok(()) }
}

/// The highest bytes of a group of 24 bits.
fn push(out: &mut Vec<u8>, bits: u32, count: usize) {
    out.extend(bits.to_be_bytes().iter().skip(1).take(count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_there_and_back() {
        for form in [STANDARD, STANDARD_RAW, URL, URL_RAW] {
            for length in 0..20u8 {
                let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(91).wrapping_add(200)).collect();
                assert_eq!(form.decode(form.encode(&bytes).as_bytes()).unwrap(), bytes);
            }
        }
        assert_eq!(STANDARD.encode(b"\xfb\xff"), "+/8=");
        assert_eq!(URL_RAW.encode(b"\xfb\xff"), "-_8");
    }

    #[test]
    fn errors_name_the_byte_as_go_does() {
        let cases: [(&str, usize); 8] = [
            ("!", 0),
            ("AAA", 0),
            ("A=", 1),
            ("AA=", 3),
            ("AA=A", 2),
            ("AA==A", 4),
            ("AAAA=", 4),
            ("A\nA=B", 3),
        ];
        for (text, offset) in cases {
            assert_eq!(STANDARD.decode(text.as_bytes()), Err(Corrupt(offset)), "{text}");
        }
        assert_eq!(STANDARD.decode(b"A\r\nA=\n=\n"), Ok(vec![0]));
        assert_eq!(URL_RAW.decode(b"AAAAA"), Err(Corrupt(4)));
    }
}
