//! What an entrypoint gave, looked at where the module has it.

use rego_value::Value;
use rego_value::abi::{self, ReadError, View};

/// The value of an entrypoint, or a part of it, without a copy: for callers that want a few fields of a decision and
/// nothing of it afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a>(Form<'a>);

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    /// In the memory of a module whose layout of values is known.
    InModule { memory: &'a [u8], handle: u32 },
    /// Read already.
    Owned(&'a Value),
}

impl<'a> Answer<'a> {
    pub(crate) const fn in_module(memory: &'a [u8], handle: u32) -> Self {
        Self(Form::InModule { memory, handle })
    }

    pub(crate) const fn owned(value: &'a Value) -> Self {
        Self(Form::Owned(value))
    }

    /// The member of an object; none when there is no such member, or no object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Self> {
        match self.0 {
            Form::Owned(value) => value.get_str(name).map(Self::owned),
            Form::InModule { memory, handle } => {
                let member = View::new(memory, handle).ok()?.member(memory, name)?;
                Some(Self::in_module(memory, member))
            }
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self.0 {
            Form::Owned(value) => value.as_str(),
            Form::InModule { memory, handle } => match View::new(memory, handle) {
                Ok(View::String(text)) => Some(text),
                _ => None,
            },
        }
    }

    /// The truth of a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.0 {
            Form::Owned(value) => value.as_bool(),
            Form::InModule { memory, handle } => match View::new(memory, handle) {
                Ok(View::Bool(truth)) => Some(truth),
                _ => None,
            },
        }
    }

    /// An owned copy.
    ///
    /// # Errors
    /// Memory that holds no value there; the module is broken.
    pub fn to_value(&self) -> Result<Value, ReadError> {
        match self.0 {
            Form::Owned(value) => Ok(value.clone()),
            Form::InModule { memory, handle } => abi::read(memory, handle),
        }
    }
}
