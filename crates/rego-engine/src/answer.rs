//! What an entrypoint gave, looked at where the module has it.

use std::borrow::Cow;
use std::cell::Cell;

use rego_value::Value;
use rego_value::abi::{
    self, ALIGN, ENTRY_HASH, ENTRY_KEY, ENTRY_VALUE, Hash64, INT_VALUE, ITEMS, KIND_ARRAY, KIND_INT,
    KIND_OBJECT, KIND_STRING, LEN, OBJECT_ENTRY, ReadError, TEXT_BYTES, View, small_int_value,
};

use crate::texts::Texts;

/// The value of an entrypoint, or a part of it, without a copy: for callers that want a few fields of a decision and
/// nothing of it afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a>(Form<'a>);

/// The name of a member and its hash, by which modules keep members.
///
/// ```
/// const REASON: rego_engine::Key<'_> = rego_engine::Key::new("reason");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'n> {
    name: &'n str,
    hash: u32,
}

impl<'n> Key<'n> {
    /// The key of that name.
    #[must_use]
    pub const fn new(name: &'n str) -> Self {
        Self { name, hash: hash(name.as_bytes()) }
    }
}

/// As [`abi::hash_string`], also before the program runs.
const fn hash(name: &[u8]) -> u32 {
    let mut hash = Hash64::new(0);
    let mut rest = name;
    while let Some((word, others)) = rest.split_first_chunk() {
        hash.word(u64::from_le_bytes(*word));
        rest = others;
    }
    let mut last = 0;
    if !rest.is_empty() {
        while let Some((byte, others)) = rest.split_last() {
            last = last << 8 | *byte as u64;
            rest = others;
        }
        hash.word(last);
    }
    hash.word(name.len() as u64);
    hash.finish()
}

/// What lies in a module whose layout of values is known. Apart from the answers, which are handed on in registers then.
#[derive(Debug)]
pub(crate) struct Inside<'a> {
    pub(crate) memory: &'a [u8],
    /// The texts of its constants.
    pub(crate) texts: &'a Texts,
}

/// Which members of objects are wanted ([`Answer::pick`]), and in which order those of the latest object stood: a hint for
/// the next, since a policy makes objects of the same members again and again, and in one order.
#[derive(Debug)]
pub struct Wanted<'k> {
    keys: &'k [Key<'k>],
    /// The module whose objects the order is of.
    module: Cell<u64>,
    order: [Cell<Option<Member>>; 16],
}

/// A member whose key is a constant of the module.
#[derive(Clone, Copy, Debug)]
struct Member {
    /// The key's handle, which is its text's as long as the module lives.
    handle: u32,
    /// Which of the wanted keys it is.
    position: u8,
}

impl<'k> Wanted<'k> {
    /// Those with these keys.
    #[must_use]
    pub const fn new(keys: &'k [Key<'k>]) -> Self {
        Self { keys, module: Cell::new(0), order: [const { Cell::new(None) }; 16] }
    }

    /// Begins with an object of a module: what is known of another's is forgotten.
    #[inline]
    fn begin(&self, module: u64) {
        if self.module.replace(module) != module {
            self.order.iter().for_each(|member| member.set(None));
        }
    }

    /// Which key the member at a place has.
    #[inline]
    fn position(&self, inside: &Inside<'_>, place: usize, entry: &Entry) -> Option<usize> {
        let (handle, known) = (word(entry, ENTRY_KEY), self.order.get(place).map(Cell::get));
        match known.flatten() {
            Some(known) if known.handle == handle => Some(usize::from(known.position)),
            _ => self.search(inside, place, entry),
        }
    }

    fn search(&self, inside: &Inside<'_>, place: usize, entry: &Entry) -> Option<usize> {
        let position = self.keys.iter().position(|key| has_key(inside.memory, entry, *key))?;
        let handle = word(entry, ENTRY_KEY);
        // What is no constant may lie elsewhere in the next decision, and something else in its place.
        if let (Some(member), Ok(position), Some(_)) =
            (self.order.get(place), u8::try_from(position), inside.texts.get(handle))
        {
            member.set(Some(Member { handle, position }));
        }
        Some(position)
    }
}

/// A member of an object in a module.
type Entry = [u8; OBJECT_ENTRY as usize];

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    /// A handle in a module.
    InModule { inside: &'a Inside<'a>, handle: u32 },
    /// Read already.
    Owned(&'a Value),
}

impl<'a> Answer<'a> {
    pub(crate) const fn in_module(inside: &'a Inside<'a>, handle: u32) -> Self {
        Self(Form::InModule { inside, handle })
    }

    pub(crate) const fn owned(value: &'a Value) -> Self {
        Self(Form::Owned(value))
    }

