//! A JSON text, laid out as far as it is read and checked to its end.

use super::heap::{EmptySlots, Heap, Text};
use super::projection::Node;
use super::token::{Literal, Numeral, Tokens};
use super::walk::{Nesting, Sink, Skip, walk};
use super::{Fault, Scratch, escape};

/// What reads a text.
pub(super) struct Reader<'t, 'm, 's> {
    tokens: Tokens<'t>,
    heap: Heap<'m>,
    scratch: &'s mut Scratch,
}

/// As deep as projections go, far less than [`rego_value::json::MAX_DEPTH`].
type Depth = usize;

impl<'t, 'm, 's> Reader<'t, 'm, 's> {
    pub(super) const fn new(text: &'t [u8], heap: Heap<'m>, scratch: &'s mut Scratch) -> Self {
        Self { tokens: Tokens::new(text), heap, scratch }
    }

    pub(super) fn into_heap(self) -> Heap<'m> {
        self.heap
    }

    /// Reads one value and nothing else.
    pub(super) fn document(&mut self, root: &Node) -> Result<u32, Fault> {
        let byte = self.tokens.peek();
        let handle = self.projected(root, byte, 0)?;
        if self.tokens.is_done() { Ok(handle) } else { Err(Fault::Invalid) }
    }

    /// Reads what the node reads of a value that begins with `byte`.
    #[inline(always)]
    fn projected(&mut self, node: &Node, byte: u8, depth: Depth) -> Result<u32, Fault> {
        match byte {
            b'"' => {
                let string = self.tokens.string()?;
                let text = text_of(self.tokens.text(), string, &mut self.scratch.decoded);
                self.heap.string(text).map(|(handle, _)| handle)
            }
            b'{' | b'[' => self.collection(node, byte, depth),
            b'-' | b'0'..=b'9' => {
                let number = self.tokens.number()?;
                place_number(&mut self.heap, number)
            }
            _ => self.tokens.constant(byte),
        }
    }

    #[inline(never)]
    fn collection(&mut self, node: &Node, byte: u8, depth: Depth) -> Result<u32, Fault> {
        match (&node.each, byte) {
            _ if node.whole => self.whole(byte, depth),
            (None, b'{') => self.members(node, depth + 1),
            (Some(each), b'{') => self.every_member(node, each, depth + 1),
            _ => self.elements(node, depth + 1),
        }
    }

    /// Reads an object of which some members are read.
    fn members(&mut self, node: &Node, depth: Depth) -> Result<u32, Fault> {
        let object = self.heap.empty_slots(node.empty())?;
        let mut more = self.enter(b'}')?;
        while more {
            if self.tokens.peek() != b'"' {
                return Err(Fault::Invalid);
            }
            let key = self.tokens.string()?;
            let position = node.find(text_of(self.tokens.text(), key, &mut self.scratch.decoded));
            let byte = self.tokens.colon()?;
            match position.and_then(|position| Some((position, node.members.get(position)?))) {
                Some((position, member)) => {
                    let handle = self.projected(&member.node, byte, depth)?;
                    self.heap.fill_slot(object as usize, EmptySlots::place(position), handle);
                }
                None => self.skip(byte, depth)?,
            }
            more = self.next(b'}')?;
        }
        Ok(object)
    }

    /// Reads an object of which every member is read, some in a way of their own.
    fn every_member(&mut self, node: &Node, each: &Node, depth: Depth) -> Result<u32, Fault> {
        let start = self.scratch.words.len();
        let mut more = self.enter(b'}')?;
        while more {
            if self.tokens.peek() != b'"' {
                return Err(Fault::Invalid);
            }
            let key = self.tokens.string()?;
            let key = text_of(self.tokens.text(), key, &mut self.scratch.decoded);
            let (handle, hash, node) = match node.find(key).and_then(|position| node.members.get(position)) {
                Some(member) => (member.handle, member.hash, &member.node),
                None => {
                    let (handle, hash) = self.heap.string(key)?;
                    (handle, hash, each)
                }
            };
            let byte = self.tokens.colon()?;
            self.scratch.words.push(hash);
            self.scratch.words.push(handle);
            let value = self.projected(node, byte, depth)?;
            self.scratch.words.push(value);
            more = self.next(b'}')?;
        }
        close(&mut self.heap, &mut self.scratch.words, true, start)
    }

    /// Reads an array of which all elements are read, or only that it is one.
    fn elements(&mut self, node: &Node, depth: Depth) -> Result<u32, Fault> {
        let start = self.scratch.words.len();
        let mut more = self.enter(b']')?;
        while more {
            let byte = self.tokens.peek();
            match &node.each {
                Some(each) => {
                    let value = self.projected(each, byte, depth)?;
                    self.scratch.words.push(value);
                }
                None => self.skip(byte, depth)?,
            }
            more = self.next(b']')?;
        }
        close(&mut self.heap, &mut self.scratch.words, false, start)
    }

    /// Takes the bracket at hand; whether there is anything before the closing one, which is taken otherwise.
    #[inline(always)]
    fn enter(&mut self, close: u8) -> Result<bool, Fault> {
        self.tokens.take();
        let more = self.tokens.peek() != close;
        if !more {
            self.tokens.take();
        }
        Ok(more)
    }

    /// Takes the comma or bracket behind a value; whether another value follows.
    #[inline(always)]
    fn next(&mut self, close: u8) -> Result<bool, Fault> {
        let byte = self.tokens.peek();
        self.tokens.take();
        match byte {
            b',' => Ok(true),
            byte if byte == close => Ok(false),
            _ => Err(Fault::Invalid),
        }
    }

    /// Reads a value that nobody reads.
    #[inline(always)]
    fn skip(&mut self, byte: u8, depth: Depth) -> Result<(), Fault> {
        match byte {
            b'"' => self.tokens.string().map(|_| ()),
            b'-' | b'0'..=b'9' => self.tokens.number().map(|_| ()),
            b'{' | b'[' => self.skip_collection(byte, depth),
            _ => self.tokens.constant(byte).map(|_| ()),
        }
    }

    #[inline(never)]
    fn skip_collection(&mut self, byte: u8, depth: Depth) -> Result<(), Fault> {
        let nesting = Nesting::new(depth, &mut self.scratch.nesting);
        self.tokens = walk(self.tokens, byte, nesting, &mut Skip)?;
        Ok(())
    }

    /// Reads a value as a whole.
    #[inline(never)]
    fn whole(&mut self, byte: u8, depth: Depth) -> Result<u32, Fault> {
        let Scratch { words, open, nesting, decoded } = &mut *self.scratch;
        let nesting = Nesting::new(depth, nesting);
        let mut keep = Keep { heap: &mut self.heap, words, open, decoded };
        self.tokens = walk(self.tokens, byte, nesting, &mut keep)?;
        self.scratch.words.pop().ok_or(Fault::Invalid)
    }
}

