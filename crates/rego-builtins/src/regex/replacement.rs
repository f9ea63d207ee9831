//! The replacement of `regex.replace`: a template of Go's `Regexp.Expand`.
//!
//! `$name` takes the longest run of letters, digits and underscores, `${name}` just that name, `$$` is a dollar sign,
//! and a dollar sign before anything else is text.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A piece of a template.
pub(super) enum Piece<'a> {
    Text(&'a str),
    Group(usize),
    Named(&'a str),
}

/// The template, cut into its pieces.
pub(super) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        pieces.push(Piece::Text(before));
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            pieces.push(Piece::Text("$"));
            rest = after;
        } else if let Some((name, after)) = name(rest) {
            pieces.push(number(name).map_or(Piece::Named(name), Piece::Group));
            rest = after;
        } else {
            pieces.push(Piece::Text("$"));
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// What a piece stands for in a match. A group that is not there, or took no part, is nothing.
pub(super) fn text<'a>(piece: &Piece<'a>, groups: &Captures<'a>) -> &'a str {
    match piece {
        Piece::Text(text) => text,
        Piece::Group(number) => groups.get(*number).map_or("", |group| group.as_str()),
        Piece::Named(name) => groups.name(name).map_or("", |group| group.as_str()),
    }
}

/// The name at the beginning of a text, and what is behind it.
fn name(text: &str) -> Option<(&str, &str)> {
    #[expect(clippy::unwrap_used, reason = "a constant, which the tests compile")]
    static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nd}_]+").unwrap());
    let (braced, text) = text.strip_prefix('{').map_or((false, text), |inner| (true, inner));
    let (name, rest) = text.split_at_checked(NAME.find(text)?.end())?;
    Some((name, if braced { rest.strip_prefix('}')? } else { rest }))
}

/// A name that is a number, without zeros in front.
fn number(name: &str) -> Option<usize> {
    let plain = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    name.parse().ok().filter(|number: &usize| plain && *number < 1_000_000_000)
}
