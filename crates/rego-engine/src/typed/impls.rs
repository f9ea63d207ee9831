//! The types of which inputs are made.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use rego_value::Value;

use super::{InputHandle, InputPlan, InputShape, InputWriter, PolicyInput, UnfitInput, WriteInput};

/// A JSON text as part of an input: read, as far as the policy reads it, when the input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonText<'a>(pub &'a str);

/// Implements both traits.
macro_rules! input {
    ([$($generics:tt)*] $type:ty, $static:ty, $shape:expr, |$this:ident, $plan:ident, $out:ident| $write:expr) => {
        impl<$($generics)*> WriteInput for $type {
            #[inline]
            fn write(&self, $plan: &InputPlan, $out: &mut InputWriter<'_>) -> InputHandle {
                let $this = self;
                $write
            }
        }

        impl<$($generics)*> PolicyInput for $type {
            type Static = $static;

            fn shape() -> InputShape {
                $shape
            }
        }
    };
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(input!([] $type, $type, InputShape::Scalar("a number"), |this, _plan, out| match i64::try_from(*this) {
            Ok(int) => out.int(int),
            Err(_) => out.number(Short::of(format_args!("{this}")).as_str()),
        });)*
    };
}

numbers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

input!([] bool, bool, InputShape::Scalar("a boolean"), |this, _plan, out| out.bool(*this));
input!([] f64, f64, InputShape::Scalar("a number"), |this, _plan, out| float(*this, format_args!("{this:?}"), out));
// The shortest text of a float of 32 bits is another than that of the same number in 64.
input!([] f32, f32, InputShape::Scalar("a number"), |this, _plan, out| {
    float(f64::from(*this), format_args!("{this:?}"), out)
});
input!([] str, &'static str, InputShape::Scalar("a string"), |this, _plan, out| out.string(this));
input!([] String, String, InputShape::Scalar("a string"), |this, _plan, out| out.string(this));
input!([] char, char, InputShape::Scalar("a string"), |this, _plan, out| out.string(this.encode_utf8(&mut [0; 4])));
input!(['a] Cow<'a, str>, Cow<'static, str>, InputShape::Scalar("a string"), |this, _plan, out| out.string(this));
input!([] Value, Value, InputShape::Any, |this, plan, out| out.value(this, plan));
input!(['a] JsonText<'a>, JsonText<'static>, InputShape::Any, |this, plan, out| out.json(this.0, plan));

input!([T: PolicyInput + ?Sized] &T, &'static T::Static, T::shape(), |this, plan, out| (**this).write(plan, out));
input!([T: PolicyInput + ?Sized] Box<T>, Box<T::Static>, T::shape(), |this, plan, out| (**this).write(plan, out));
input!([T: PolicyInput + ?Sized] Arc<T>, Arc<T::Static>, T::shape(), |this, plan, out| (**this).write(plan, out));
input!([T: PolicyInput] Option<T>, Option<T::Static>, T::shape(), |this, plan, out| match this {
    Some(value) => value.write(plan, out),
    None => InputHandle::UNDEFINED,
});

input!([T: PolicyInput] [T], Vec<T::Static>, InputShape::List(T::shape), |this, plan, out| out.list(plan, this));
input!([T: PolicyInput] Vec<T>, Vec<T::Static>, InputShape::List(T::shape), |this, plan, out| {
    out.list(plan, this)
});
input!([T: PolicyInput, const N: usize] [T; N], [T::Static; N], InputShape::List(T::shape), |this, plan, out| {
    out.list(plan, this)
});
input!(
    [K: AsRef<str>, V: PolicyInput] BTreeMap<K, V>,
    BTreeMap<String, V::Static>,
    InputShape::Map(V::shape),
    |this, plan, out| out.map(plan, this.iter().map(|(key, value)| (key.as_ref(), value)))
);
input!(
    [K: AsRef<str>, V: PolicyInput, S] HashMap<K, V, S>,
    HashMap<String, V::Static>,
    InputShape::Map(V::shape),
    |this, plan, out| out.map(plan, this.iter().map(|(key, value)| (key.as_ref(), value)))
);

/// Integers below are exact, and written as such.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn float(float: f64, text: std::fmt::Arguments<'_>, out: &mut InputWriter<'_>) -> InputHandle {
    if !float.is_finite() {
        return out.unfit(UnfitInput::NotFinite);
    }
    if float.fract() == 0.0 && float.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "an integer of 53 bits")]
        return out.int(float as i64);
    }
    out.number(Short::of(text).as_str())
}

/// A short text that needs no allocation.
struct Short {
    bytes: [u8; 48],
    length: usize,
}

impl Short {
    /// All numbers fit; what did not would be no text, and so no number.
    fn of(text: std::fmt::Arguments<'_>) -> Self {
        let mut short = Self { bytes: [0; 48], length: 0 };
        if short.write_fmt(text).is_err() {
            short.length = 0;
        }
        short
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
