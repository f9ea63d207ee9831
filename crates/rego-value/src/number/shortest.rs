//! The text of a [`Float`]: the shortest digits that read back as it, laid out as Go's `%g` and `%f` do.
//!
//! The digits are found by walking the exact expansions of the value and of the two midpoints to its neighbours side
//! by side, as Go's `math/big` does, including what that one does where the expansions differ in length.

use super::Float;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use num_bigint::BigUint;

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
    match u32::try_from(exponent.saturating_neg()) {
        Ok(shift @ 1..=124) => walk(
            &mut Fixed::new(doubled - 1, shift),
            Fixed::new(doubled, shift),
            &mut Fixed::new(doubled + 1, shift),
            inclusive,
        ),
        _ => walk(
            &mut Exact::new(doubled - 1, exponent),
            Exact::new(doubled, exponent),
            &mut Exact::new(doubled + 1, exponent),
            inclusive,
        ),
    }
}

/// The digits of an exact expansion, from the first that is not zero.
trait Expansion: Clone {
    /// The next digit; zeros after the end.
    fn next_digit(&mut self) -> u8;
    /// Whether only zeros follow.
    fn ended(&self) -> bool;
    /// The power of ten above the first digit.
    fn point(&self) -> i64;
}

fn walk<E: Expansion>(lower: &mut E, mut value: E, upper: &mut E, inclusive: bool) -> Digits {
    let mut point = value.point();
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
fn nearest_is_up<E: Expansion>(digits: &[u8], mut rest: E) -> bool {
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

/// `numerator / 2^shift` with 1 ≤ shift ≤ 124, in 128 bits.
#[derive(Clone)]
struct Fixed {
    integer: [u8; 20],
    /// How many digits of `integer` have been taken; they stand at its end.
    taken: usize,
    fraction: u128,
    shift: u32,
    point: i64,
}

impl Fixed {
    fn new(numerator: u128, shift: u32) -> Fixed {
        let mut fixed =
            Fixed { integer: [0; 20], taken: 20, fraction: numerator & ((1 << shift) - 1), shift, point: 0 };
        // At most 65 bits over 2: it fits.
        let mut integer = (numerator >> shift) as u64;
        for place in fixed.integer.iter_mut().rev() {
            if integer == 0 {
                break;
            }
            *place = (integer % 10) as u8;
            integer /= 10;
            fixed.taken -= 1;
            fixed.point += 1;
        }
        if fixed.point == 0 {
            fixed.skip_zeros();
        }
        fixed
    }

    /// Moves to the first digit of a value below 1.
    fn skip_zeros(&mut self) {
        while self.fraction != 0 && (self.fraction * 10) >> self.shift == 0 {
            self.fraction *= 10;
            self.point -= 1;
        }
    }
}

impl Expansion for Fixed {
    fn next_digit(&mut self) -> u8 {
        if let Some(digit) = self.integer.get(self.taken) {
            self.taken += 1;
            return *digit;
        }
        let scaled = self.fraction * 10;
        self.fraction = scaled & ((1 << self.shift) - 1);
        (scaled >> self.shift) as u8
    }

    fn ended(&self) -> bool {
        self.fraction == 0 && self.integer.iter().skip(self.taken).all(|digit| *digit == 0)
    }

    fn point(&self) -> i64 {
        self.point
    }
}

/// `numerator × 2^exponent` of any size.
#[derive(Clone)]
struct Exact {
    digits: Vec<u8>,
    taken: usize,
    point: i64,
}

impl Exact {
    fn new(numerator: u128, exponent: i64) -> Exact {
        let numerator = BigUint::from(numerator);
        // n × 2^-k = n × 5^k × 10^-k.
        let (integer, scale) = match (u64::try_from(exponent), u32::try_from(exponent.unsigned_abs())) {
            (Ok(shift), _) => (numerator << shift, 0),
            (_, Ok(power)) => (numerator * BigUint::from(5u32).pow(power), exponent),
            // Beyond every number that OPA reads; a product of products could get here.
            _ => (BigUint::ZERO, 0),
        };
        let mut digits = integer.to_radix_be(10);
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX).saturating_add(scale);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Exact { digits, taken: 0, point }
    }
}

impl Expansion for Exact {
    fn next_digit(&mut self) -> u8 {
        let digit = self.digits.get(self.taken).copied().unwrap_or(0);
        self.taken += 1;
        digit
    }

    fn ended(&self) -> bool {
        self.taken >= self.digits.len()
    }

    fn point(&self) -> i64 {
        self.point
    }
}
