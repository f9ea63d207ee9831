//! Writes values to the top of a module's heap.

use rego_value::abi::{ARRAY_SIZE, FALSE, NULL, TRUE, UNDEFINED};

use super::plan::Plan;
use super::{InputPlan, WriteInput};
use crate::input::{Fault, Heap, Node, Scratch, read_part, write_number_text, write_part};

/// Why a value was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitInput {
    /// The memory is too small: it is made larger, and the value written again.
    #[error("the module's memory is full")]
    Full,
    /// A float that is infinite or no number.
    #[error("a float of the input is no finite number")]
    NotFinite,
    /// A [`JsonText`](super::JsonText) that is no JSON.
    #[error("a text of the input is not JSON")]
    NotJson,
}

impl From<Fault> for UnfitInput {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Full => Self::Full,
            Fault::Invalid => Self::NotJson,
        }
    }
}

/// A value in the module's memory.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct InputHandle(pub(super) u32);

impl InputHandle {
    /// No value: a member that is left out.
    pub const UNDEFINED: Self = Self(UNDEFINED);

    pub(crate) const fn address(self) -> u32 {
        self.0
    }

    /// As an element: what is not there is null.
    fn or_null(self) -> u32 {
        if self.0 == UNDEFINED { NULL } else { self.0 }
    }
}

/// An object that is being written.
#[derive(Debug)]
#[must_use]
pub struct InputObject {
    /// The object's address where members have places, else where its entries begin among the words.
    at: usize,
}

/// Where values are written to.
///
/// It keeps its first failure to itself, as the standard library's `DebugStruct` does, and says it at the end: what is
/// written after it is nowhere, and nobody has to ask after each part.
pub struct InputWriter<'m> {
    heap: Heap<'m>,
    scratch: &'m mut Scratch,
    failure: Option<UnfitInput>,
}

