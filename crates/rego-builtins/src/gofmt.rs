//! Formatting with Go's verbs, as `sprintf` of Rego promises it (Go 1.26, package `fmt`).
//!
//! Only the argument types that `sprintf` can produce exist here: string, int64, float64 and big
//! integers. Mistakes in a format are part of the result (`%!d(string=x)`), never an error.

mod float;
mod integer;
mod quote;

pub(crate) use quote::{quote, quote_bytes};

use num_bigint::BigInt;

/// One argument, typed as Go would see it.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    /// `string`
    Str(String),
    /// `int64`
    Int(i64),
    /// `*big.Int`
    Big(BigInt),
    /// `float64`
    Float(f64),
}

impl Arg {
    fn type_name(&self) -> &'static str {
        match self {
            Arg::Str(_) => "string",
            Arg::Int(_) => "int64",
            Arg::Big(_) => "*big.Int",
            Arg::Float(_) => "float64",
        }
    }
}

/// Widths and precisions beyond this are refused, as in Go.
const LARGEST: i64 = 1_000_000;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
struct Spec {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v` and `%#v` have meanings of their own, kept apart from the plain flags.
    plus_v: bool,
    sharp_v: bool,
}

impl Spec {
    /// Appends `text`, padded to the width in characters.
    fn pad(&self, out: &mut String, text: &str) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if self.minus {
            out.push_str(text);
            out.extend(std::iter::repeat_n(' ', missing));
        } else {
            out.extend(std::iter::repeat_n(if self.zero { '0' } else { ' ' }, missing));
            out.push_str(text);
        }
    }

    /// The same, never with zeros.
    fn pad_spaces(&self, out: &mut String, text: &str) {
        Spec { zero: false, ..*self }.pad(out, text);
    }
}

/// Formats `args` as Go's `fmt.Sprintf` does.
pub(crate) fn sprintf(format: &str, args: &[Arg]) -> String {
    let mut printer = Printer {
        rest: format,
        args,
        next: 0,
        reordered: false,
        good_index: true,
        out: String::with_capacity(format.len() + 16),
    };
    printer.run();
    printer.out
}

struct Printer<'a> {
    rest: &'a str,
    args: &'a [Arg],
    /// The index of the next argument.
    next: usize,
    /// Some argument was named by index, so unused ones are no mistake.
    reordered: bool,
    /// The index in the directive at hand is sound.
    good_index: bool,
    out: String,
}

impl<'a> Printer<'a> {
    fn run(&mut self) {
        while let Some(at) = self.rest.find('%') {
            let (text, rest) = self.rest.split_at(at);
            self.out.push_str(text);
            self.rest = rest.get(1..).unwrap_or("");
            if !self.directive() {
                self.rest = "";
            }
        }
        self.out.push_str(self.rest);
        self.extra();
    }

    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    /// One directive after its `%`. False when the format ends without a verb.
    fn directive(&mut self) -> bool {
        self.good_index = true;
        let mut spec = self.flags();
        let mut after_index = self.arg_index();
        if self.peek() == Some(b'*') {
            self.skip(1);
            self.width_from_arg(&mut spec);
            after_index = false;
        } else {
            spec.width = self.number();
            if after_index && spec.width.is_some() {
                self.good_index = false;
            }
        }
        // A dot at the very end is a verb, not a precision.
        if self.rest.len() > 1 && self.peek() == Some(b'.') {
            self.skip(1);
            after_index = self.precision(&mut spec, after_index);
        }
        if !after_index {
            self.arg_index();
        }
        let Some(verb) = self.rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return false;
        };
        self.skip(verb.len_utf8());
        self.verb(verb, spec);
        true
    }

    fn verb(&mut self, verb: char, spec: Spec) {
        if verb == '%' {
            self.out.push('%');
        } else if !self.good_index {
            self.mistake(verb, "(BADINDEX)");
        } else if let Some(arg) = self.args.get(self.next) {
            self.next += 1;
            print_arg(&mut self.out, arg, verb, spec);
        } else {
            self.mistake(verb, "(MISSING)");
        }
    }

    fn mistake(&mut self, verb: char, what: &str) {
        self.out.push_str("%!");
        self.out.push(verb);
        self.out.push_str(what);
    }

    fn flags(&mut self) -> Spec {
        let mut spec = Spec::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => spec.sharp = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b'-' => spec.minus = true,
                b' ' => spec.space = true,
                _ => break,
            }
            self.skip(1);
        }
        spec
    }

    /// A decimal number at the current place; one that is too large eats the rest of the format.
    fn number(&mut self) -> Option<usize> {
        let mut value: i64 = 0;
        let mut digits = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if value > LARGEST {
                self.rest = "";
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
            digits += 1;
            self.skip(1);
        }
        if digits == 0 { None } else { usize::try_from(value).ok() }
    }

    /// `[n]` before a width, a precision or a verb. True when there was a well-formed one.
    fn arg_index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let close = if self.rest.len() < 3 { None } else { self.rest.find(']') };
        let Some(close) = close else {
            self.good_index = false;
            self.skip(1);
            return false;
        };
        let inside = self.rest.get(1..close).unwrap_or("");
        let index = parse_index(inside);
        self.skip(close + 1);
        match index.and_then(|index| usize::try_from(index - 1).ok()) {
            Some(index) if index < self.args.len() => {
                self.next = index;
                true
            }
            _ => {
                self.good_index = false;
                index.is_some()
            }
        }
    }

    fn precision(&mut self, spec: &mut Spec, after_index: bool) -> bool {
        if after_index {
            self.good_index = false;
        }
        let after_index = self.arg_index();
        if self.peek() != Some(b'*') {
            spec.precision = Some(self.number().unwrap_or(0));
            return after_index;
        }
        self.skip(1);
        match self.int_arg() {
            Some(value) if value >= 0 => spec.precision = usize::try_from(value).ok(),
            _ => self.out.push_str("%!(BADPREC)"),
        }
        false
    }

    fn width_from_arg(&mut self, spec: &mut Spec) {
        match self.int_arg() {
            Some(value) => {
                spec.width = usize::try_from(value.unsigned_abs()).ok();
                if value < 0 {
                    spec.minus = true;
                    spec.zero = false;
                }
            }
            None => self.out.push_str("%!(BADWIDTH)"),
        }
    }

    /// The next argument, if it is an integer that can be a width.
    fn int_arg(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        match arg {
            Arg::Int(value) if (-LARGEST..=LARGEST).contains(value) => Some(*value),
            _ => None,
        }
    }

    /// Arguments that no directive used.
    fn extra(&mut self) {
        if self.reordered || self.next >= self.args.len() {
            return;
        }
        self.out.push_str("%!(EXTRA ");
        for (i, arg) in self.args.iter().skip(self.next).enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.out.push_str(arg.type_name());
            self.out.push('=');
            print_arg(&mut self.out, arg, 'v', Spec::default());
        }
        self.out.push(')');
    }
}

