//! METADATA comments: finding the blocks, reading them, attaching them to what they stand above.

mod attach;
mod entry;
mod yaml;

pub(crate) use attach::attach;

use crate::ast::{Annotations, Comment};
use crate::diagnostic::{Code, Diagnostic};

/// Reads all METADATA blocks among the comments of a file.
pub(crate) fn read_annotations(comments: &[Comment]) -> (Vec<Annotations>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for (index, first) in comments.iter().enumerate() {
        if !is_metadata(first) {
            continue;
        }
        let block = lines_of_block(first, comments.get(index + 1..).unwrap_or_default());
        match read_block(first, block) {
            Ok(annotations) => found.push(annotations),
            Err(error) => errors.push(error),
        }
    }
    (found, errors)
}

fn is_metadata(comment: &Comment) -> bool {
    comment.col == 1 && comment.text.trim().starts_with("METADATA")
}

/// The comments that directly follow the first, line by line, at the margin.
fn lines_of_block<'c>(first: &Comment, rest: &'c [Comment]) -> &'c [Comment] {
    let mut row = first.row;
    let len = rest
        .iter()
        .take_while(|comment| {
            let goes_on = comment.col == 1 && comment.row == row + 1 && !is_metadata(comment);
            row = comment.row;
            goes_on
        })
        .count();
    rest.get(..len).unwrap_or_default()
}

fn read_block(first: &Comment, block: &[Comment]) -> Result<Annotations, Diagnostic> {
    let mut text = String::new();
    for comment in block {
        text.push_str(comment.text.strip_prefix(' ').unwrap_or(&comment.text));
        text.push('\n');
    }
    let fail = |message: String| Diagnostic::error(Code::Parse, first.span, message);
    if text.trim().is_empty() {
        return Err(fail("expected METADATA block, found whitespace".to_owned()));
    }
    let raw = yaml::read(&text).map_err(|error| {
        // OPA points at the comment with the number of the line, counted from 0 where lines count from 1.
        let line = error.line.unwrap_or(0);
        let at = block.get(line).or_else(|| block.last()).unwrap_or(first);
        Diagnostic { in_text: true, ..Diagnostic::error(Code::Parse, at.span, error.message) }
    })?;
    let mut annotations = entry::annotations(raw).map_err(fail)?;
    annotations.text = text;
    annotations.span = first.span;
    annotations.end_row = block.last().unwrap_or(first).row;
    Ok(annotations)
}
