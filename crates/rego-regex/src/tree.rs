//! What an expression is made of.

use alloc::vec::Vec;

use crate::class::Class;

/// A place in [`Tree::nodes`]; the parts of a node come before it.
pub(crate) type Id = usize;

/// A parsed expression. Its last node is the whole.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// The names of the groups, `None` for those without; the whole expression is the first.
    pub(crate) groups: Vec<Option<alloc::string::String>>,
}

/// A part of an expression, with what is known about it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// How many parts lie within each other, at most.
    pub(crate) height: u32,
    /// How many instructions Go makes of it.
    pub(crate) size: u64,
    /// The product of the counts of repetitions within each other, at most.
    pub(crate) repeats: u64,
    /// Whether it may match the empty text.
    pub(crate) nullable: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Empty,
    Literal(u32),
    Class(Class),
    Look(Look),
    /// A group that is remembered, by its number.
    Capture(u32, Id),
    Concat(Vec<Id>),
    Alternate(Vec<Id>),
    Repeat {
        part: Id,
        least: u32,
        most: Option<u32>,
        greedy: bool,
    },
}

/// A condition on the place, not on what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    Word,
    NotWord,
}

impl Look {
    pub(crate) const ALL: [Look; 6] =
        [Look::TextStart, Look::TextEnd, Look::LineStart, Look::LineEnd, Look::Word, Look::NotWord];

    /// Whether it holds between two characters, of which either may be missing.
    pub(crate) fn holds(self, before: Option<u32>, after: Option<u32>) -> bool {
        const NEWLINE: u32 = b'\n' as u32;
        match self {
            Look::TextStart => before.is_none(),
            Look::TextEnd => after.is_none(),
            Look::LineStart => before.is_none_or(|c| c == NEWLINE),
            Look::LineEnd => after.is_none_or(|c| c == NEWLINE),
            Look::Word => is_word(before) != is_word(after),
            Look::NotWord => is_word(before) == is_word(after),
        }
    }
}

fn is_word(c: Option<u32>) -> bool {
    c.and_then(|c| u8::try_from(c).ok()).is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

impl Tree {
    /// Adds a node.
    pub(crate) fn push(&mut self, kind: Kind) -> Id {
        let node = self.describe(kind);
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The whole expression, or a part. An `Id` comes from [`Tree::push`] only.
    pub(crate) fn node(&self, id: Id) -> &Node {
        static NONE: Node = Node { kind: Kind::Empty, height: 1, size: 1, repeats: 1, nullable: true };
        self.nodes.get(id).unwrap_or(&NONE)
    }

    fn describe(&self, kind: Kind) -> Node {
        let mut node = Node { height: 1, size: 1, repeats: 1, nullable: false, kind };
        match &node.kind {
            Kind::Empty | Kind::Look(_) => node.nullable = true,
            Kind::Literal(_) | Kind::Class(_) => {}
            Kind::Capture(_, part) => {
                let part = self.node(*part);
                (node.height, node.size) = (part.height + 1, part.size.saturating_add(2));
                (node.repeats, node.nullable) = (part.repeats, part.nullable);
            }
            Kind::Concat(parts) => {
                self.sum(&mut node.height, &mut node.size, &mut node.repeats, parts);
                node.nullable = parts.iter().all(|part| self.node(*part).nullable);
                // A text is one part of its own.
                if parts.iter().all(|part| matches!(self.node(*part).kind, Kind::Literal(_))) {
                    node.height = 1;
                }
            }
            Kind::Alternate(parts) => {
                self.sum(&mut node.height, &mut node.size, &mut node.repeats, parts);
                node.size = node.size.saturating_add(parts.len().saturating_sub(1) as u64);
                node.nullable = parts.iter().any(|part| self.node(*part).nullable);
            }
            Kind::Repeat { part, least, most, .. } => {
                let part = self.node(*part);
                node.height = part.height + 1;
                node.nullable = *least == 0 || part.nullable;
                node.size = repeated_size(part.size, *least, *most);
                let factor = u64::from(most.unwrap_or(*least));
                node.repeats = match most {
                    Some(0) => 0,
                    // `*`, `+` and `?` count nothing.
                    _ if factor <= 1 => part.repeats,
                    _ => part.repeats.saturating_mul(factor),
                };
            }
        }
        node.size = node.size.max(1);
        node
    }

    fn sum(&self, height: &mut u32, size: &mut u64, repeats: &mut u64, parts: &[Id]) {
        (*size, *repeats) = (0, 0);
        for part in parts {
            let part = self.node(*part);
            *height = (*height).max(part.height + 1);
            *size = size.saturating_add(part.size);
            *repeats = (*repeats).max(part.repeats);
        }
    }
}

fn repeated_size(part: u64, least: u32, most: Option<u32>) -> u64 {
    let (least, times) = (u64::from(least), u64::from(most.unwrap_or(least)));
    match most {
        None if least == 0 => part.saturating_add(2),
        None => part.saturating_mul(least).saturating_add(1),
        Some(_) => part.saturating_mul(times).saturating_add(times.saturating_sub(least)),
    }
}