/// The number within `[n]`: digits only, and not absurdly large.
fn parse_index(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|index| *index <= LARGEST * 10)
}

fn print_arg(out: &mut String, arg: &Arg, verb: char, mut spec: Spec) {
    if verb == 'T' {
        return print_str(out, arg.type_name(), 's', spec);
    }
    if verb == 'v' || verb == 'w' {
        spec.sharp_v = std::mem::take(&mut spec.sharp);
        spec.plus_v = std::mem::take(&mut spec.plus);
    }
    match arg {
        Arg::Str(text) => print_str(out, text, verb, spec),
        Arg::Int(value) => integer::print(out, *value, verb, spec),
        Arg::Big(value) => integer::print_big(out, value, verb, spec),
        Arg::Float(value) => float::print(out, *value, verb, spec),
    }
}

/// `%!verb(type=value)`, the value in its plain form but with the flags still in force.
fn bad_verb(out: &mut String, verb: char, type_name: &str, value: impl FnOnce(&mut String)) {
    out.push_str("%!");
    out.push(verb);
    out.push('(');
    out.push_str(type_name);
    out.push('=');
    value(out);
    out.push(')');
}

fn print_str(out: &mut String, text: &str, verb: char, spec: Spec) {
    let cut = match spec.precision {
        Some(limit) => text.char_indices().nth(limit).and_then(|(at, _)| text.get(..at)).unwrap_or(text),
        None => text,
    };
    match verb {
        'v' if spec.sharp_v => spec.pad(out, &quote::double(cut, spec.sharp, spec.plus)),
        'v' | 's' => spec.pad(out, cut),
        'x' => hex(out, text, spec, false),
        'X' => hex(out, text, spec, true),
        'q' => spec.pad(out, &quote::double(cut, spec.sharp, spec.plus)),
        _ => bad_verb(out, verb, "string", |out| print_str(out, text, 'v', spec)),
    }
}

/// The bytes of a string in hexadecimal; the precision counts bytes.
fn hex(out: &mut String, text: &str, spec: Spec, upper: bool) {
    let prefix = match (spec.sharp, upper) {
        (false, _) => "",
        (true, false) => "0x",
        (true, true) => "0X",
    };
    let mut digits = String::new();
    for (i, byte) in text.bytes().take(spec.precision.unwrap_or(usize::MAX)).enumerate() {
        if i == 0 || spec.space {
            if i > 0 {
                digits.push(' ');
            }
            digits.push_str(prefix);
        }
        digits.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
    }
    spec.pad(out, &digits);
}
