//! A value as YAML, laid out as go-yaml does with an indentation of two.

use std::borrow::Cow;
use std::cmp::Ordering;

use rego_value::json::{self, Escape};
use rego_value::{Number, Object, Value};

use super::{MAX_DEPTH, resolve, through_json};

/// An entry of a mapping.
type Entry<'a> = (Cow<'a, str>, &'a Value);

/// Columns per level, which literal blocks name as well.
const INDENT: usize = 2;

/// Keys longer than this, in bytes, stand behind a `?`.
const LONGEST_SIMPLE_KEY: usize = 128;

/// A value as a document; sets are arrays, and keys that are no strings their text, as in JSON.
///
/// # Errors
/// What OPA's YAML cannot read back, and nesting beyond the limit.
pub(super) fn document(value: &Value) -> Result<String, String> {
    let mut writer = Writer { out: String::new() };
    writer.value(value, 0, Place::Fresh)?;
    writer.end_line();
    Ok(writer.out)
}

/// What stands before a value in its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing, or an indicator behind which a collection may begin.
    Fresh,
    /// A key and its colon.
    AfterKey,
}

/// The styles of scalars.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

struct Writer {
    out: String,
}

impl Writer {
    /// Goes to a new line unless one has just begun.
    fn end_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(is_break) {
            self.out.push('\n');
        }
    }

    /// Begins an entry: in the line at hand if it is the first behind an indicator, else in a new one.
    fn begin(&mut self, indent: usize, in_line: bool) {
        if !in_line {
            self.end_line();
            self.pad(indent);
        }
    }

    fn pad(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    /// Writes a value whose entries stand at the column `indent`.
    fn value(&mut self, value: &Value, indent: usize, place: Place) -> Result<(), String> {
        if indent > MAX_DEPTH * INDENT {
            return Err(format!("exceeded max depth of {MAX_DEPTH}"));
        }
        match value {
            Value::Array(items) if !items.is_empty() => self.sequence(items.iter(), indent, place),
            Value::Set(items) if !items.is_empty() => self.sequence(items.iter(), indent, place),
            Value::Object(members) if !members.is_empty() => self.mapping(members, indent, place),
            other => {
                if place == Place::AfterKey {
                    self.out.push(' ');
                }
                self.scalar(other, indent.max(INDENT))
            }
        }
    }

    fn sequence<'a>(
        &mut self,
        items: impl Iterator<Item = &'a Value>,
        indent: usize,
        place: Place,
    ) -> Result<(), String> {
        for (at, item) in items.enumerate() {
            self.begin(indent, place == Place::Fresh && at == 0);
            self.out.push_str("- ");
            self.value(item, indent + INDENT, Place::Fresh)?;
        }
        Ok(())
    }

    fn mapping(&mut self, members: &Object, indent: usize, place: Place) -> Result<(), String> {
        let mut entries = Vec::with_capacity(members.len());
        for (key, value) in members.iter() {
            let name = match key {
                Value::String(text) => through_json::key(text)?,
                other => through_json::key(&json::to_string(other, Escape::Html))?.into_owned().into(),
            };
            entries.push((name, value));
        }
        for (at, (key, value)) in sorted(entries).into_iter().enumerate() {
            self.begin(indent, place == Place::Fresh && at == 0);
            self.entry(&key, value, indent)?;
        }
        Ok(())
    }

    fn entry(&mut self, key: &str, value: &Value, indent: usize) -> Result<(), String> {
        let inner = indent + INDENT;
        if key.len() <= LONGEST_SIMPLE_KEY && !key.contains(is_break) {
            self.text(key, inner, true);
            self.out.push(':');
            return self.value(value, inner, Place::AfterKey);
        }
        self.out.push_str("? ");
        self.text(key, inner, false);
        self.begin(indent, false);
        self.out.push_str(": ");
        self.value(value, inner, Place::Fresh)
    }

    /// A scalar or an empty collection; `indent` is where the lines of a literal block begin.
    fn scalar(&mut self, value: &Value, indent: usize) -> Result<(), String> {
        match value {
            Value::String(text) => self.text(&through_json::string(text)?, indent, false),
            Value::Number(number) => self.out.push_str(&number_text(number)),
            Value::Object(_) => self.out.push_str("{}"),
            Value::Array(_) | Value::Set(_) => self.out.push_str("[]"),
            Value::Bool(_) | Value::Null => self.out.push_str(&value.to_string()),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, indent: usize, is_key: bool) {
        match Traits::of(text).style(text, is_key) {
            Style::Plain => self.out.push_str(text),
            Style::Single => self.single_quoted(text, indent),
            Style::Double => self.double_quoted(text),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize) {
        self.out.push('\'');
        let mut after_break = false;
        for c in text.chars() {
            if !is_break(c) && after_break {
                self.end_line();
                self.pad(indent);
            }
            if c == '\'' {
                self.out.push('\'');
            }
            self.out.push(c);
            after_break = is_break(c);
        }
        self.out.push('\'');
    }

    fn double_quoted(&mut self, text: &str) {
        self.out.push('"');
        let begins_with_mark = text.starts_with('\u{feff}');
        for c in text.chars() {
            let as_it_is = is_printable(c) && !begins_with_mark && !is_break(c) && c != '"' && c != '\\';
            if as_it_is { self.out.push(c) } else { self.escape(c) }
        }
        self.out.push('"');
    }

    fn escape(&mut self, c: char) {
        const NAMED: [(char, char); 15] = [
            ('\0', '0'),
            ('\u{7}', 'a'),
            ('\u{8}', 'b'),
            ('\t', 't'),
            ('\n', 'n'),
            ('\u{b}', 'v'),
            ('\u{c}', 'f'),
            ('\r', 'r'),
            ('\u{1b}', 'e'),
            ('"', '"'),
            ('\\', '\\'),
            ('\u{85}', 'N'),
            ('\u{a0}', '_'),
            ('\u{2028}', 'L'),
            ('\u{2029}', 'P'),
        ];
        self.out.push('\\');
        match (NAMED.iter().find(|(named, _)| *named == c), u32::from(c)) {
            (Some((_, name)), _) => self.out.push(*name),
            (None, code @ ..=0xff) => self.out.push_str(&format!("x{code:02X}")),
            (None, code @ ..=0xffff) => self.out.push_str(&format!("u{code:04X}")),
            (None, code) => self.out.push_str(&format!("U{code:08X}")),
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push('|');
        if text.starts_with(|c: char| c == ' ' || is_break(c)) {
            self.out.push_str(&INDENT.to_string());
        }
        let mut from_end = text.chars().rev();
        let (last, before) = (from_end.next(), from_end.next());
        if !last.is_some_and(is_break) {
            self.out.push('-');
        } else if before.is_none_or(is_break) {
            self.out.push('+');
        }
        self.out.push('\n');
        let mut at_start = true;
        for c in text.chars() {
            if !is_break(c) && at_start {
                self.end_line();
                self.pad(indent);
            }
            self.out.push(c);
            at_start = is_break(c);
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// go-yaml takes characters beyond the first plane for unprintable.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// What decides how a string can be written.
#[derive(Default)]
struct Traits {
    multiline: bool,
    plain_allowed: bool,
    single_allowed: bool,
    literal_allowed: bool,
}

impl Traits {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { plain_allowed: true, single_allowed: true, ..Self::default() };
        }
        let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
        let outer = edge(text.chars().next()) || edge(text.chars().next_back());
        let (mut multiline, mut special, mut tabs) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut before_space, mut before_break) = (false, false);
        for c in text.chars() {
            tabs |= c == '\t';
            special |= c != '\t' && !is_printable(c);
            multiline |= is_break(c);
            break_space |= c == ' ' && before_break;
            space_break |= is_break(c) && before_space;
            (before_space, before_break) = (c == ' ', is_break(c));
        }
        let escaped = space_break || special;
        Self {
            multiline,
            plain_allowed: !(outer || break_space || escaped || tabs || multiline || has_indicators(text)),
            single_allowed: !(break_space || escaped || tabs),
            literal_allowed: !(text.ends_with(' ') || escaped),
        }
    }

    fn style(&self, text: &str, is_key: bool) -> Style {
        let quoted = if self.single_allowed { Style::Single } else { Style::Double };
        if text.contains('\n') {
            return if self.literal_allowed && !is_key { Style::Literal } else { Style::Double };
        }
        if !resolve::is_plain_string(text) || is_key && self.multiline {
            return Style::Double;
        }
        if self.plain_allowed { Style::Plain } else { quoted }
    }
}

/// Whether a plain scalar with this text would be read as something else.
fn has_indicators(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let blank = |c: Option<&char>| c.is_none_or(|c| matches!(c, ' ' | '\t'));
    let mut before_blank = true;
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let after_blank = blank(chars.peek());
        let indicates = match c {
            '#' => before_blank,
            ':' => after_blank,
            '?' | '-' if first => after_blank,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => first,
            _ => false,
        };
        if indicates {
            return true;
        }
        before_blank = matches!(c, ' ' | '\t' | '\0') || is_break(c);
        first = false;
    }
    false
}

/// A number as go-yaml shows it: integers of 64 bits as they are, others as Go's `%g` of a double.
fn number_text(number: &Number) -> String {
    let text = number.text();
    if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
        return text.into_owned();
    }
    general(&format!("{:e}", number.as_f64()))
}

