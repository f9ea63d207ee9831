//! Texts in the making.

use alloc::string::String;

/// The decimal digits of an integer, at the end of the buffer.
pub(crate) fn int_text(int: i64, buffer: &mut [u8; 20]) -> &str {
    core::str::from_utf8(int_digits(int, buffer)).unwrap_or_default()
}

/// The same as bytes.
pub(crate) fn int_digits(int: i64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut start = buffer.len();
    let mut rest = int.unsigned_abs();
    for place in buffer.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        start -= 1;
        if rest == 0 {
            break;
        }
    }
    if int < 0
        && let Some(sign) = start.checked_sub(1)
        && let Some(place) = buffer.get_mut(sign)
    {
        *place = b'-';
        start = sign;
    }
    buffer.get(start..).unwrap_or_default()
}

/// Appends an integer.
pub(crate) fn push_int(out: &mut String, int: i64) {
    out.push_str(int_text(int, &mut [0; 20]));
}
