//! Category semver: versions by the rules of semver.org 2.0.0, with an optional leading `v`.

use std::cmp::Ordering;

use rego_value::Value;

use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

struct Version<'a> {
    numbers: [i64; 3],
    pre_release: &'a str,
}

/// Letters, digits and hyphens, in parts separated by dots, none of them empty.
fn is_identifiers(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, metadata) = text.split_once('+').map_or((text, None), |(text, rest)| (text, Some(rest)));
        if metadata.is_some_and(|metadata| !is_identifiers(metadata)) {
            return None;
        }
        let (text, pre_release) =
            text.split_once('-').map_or((text, None), |(text, rest)| (text, Some(rest)));
        let leading_zero = |part: &str| part.len() > 1 && part.starts_with('0') && is_number(part);
        if pre_release.is_some_and(|pre| !is_identifiers(pre) || pre.split('.').any(leading_zero)) {
            return None;
        }
        let mut numbers = [0; 3];
        let mut parts = text.split('.');
        for number in &mut numbers {
            let part = parts.next().filter(|part| is_number(part) && !leading_zero(part))?;
            *number = part.parse().ok()?;
        }
        parts.next().is_none().then_some(Self { numbers, pre_release: pre_release.unwrap_or("") })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.pre_release.is_empty(), other.pre_release.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_pre_releases(self.pre_release, other.pre_release),
            }
        })
    }
}

fn compare_pre_releases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                // Without leading zeros, the longer number is the larger one.
                (true, true) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// `semver.compare`
pub(crate) fn compare(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (a, b) = (args.string(1)?, args.string(2)?);
    let version = |position: usize, text| {
        Version::parse(text).ok_or_else(|| {
            BuiltinError::new(format!(
                "operand {position}: string {} is not a valid SemVer",
                crate::gofmt::quote(text)
            ))
        })
    };
    let order = version(1, a)?.compare(&version(2, b)?);
    Ok(Some(Value::from(order as i64)))
}

/// `semver.is_valid`: false for what is no string.
pub(crate) fn is_valid(_: &mut Context, args: &[Value]) -> Outcome {
    let valid = Args(args).string(1).is_ok_and(|text| Version::parse(text).is_some());
    Ok(Some(valid.into()))
}
