//! Writing DER.

use test_support::Random;

pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(contents.len()) {
        Ok(length) if length < 0x80 => out.push(length),
        _ => {
            let bytes = contents.len().to_be_bytes();
            let digits: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(digits.len()).unwrap());
            out.extend(digits);
        }
    }
    out.extend(contents);
    out
}

pub(crate) fn sequence<T: AsRef<[u8]>>(parts: &[T]) -> Vec<u8> {
    of(0x30, parts)
}

pub(crate) fn of<T: AsRef<[u8]>>(tag: u8, parts: &[T]) -> Vec<u8> {
    element(tag, &parts.iter().flat_map(|part| part.as_ref().to_vec()).collect::<Vec<u8>>())
}

/// An integer that is not negative.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let sign: &[u8] = if digits.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    element(2, &[sign, &digits].concat())
}

pub(crate) fn small(number: u8) -> Vec<u8> {
    integer(&[number])
}

pub(crate) fn octets(bytes: &[u8]) -> Vec<u8> {
    element(4, bytes)
}

pub(crate) fn bits(bytes: &[u8]) -> Vec<u8> {
    element(3, &[&[0], bytes].concat())
}

pub(crate) fn boolean(truth: bool) -> Vec<u8> {
    element(1, &[if truth { 0xff } else { 0 }])
}

pub(crate) fn null() -> Vec<u8> {
    vec![5, 0]
}

pub(crate) fn oid(arcs: &str) -> Vec<u8> {
    let arcs: Vec<u64> = arcs.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut out = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let mut digits = vec![u8::try_from(arc & 0x7f).unwrap()];
        let mut rest = arc >> 7;
        while rest > 0 {
            digits.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        out.extend(digits.into_iter().rev());
    }
    element(6, &out)
}

/// Changes a few bytes.
pub(crate) fn mutated(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(2) {
        let at = random.below(bytes.len().max(1));
        let fresh = *random.pick(&[0, 1, 2, 3, 4, 5, 6, 0x30, 0x31, 0x80, 0x81, 0xff, 0x0c, 0xa0]);
        match random.below(6) {
            0 if at < bytes.len() => drop(bytes.remove(at)),
            1 => bytes.insert(at, fresh),
            2 => bytes.truncate(at),
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ if at < bytes.len() => bytes[at] = fresh,
            _ => bytes.push(fresh),
        }
    }
    bytes
}

/// One of the first items, which are right; now and then one of all.
pub(crate) fn mostly<'a, T>(items: &'a [T], right: usize, random: &mut Random) -> &'a T {
    let count = if random.one_in(12) { items.len() } else { right };
    &items[random.below(count)]
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        for position in 0..4 {
            out.push(if position > chunk.len() {
                '='
            } else {
                char::from(ALPHABET[bits >> (18 - 6 * position) & 63])
            });
        }
    }
    out
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let encoded = base64(der);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