    /// The member of an object; none when there is no such member, or no object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Self> {
        self.get_key(Key::new(name))
    }

    /// The same by a name that is hashed already: the way for names that are known when the program is compiled.
    #[inline(always)]
    #[must_use]
    pub fn get_key(&self, key: Key<'_>) -> Option<Self> {
        match self.0 {
            Form::Owned(value) => value.get_str(key.name).map(Self::owned),
            Form::InModule { inside, handle } => {
                member(inside.memory, handle, key).map(|member| Self::in_module(inside, member))
            }
        }
    }

    /// Shows the members of an object that are wanted, each with its key's position, and gives how many members there are,
    /// others included; none when it is no object. One pass over the members, which is sooner than [`Answer::get_key`] for
    /// each of several keys, and still sooner where objects in this order were seen before.
    #[inline]
    pub fn pick(&self, wanted: &Wanted<'_>, mut each: impl FnMut(usize, Self)) -> Option<usize> {
        let Form::InModule { inside, handle } = self.0 else {
            let members = self.members()?.count();
            let found = wanted.keys.iter().map(|key| self.get_key(*key)).enumerate();
            found
                .filter_map(|(position, value)| Some((position, value?)))
                .for_each(|(position, value)| each(position, value));
            return Some(members);
        };
        let entries = entries(inside.memory, handle)?;
        wanted.begin(inside.texts.module());
        for (place, entry) in entries.iter().enumerate() {
            if let Some(position) = wanted.position(inside, place, entry) {
                each(position, Self::in_module(inside, word(entry, ENTRY_VALUE)));
            }
        }
        Some(entries.len())
    }

    /// The text of a string.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self.0 {
            Form::Owned(value) => value.as_str(),
            Form::InModule { inside, handle } => match inside.texts.get(handle) {
                Some(text) => Some(text),
                None => std::str::from_utf8(string(inside.memory, handle)?).ok(),
            },
        }
    }

    /// The truth of a boolean.
    #[inline]
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.0 {
            Form::Owned(value) => value.as_bool(),
            Form::InModule { handle: abi::TRUE, .. } => Some(true),
            Form::InModule { handle: abi::FALSE, .. } => Some(false),
            Form::InModule { .. } => None,
        }
    }

    /// A number that is written as an integer and fits 64 bits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Form::Owned(Value::Number(number)) => number.as_plain_int(),
            Form::Owned(_) => None,
            Form::InModule { inside, handle } => int(inside.memory, handle),
        }
    }

    /// The text of a number, as JSON has it.
    #[must_use]
    pub fn as_number(&self) -> Option<Cow<'a, str>> {
        match self.0 {
            Form::Owned(Value::Number(number)) => Some(Cow::Owned(number.text().into_owned())),
            Form::Owned(_) => None,
            Form::InModule { inside, handle } => match View::new(inside.memory, handle) {
                Ok(View::Int(int)) => Some(Cow::Owned(int.to_string())),
                Ok(View::Decimal(text)) => Some(Cow::Borrowed(text)),
                Ok(View::Float(float)) => Some(Cow::Owned(float.to_number().text().into_owned())),
                _ => None,
            },
        }
    }

    /// Whether it is a set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        match self.0 {
            Form::Owned(value) => matches!(value, Value::Set(_)),
            Form::InModule { inside, handle } => {
                matches!(View::new(inside.memory, handle), Ok(View::Set(_)))
            }
        }
    }

    /// The elements of an array, none when it is no array. A set has to be copied first ([`Answer::to_value`]): where a
    /// module has it, it is in no order.
    #[must_use]
    pub fn items(&self) -> Option<impl Iterator<Item = Self> + use<'a>> {
        let form = self.0;
        let (elements, owned): (&[[u8; 4]], _) = match form {
            Form::Owned(Value::Array(items)) => (&[], items.as_slice()),
            Form::Owned(_) => return None,
            Form::InModule { inside, handle } => (elements(inside.memory, handle)?, [].as_slice()),
        };
        let (mut elements, mut owned) = (elements.iter(), owned.iter());
        Some(std::iter::from_fn(move || match form {
            Form::InModule { inside, .. } => {
                elements.next().map(|item| Self::in_module(inside, u32::from_le_bytes(*item)))
            }
            Form::Owned(_) => owned.next().map(Self::owned),
        }))
    }

    /// The member of an object of one.
    #[must_use]
    pub fn only_member(&self) -> Option<(Self, Self)> {
        match self.0 {
            Form::Owned(Value::Object(members)) if members.len() == 1 => {
                members.iter().next().map(|(key, value)| (Self::owned(key), Self::owned(value)))
            }
            Form::Owned(_) => None,
            Form::InModule { inside, handle } => match entries(inside.memory, handle)? {
                [entry] => {
                    let part = |offset| Self::in_module(inside, word(entry, offset));
                    Some((part(ENTRY_KEY), part(ENTRY_VALUE)))
                }
                _ => None,
            },
        }
    }

    /// The members of an object, in no order; none when it is no object.
    #[must_use]
    pub fn members(&self) -> Option<impl Iterator<Item = (Self, Self)> + use<'a>> {
        let (table, owned) = match self.0 {
            Form::Owned(Value::Object(members)) => (None, Some(members)),
            Form::Owned(_) => return None,
            Form::InModule { inside, handle } => match View::new(inside.memory, handle) {
                Ok(View::Object(table)) => (Some((inside, table)), None),
                _ => return None,
            },
        };
        let in_module = table.into_iter().flat_map(|(inside, table)| {
            table
                .iter()
                .map(move |(key, value)| (Self::in_module(inside, key), Self::in_module(inside, value)))
        });
        let owned = owned.into_iter().flat_map(|members| members.iter());
        Some(in_module.chain(owned.map(|(key, value)| (Self::owned(key), Self::owned(value)))))
    }

    /// An owned copy.
    ///
    /// # Errors
    /// Memory that holds no value there; the module is broken.
    pub fn to_value(&self) -> Result<Value, ReadError> {
        match self.0 {
            Form::Owned(value) => Ok(value.clone()),
            Form::InModule { inside, handle } => abi::read(inside.memory, handle),
        }
    }
}

