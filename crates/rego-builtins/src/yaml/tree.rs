//! Events to nodes.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::MAX_DEPTH;
use super::resolve::{self, Tag};

/// A node by its place in the tree.
pub(super) type Id = usize;

/// What a node is.
#[derive(Debug)]
pub(super) enum Kind {
    /// A scalar.
    Scalar,
    /// The items.
    Sequence(Vec<Id>),
    /// Keys and values in turns.
    Mapping(Vec<(Id, Id)>),
    /// What the anchor stands before.
    Alias(Id),
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) tag: Tag,
    /// The tag was written.
    pub(super) tagged: bool,
    /// The text of a scalar, or the name of an anchor.
    pub(super) text: String,
    /// The line that it begins in, from 1.
    pub(super) line: usize,
    /// The character that it begins with, counted from 0.
    pub(super) start: usize,
}

/// All documents of a text; only the first is looked at, but all must be well formed.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    source: &'a str,
    nodes: Vec<Node>,
    /// The first document's node.
    pub(super) root: Option<Id>,
}

impl Tree<'_> {
    pub(super) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The name of the anchor whose alias begins with this character.
    pub(super) fn anchor_at(&self, start: usize) -> String {
        let name = self.source.chars().skip(start).skip_while(|c| *c == '*');
        name.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect()
    }
}

/// Reads a text.
///
/// # Errors
/// What is wrong, in the words of go-yaml as far as they are known.
pub(super) fn parse(text: &str) -> Result<Tree<'_>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.chars().all(is_allowed) {
        return Err("control characters are not allowed".to_owned());
    }
    let mut parser = Parser::new_from_str(text);
    if has_other_version(text) {
        return Err("found incompatible YAML document".to_owned());
    }
    let mut builder = Builder::default();
    builder.tree.source = text;
    if text.contains('\t') {
        builder.chars = text.chars().collect();
    }
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| builder.tree.in_words(&error))?;
        builder.take(event, span.start)?;
    }
    Ok(builder.tree)
}

/// Whether a text may contain the character at all.
pub(super) fn is_allowed(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}'
    )
}

/// Whether a directive asks for another version than 1.1, the only one that go-yaml knows.
fn has_other_version(text: &str) -> bool {
    let before = text.lines().take_while(|line| line.is_empty() || line.starts_with(['%', '#']));
    let mut versions = before.filter_map(|line| line.strip_prefix("%YAML"));
    versions.any(|version| version.split_whitespace().next() != Some("1.1"))
}

impl Tree<'_> {
    /// An error in the words of go-yaml, which are nearly the scanner's own. go-yaml counts the lines of what the
    /// parser does not find from 0, and those of what the scanner does not understand from 1.
    fn in_words(&self, error: &ScanError) -> String {
        let info = error.info();
        if info.ends_with("unknown anchor") {
            return format!("unknown anchor '{}' referenced", self.anchor_at(error.marker().index()));
        }
        let inner = info.rsplit_once(", ").filter(|(context, _)| context.starts_with("while "));
        let problem = inner.map_or(info, |(_, problem)| problem);
        let problem = match problem.strip_prefix("expected ") {
            Some(what) => format!("did not find expected {what}"),
            None => problem.to_owned(),
        };
        let line = error.marker().line();
        match line.saturating_sub(usize::from(problem.starts_with("did not find"))) {
            0 => problem,
            line => format!("line {line}: {problem}"),
        }
    }
}

#[derive(Default)]
struct Builder<'a> {
    tree: Tree<'a>,
    /// The text, if it has tabs.
    chars: Vec<char>,
    /// How many of the open collections, the outer ones, are indented; those within are in brackets.
    block: usize,
    anchors: HashMap<usize, Id>,
    /// The collections that are open, each with the key that waits for its value.
    open: Vec<(Id, Option<Id>)>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, place: Marker) -> Result<(), String> {
        let (line, start) = (place.line(), place.index());
        let is_node = !matches!(
            event,
            Event::SequenceEnd
                | Event::MappingEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::StreamEnd
        );
        if is_node && self.block == self.open.len() && self.is_indented_with_tab(&place) {
            return Err(format!("line {line}: found character that cannot start any token"));
        }
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                let default = || if quoted { Tag::Str } else { resolve::implicit_tag(&value) };
                let (tag, tagged) = tag_of(tag.as_deref(), default);
                let text = value.into_owned();
                self.add(Node { kind: Kind::Scalar, tag, tagged, text, line, start }, anchor);
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).copied() else {
                    return Err("unknown anchor referenced".to_owned());
                };
                let text = anchor.to_string();
                self.add(
                    Node { kind: Kind::Alias(target), tag: Tag::None, tagged: false, text, line, start },
                    0,
                );
            }
            Event::SequenceStart(anchor, tag) => {
                let (tag, tagged) = tag_of(tag.as_deref(), || Tag::Seq);
                let kind = Kind::Sequence(Vec::new());
                self.open(Node { kind, tag, tagged, text: String::new(), line, start }, anchor)?;
            }
            Event::MappingStart(anchor, tag) => {
                let (tag, tagged) = tag_of(tag.as_deref(), || Tag::Map);
                let kind = Kind::Mapping(Vec::new());
                self.open(Node { kind, tag, tagged, text: String::new(), line, start }, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                self.block = self.block.min(self.open.len());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a tab stands among the blanks that a line begins with; go-yaml allows that within brackets only.
    fn is_indented_with_tab(&self, place: &Marker) -> bool {
        let from = place.index().saturating_sub(place.col());
        let before = self.chars.get(from..place.index()).unwrap_or_default();
        before.contains(&'\t') && before.iter().all(|c| matches!(c, ' ' | '\t'))
    }

    fn open(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("exceeded max depth of {MAX_DEPTH}"));
        }
        let in_brackets = matches!(self.chars.get(node.start), Some('[' | '{'));
        if self.block == self.open.len() && !in_brackets {
            self.block += 1;
        }
        let id = self.add(node, anchor);
        self.open.push((id, None));
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Id {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(node);
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
        let Some((parent, key)) = self.open.last_mut() else {
            self.tree.root.get_or_insert(id);
            return id;
        };
        match self.tree.nodes.get_mut(*parent).map(|parent| &mut parent.kind) {
            Some(Kind::Sequence(items)) => items.push(id),
            Some(Kind::Mapping(pairs)) => match key.take() {
                Some(key) => pairs.push((key, id)),
                None => *key = Some(id),
            },
            _ => {}
        }
        id
    }
}

/// A tag, and whether it was written; `!` alone counts as none.
fn tag_of(written: Option<&saphyr_parser::Tag>, default: impl FnOnce() -> Tag) -> (Tag, bool) {
    match written.map(|tag| format!("{}{}", tag.handle, tag.suffix)) {
        Some(tag) if !tag.is_empty() && tag != "!" => (Tag::from_long(&tag), true),
        _ => (default(), false),
    }
}
