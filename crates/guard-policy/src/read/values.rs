//! Single values: texts, numbers, money, percentages, hours, days, timezones, patterns.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::tz::TimeZoneDatabase;

use crate::model::{HourRange, Pattern, Weekday};
use crate::nearest::nearest;
use crate::problem::{Problem, ProblemCode};
use crate::yaml::{Entry, Kind, Node, Resolved, shorten};

type Sink<'s> = &'s mut Vec<Problem>;

fn resolved(node: &Node) -> Option<Resolved<'_>> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.resolve()),
        Kind::List(_) | Kind::Map(_) => None,
    }
}

fn bad(node: &Node, message: String) -> Problem {
    Problem::new(ProblemCode::BadValue, node.place, message)
}

/// A text that is not empty.
pub(crate) fn text<'a>(entry: &'a Entry, problems: Sink<'_>) -> Option<&'a str> {
    text_node(&entry.value, &format!("`{}`", entry.key), problems)
}

fn text_node<'a>(node: &'a Node, what: &str, problems: Sink<'_>) -> Option<&'a str> {
    match resolved(node) {
        Some(Resolved::Text("")) => problems.push(bad(node, format!("{what} must not be empty"))),
        Some(Resolved::Text(text)) => return Some(text),
        Some(Resolved::Number(_) | Resolved::Bool(_)) => {
            problems
                .push(node.wrong_type(what, "a text").with_help("put it in quotes if it is meant as a text"));
        }
        _ => problems.push(node.wrong_type(what, "a text")),
    }
    None
}

/// A name for something: letters, digits, `_`, `-` and `.`, the first neither `-` nor `.`.
pub(crate) fn identifier<'a>(entry: &'a Entry, problems: Sink<'_>) -> Option<&'a str> {
    const MAX_LENGTH: usize = 128;
    let text = text(entry, problems)?;
    let fits = text.len() <= MAX_LENGTH
        && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if !fits {
        let message = format!(
            "`{}` takes up to {MAX_LENGTH} letters, digits, `_`, `-` and `.`, the first neither `-` nor `.`; found `{}`",
            entry.key,
            shorten(text)
        );
        problems.push(bad(&entry.value, message));
        return None;
    }
    Some(text)
}

pub(crate) fn boolean(entry: &Entry, problems: Sink<'_>) -> Option<bool> {
    let what = format!("`{}`", entry.key);
    match resolved(&entry.value) {
        Some(Resolved::Bool(value)) => return Some(value),
        Some(Resolved::Text(text)) if matches!(text.to_ascii_lowercase().as_str(), "yes" | "on" | "true") => {
            problems.push(
                entry.value.wrong_type(&what, "`true` or `false`").with_help("write `true`, without quotes"),
            );
        }
        Some(Resolved::Text(text))
            if matches!(text.to_ascii_lowercase().as_str(), "no" | "off" | "false") =>
        {
            problems.push(
                entry.value.wrong_type(&what, "`true` or `false`").with_help("write `false`, without quotes"),
            );
        }
        _ => problems.push(entry.value.wrong_type(&what, "`true` or `false`")),
    }
    None
}

/// The number at `entry`, with a hint where it stands in quotes or behind a dollar sign.
pub(crate) fn number<'a>(entry: &'a Entry, expected: &str, problems: Sink<'_>) -> Option<&'a str> {
    let what = format!("`{}`", entry.key);
    match resolved(&entry.value) {
        Some(Resolved::Number(text)) => return Some(text),
        Some(Resolved::Text(text)) => {
            let mut problem = entry.value.wrong_type(&what, expected);
            let digits = text.trim().trim_start_matches('$').trim_end_matches('%').replace(['_', ','], "");
            if digits.parse::<f64>().is_ok_and(f64::is_finite) {
                problem = problem.with_help(format!("write `{}: {digits}`", entry.key));
            }
            problems.push(problem);
        }
        _ => problems.push(entry.value.wrong_type(&what, expected)),
    }
    None
}

/// Dollars, as micro-dollars. The largest amount is what every JSON reader keeps exact.
pub(super) fn money(entry: &Entry, problems: Sink<'_>) -> Option<u64> {
    const MAX_MICROS: u64 = 9_007_199_254_740_991;
    let text = number(entry, "a number of dollars, such as 10 or 9.99", problems)?;
    let read = micros(text).filter(|micros| *micros <= MAX_MICROS);
    if read.is_none() {
        let reason = if text.starts_with('-') {
            "must not be negative"
        } else if text.contains(['e', 'E']) {
            "takes plain digits, without an exponent"
        } else if micros(text).is_some() || !text.contains('.') {
            "is at most 9007199254 dollars"
        } else {
            "takes up to six digits after the point"
        };
        problems.push(bad(&entry.value, format!("`{}` {reason}, found `{}`", entry.key, shorten(text))));
    }
    read
}

fn micros(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 6 {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)
}