/// The member of an object with this key; in the caller, where names are known.
#[inline(always)]
fn member(memory: &[u8], object: u32, key: Key<'_>) -> Option<u32> {
    let entry = entries(memory, object)?.iter().find(|entry| has_key(memory, entry, key))?;
    Some(word(entry, ENTRY_VALUE))
}

/// Whether a member has this key. Two names may have one hash, and a key that is no string a string's.
#[inline(always)]
fn has_key(memory: &[u8], entry: &Entry, key: Key<'_>) -> bool {
    word(entry, ENTRY_HASH) == key.hash && is_string(memory, word(entry, ENTRY_KEY), key.name.as_bytes())
}

/// Whether a handle is this string's.
#[inline(always)]
fn is_string(memory: &[u8], handle: u32, text: &[u8]) -> bool {
    if handle == 0 || !handle.is_multiple_of(ALIGN) {
        return false;
    }
    let bytes = memory.get(handle as usize..).and_then(|rest| rest.get(..TEXT_BYTES as usize + text.len()));
    let Some((header, bytes)) = bytes.and_then(|bytes| bytes.split_first_chunk::<{ TEXT_BYTES as usize }>())
    else {
        return false;
    };
    header.first() == Some(&KIND_STRING) && word(header, LEN) as usize == text.len() && equal(bytes, text)
}

/// The members of an object.
#[inline(always)]
fn entries(memory: &[u8], object: u32) -> Option<&[Entry]> {
    let header = header(memory, object, KIND_OBJECT)?;
    let (count, start) = (word(header, LEN) as usize, word(header, ITEMS) as usize);
    let size = count.checked_mul(OBJECT_ENTRY as usize)?;
    Some(memory.get(start..)?.get(..size)?.as_chunks().0)
}

/// The elements of an array.
#[inline]
fn elements(memory: &[u8], array: u32) -> Option<&[[u8; 4]]> {
    let header = header(memory, array, KIND_ARRAY)?;
    let (count, start) = (word(header, LEN) as usize, word(header, ITEMS) as usize);
    Some(memory.get(start..)?.get(..count.checked_mul(4)?)?.as_chunks().0)
}

/// Whether two texts are equal. Those of names' usual lengths are compared by their first and last bytes, which overlap:
/// comparing slices is a call.
#[inline(always)]
fn equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        2..4 => one.first_chunk::<2>() == other.first_chunk() && one.last() == other.last(),
        4..8 => one.first_chunk::<4>() == other.first_chunk() && one.last_chunk::<4>() == other.last_chunk(),
        8..=16 => {
            one.first_chunk::<8>() == other.first_chunk() && one.last_chunk::<8>() == other.last_chunk()
        }
        _ => one == other,
    }
}

/// An integer of 64 bits.
#[inline]
fn int(memory: &[u8], handle: u32) -> Option<i64> {
    if handle & 1 == 1 {
        return Some(small_int_value(handle));
    }
    let bytes = header(memory, handle, KIND_INT)?.get(INT_VALUE as usize..)?;
    bytes.first_chunk().map(|bytes| i64::from_le_bytes(*bytes))
}

/// The bytes of a string.
#[inline]
fn string(memory: &[u8], handle: u32) -> Option<&[u8]> {
    let length = word(header(memory, handle, KIND_STRING)?, LEN) as usize;
    memory.get(handle as usize + TEXT_BYTES as usize..)?.get(..length)
}

/// The beginning of a heap object of that kind.
#[inline]
fn header(memory: &[u8], handle: u32, kind: u8) -> Option<&[u8; TEXT_BYTES as usize]> {
    if handle == 0 || !handle.is_multiple_of(ALIGN) {
        return None;
    }
    let header = memory.get(handle as usize..)?.first_chunk()?;
    (header.first() == Some(&kind)).then_some(header)
}

#[inline]
fn word<const N: usize>(bytes: &[u8; N], at: u32) -> u32 {
    let word = bytes.get(at as usize..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u32::from_le_bytes(*word))
}
