//! The type language of signatures, and its text form (OPA's, since type errors quote it).

use std::fmt;

/// The type of an argument or a result. All of it is constant data, so rows cost nothing to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Any value.
    Any,
    /// `null` only.
    Null,
    /// `true` or `false`.
    Boolean,
    /// Any number.
    Number,
    /// Any string.
    String,
    /// One of the listed types.
    AnyOf(&'static [Type]),
    /// An array of any length whose elements all have one type.
    Array(&'static Type),
    /// An array of a fixed length.
    Tuple(&'static [Type]),
    /// A set whose members all have one type.
    Set(&'static Type),
    /// An object: known fields, and the types of further keys and values if there may be any.
    Object {
        /// The known fields, sorted by name.
        fields: &'static [(&'static str, Type)],
        /// Key and value type of all other entries.
        dynamic: Option<(&'static Type, &'static Type)>,
    },
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("any"),
            Type::Null => f.write_str("null"),
            Type::Boolean => f.write_str("boolean"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::AnyOf(types) => list(f, "any", types),
            Type::Array(of) => write!(f, "array[{of}]"),
            Type::Tuple(types) => list(f, "array", types),
            Type::Set(of) => write!(f, "set[{of}]"),
            Type::Object { fields, dynamic } => object(f, fields, dynamic.as_ref()),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, name: &str, types: &[Type]) -> fmt::Result {
    write!(f, "{name}<")?;
    for (i, ty) in types.iter().enumerate() {
        write!(f, "{}{ty}", if i == 0 { "" } else { ", " })?;
    }
    f.write_str(">")
}

fn object(
    f: &mut fmt::Formatter<'_>,
    fields: &[(&str, Type)],
    dynamic: Option<&(&Type, &Type)>,
) -> fmt::Result {
    f.write_str("object")?;
    for (i, (name, ty)) in fields.iter().enumerate() {
        write!(f, "{}{name}: {ty}", if i == 0 { "<" } else { ", " })?;
    }
    if !fields.is_empty() {
        f.write_str(">")?;
    }
    match dynamic {
        Some((key, value)) => write!(f, "[{key}: {value}]"),
        None => Ok(()),
    }
}