impl std::fmt::Debug for InputWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputWriter")
            .field("top", &self.heap.top())
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl<'m> InputWriter<'m> {
    pub(crate) fn new(memory: &'m mut [u8], top: u32, scratch: &'m mut Scratch) -> Self {
        scratch.clear();
        Self { heap: Heap::new(memory, top), scratch, failure: None }
    }

    /// The first free address, unless something could not be written.
    pub(crate) fn finish(self) -> Result<u32, UnfitInput> {
        self.failure.map_or(Ok(self.heap.top()), Err)
    }

    /// Says that a value cannot be given to a policy. The evaluation ends with this error.
    #[cold]
    pub fn unfit(&mut self, failure: UnfitInput) -> InputHandle {
        self.failure.get_or_insert(failure);
        InputHandle::UNDEFINED
    }

    /// What was written, or that it could not be.
    #[inline]
    fn placed(&mut self, handle: Result<u32, Fault>) -> InputHandle {
        match handle {
            Ok(handle) => InputHandle(handle),
            Err(fault) => self.unfit(fault.into()),
        }
    }

    /// The address of what could not be written: behind any memory, and far from where addresses end.
    #[cold]
    fn no_room(&mut self, fault: Fault) -> usize {
        let _ = self.unfit(fault.into());
        usize::MAX / 2
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, text: &str) -> InputHandle {
        let text = self.heap.text(text);
        self.placed(text)
    }

    /// A boolean.
    #[inline]
    pub fn bool(&mut self, truth: bool) -> InputHandle {
        InputHandle(if truth { TRUE } else { FALSE })
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, int: i64) -> InputHandle {
        let int = self.heap.int(int);
        self.placed(int)
    }

    /// Any number, by its JSON text. What is no number is [`UnfitInput::NotJson`].
    pub fn number(&mut self, text: &str) -> InputHandle {
        let number = write_number_text(text, &mut self.heap);
        self.placed(number)
    }

    /// A JSON text, as far as it is read. What is no JSON is [`UnfitInput::NotJson`].
    pub fn json(&mut self, text: &str, plan: &InputPlan) -> InputHandle {
        let whole;
        let node = match &plan.0 {
            Plan::Any(node) => node,
            _ => {
                whole = Node::whole();
                &whole
            }
        };
        let part = read_part(text, node, &mut self.heap, self.scratch);
        self.placed(part)
    }

    /// A value, as far as it is read.
    pub fn value(&mut self, value: &rego_value::Value, plan: &InputPlan) -> InputHandle {
        let whole;
        let node = match &plan.0 {
            Plan::Any(node) => node,
            _ => {
                whole = Node::whole();
                &whole
            }
        };
        let part = write_part(value, node, &mut self.heap);
        self.placed(part)
    }

    /// An array.
    pub fn list<T: WriteInput>(&mut self, plan: &InputPlan, items: &[T]) -> InputHandle {
        let (each, items) = match &plan.0 {
            Plan::Whole => (plan, items),
            Plan::List(Some(each)) => (&**each, items),
            _ => (plan, [].as_slice()),
        };
        let array = match self.heap.empty_array(items.len()) {
            Ok(array) => array,
            Err(fault) => return self.unfit(fault.into()),
        };
        let mut place = ARRAY_SIZE as usize;
        for item in items {
            let handle = item.write(each, self).or_null();
            self.heap.fill_slot(array as usize, place, handle);
            place += 4;
        }
        InputHandle(array)
    }

    /// An object with keys that are not known before. Of equal keys the last counts.
    pub fn map<'k, T: WriteInput>(
        &mut self,
        plan: &InputPlan,
        members: impl Iterator<Item = (&'k str, T)>,
    ) -> InputHandle {
        let object = self.begin(plan);
        for (key, value) in members {
            match &plan.0 {
                Plan::Slots { names, .. } => {
                    if let Some((_, slot)) = names.iter().find(|(name, _)| **name == *key) {
                        let value = value.write(&slot.plan, self).or_null();
                        self.heap.fill_slot(object.at, slot.place, value);
                    }
                }
                Plan::Every { names, each, .. } => {
                    let found = names.iter().find(|(name, _)| **name == *key).map(|(_, found)| found);
                    let value = value.write(found.map_or(&**each, |found| &found.plan), self).or_null();
                    self.member(key, found.and_then(|found| found.key), value);
                }
                Plan::Whole => {
                    let value = value.write(plan, self).or_null();
                    self.member(key, None, value);
                }
                Plan::Scalar | Plan::List(_) | Plan::Any(_) => {}
            }
        }
        self.end(plan, object)
    }

    /// Begins an object of a struct.
    #[inline]
    pub fn begin(&mut self, plan: &InputPlan) -> InputObject {
        let at = match &plan.0 {
            Plan::Slots { empty, .. } => {
                // Where there was no room, members go to no address that there is.
                self.heap
                    .empty_slots(empty)
                    .map_or_else(|fault| self.no_room(fault), |object| object as usize)
            }
            _ => self.scratch.words.len(),
        };
        InputObject { at }
    }

    /// Writes a field, by its number in [`InputShape::Struct`](super::InputShape) and its name.
    #[inline(always)]
    pub fn field<T: WriteInput + ?Sized>(
        &mut self,
        plan: &InputPlan,
        object: &InputObject,
        (number, name): (usize, &str),
        value: &T,
    ) {
        if let Plan::Slots { fields, .. } = &plan.0 {
            if let Some(Some(slot)) = fields.get(number) {
                let value = value.write(&slot.plan, self);
                self.heap.fill_slot(object.at, slot.place, value.0);
            }
            return;
        }
        self.entry(plan, (number, name), value);
    }

    #[inline(never)]
    fn entry<T: WriteInput + ?Sized>(&mut self, plan: &InputPlan, (number, name): (usize, &str), value: &T) {
        let (key, part) = match &plan.0 {
            Plan::Whole => (None, plan),
            Plan::Every { fields, .. } => match fields.get(number) {
                Some(field) => (field.key, &field.plan),
                None => return,
            },
            _ => return,
        };
        let value = value.write(part, self);
        if value.0 != UNDEFINED {
            self.member(name, key, value.0);
        }
    }

    /// Ends an object.
    #[inline]
    pub fn end(&mut self, plan: &InputPlan, object: InputObject) -> InputHandle {
        if let Plan::Slots { .. } = &plan.0 {
            return InputHandle(address(&object));
        }
        let words = self.scratch.words.get_mut(object.at..).unwrap_or_default();
        let made = self.heap.object(words.as_chunks_mut().0, 0);
        self.scratch.words.truncate(object.at);
        self.placed(made)
    }

    fn member(&mut self, name: &str, key: Option<[u32; 2]>, value: u32) {
        let key = match key {
            Some(key) => Ok(key),
            None => self.heap.string(name.into()).map(|(handle, hash)| [hash, handle]),
        };
        match key {
            Ok([hash, handle]) => self.scratch.words.extend([hash, handle, value]),
            Err(fault) => drop(self.unfit(fault.into())),
        }
    }
}

/// Of an object whose members have places: it lies in a memory of 32 bits.
fn address(object: &InputObject) -> u32 {
    u32::try_from(object.at).unwrap_or(u32::MAX)
}
