//! Writes values to the top of a module's heap.

use rego_value::Number;
use rego_value::abi::{FALSE, NULL, TRUE, UNDEFINED};

use super::plan::Plan;
use super::{InputPlan, WriteInput};
use crate::input::{Fault, Heap, Node, Scratch, read_part, write_number, write_part};

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
pub struct InputWriter<'m> {
    heap: Heap<'m>,
    scratch: &'m mut Scratch,
}

impl std::fmt::Debug for InputWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputWriter").field("top", &self.heap.top()).finish_non_exhaustive()
    }
}

type Result<T> = std::result::Result<T, UnfitInput>;

impl<'m> InputWriter<'m> {
    pub(crate) fn new(memory: &'m mut [u8], top: u32, scratch: &'m mut Scratch) -> Self {
        scratch.clear();
        Self { heap: Heap::new(memory, top), scratch }
    }

    pub(crate) fn top(&self) -> u32 {
        self.heap.top()
    }

    /// A string.
    ///
    /// # Errors
    /// No room.
    #[inline]
    pub fn string(&mut self, text: &str) -> Result<InputHandle> {
        Ok(InputHandle(self.heap.text(text)?))
    }

    /// A boolean.
    #[inline]
    pub fn bool(&mut self, truth: bool) -> InputHandle {
        InputHandle(if truth { TRUE } else { FALSE })
    }

    /// An integer.
    ///
    /// # Errors
    /// No room.
    #[inline]
    pub fn int(&mut self, int: i64) -> Result<InputHandle> {
        Ok(InputHandle(self.heap.int(int)?))
    }

    /// Any number, by its JSON text.
    ///
    /// # Errors
    /// No room; no number.
    pub fn number(&mut self, text: &str) -> Result<InputHandle> {
        let number = Number::parse(text).map_err(|_| UnfitInput::NotJson)?;
        Ok(InputHandle(write_number(&number, &mut self.heap)?))
    }

    /// A JSON text, as far as it is read.
    ///
    /// # Errors
    /// No room; no JSON.
    pub fn json(&mut self, text: &str, plan: &InputPlan) -> Result<InputHandle> {
        let whole;
        let node = match &plan.0 {
            Plan::Any(node) => node,
            _ => {
                whole = Node::whole();
                &whole
            }
        };
        Ok(InputHandle(read_part(text, node, &mut self.heap, self.scratch)?))
    }

    /// A value, as far as it is read.
    ///
    /// # Errors
    /// No room.
    pub fn value(&mut self, value: &rego_value::Value, plan: &InputPlan) -> Result<InputHandle> {
        let whole;
        let node = match &plan.0 {
            Plan::Any(node) => node,
            _ => {
                whole = Node::whole();
                &whole
            }
        };
        Ok(InputHandle(write_part(value, node, &mut self.heap)?))
    }

    /// An array.
    ///
    /// # Errors
    /// No room; an element that cannot be written.
    pub fn list<'v, T: WriteInput + 'v>(
        &mut self,
        plan: &InputPlan,
        items: impl Iterator<Item = &'v T>,
    ) -> Result<InputHandle> {
        let each = match &plan.0 {
            Plan::Whole => plan,
            Plan::List(Some(each)) => each,
            _ => return Ok(InputHandle(self.heap.array(&[])?)),
        };
        let start = self.scratch.words.len();
        for item in items {
            let handle = item.write(each, self)?.or_null();
            self.scratch.words.push(handle);
        }
        let handle = self.heap.array(self.scratch.words.get(start..).unwrap_or_default());
        self.scratch.words.truncate(start);
        Ok(InputHandle(handle?))
    }

    /// An object with keys that are not known before. Of equal keys the last counts.
    ///
    /// # Errors
    /// No room; a member that cannot be written.
    pub fn map<'k, T: WriteInput>(
        &mut self,
        plan: &InputPlan,
        members: impl Iterator<Item = (&'k str, T)>,
    ) -> Result<InputHandle> {
        let object = self.begin(plan)?;
        for (key, value) in members {
            match &plan.0 {
                Plan::Slots { names, .. } => {
                    if let Some(place) = names.iter().position(|(name, _)| **name == *key)
                        && let Some((_, part)) = names.get(place)
                    {
                        let value = value.write(part, self)?.or_null();
                        self.heap.fill_slot(address(&object), place, value);
                    }
                }
                Plan::Every { names, each, .. } => {
                    let found = names.iter().find(|(name, _)| **name == *key).map(|(_, found)| found);
                    let value = value.write(found.map_or(&**each, |found| &found.plan), self)?.or_null();
                    self.member(key, found.and_then(|found| found.key), value)?;
                }
                Plan::Whole => {
                    let value = value.write(plan, self)?.or_null();
                    self.member(key, None, value)?;
                }
                Plan::Scalar | Plan::List(_) | Plan::Any(_) => {}
            }
        }
        self.end(plan, object)
    }

    /// Begins an object of a struct.
    ///
    /// # Errors
    /// No room.
    #[inline]
    pub fn begin(&mut self, plan: &InputPlan) -> Result<InputObject> {
        let at = match &plan.0 {
            Plan::Slots { keys, .. } => self.heap.empty_slots(keys)? as usize,
            _ => self.scratch.words.len(),
        };
        Ok(InputObject { at })
    }

    /// Writes a field, by its number in [`InputShape::Struct`](super::InputShape) and its name.
    ///
    /// # Errors
    /// No room; a value that cannot be written.
    #[inline]
    pub fn field<T: WriteInput + ?Sized>(
        &mut self,
        plan: &InputPlan,
        object: &InputObject,
        (number, name): (usize, &str),
        value: &T,
    ) -> Result<()> {
        if let Plan::Slots { fields, .. } = &plan.0 {
            if let Some(Some((place, part))) = fields.get(number) {
                let value = value.write(part, self)?;
                self.heap.fill_slot(address(object), *place, value.0);
            }
            return Ok(());
        }
        self.entry(plan, (number, name), value)
    }

    fn entry<T: WriteInput + ?Sized>(
        &mut self,
        plan: &InputPlan,
        (number, name): (usize, &str),
        value: &T,
    ) -> Result<()> {
        let (key, part) = match &plan.0 {
            Plan::Whole => (None, plan),
            Plan::Every { fields, .. } => match fields.get(number) {
                Some(field) => (field.key, &field.plan),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let value = value.write(part, self)?;
        if value.0 == UNDEFINED { Ok(()) } else { self.member(name, key, value.0) }
    }

    /// Ends an object.
    ///
    /// # Errors
    /// No room.
    #[inline]
    pub fn end(&mut self, plan: &InputPlan, object: InputObject) -> Result<InputHandle> {
        if let Plan::Slots { .. } = &plan.0 {
            return Ok(InputHandle(address(&object)));
        }
        let words = self.scratch.words.get_mut(object.at..).unwrap_or_default();
        let handle = self.heap.object(words.as_chunks_mut().0, 0);
        self.scratch.words.truncate(object.at);
        Ok(InputHandle(handle?))
    }

    fn member(&mut self, name: &str, key: Option<[u32; 2]>, value: u32) -> Result<()> {
        let [hash, handle] = match key {
            Some(key) => key,
            None => {
                let (handle, hash) = self.heap.string(name.into())?;
                [hash, handle]
            }
        };
        self.scratch.words.extend([hash, handle, value]);
        Ok(())
    }
}

/// Of an object whose members have places: it lies in a memory of 32 bits.
fn address(object: &InputObject) -> u32 {
    u32::try_from(object.at).unwrap_or(u32::MAX)
}