/// Lays everything out.
struct Keep<'r, 'm> {
    heap: &'r mut Heap<'m>,
    /// The words of what is open: handles of an array, entries of an object.
    words: &'r mut Vec<u32>,
    /// Where the words of each collection begin.
    open: &'r mut Vec<usize>,
    decoded: &'r mut Vec<u8>,
}

impl Sink for Keep<'_, '_> {
    #[inline(always)]
    fn key(&mut self, text: &[u8], key: Literal) -> Result<(), Fault> {
        let (handle, hash) = self.heap.string(text_of(text, key, self.decoded))?;
        self.words.push(hash);
        self.words.push(handle);
        Ok(())
    }

    #[inline(always)]
    fn string(&mut self, text: &[u8], string: Literal) -> Result<(), Fault> {
        let (handle, _) = self.heap.string(text_of(text, string, self.decoded))?;
        self.words.push(handle);
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self, number: Numeral<'_>) -> Result<(), Fault> {
        let handle = place_number(self.heap, number)?;
        self.words.push(handle);
        Ok(())
    }

    #[inline(always)]
    fn constant(&mut self, handle: u32) {
        self.words.push(handle);
    }

    #[inline(always)]
    fn open(&mut self) {
        self.open.push(self.words.len());
    }

    #[inline]
    fn close(&mut self, is_object: bool) -> Result<(), Fault> {
        let start = self.open.pop().unwrap_or_default();
        let handle = close(self.heap, self.words, is_object, start)?;
        self.words.push(handle);
        Ok(())
    }
}

/// What a string says; in `decoded`, if that is not what stands there.
#[inline(always)]
fn text_of<'a>(text: &'a [u8], string: Literal, decoded: &'a mut Vec<u8>) -> Text<'a> {
    let Literal { start, end, has_escapes } = string;
    if !has_escapes {
        return Text { bytes: text, start, length: end - start };
    }
    escape::decode(text.get(start..end).unwrap_or_default(), decoded);
    Text { bytes: decoded, start: 0, length: decoded.len() }
}

#[inline(always)]
fn place_number(heap: &mut Heap<'_>, number: Numeral<'_>) -> Result<u32, Fault> {
    match number {
        Numeral::Int(int) => heap.int(int),
        Numeral::Other(text) => super::value::number_text(text, heap),
    }
}

/// Lays out the collection whose words begin at `start`.
fn close(heap: &mut Heap<'_>, words: &mut Vec<u32>, is_object: bool, start: usize) -> Result<u32, Fault> {
    let inside = words.get_mut(start..).unwrap_or_default();
    let handle = if is_object { heap.object(inside.as_chunks_mut().0, 0) } else { heap.array(inside) };
    words.truncate(start);
    handle
}
