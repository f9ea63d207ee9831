//! The string types of names.

use super::tag;

/// Whether all bytes are ASCII, which is all that IA5 strings may hold.
pub(crate) fn is_ia5(bytes: &[u8]) -> bool {
    bytes.is_ascii()
}

fn is_printable(byte: u8) -> bool {
    // `*` and `&` are not in the standard's set, but in certificates that are in use.
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&byte)
}

/// The text of a string in a name; else what is wrong with it, in Go's words.
pub(crate) fn directory_string(tag: u8, bytes: &[u8]) -> Result<String, String> {
    let text = |valid: bool, kind: &str| {
        let text = std::str::from_utf8(bytes).ok().filter(|_| valid);
        text.map(str::to_owned).ok_or_else(|| format!("invalid {kind}"))
    };
    match tag {
        tag::T61_STRING => Ok(latin1(bytes)),
        tag::PRINTABLE_STRING => text(bytes.iter().copied().all(is_printable), "PrintableString"),
        tag::UTF8_STRING => text(true, "UTF-8 string"),
        tag::BMP_STRING => bmp(bytes).ok_or_else(|| "invalid BMPString".to_owned()),
        tag::IA5_STRING => text(is_ia5(bytes), "IA5String"),
        tag::NUMERIC_STRING => {
            text(bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '), "NumericString")
        }
        other => Err(format!("unsupported string type: {other}")),
    }
}

/// T.61 is nearly Latin-1, and is read as such everywhere.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// UCS-2 without the code points that are reserved for other uses; a terminating zero is left out.
pub(crate) fn bmp(bytes: &[u8]) -> Option<String> {
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let bytes = bytes.strip_suffix(&[0, 0]).unwrap_or(bytes);
    let points =
        bytes.chunks_exact(2).map(|pair| pair.iter().fold(0u16, |point, byte| point << 8 | u16::from(*byte)));
    let character = |point: u16| match point {
        0xfffe | 0xffff | 0xfdd0..=0xfdef => None,
        // Surrogates are no characters.
        other => char::from_u32(u32::from(other)),
    };
    points.map(character).collect()
}
