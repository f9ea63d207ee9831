//! Category regex: Go's expressions (RE2), matched by Rust's `regex`, which has the same guarantees.

mod replacement;

use regex::{Regex, RegexBuilder};
use rego_regex::Expression;
use rego_value::Value;

use crate::args::Args;
use crate::bounds::{MOST_BYTES, too_long};
use crate::context::Context;
use crate::encoding::strings;
use crate::error::BuiltinError;
use replacement::Piece;

type Outcome = Result<Option<Value>, BuiltinError>;

/// How deeply parts may lie within each other: more than Go allows, with what is written out.
const NEST_LIMIT: u32 = 5000;
/// How large a compiled expression may become, in bytes. Go counts instructions, of which one is a whole set of characters.
const SIZE_LIMIT: usize = 64 << 20;

/// A compiled expression, kept in the context between evaluations.
pub(crate) fn compiled(context: &mut Context, pattern: &str) -> Result<Regex, BuiltinError> {
    if let Some(known) = context.patterns.get(pattern) {
        return Ok(known.clone());
    }
    let regex = compile(pattern)?;
    context.patterns.insert(pattern, regex.clone());
    Ok(regex)
}

/// An expression of `regex.match`, compiled ahead of the calls. A clone has memory of its own to match with, so that two
/// threads with a clone each do not wait for each other.
#[derive(Clone, Debug)]
pub struct CompiledPattern(Regex);

impl CompiledPattern {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What `regex.match` would say of the expression.
    pub fn new(pattern: &str) -> Result<Self, BuiltinError> {
        compile(pattern).map(Self)
    }

    /// Whether a text has a match.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

fn compile(pattern: &str) -> Result<Regex, BuiltinError> {
    let expression = Expression::parse(pattern).map_err(|error| BuiltinError::new(error.text()))?;
    let too_large = |_| BuiltinError::new(format!("error parsing regexp: expression too large: `{pattern}`"));
    let mut builder = RegexBuilder::new(&expression.rust());
    builder.nest_limit(NEST_LIMIT).size_limit(SIZE_LIMIT).build().map_err(too_large)
}

/// `regex.is_valid`: false for what is no string.
pub(crate) fn is_valid(context: &mut Context, args: &[Value]) -> Outcome {
    let valid = Args(args).string(1).is_ok_and(|pattern| compiled(context, pattern).is_ok());
    Ok(Some(valid.into()))
}

/// `regex.match`, and `re_match`, its old name.
pub(crate) fn is_match(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (pattern, text) = (args.string(1)?, args.string(2)?);
    Ok(Some(compiled(context, pattern)?.is_match(text).into()))
}

/// How many matches are wanted: all, when negative.
fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// `regex.find_n`
pub(crate) fn find_n(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (pattern, text, count) = (args.string(1)?, args.string(2)?, args.int(3)?);
    let regex = compiled(context, pattern)?;
    Ok(Some(strings(regex.find_iter(text).take(limit(count)).map(|found| found.as_str()))))
}

/// `regex.find_all_string_submatch_n`
pub(crate) fn find_all_string_submatch_n(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (pattern, text, count) = (args.string(1)?, args.string(2)?, args.int(3)?);
    let regex = compiled(context, pattern)?;
    let matches = regex.captures_iter(text).take(limit(count));
    Ok(Some(Value::array(
        matches.map(|found| strings(found.iter().map(|group| group.map_or("", |group| group.as_str())))),
    )))
}

/// `regex.split`
pub(crate) fn split(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (pattern, text) = (args.string(1)?, args.string(2)?);
    let regex = compiled(context, pattern)?;
    if !pattern.is_empty() && text.is_empty() {
        return Ok(Some(strings([""])));
    }
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.find_iter(text) {
        end = found.start();
        // An empty match at the very beginning separates nothing.
        if found.end() != 0 {
            parts.push(text.get(begin..end).unwrap_or_default());
        }
        begin = found.end();
    }
    if end != text.len() {
        parts.push(text.get(begin..).unwrap_or_default());
    }
    Ok(Some(strings(parts)))
}

/// `regex.replace`: `$1`, `${name}` and `$$` in the replacement, as in Go.
pub(crate) fn replace(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (text, pattern, replacement) = (args.string(1)?, args.string(2)?, args.string(3)?);
    let regex = compiled(context, pattern)?;
    Ok(Some(replaced(&regex, text, replacement)?.into()))
}

/// The text with every match replaced.
fn replaced(regex: &Regex, text: &str, replacement: &str) -> Result<String, BuiltinError> {
    let (mut out, mut from) = (String::new(), 0);
    let pieces = replacement::pieces(replacement);
    let mut gap = |out: &mut String, begin: usize, end: usize, added: usize| {
        let between = text.get(from..begin).unwrap_or_default();
        from = end;
        if out.len() + between.len() + added > MOST_BYTES {
            return Err(too_long());
        }
        out.push_str(between);
        Ok(())
    };
    if let [Piece::Text(whole)] = pieces[..] {
        for found in regex.find_iter(text) {
            gap(&mut out, found.start(), found.end(), whole.len())?;
            out.push_str(whole);
        }
    } else {
        for groups in regex.captures_iter(text) {
            let Some(found) = groups.get(0) else { continue };
            // No group is longer than the match.
            gap(&mut out, found.start(), found.end(), replacement.len() + pieces.len() * found.len())?;
            out.extend(pieces.iter().map(|piece| replacement::text(piece, &groups)));
        }
    }
    gap(&mut out, text.len(), text.len(), 0)?;
    Ok(out)
}

/// `regex.template_match`: expressions between delimiters in a text that is otherwise literal.
pub(crate) fn template_match(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (template, text) = (args.string(1)?, args.string(2)?);
    let (start, end) = (args.string(3)?, args.string(4)?);
    if start.len() != 1 {
        let length = start.len();
        let message = format!("start delimiter has to be exactly one character long but is {length} long");
        return Err(BuiltinError::new(message));
    }
    if end.len() != 1 {
        // The length is the other delimiter's, as in OPA.
        let length = start.len();
        let message = format!("end delimiter has to be exactly one character long but is {length} long");
        return Err(BuiltinError::new(message));
    }
    let mut pattern = String::from("^");
    for (literal, expression) in template_parts(template, start, end)? {
        pattern.push_str(&regex::escape(literal));
        if let Some(expression) = expression {
            compiled(context, &format!("^{expression}$"))?;
            pattern.push_str(&format!("({expression})"));
        }
    }
    pattern.push('$');
    Ok(Some(compiled(context, &pattern)?.is_match(text).into()))
}

/// Literal texts, each but the last with the expression that follows it.
fn template_parts<'a>(
    template: &'a str,
    start: &str,
    end: &str,
) -> Result<Vec<(&'a str, Option<&'a str>)>, BuiltinError> {
    let unbalanced = || BuiltinError::new(format!("unbalanced braces in {}", crate::gofmt::quote(template)));
    let (mut parts, mut level, mut literal_from, mut open_at) = (Vec::new(), 0, 0, 0);
    for (at, c) in template.char_indices() {
        if start.starts_with(c) {
            level += 1;
            if level == 1 {
                open_at = at;
            }
        } else if end.starts_with(c) {
            level -= 1;
            if level == 0 {
                let literal = template.get(literal_from..open_at).unwrap_or_default();
                parts.push((literal, template.get(open_at + 1..at)));
                literal_from = at + 1;
            } else if level < 0 {
                return Err(unbalanced());
            }
        }
    }
    if level != 0 {
        return Err(unbalanced());
    }
    parts.push((template.get(literal_from..).unwrap_or_default(), None));
    Ok(parts)
}
