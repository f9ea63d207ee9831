//! Floating point: `%e %E %f %F %g %G %x %X %b` as Go's `strconv` writes them.

use super::{Spec, bad_verb};

/// A finite, non-negative number as decimal digits: 0.d1d2d3… times ten to the power of `point`.
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

impl Decimal {
    /// Parses Rust's exponent form, which is exact for a given number of digits and otherwise the
    /// shortest text that reads back as the same number.
    fn parse(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let zero = digits.iter().all(|digit| *digit == b'0');
        let point = if zero { 0 } else { exponent.parse::<i32>().unwrap_or(0) + 1 };
        Self { digits, point }
    }

    fn shortest(value: f64) -> Self {
        let mut decimal = Self::parse(&format!("{value:e}"));
        decimal.trim();
        decimal
    }

    /// Rounded to `count` significant digits (at least one).
    fn significant(value: f64, count: usize) -> Self {
        let precision = count.max(1) - 1;
        Self::parse(&format!("{value:.precision$e}"))
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
    }

    fn digit(&self, at: i32) -> char {
        usize::try_from(at).ok().and_then(|at| self.digits.get(at)).map_or('0', |digit| char::from(*digit))
    }

    /// `d.ddde±dd`, with `precision` digits after the point.
    fn scientific(&self, precision: usize, upper: bool) -> String {
        let mut out = String::from(self.digit(0));
        if precision > 0 {
            out.push('.');
            out.extend((1..=precision).map(|at| self.digit(i32::try_from(at).unwrap_or(i32::MAX))));
        }
        let exponent = if self.digits.is_empty() || self.digit(0) == '0' { 0 } else { self.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push(if upper { 'E' } else { 'e' });
        out.push_str(&format!("{sign}{:02}", exponent.unsigned_abs()));
        out
    }

    /// `ddd.ddd`, with `precision` digits after the point.
    fn fixed(&self, precision: usize) -> String {
        let mut out = String::new();
        if self.point > 0 {
            out.extend((0..self.point).map(|at| self.digit(at)));
        } else {
            out.push('0');
        }
        if precision > 0 {
            out.push('.');
            let precision = i32::try_from(precision).unwrap_or(i32::MAX);
            out.extend((0..precision).map(|i| self.digit(self.point + i)));
        }
        out
    }
}

/// `%g` of a finite, non-negative number.
fn general(value: f64, precision: Option<usize>, upper: bool) -> String {
    let (decimal, mut limit) = match precision {
        None => (Decimal::shortest(value), 6),
        Some(precision) => {
            let mut decimal = Decimal::significant(value, precision);
            let count = precision.max(1);
            decimal.trim();
            (decimal, i32::try_from(count).unwrap_or(i32::MAX))
        }
    };
    let count = i32::try_from(decimal.digits.len()).unwrap_or(i32::MAX);
    if precision.is_some() && limit > count && count >= decimal.point {
        limit = count;
    }
    let exponent = decimal.point - 1;
    if exponent < -4 || exponent >= limit {
        return decimal.scientific(decimal.digits.len().saturating_sub(1), upper);
    }
    decimal.fixed(usize::try_from(count - decimal.point).unwrap_or(0))
}

/// `0x1.8p+01`: hexadecimal, the exponent a power of two.
fn hexadecimal(value: f64, precision: Option<usize>, upper: bool) -> String {
    let bits = value.to_bits();
    let biased = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    // Normalise to a leading one at bit 60, with the exponent of that bit.
    let (mut mantissa, mut exponent) = match biased {
        0 => (fraction << 8, -1022),
        _ => ((fraction | (1 << 52)) << 8, biased - 1023),
    };
    if mantissa == 0 {
        exponent = 0;
    }
    while mantissa != 0 && mantissa & (1 << 60) == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision @ 0..15) = precision {
        let keep = 60 - precision * 4;
        let cut = mantissa & ((1 << keep) - 1);
        mantissa >>= keep;
        let half = 1u64 << (keep - 1);
        if cut > half || (cut == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= keep;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut out = format!("0x{}", (mantissa >> 60) & 1);
    let mut digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => digits.truncate(digits.trim_end_matches('0').len()),
        Some(precision) => {
            digits.truncate(precision);
            digits.extend(std::iter::repeat_n('0', precision.saturating_sub(15)));
        }
    }
    if !digits.is_empty() {
        out.push('.');
        out.push_str(&digits);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.push_str(&format!("p{sign}{:02}", exponent.unsigned_abs()));
    if upper {
        out.make_ascii_uppercase();
    }
    out
}

/// `4503599627370496p-52`: the mantissa as an integer.
fn binary(value: f64) -> String {
    let bits = value.to_bits();
    let biased = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) =
        if biased == 0 { (fraction, -1074) } else { (fraction | (1 << 52), biased - 1075) };
    format!("{mantissa}p{exponent:+}")
}

fn unsigned_text(value: f64, verb: char, precision: Option<usize>) -> String {
    match verb {
        'e' | 'E' => {
            let precision = precision.unwrap_or(6);
            Decimal::significant(value, precision + 1).scientific(precision, verb == 'E')
        }
        'f' | 'F' => format!("{value:.*}", precision.unwrap_or(6)),
        'x' | 'X' => hexadecimal(value, precision, verb == 'X'),
        'b' => binary(value),
        _ => general(value, precision, verb == 'G'),
    }
}

pub(super) fn print(out: &mut String, value: f64, verb: char, spec: Spec) {
    if !matches!(verb, 'v' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'x' | 'X' | 'b') {
        return bad_verb(out, verb, "float64", |out| print(out, value, 'v', spec));
    }
    let mut sign = if value.is_sign_negative() { '-' } else { '+' };
    if spec.space && sign == '+' && !spec.plus {
        sign = ' ';
    }
    let show_sign = spec.plus || sign != '+';
    if !value.is_finite() {
        let text = if value.is_nan() { "NaN".to_owned() } else { format!("{sign}Inf") };
        return spec.pad_spaces(out, if show_sign { &text } else { text.trim_start_matches('+') });
    }
    let mut text = unsigned_text(value.abs(), verb, spec.precision);
    if spec.sharp && verb != 'b' {
        text = with_point(&text, verb, spec.precision);
    }
    if !show_sign {
        return spec.pad(out, &text);
    }
    let width = spec.width.unwrap_or(0);
    if spec.zero && !spec.minus && width > text.len() + 1 {
        // The sign goes before the zeros.
        out.push(sign);
        return Spec { width: Some(width - 1), ..spec }.pad(out, &text);
    }
    text.insert(0, sign);
    spec.pad(out, &text);
}

/// The `#` flag: always a decimal point, and for `%g` its trailing zeros.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let hex = matches!(verb, 'x' | 'X');
    let mut wanted = match verb {
        'v' | 'g' | 'G' | 'x' => i64::try_from(precision.unwrap_or(6)).unwrap_or(0),
        _ => 0,
    };
    let tail_at =
        text.find(|c| matches!(c, 'p' | 'P') || (!hex && matches!(c, 'e' | 'E'))).unwrap_or(text.len());
    let (head, tail) = text.split_at(tail_at);
    let mut seen_digit = false;
    for c in head.chars().filter(|c| *c != '.') {
        seen_digit |= c != '0';
        if seen_digit {
            wanted -= 1;
        }
    }
    let mut out = head.to_owned();
    if !head.contains('.') {
        if head == "0" {
            wanted -= 1;
        }
        out.push('.');
    }
    out.extend(std::iter::repeat_n('0', usize::try_from(wanted).unwrap_or(0)));
    out.push_str(tail);
    out
}
