//! Handles: looking at values and making them.

use crate::memory::{alloc, load_u8, load_u32, load_u64, set_heap_top, store_u32, store_u64, text, write};
use rego_value::Kind;
use rego_value::abi::{
    self, FALSE, FLAG_NEGATIVE, FLAGS, FLOAT_EXPONENT, FLOAT_MANTISSA, FLOAT_SIZE, INT_SIZE, INT_VALUE,
    KIND_ARRAY, KIND_DECIMAL, KIND_FLOAT, KIND_INT, KIND_OBJECT, KIND_SET, KIND_STRING, LEN, NULL,
    TEXT_BYTES, TEXT_HASH, TRUE, UNDEFINED, small_int, small_int_value,
};
use rego_value::number::{BigInt, Computed, Decimal, Float};

/// A handle; see [`rego_value::abi`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Value(pub u32);

/// What a number is made of.
pub(crate) type Num = rego_value::number::Num<'static>;

impl Value {
    /// No value.
    pub const UNDEFINED: Value = Value(UNDEFINED);
    /// `null`.
    pub const NULL: Value = Value(NULL);

    /// `true` or `false`.
    #[inline]
    #[must_use]
    pub fn bool(truth: bool) -> Value {
        Value(if truth { TRUE } else { FALSE })
    }

    /// An integer.
    #[inline]
    #[must_use]
    pub fn int(int: i64) -> Value {
        match small_int(int) {
            Some(handle) => Value(handle),
            None => Value::boxed_int(int),
        }
    }

    #[cold]
    fn boxed_int(int: i64) -> Value {
        let address = alloc(INT_SIZE);
        store_u64(address, u64::from(KIND_INT));
        store_u64(address + INT_VALUE, int as u64);
        Value(address)
    }

    /// A string.
    #[must_use]
    pub fn string(text: &str) -> Value {
        Value::string_hashed(text.as_bytes(), abi::hash_string(text.as_bytes()))
    }

    /// A string from UTF-8 whose hash is known.
    #[inline]
    pub(crate) fn string_hashed(bytes: &[u8], hash: u32) -> Value {
        new_text(KIND_STRING, bytes, hash)
    }

    /// A number from a text that is one.
    pub(crate) fn number_text(text: &str) -> Value {
        match rego_value::number::plain_i64(text.as_bytes()) {
            Some(int) => Value::int(int),
            None => {
                let hash = Decimal::parse(text).map_or(0, |decimal| decimal.hash32());
                new_text(KIND_DECIMAL, text.as_bytes(), hash)
            }
        }
    }

    /// An integer of any size.
    pub(crate) fn big(int: &BigInt) -> Value {
        Value::computed(&Computed::integer(int))
    }

    /// What was computed beyond 64 bits.
    pub(crate) fn computed(computed: &Computed) -> Value {
        let float = match computed {
            Computed::Int(int) => return Value::int(*int),
            Computed::Text(text) => return Value::number_text(text),
            Computed::Float(float) => float,
        };
        let (mantissa, exponent) = float.parts();
        let flags = if float.is_negative() { FLAG_NEGATIVE } else { 0 };
        let address = alloc(FLOAT_SIZE);
        store_u32(address, u32::from(KIND_FLOAT) | u32::from(flags) << 8);
        store_u32(address + FLOAT_EXPONENT, exponent as u32);
        store_u64(address + FLOAT_MANTISSA, mantissa);
        Value(address)
    }

    fn float(self) -> Float {
        let exponent = i64::from(load_u32(self.0 + FLOAT_EXPONENT) as i32);
        Float::from_parts(self.flags() & FLAG_NEGATIVE != 0, load_u64(self.0 + FLOAT_MANTISSA), exponent)
    }

    /// Whether there is a value.
    #[inline]
    #[must_use]
    pub fn is_defined(self) -> bool {
        self.0 != UNDEFINED
    }

    #[inline(always)]
    pub(crate) fn is_heap(self) -> bool {
        self.0 & 7 == 0 && self.0 != 0
    }

    #[inline(always)]
    pub(crate) fn is_small(self) -> bool {
        self.0 & 1 == 1
    }

    /// The kind byte of a heap object, 0 for any other handle.
    #[inline(always)]
    pub(crate) fn heap_kind(self) -> u8 {
        if self.is_heap() { load_u8(self.0) } else { 0 }
    }

    #[inline(always)]
    pub(crate) fn flags(self) -> u8 {
        load_u8(self.0 + FLAGS)
    }

    /// The length field of a heap object.
    #[inline(always)]
    pub(crate) fn len(self) -> u32 {
        load_u32(self.0 + LEN)
    }

    /// The kind of a defined value.
    #[inline(never)]
    #[must_use]
    pub fn kind(self) -> Kind {
        if self.is_small() {
            return Kind::Number;
        }
        match self.heap_kind() {
            KIND_STRING => Kind::String,
            KIND_INT | KIND_DECIMAL | KIND_FLOAT => Kind::Number,
            KIND_ARRAY => Kind::Array,
            KIND_OBJECT => Kind::Object,
            KIND_SET => Kind::Set,
            _ if self.0 == NULL => Kind::Null,
            _ => Kind::Bool,
        }
    }