/// Digits and exponent (`1.5e3`) in the form of Go's `%g`: an exponent of at least two digits where it is below -4 or
/// above 5.
pub(super) fn general(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = digits.replace('.', "");
    if !(-4..6).contains(&exponent) {
        let (head, tail) = digits.split_at(1.min(digits.len()));
        let point = if tail.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{head}{point}{tail}e{direction}{:02}", exponent.unsigned_abs());
    }
    let Ok(whole) = usize::try_from(exponent) else {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        return format!("{sign}0.{zeros}{digits}");
    };
    if digits.len() <= whole + 1 {
        return format!("{sign}{digits}{}", "0".repeat(whole + 1 - digits.len()));
    }
    let (head, tail) = digits.split_at(whole + 1);
    format!("{sign}{head}.{tail}")
}

/// Sorts entries by key, numbers within keys by value. By hand, since go-yaml's comparison is not always an order,
/// which the standard library's sort may refuse to work with.
fn sorted(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut runs: Vec<Vec<Entry<'_>>> = entries.into_iter().map(|entry| vec![entry]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut left = runs.into_iter();
        while let Some(first) = left.next() {
            merged.push(match left.next() {
                Some(second) => merge(first, second),
                None => first,
            });
        }
        runs = merged;
    }
    runs.pop().unwrap_or_default()
}

