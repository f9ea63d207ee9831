//! Source files and the thin spans that point into them.
//!
//! A span is three numbers; the text behind it is looked up only when something is rendered.

use std::ops::Range;
use std::sync::Arc;

/// Which file of a [`SourceMap`] a span points into. Files that stand alone use [`FileId::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

impl FileId {
    /// No file: the span of a node that was made by a program.
    pub const NONE: Self = Self(u32::MAX);
}

impl Default for FileId {
    fn default() -> Self {
        Self::NONE
    }
}

/// A half-open range of bytes in a file.
///
/// Spans never decide equality: the types of [`crate::ast`] that hold one leave it out of `Eq` and `Hash`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The file that the offsets count in.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The span of a node that has no source.
    pub const NONE: Self = Self { file: FileId::NONE, start: 0, end: 0 };

    /// A span of `start..end` in `file`.
    #[must_use]
    pub const fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// Whether the span points into a file.
    #[must_use]
    pub fn is_some(self) -> bool {
        self.file != FileId::NONE
    }

    /// The same start with another end.
    #[must_use]
    pub const fn until(self, end: u32) -> Self {
        Self { file: self.file, start: self.start, end }
    }

    /// From the start of `self` to the end of `other`.
    #[must_use]
    pub const fn to(self, other: Self) -> Self {
        Self { file: self.file, start: self.start, end: other.end }
    }

    /// The range of bytes.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A row and a column, both from 1. Columns count characters, as OPA's do, and a tab is one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Row, from 1.
    pub row: u32,
    /// Column in characters, from 1.
    pub col: u32,
}

/// A named text with an index of its lines.
#[derive(Debug, Clone)]
pub struct SourceFile {
    id: FileId,
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Arc<[u32]>,
}

/// Why bytes are not a Rego source file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The bytes are not UTF-8.
    #[error("{name}:{}:{}: invalid UTF-8", position.row, position.col)]
    InvalidUtf8 {
        /// The file's name.
        name: String,
        /// Where the first byte that is not UTF-8 stands.
        position: Position,
    },
    /// Offsets are 32 bits wide, so a file has to be smaller than 4 GiB.
    #[error("{name}: the file is larger than 4 GiB")]
    TooLarge {
        /// The file's name.
        name: String,
    },
}

impl SourceFile {
    /// A file from its text.
    ///
    /// A text of 4 GiB or more is cut at the last character that a 32-bit offset reaches;
    /// [`SourceFile::from_bytes`] reports it instead.
    #[must_use]
    pub fn new(id: FileId, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let line_starts = line_starts(&text).into();
        Self { id, name: name.into(), text, line_starts }
    }

    /// A file from bytes, which have to be UTF-8.
    ///
    /// # Errors
    /// [`SourceError::InvalidUtf8`] with the row and column of the first wrong byte, or
    /// [`SourceError::TooLarge`].
    pub fn from_bytes(id: FileId, name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<Self, SourceError> {
        let name: Arc<str> = name.into();
        if u32::try_from(bytes.len()).is_err() {
            return Err(SourceError::TooLarge { name: name.to_string() });
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(id, name, text)),
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let row = valid.iter().filter(|b| **b == b'\n').count() + 1;
                let line = valid.rsplit(|b| *b == b'\n').next().unwrap_or_default();
                let col = String::from_utf8_lossy(line).chars().count() + 1;
                let position = Position { row: to_u32(row), col: to_u32(col) };
                Err(SourceError::InvalidUtf8 { name: name.to_string(), position })
            }
        }
    }

    /// The id that spans of this file carry.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The name to show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text behind a span; empty where the span does not fit this file.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Row and column of an offset; an offset behind the end is the position of the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let offset = offset.min(to_u32(self.text.len()));
        let row = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(row.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start as usize..offset as usize).unwrap_or_default();
        Position { row: to_u32(row.max(1)), col: to_u32(before.chars().count() + 1) }
    }

    /// The row of an offset, from 1.
    #[must_use]
    pub fn row(&self, offset: u32) -> u32 {
        to_u32(self.line_starts.partition_point(|start| *start <= offset).max(1))
    }

    /// Row and column of a token that begins at an offset, as OPA reports it: a line break counts as column 0 of
    /// the next row, and the end of the file has the column of the last character.
    #[must_use]
    pub fn token_position(&self, offset: u32) -> Position {
        let at = self.position(offset);
        match self.text.as_bytes().get(offset as usize) {
            Some(b'\n') => Position { row: at.row + 1, col: 0 },
            Some(_) => at,
            None => Position { row: at.row, col: at.col - 1 },
        }
    }

    /// The text of a row (from 1), without its line break; empty where there is no such row.
    #[must_use]
    pub fn line(&self, row: u32) -> &str {
        let index = (row as usize).saturating_sub(1);
        let Some(start) = self.line_starts.get(index) else { return "" };
        let rest = self.text.get(*start as usize..).unwrap_or_default();
        rest.split('\n').next().unwrap_or_default().trim_end_matches('\r')
    }
}

/// The files of one compilation, by id.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text and gives it the next id.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceFile {
        let file = SourceFile::new(self.next_id(), name, text);
        self.files.push(file.clone());
        file
    }

    /// Adds bytes, which have to be UTF-8.
    ///
    /// # Errors
    /// As [`SourceFile::from_bytes`]; nothing is added then.
    pub fn add_bytes(&mut self, name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<SourceFile, SourceError> {
        let file = SourceFile::from_bytes(self.next_id(), name, bytes)?;
        self.files.push(file.clone());
        Ok(file)
    }

    /// The file with this id.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The files in the order in which they were added.
    pub fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    /// The name of the file that a span points into and the position of its start
    /// (see [`SourceFile::token_position`]).
    #[must_use]
    pub fn locate(&self, span: Span) -> Option<(&str, Position)> {
        self.get(span.file).map(|file| (file.name(), file.token_position(span.start)))
    }

    fn next_id(&self) -> FileId {
        FileId(to_u32(self.files.len()))
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| to_u32(at + 1))).collect()
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
