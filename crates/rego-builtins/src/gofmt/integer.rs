//! Integers: `%b %o %O %d %x %X %c %q %U`, for machine integers and for big ones.

use num_bigint::{BigInt, Sign};

use super::{Spec, bad_verb, quote};

pub(super) fn print(out: &mut String, value: i64, verb: char, spec: Spec) {
    match verb {
        'v' | 'd' => digits(out, value, 10, verb, spec),
        'b' => digits(out, value, 2, verb, spec),
        'o' | 'O' => digits(out, value, 8, verb, spec),
        'x' | 'X' => digits(out, value, 16, verb, spec),
        'c' => spec.pad(out, &to_char(value).to_string()),
        'q' => spec.pad(out, &quote::single(to_char(value), spec.plus)),
        'U' => unicode(out, value, spec),
        _ => bad_verb(out, verb, "int64", |out| print(out, value, 'v', spec)),
    }
}

fn to_char(value: i64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn in_base(value: u64, base: u32, upper: bool) -> String {
    match (base, upper) {
        (2, _) => format!("{value:b}"),
        (8, _) => format!("{value:o}"),
        (16, false) => format!("{value:x}"),
        (16, true) => format!("{value:X}"),
        _ => value.to_string(),
    }
}

fn digits(out: &mut String, value: i64, base: u32, verb: char, spec: Spec) {
    let negative = value < 0;
    let signed = negative || spec.plus || spec.space;
    let minimum = match spec.precision {
        Some(0) if value == 0 => return spec.pad_spaces(out, ""),
        Some(precision) => precision,
        None if spec.zero && !spec.minus => spec.width.unwrap_or(0).saturating_sub(usize::from(signed)),
        None => 0,
    };
    let mut number = in_base(value.unsigned_abs(), base, verb == 'X');
    if number.len() < minimum {
        number.insert_str(0, &"0".repeat(minimum - number.len()));
    }
    let mut prefix = String::new();
    if negative {
        prefix.push('-');
    } else if spec.plus {
        prefix.push('+');
    } else if spec.space {
        prefix.push(' ');
    }
    if verb == 'O' {
        prefix.push_str("0o");
    }
    if spec.sharp {
        match base {
            2 => prefix.push_str("0b"),
            8 if !number.starts_with('0') => prefix.push('0'),
            16 => prefix.push_str(if verb == 'X' { "0X" } else { "0x" }),
            _ => {}
        }
    }
    spec.pad_spaces(out, &(prefix + &number));
}

fn unicode(out: &mut String, value: i64, spec: Spec) {
    let code = value.cast_unsigned();
    let precision = spec.precision.unwrap_or(0).max(4);
    let mut text = format!("U+{code:0precision$X}");
    if spec.sharp
        && let Some(c) = u32::try_from(code).ok().and_then(char::from_u32)
        && quote::is_print(c)
    {
        text.push_str(&format!(" '{c}'"));
    }
    spec.pad_spaces(out, &text);
}

/// Big integers format themselves in Go, with rules that differ from `int64` in details.
pub(super) fn print_big(out: &mut String, value: &BigInt, verb: char, spec: Spec) {
    let base = match verb {
        'w' => return print_fields(out, value),
        'b' => 2,
        'o' | 'O' => 8,
        'd' | 's' | 'v' => 10,
        'x' | 'X' => 16,
        _ => return bad_verb(out, verb, "big.Int", |out| out.push_str(&value.to_string())),
    };
    let mut number = value.magnitude().to_str_radix(base);
    if verb == 'X' {
        number.make_ascii_uppercase();
    }
    let mut prefix = String::new();
    if value.sign() == Sign::Minus {
        prefix.push('-');
    } else if spec.plus || spec.plus_v {
        prefix.push('+');
    } else if spec.space {
        prefix.push(' ');
    }
    if verb == 'O' {
        prefix.push_str("0o");
    } else if spec.sharp || spec.sharp_v {
        prefix.push_str(match verb {
            'b' => "0b",
            'o' => "0",
            'x' => "0x",
            'X' => "0X",
            _ => "",
        });
    }
    let mut zeros = match spec.precision {
        Some(0) if number == "0" => return,
        Some(precision) => precision.saturating_sub(number.len()),
        None => 0,
    };
    let length = prefix.len() + zeros + number.len();
    if spec.zero && !spec.minus && spec.precision.is_none() {
        zeros = spec.width.unwrap_or(0).saturating_sub(length);
    }
    number.insert_str(0, &"0".repeat(zeros));
    spec.pad_spaces(out, &(prefix + &number));
}

/// `%w` is for errors; Go shows the fields of anything else, here a sign and words of 64 bits.
fn print_fields(out: &mut String, value: &BigInt) {
    let words: Vec<String> = value.iter_u64_digits().map(|word| word.to_string()).collect();
    let negative = value.sign() == Sign::Minus;
    out.push_str(&format!("%!w(*big.Int=&{{{negative} [{}]}})", words.join(" ")));
}
