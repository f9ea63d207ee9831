//! Texts in the making.

use alloc::string::String;

/// The decimal digits of an integer, at the end of the buffer.
pub(crate) fn int_text(int: i64, buffer: &mut [u8; 20]) -> &str {
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
    core::str::from_utf8(buffer.get(start..).unwrap_or_default()).unwrap_or_default()
}

/// Appends an integer.
pub(crate) fn push_int(out: &mut String, int: i64) {
    out.push_str(int_text(int, &mut [0; 20]));
}