fn merge<'a>(first: Vec<Entry<'a>>, second: Vec<Entry<'a>>) -> Vec<Entry<'a>> {
    let mut out = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        let next = if compare(&b.0, &a.0) == Ordering::Less { second.next() } else { first.next() };
        out.extend(next);
    }
    out.extend(first);
    out.extend(second);
    out
}

/// Letters behind other characters, digits by the number they make up.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let equal = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (Some(left), Some(right)) = (a.get(equal), b.get(equal)) else { return a.len().cmp(&b.len()) };
    let after_digit = equal.checked_sub(1).and_then(|at| a.get(at)).is_some_and(char::is_ascii_digit);
    match (left.is_alphabetic(), right.is_alphabetic()) {
        (true, true) => left.cmp(right),
        (letter, other) if letter != other => {
            if letter == after_digit {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        _ => {
            let number = |chars: &[char]| number_at(chars, equal, *left == '0' || *right == '0');
            number(&a).cmp(&number(&b)).then(left.cmp(right))
        }
    }
}

/// The number that the digits from a position on make up, and where they end. Digits before it count as a one, so that
/// `100` is not taken for `1`.
fn number_at(chars: &[char], from: usize, after_zero: bool) -> (i64, usize) {
    let before = chars.iter().take(from).rev().take_while(|c| c.is_ascii_digit());
    let mut number = i64::from(after_zero && before.into_iter().any(|c| *c != '0'));
    let mut end = from;
    for digit in chars.iter().skip(from).map_while(|c| c.to_digit(10)) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    (number, end)
}
