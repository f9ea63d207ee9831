//! Lines, indentation and comments.

use std::collections::HashMap;

use super::Style;
use crate::ast::{Comment, Expr, Term};
use crate::span::{SourceFile, Span};

/// Where a piece of source stands: its row, and its text as OPA keeps it, which begins at an opening parenthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loc {
    pub(super) row: i64,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Loc {
    /// A place without a text.
    pub(super) fn at_row(row: i64) -> Self {
        Self { row, start: 0, end: 0 }
    }

    /// No place: before everything.
    pub(super) const NOWHERE: Self = Self { row: -1, start: 0, end: 0 };
}

/// A comment that is still to be written.
#[derive(Debug, Clone)]
pub(super) struct Pending<'a> {
    pub(super) text: &'a str,
    pub(super) row: i64,
    pub(super) col: u32,
}

impl Pending<'_> {
    fn is_metadata(&self) -> bool {
        self.col == 1 && self.text.trim().starts_with("METADATA")
    }
}

/// A comment stands where the layout has no place for one: the piece of source is written as it is.
#[derive(Debug)]
pub(super) struct Misplaced;

/// What writing a piece of source answers.
pub(super) type Written = Result<(), Misplaced>;

/// The text so far and the state of its last line.
pub(super) struct Writer<'a> {
    pub(super) file: &'a SourceFile,
    text_starts: HashMap<(u32, u32), u32>,
    pub(super) style: Style,
    pub(super) out: String,
    pub(super) level: usize,
    pub(super) inline: bool,
    /// The comment that ends the current line.
    pub(super) before_end: Option<Pending<'a>>,
    /// The comment waits for the line behind the current one.
    pub(super) delay: bool,
    /// In what is written as it is, the comment on the last row belongs to it.
    pub(super) comment_on_final_line: bool,
    /// An expression whose terms are to be written in parentheses.
    pub(super) paren_expr: Option<Span>,
    /// A term that is to be written in parentheses.
    pub(super) paren_term: Option<Span>,
    /// Comments that are still to be written, in order.
    pub(super) comments: Vec<Pending<'a>>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        file: &'a SourceFile,
        text_starts: HashMap<(u32, u32), u32>,
        comments: &'a [Comment],
        style: Style,
    ) -> Self {
        let comments = comments
            .iter()
            .map(|c| Pending { text: c.text.trim_end(), row: i64::from(c.row), col: c.col })
            .collect();
        Self {
            file,
            text_starts,
            style,
            out: String::new(),
            level: 0,
            inline: false,
            before_end: None,
            delay: false,
            comment_on_final_line: false,
            paren_expr: None,
            paren_term: None,
            comments,
        }
    }

    pub(super) fn row(&self, span: Span) -> i64 {
        i64::from(self.file.row(span.start))
    }

    /// Row and column, to order by.
    pub(super) fn place(&self, span: Span) -> (i64, u32) {
        (self.row(span), span.start)
    }

    pub(super) fn loc(&self, span: Span) -> Loc {
        Loc { row: self.row(span), start: span.start as usize, end: span.end as usize }
    }

    pub(super) fn term_loc(&self, term: &Term) -> Loc {
        let start =
            self.text_starts.get(&(term.span.start, term.span.end)).copied().unwrap_or(term.span.start);
        Loc { row: self.row(term.span), start: start as usize, end: term.span.end as usize }
    }

    pub(super) fn expr_loc(&self, expr: &Expr) -> Loc {
        self.loc(expr.span)
    }

    pub(super) fn text(&self, loc: Loc) -> &'a str {
        self.file.text().get(loc.start..loc.end).unwrap_or_default()
    }

    /// The row on which a piece of source ends.
    pub(super) fn end_row(&self, loc: Loc) -> i64 {
        loc.row + count_lines(self.text(loc))
    }

    /// Where the bracket closes that opens first in a text; brackets of another kind may be skipped before.
    pub(super) fn closing(&self, skip: Option<(u8, u8)>, open: u8, close: u8, loc: Loc) -> Loc {
        let bytes = self.text(loc).as_bytes();
        let (mut at, mut rows) = (0, 0);
        if let Some((open, close)) = skip {
            (at, rows, _) = skip_brackets(bytes, 0, open, close);
        }
        let Some(first) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == open)) else {
            return Loc::NOWHERE;
        };
        let (_, more, closed) = skip_brackets(bytes, at + first, open, close);
        if closed { Loc::at_row(loc.row + rows + more) } else { Loc::NOWHERE }
    }

    pub(super) fn write(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(super) fn start_line(&mut self) {
        self.inline = true;
        for _ in 0..self.level {
            self.out.push('\t');
        }
    }

    pub(super) fn end_line(&mut self) {
        self.inline = false;
        if !self.delay
            && let Some(comment) = self.before_end.take()
        {
            self.out.push_str(" #");
            self.out.push_str(comment.text);
        }
        self.delay = false;
        self.out.push('\n');
    }

    pub(super) fn blank_line(&mut self) {
        if self.inline {
            self.end_line();
        }
        self.out.push('\n');
    }

    pub(super) fn write_line(&mut self, text: &str) {
        if !self.inline {
            self.start_line();
        }
        self.write(text);
        self.end_line();
    }

    pub(super) fn up(&mut self) {
        self.level += 1;
    }

    pub(super) fn down(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    pub(super) fn write_comments(&mut self, comments: &[Pending<'a>]) {
        let mut in_metadata = false;
        let mut previous: Option<&Pending<'_>> = None;
        for comment in comments {
            let distance = previous.map_or(0, |p| comment.row - p.row);
            if distance > 1 {
                self.blank_line();
                in_metadata = false;
            } else if distance == 1 && in_metadata && comment.is_metadata() {
                self.blank_line();
            }
            in_metadata |= comment.is_metadata();
            self.write_line(&format!("#{}", comment.text));
            previous = Some(comment);
        }
    }

    /// Takes the comments that stand on rows before a place.
    pub(super) fn take_before(&mut self, row: i64) -> Vec<Pending<'a>> {
        let (before, rest) = std::mem::take(&mut self.comments).into_iter().partition(|c| c.row < row);
        self.comments = rest;
        before
    }

    /// Writes the comments that stand before a place and notes the one beside it for the end of the line.
    pub(super) fn insert_comments(&mut self, loc: Loc) -> Written {
        let before = self.take_before(loc.row);
        self.write_comments(&before);
        if before.last().is_some_and(|last| loc.row - last.row > 1) {
            self.blank_line();
        }
        let mut beside = None;
        self.comments.retain(|comment| {
            let here = comment.row == loc.row;
            if here {
                beside = Some(comment.clone());
            }
            !here
        });
        let Some(comment) = beside else { return Ok(()) };
        if self.before_end.take().is_some() {
            return Err(Misplaced);
        }
        self.before_end = Some(comment);
        Ok(())
    }

    /// Writes a piece of source as it is. Its comments are part of it.
    pub(super) fn write_unformatted(&mut self, loc: Loc) {
        let text = self.text(loc);
        let last_row = loc.row + count_lines(text);
        self.write(text);
        let mut beside = Vec::new();
        let on_final_line = self.comment_on_final_line;
        self.comments.retain(|comment| {
            if on_final_line && comment.row == last_row {
                beside.push(comment.text);
                return false;
            }
            comment.row >= last_row
        });
        for text in beside {
            self.write(&format!(" #{text}"));
        }
    }
}

pub(super) fn count_lines(text: &str) -> i64 {
    i64::try_from(text.bytes().filter(|b| *b == b'\n').count()).unwrap_or(i64::MAX)
}

/// Goes from the first opening bracket to the one that closes it: its position, the rows in between, and whether
/// it was found.
fn skip_brackets(bytes: &[u8], from: usize, open: u8, close: u8) -> (usize, i64, bool) {
    let mut rows = 0;
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        if *byte == open {
            depth += 1;
        } else if *byte == close && depth > 0 {
            depth -= 1;
            if depth == 0 {
                return (at, rows, true);
            }
        } else if *byte == b'\n' && depth > 0 {
            rows += 1;
        }
    }
    (bytes.len(), rows, false)
}