/// A whole number of something, from one on.
pub(crate) fn count(entry: &Entry, of: &str, problems: Sink<'_>) -> Option<u64> {
    const MAX: u64 = 1_000_000_000_000;
    let text = number(entry, &format!("a whole number of {of}, such as 100"), problems)?;
    match text.parse::<u64>() {
        Ok(value) if (1..=MAX).contains(&value) => Some(value),
        _ => {
            let message =
                format!("`{}` takes a whole number from 1 to {MAX}, found `{}`", entry.key, shorten(text));
            let mut problem = bad(&entry.value, message);
            if text == "0" && !matches!(of, "people" | "records") {
                problem = problem.with_help("to forbid every call, write `action: block`");
            }
            problems.push(problem);
            None
        }
    }
}

/// A whole percentage from 1 to 100.
pub(super) fn percent(entry: &Entry, problems: Sink<'_>) -> Option<u8> {
    let text = number(entry, "a whole percentage from 1 to 100", problems)?;
    match text.parse::<u8>() {
        Ok(value @ 1..=100) => Some(value),
        _ => {
            let message =
                format!("`{}` takes a whole percentage from 1 to 100, found `{}`", entry.key, shorten(text));
            let mut problem = bad(&entry.value, message);
            let hundredfold = text.parse::<f64>().unwrap_or(0.0) * 100.0;
            if text.starts_with("0.") && hundredfold.fract() == 0.0 && hundredfold >= 1.0 {
                problem = problem.with_help(format!("write `{}: {hundredfold}`", entry.key));
            }
            problems.push(problem);
            None
        }
    }
}

/// A length of time in seconds, fractions allowed.
pub(super) fn seconds(entry: &Entry, problems: Sink<'_>) -> Option<Duration> {
    const MAX_SECONDS: f64 = 86_400.0;
    let text = number(entry, "a number of seconds, such as 5 or 0.25", problems)?;
    match text.parse::<f64>() {
        Ok(value) if (0.001..=MAX_SECONDS).contains(&value) => Some(Duration::from_secs_f64(value)),
        _ => {
            let message = format!("`{}` takes 0.001 to 86400 seconds, found `{}`", entry.key, shorten(text));
            problems.push(bad(&entry.value, message));
            None
        }
    }
}

/// One text or a list of texts, each with its node. An empty list is a problem.
pub(crate) fn texts<'a>(entry: &'a Entry, problems: Sink<'_>) -> Vec<(&'a Node, &'a str)> {
    let what = format!("`{}`", entry.key);
    match &entry.value.kind {
        Kind::List(items) if items.is_empty() => {
            problems.push(bad(&entry.value, format!("{what} must not be an empty list")));
            Vec::new()
        }
        Kind::List(items) => {
            let one = format!("an item of {what}");
            items
                .iter()
                .filter_map(|item| text_node(item, &one, problems).map(|text| (&**item, text)))
                .collect()
        }
        Kind::Map(_) => {
            problems.push(entry.value.wrong_type(&what, "a text or a list of texts"));
            Vec::new()
        }
        Kind::Scalar(_) => {
            text_node(&entry.value, &what, problems).map(|text| (&*entry.value, text)).into_iter().collect()
        }
    }
}

/// Texts: one, or a list.
pub(crate) fn names(entry: &Entry, problems: Sink<'_>) -> Vec<String> {
    texts(entry, problems).into_iter().map(|(_, text)| text.to_owned()).collect()
}

/// Names or globs: one, or a list.
pub(super) fn patterns(entry: &Entry, problems: Sink<'_>) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for (node, text) in texts(entry, problems) {
        match check_glob(text) {
            Err(reason) => {
                let message = format!("`{}` is not a pattern: {reason}", shorten(text));
                let help = "`\\` before a character takes it literally";
                problems.push(bad(node, message).with_help(help));
            }
            Ok(()) if patterns.iter().any(|Pattern(present)| present == text) => {
                let message = format!("`{}` stands in `{}` twice", shorten(text), entry.key);
                problems.push(Problem::new(ProblemCode::Duplicate, node.place, message));
            }
            Ok(()) => patterns.push(Pattern(text.to_owned())),
        }
    }
    patterns
}

/// Whether OPA's `glob.match` can read the pattern. It fails on the others at each call, which would leave a
/// rule without effect.
fn check_glob(pattern: &str) -> Result<(), &'static str> {
    let mut rest = pattern.chars();
    let mut depth = 0_usize;
    while let Some(c) = rest.next() {
        match c {
            '\\' if rest.next().is_none() => return Err("it ends in `\\`"),
            '[' => {
                let inside: String = rest.by_ref().take_while(|c| *c != ']').collect();
                // `take_while` also swallows the bracket, if there was one.
                let consumed = pattern.len() - rest.as_str().len();
                if !pattern.get(..consumed).is_some_and(|read| read.ends_with(']')) {
                    return Err("`[` is not closed");
                }
                check_class(&inside)?;
            }
            '{' => depth += 1,
            '}' if depth == 0 => return Err("`}` was not opened"),
            '}' => depth -= 1,
            ']' => return Err("`]` was not opened"),
            _ => {}
        }
        if depth > 1 {
            return Err("`{` stands inside `{`");
        }
    }
    if depth > 0 { Err("`{` is not closed") } else { Ok(()) }
}

