//! A JSON text, laid out as far as it is read and checked to its end.

use rego_value::abi::{FALSE, NULL, TRUE, UNDEFINED, hash_string};
use rego_value::{Number, Value, json};

use super::heap::Heap;
use super::projection::Node;
use super::token::{Numeral, Text, Tokens};
use super::{Fault, Scratch};

/// A collection that is being read as a whole or skipped.
pub(super) struct Open {
    is_object: bool,
    /// Where its words begin.
    start: usize,
}

/// What reads a text.
pub(super) struct Reader<'t, 'm, 's> {
    tokens: Tokens<'t>,
    heap: Heap<'m>,
    scratch: &'s mut Scratch,
}

/// As deep as projections go, far less than [`json::MAX_DEPTH`].
type Depth = usize;

impl<'t, 'm, 's> Reader<'t, 'm, 's> {
    pub(super) const fn new(text: &'t str, heap: Heap<'m>, scratch: &'s mut Scratch) -> Self {
        Self { tokens: Tokens::new(text), heap, scratch }
    }

    pub(super) fn into_heap(self) -> Heap<'m> {
        self.heap
    }

    /// Reads one value and nothing else.
    pub(super) fn document(&mut self, root: &Node) -> Result<u32, Fault> {
        let byte = self.tokens.peek()?;
        let handle = self.projected(root, byte, 0)?;
        if self.tokens.is_done() { Ok(handle) } else { Err(Fault::Invalid) }
    }

    /// Reads what the node reads of a value that begins with `byte`.
    fn projected(&mut self, node: &Node, byte: u8, depth: Depth) -> Result<u32, Fault> {
        match byte {
            b'{' if !node.whole => match &node.each {
                None => self.members(node, depth + 1),
                Some(each) => self.every_member(node, each, depth + 1),
            },
            b'[' if !node.whole => self.elements(node, depth + 1),
            _ => self.value::<true>(byte, depth),
        }
    }

    /// Reads an object of which some members are read.
    fn members(&mut self, node: &Node, depth: Depth) -> Result<u32, Fault> {
        let found = self.scratch.words.len();
        self.scratch.words.resize(found + node.members.len(), UNDEFINED);
        let mut more = self.enter(b'}')?;
        while more {
            let position = match self.key()? {
                Text::Plain(key, hash) => node.find(key, hash),
                Text::Decoded(key) => {
                    let key = key.as_str().unwrap_or_default().as_bytes();
                    node.find(key, hash_string(key))
                }
            };
            let byte = self.tokens.colon()?;
            match position.and_then(|position| Some((position, node.members.get(position)?))) {
                Some((position, member)) => {
                    let handle = self.projected(&member.node, byte, depth)?;
                    if let Some(word) = self.scratch.words.get_mut(found + position) {
                        *word = handle;
                    }
                }
                None => {
                    self.value::<false>(byte, depth)?;
                }
            }
            more = self.next(b'}')?;
        }
        let words = &mut self.scratch.words;
        let entries = words.len();
        for (position, member) in node.members.iter().enumerate() {
            let handle = words.get(found + position).copied().unwrap_or(UNDEFINED);
            words.extend([member.hash, member.handle, handle]);
        }
        let room = words.get_mut(entries..).unwrap_or_default();
        let object = self.heap.slots(room.as_chunks_mut().0);
        words.truncate(found);
        object
    }

    /// Reads an object of which every member is read, some in a way of their own.
    fn every_member(&mut self, node: &Node, each: &Node, depth: Depth) -> Result<u32, Fault> {
        let start = self.scratch.words.len();
        let mut more = self.enter(b'}')?;
        while more {
            let key = self.key()?;
            let decoded;
            let (text, hash) = match &key {
                Text::Plain(text, hash) => (*text, *hash),
                Text::Decoded(value) => {
                    decoded = value.as_str().unwrap_or_default().as_bytes();
                    (decoded, hash_string(decoded))
                }
            };
            let (handle, node) = match node.find(text, hash).and_then(|position| node.members.get(position)) {
                Some(member) => (member.handle, &member.node),
                None => (self.heap.string(text, hash)?, each),
            };
            let byte = self.tokens.colon()?;
            self.scratch.words.extend([hash, handle]);
            let value = self.projected(node, byte, depth)?;
            self.scratch.words.push(value);
            more = self.next(b'}')?;
        }
        self.close(true, start)
    }

    /// Reads an array of which all elements are read, or only that it is one.
    fn elements(&mut self, node: &Node, depth: Depth) -> Result<u32, Fault> {
        let start = self.scratch.words.len();
        let mut more = self.enter(b']')?;
        while more {
            let byte = self.tokens.peek()?;
            match &node.each {
                Some(each) => {
                    let value = self.projected(each, byte, depth)?;
                    self.scratch.words.push(value);
                }
                None => {
                    self.value::<false>(byte, depth)?;
                }
            }
            more = self.next(b']')?;
        }
        self.close(false, start)
    }

    /// Takes the bracket at hand; whether there is anything before the closing one, which is taken otherwise.
    #[inline]
    fn enter(&mut self, close: u8) -> Result<bool, Fault> {
        self.tokens.take();
        let more = self.tokens.peek()? != close;
        if !more {
            self.tokens.take();
        }
        Ok(more)
    }

    /// Takes the comma or bracket behind a value; whether another value follows.
    #[inline]
    fn next(&mut self, close: u8) -> Result<bool, Fault> {
        let byte = self.tokens.peek()?;
        self.tokens.take();
        match byte {
            b',' => Ok(true),
            byte if byte == close => Ok(false),
            _ => Err(Fault::Invalid),
        }
    }

    #[inline]
    fn key(&mut self) -> Result<Text<'t>, Fault> {
        if self.tokens.peek()? != b'"' {
            return Err(Fault::Invalid);
        }
        self.tokens.string()
    }

    /// Reads a value as a whole, or skips it; takes no stack for nesting.
    fn value<const KEEP: bool>(&mut self, first: u8, depth: Depth) -> Result<u32, Fault> {
        let base = self.scratch.open.len();
        let mut byte = first;
        loop {
            let mut value = match byte {
                b'{' | b'[' => {
                    let is_object = byte == b'{';
                    let start = self.scratch.words.len();
                    self.scratch.open.push(Open { is_object, start });
                    if self.scratch.open.len() - base + depth > json::MAX_DEPTH as usize {
                        return Err(Fault::Invalid);
                    }
                    if self.enter(closing(is_object))? {
                        byte = self.first_of::<KEEP>(is_object)?;
                        continue;
                    }
                    self.scratch.open.pop();
                    if KEEP { self.close(is_object, start)? } else { UNDEFINED }
                }
                _ => self.scalar::<KEEP>(byte)?,
            };
            // A value has ended: close what ends with it.
            loop {
                let Some(open) = self.scratch.open.get(base..).and_then(<[Open]>::last) else {
                    return Ok(value);
                };
                let (is_object, start) = (open.is_object, open.start);
                if KEEP {
                    self.scratch.words.push(value);
                }
                if self.next(closing(is_object))? {
                    byte = self.first_of::<KEEP>(is_object)?;
                    break;
                }
                self.scratch.open.pop();
                value = if KEEP { self.close(is_object, start)? } else { UNDEFINED };
            }
        }
    }

    /// The first byte of the next value in a collection, behind its key.
    #[inline]
    fn first_of<const KEEP: bool>(&mut self, is_object: bool) -> Result<u8, Fault> {
        if !is_object {
            return self.tokens.peek();
        }
        if KEEP {
            let key = self.key()?;
            let (handle, hash) = self.place(key)?;
            self.scratch.words.extend([hash, handle]);
        } else {
            if self.tokens.peek()? != b'"' {
                return Err(Fault::Invalid);
            }
            self.tokens.skip_string()?;
        }
        self.tokens.colon()
    }

    #[inline]
    fn scalar<const KEEP: bool>(&mut self, byte: u8) -> Result<u32, Fault> {
        match byte {
            b'"' if KEEP => {
                let text = self.tokens.string()?;
                self.place(text).map(|(handle, _)| handle)
            }
            b'"' => self.tokens.skip_string().map(|()| UNDEFINED),
            b'-' | b'0'..=b'9' => match self.tokens.number()? {
                _ if !KEEP => Ok(UNDEFINED),
                Numeral::Int(int) => self.heap.int(int),
                Numeral::Other(text) => {
                    let number = Number::parse(text).map_err(|_| Fault::Invalid)?;
                    super::value::number(&number, &mut self.heap)
                }
            },
            b't' => self.tokens.literal(b"true").map(|()| TRUE),
            b'f' => self.tokens.literal(b"false").map(|()| FALSE),
            b'n' => self.tokens.literal(b"null").map(|()| NULL),
            _ => Err(Fault::Invalid),
        }
    }

    /// A string in the module's memory, and its hash.
    #[inline]
    fn place(&mut self, text: Text<'_>) -> Result<(u32, u32), Fault> {
        match text {
            Text::Plain(text, hash) => Ok((self.heap.string(text, hash)?, hash)),
            Text::Decoded(Value::String(text)) => {
                let hash = hash_string(text.as_bytes());
                Ok((self.heap.string(text.as_bytes(), hash)?, hash))
            }
            Text::Decoded(_) => Err(Fault::Invalid),
        }
    }

    /// Lays out the collection whose words begin at `start`.
    fn close(&mut self, is_object: bool, start: usize) -> Result<u32, Fault> {
        let words = self.scratch.words.get_mut(start..).unwrap_or_default();
        let handle =
            if is_object { self.heap.object(words.as_chunks_mut().0, 0) } else { self.heap.array(words) };
        self.scratch.words.truncate(start);
        handle
    }
}

const fn closing(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}
