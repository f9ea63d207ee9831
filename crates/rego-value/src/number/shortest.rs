//! The text of a [`Float`]: the shortest digits that read back as it, laid out as Go's `%g` and `%f` do.
//!
//! The digits are found by walking the exact expansions of the value and of the two midpoints to its neighbours side
//! by side, as Go's `math/big` does, including what that one does where the expansions differ in length.

use super::Float;
use super::big::Magnitude;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The significant digits (ASCII, no zeros at either end) of `0.d₁d₂… × 10^point`.
struct Digits {
    digits: Vec<u8>,
    point: i64,
}

/// The text that OPA's `FloatToNumber` gives to a float of so many mantissa bits.
pub(super) fn format(float: &Float, bits: u32) -> String {
    let mut text = String::new();
    if float.is_negative() {
        text.push('-');
    }
    if float.is_zero() {
        text.push('0');
        return text;
    }
    let shortest = shortest(float, bits);
    if float.is_integer() {
        write_plain(&mut text, &shortest);
    } else {
        write_general(&mut text, &shortest);
    }
    text
}

/// A double in Go's `strconv.FormatFloat(f, 'g', -1, 64)`.
pub(super) fn format_f64(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (sign, rest) = match scientific.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", scientific.as_str()),
    };
    let (mantissa, exponent) = rest.split_once('e').unwrap_or((rest, "0"));
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    let mut text = String::from(sign);
    if digits.is_empty() {
        text.push('0');
        return text;
    }
    let point = exponent.parse::<i64>().unwrap_or(0) + 1;
    write_general(&mut text, &Digits { digits, point });
    text
}

/// `%g`: the exponent form below 10^-4 and from 10^21 on for Go's own floats, but from 10^6 on where the precision
/// is the shortest possible, which is the case here.
fn write_general(text: &mut String, digits: &Digits) {
    let exponent = digits.point - 1;
    if (-4..6).contains(&exponent) {
        write_plain(text, digits)
    } else {
        write_exponent(text, digits, exponent)
    }
}

fn write_exponent(text: &mut String, Digits { digits, .. }: &Digits, exponent: i64) {
    if let Some((first, rest)) = digits.split_first() {
        text.push(char::from(*first));
        if !rest.is_empty() {
            text.push('.');
            text.extend(rest.iter().map(|digit| char::from(*digit)));
        }
    }
    text.push_str(if exponent < 0 { "e-" } else { "e+" });
    if exponent.abs() < 10 {
        text.push('0');
    }
    push_decimal(text, exponent.unsigned_abs());
}

/// Without the standard library's formatting, which a module would have to hold for this alone.
fn push_decimal(text: &mut String, mut value: u64) {
    let mut digits = Vec::with_capacity(8);
    loop {
        digits.push((value % 10) as u8 + b'0');
        value /= 10;
        if value == 0 {
            break;
        }
    }
    text.extend(digits.iter().rev().map(|digit| char::from(*digit)));
}

/// `%f`.
fn write_plain(text: &mut String, Digits { digits, point }: &Digits) {
    let integer = usize::try_from(*point).unwrap_or(0);
    if integer == 0 {
        text.push('0');
    }
    for at in 0..integer {
        text.push(digits.get(at).map_or('0', |digit| char::from(*digit)));
    }
    if digits.len() > integer {
        text.push('.');
        for _ in *point..0 {
            text.push('0');
        }
        text.extend(digits.iter().skip(integer).map(|digit| char::from(*digit)));
    }
}

fn shortest(float: &Float, bits: u32) -> Digits {
    let (mantissa, exponent) = float.parts();
    let (mantissa, exponent) = (mantissa >> (64 - bits), exponent.saturating_add(i64::from(64 - bits)));
    // One more bit, so that the midpoints to both neighbours are integers too.
    let (doubled, exponent) = (u128::from(mantissa) << 1, exponent - 1);
    let inclusive = mantissa & 1 == 0;
    let [lower, value, upper] = [doubled - 1, doubled, doubled + 1].map(|n| Expansion::new(n, exponent));
    walk(lower, value, upper, inclusive)
}