    #[inline]
    pub(crate) fn is_array(self) -> bool {
        self.heap_kind() == KIND_ARRAY
    }

    #[inline]
    pub(crate) fn is_object(self) -> bool {
        self.heap_kind() == KIND_OBJECT
    }

    #[inline]
    pub(crate) fn is_set(self) -> bool {
        self.heap_kind() == KIND_SET
    }

    /// The text of a string.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        if self.heap_kind() == KIND_STRING { Some(self.inline_text()) } else { None }
    }

    /// The text of a string or decimal.
    #[inline(always)]
    pub(crate) fn inline_text(self) -> &'static str {
        text(self.0 + TEXT_BYTES, self.len())
    }

    #[inline(always)]
    pub(crate) fn text_hash(self) -> u32 {
        load_u32(self.0 + TEXT_HASH)
    }

    /// The parts of a number.
    #[inline]
    pub(crate) fn as_num(self) -> Option<Num> {
        if self.is_small() {
            return Some(Num::Int(small_int_value(self.0)));
        }
        match self.heap_kind() {
            KIND_INT => Some(Num::Int(load_u64(self.0 + INT_VALUE) as i64)),
            KIND_FLOAT => Some(Num::Float(self.float())),
            KIND_DECIMAL => Some(Num::Text(self.inline_text())),
            _ => None,
        }
    }

    /// The integer of a number that is stored as one.
    #[inline]
    pub(crate) fn as_int(self) -> Option<i64> {
        if self.is_small() {
            return Some(small_int_value(self.0));
        }
        (self.heap_kind() == KIND_INT).then(|| load_u64(self.0 + INT_VALUE) as i64)
    }

    /// Whether it is a number.
    #[inline]
    pub(crate) fn is_number(self) -> bool {
        self.is_small() || matches!(self.heap_kind(), KIND_INT | KIND_FLOAT | KIND_DECIMAL)
    }

    /// The integer of a number that OPA takes where it wants one: `1` and `1.0`, not `1e0`.
    #[inline]
    pub(crate) fn as_int_operand(self) -> Option<i64> {
        match self.as_int() {
            None if self.is_number() => crate::wide::integer(self),
            int => int,
        }
    }
}

/// A string of so many bytes whose text is still to be written, with room for eight bytes more: words may be written
/// over its end.
pub(crate) fn start_text(len: u32) -> Value {
    let address = alloc(len.saturating_add(TEXT_BYTES + 16));
    store_u64(address, u64::from(KIND_STRING) | u64::from(len) << 32);
    Value(address)
}

/// Writes the text of a string, and up to eight bytes behind it; gives the address behind it.
#[inline]
pub(crate) fn put_text(address: u32, text: Value) -> u32 {
    let len = text.len();
    // Zeros fill a text's last word. The first two are copied without a loop, each round of which looks at the clock.
    let from = text.0 + TEXT_BYTES;
    store_u64(address, load_u64(from));
    if len > 8 {
        store_u64(address + 8, load_u64(from + 8));
    }
    if len > 256 {
        write(address, crate::memory::bytes(from, len));
        return address + len;
    }
    let mut at = 16;
    while at < len {
        store_u64(address + at, load_u64(from + at));
        at += 8;
    }
    address + len
}

/// Clears what may have been written behind a text, and finds its hash.
pub(crate) fn finish_text(text: Value, len: u32) {
    let bytes = text.0 + TEXT_BYTES;
    store_u64(bytes + len, 0);
    let hash = abi::hash_string(crate::memory::bytes(bytes, len));
    store_u64(text.0 + TEXT_HASH, u64::from(hash));
}

/// Ends a string that was started with nothing behind it and whose text, of that length, has been written there since.
pub(crate) fn end_text(text: Value, len: u32) {
    store_u64(text.0, u64::from(KIND_STRING) | u64::from(len) << 32);
    set_heap_top(text.0 + TEXT_BYTES + len + 8);
    finish_text(text, len);
}

#[inline]
fn new_text(kind: u8, bytes: &[u8], hash: u32) -> Value {
    let len = bytes.len() as u32;
    // A zero follows, so that the text is a C string as well, and zeros fill the last word.
    let padded = (len + 8) & !7;
    let address = alloc(TEXT_BYTES + padded);
    store_u64(address, u64::from(kind) | u64::from(len) << 32);
    store_u64(address + TEXT_HASH, u64::from(hash));
    store_u64(address + TEXT_BYTES + padded - 8, 0);
    write(address + TEXT_BYTES, bytes);
    Value(address)
}

/// Writes the header of a collection.
#[inline]
pub(crate) fn store_header(address: u32, kind: u8, flags: u8, len: u32) {
    store_u32(address, u32::from(kind) | u32::from(flags) << 8);
    store_u32(address + LEN, len);
}