/// `abc`, `!abc`, `a-z` or `!a-z`.
fn check_class(class: &str) -> Result<(), &'static str> {
    let chars: Vec<char> = class.strip_prefix('!').unwrap_or(class).chars().collect();
    match chars.as_slice() {
        [] => Err("`[]` is empty"),
        [low, '-', high] if low <= high => Ok(()),
        [_, '-', _] => Err("the range in `[]` is backwards"),
        chars if chars.iter().any(|c| matches!(c, '-' | '[' | '\\' | '!')) => {
            Err("`[]` holds either plain characters or one range such as `a-z`")
        }
        _ => Ok(()),
    }
}

/// Hours of the day: one range, or a list.
pub(crate) fn hours(entry: &Entry, problems: Sink<'_>) -> Vec<HourRange> {
    let mut ranges = Vec::new();
    for (node, text) in texts(entry, problems) {
        match range(text) {
            Ok(range) if ranges.contains(&range) => {
                let message = format!("`{range}` stands in `{}` twice", entry.key);
                problems.push(Problem::new(ProblemCode::Duplicate, node.place, message));
            }
            Ok(range) => ranges.push(range),
            Err(reason) => {
                let message = format!("`{}` takes hours such as `22:00-06:00`: {reason}", entry.key);
                problems.push(bad(node, message));
            }
        }
    }
    ranges
}

fn range(text: &str) -> Result<HourRange, String> {
    let Some((from, to)) = text.split_once('-') else {
        return Err(format!("`{}` has no `-` between two times", shorten(text)));
    };
    let from = time_of_day(from.trim())?;
    let to = time_of_day(to.trim())?;
    if from == (24, 0) {
        return Err("`24:00` can only be an end; the day begins at `00:00`".to_owned());
    }
    if from == to {
        let (hour, minute) = from;
        let at = format!("{hour:02}:{minute:02}");
        return Err(format!("`{at}-{at}` is empty; a whole day is `00:00-24:00`"));
    }
    Ok(HourRange { from, to })
}

fn time_of_day(text: &str) -> Result<(u8, u8), String> {
    let digits = |part: &str, lengths: std::ops::RangeInclusive<usize>| -> Option<u8> {
        let plain = lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if plain { part.parse().ok() } else { None }
    };
    let read =
        text.split_once(':').and_then(|(hour, minute)| Some((digits(hour, 1..=2)?, digits(minute, 2..=2)?)));
    match read {
        Some(time @ (hour, minute)) if (hour < 24 && minute < 60) || time == (24, 0) => Ok(time),
        _ => Err(format!("`{}` is not a time of day", shorten(text))),
    }
}

/// Days of the week by their English names or their first three letters: one, or a list.
pub(super) fn days(entry: &Entry, problems: Sink<'_>) -> Vec<Weekday> {
    let mut days = Vec::new();
    for (node, text) in texts(entry, problems) {
        let lower = text.to_ascii_lowercase();
        let named = |day: &&Weekday| {
            let name = day.as_str().to_ascii_lowercase();
            name == lower || name.get(..3) == Some(lower.as_str())
        };
        match Weekday::ALL.iter().find(named) {
            Some(day) if days.contains(day) => {
                let message = format!("`{}` stands in `{}` twice", day.as_str(), entry.key);
                problems.push(Problem::new(ProblemCode::Duplicate, node.place, message));
            }
            Some(day) => days.push(*day),
            None => {
                let message = format!("`{}` is not a day of the week", shorten(text));
                let problem = Problem::new(ProblemCode::UnknownValue, node.place, message);
                let meant = nearest(text, Weekday::ALL.iter().map(|day| day.as_str()));
                problems.push(problem.with_help(match meant {
                    Some(day) => format!("did you mean `{}`?", day.to_ascii_lowercase()),
                    None => "days are written `monday` or `mon`".to_owned(),
                }));
            }
        }
    }
    days.sort_unstable();
    days
}

/// A name of the IANA timezone database, exactly as it is written there.
pub(super) fn timezone<'a>(entry: &'a Entry, problems: Sink<'_>) -> Option<&'a str> {
    let text = text(entry, problems)?;
    let zones = zones();
    if zones.contains(text) {
        return Some(text);
    }
    let message = format!("`{}` is not a timezone", shorten(text));
    let problem = Problem::new(ProblemCode::UnknownValue, entry.value.place, message);
    problems.push(problem.with_help(match nearest(text, zones.iter().map(|zone| &**zone)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "timezones are written as in `Europe/Berlin`, `America/New_York` or `UTC`".to_owned(),
    }));
    None
}

/// The timezones of the database that is built into this program, so that a file means the same on every
/// machine.
fn zones() -> &'static BTreeSet<Arc<str>> {
    static ZONES: OnceLock<BTreeSet<Arc<str>>> = OnceLock::new();
    ZONES.get_or_init(|| {
        TimeZoneDatabase::bundled().available().map(|name| Arc::from(name.as_str())).collect()
    })
}