/// The digits of an exact expansion of `numerator × 2^exponent`, from the first that is not zero.
#[derive(Clone)]
struct Expansion {
    /// The first digits, the lowest first; what is taken is gone.
    digits: Vec<u8>,
    /// What follows them: `fraction / 2^shift`, below 1.
    fraction: u128,
    shift: u32,
    /// The power of ten above the first digit.
    point: i64,
}

impl Expansion {
    fn new(numerator: u128, exponent: i64) -> Expansion {
        match u32::try_from(exponent.saturating_neg()) {
            // In 128 bits, of which the numerator has at most 65 and the next digit needs four.
            Ok(shift @ 1..=124) => Expansion::small(numerator, shift),
            _ => Expansion::large(Magnitude::new(numerator), exponent),
        }
    }

    fn small(numerator: u128, shift: u32) -> Expansion {
        let digits = Magnitude::new(numerator >> shift).digits(10);
        let (fraction, mut point) = (numerator & ((1 << shift) - 1), digits.len() as i64);
        let mut this = Expansion { digits, fraction, shift, point };
        // To the first digit of a value below 1.
        while this.digits.is_empty() && this.fraction != 0 {
            let digit = this.next_digit();
            if digit != 0 {
                this.digits.push(digit);
            } else {
                point -= 1;
            }
        }
        this.point = point;
        this
    }

    fn large(numerator: Magnitude, exponent: i64) -> Expansion {
        // n × 2^-k = n × 5^k × 10^-k.
        let (integer, scale) = match (u64::try_from(exponent), u32::try_from(exponent.unsigned_abs())) {
            (Ok(shift), _) => (numerator.shift_left(shift), 0),
            (_, Ok(power)) => (numerator.times_five_to(power), exponent),
            // Beyond every number that OPA reads; a product of products could get here.
            _ => (Magnitude::ZERO, 0),
        };
        let digits = integer.digits(10);
        let point = (digits.len() as i64).saturating_add(scale);
        Expansion { digits, fraction: 0, shift: 0, point }
    }

    /// The next digit; zeros after the end.
    fn next_digit(&mut self) -> u8 {
        if let Some(digit) = self.digits.pop() {
            return digit;
        }
        let scaled = self.fraction * 10;
        self.fraction = scaled & ((1 << self.shift) - 1);
        (scaled >> self.shift) as u8
    }

    /// Whether only zeros follow.
    fn ended(&self) -> bool {
        self.fraction == 0 && self.digits.iter().all(|digit| *digit == 0)
    }
}

fn walk(mut lower: Expansion, mut value: Expansion, mut upper: Expansion, inclusive: bool) -> Digits {
    let mut point = value.point;
    let mut digits = Vec::with_capacity(24);
    while !value.ended() {
        let (m, l, u) = (value.next_digit(), lower.next_digit(), upper.next_digit());
        digits.push(m);
        let down = l != m || (inclusive && lower.ended());
        let up = m != u && (inclusive || m + 1 < u || !upper.ended());
        let round_up = match (down, up) {
            (false, false) => continue,
            (true, true) => nearest_is_up(&digits, value),
            (_, up) => up,
        };
        if round_up {
            increment(&mut digits, &mut point);
        }
        break;
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    for digit in &mut digits {
        *digit += b'0';
    }
    Digits { digits, point }
}

/// Whether the digits after those taken are more than a half, or a half after an odd digit.
fn nearest_is_up(digits: &[u8], mut rest: Expansion) -> bool {
    let next = rest.next_digit();
    if next == 5 && rest.ended() { digits.last().is_some_and(|last| last & 1 == 1) } else { next >= 5 }
}

fn increment(digits: &mut Vec<u8>, point: &mut i64) {
    while let Some(last) = digits.last_mut() {
        if *last < 9 {
            *last += 1;
            return;
        }
        digits.pop();
    }
    digits.push(1);
    *point += 1;
}
