//! OPA's text for types, which its type errors quote.

use std::fmt;

use super::{FunctionType, Maybe, Type};

/// Displays a type, or `???` where it is not known.
pub(crate) struct Shown<'a>(pub(crate) &'a Maybe);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ty) => ty.fmt(f),
            None => f.write_str("???"),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Null => f.write_str("null"),
            Type::Boolean => f.write_str("boolean"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::Array(array) => {
                f.write_str("array")?;
                list(f, array.fixed.iter().map(|ty| Shown(ty).to_string()))?;
                bracket(f, array.rest.as_ref().map(Type::to_string))
            }
            Type::Object(object) => {
                f.write_str("object")?;
                list(f, object.fixed.iter().map(|(key, ty)| format!("{key}: {}", Shown(ty))))?;
                let rest = object.rest.as_ref();
                bracket(f, rest.map(|(key, value)| format!("{}: {}", Shown(key), Shown(value))))
            }
            Type::Set(of) => {
                f.write_str("set")?;
                bracket(f, of.as_ref().map(|of| of.to_string()))
            }
            Type::Any(of) => {
                f.write_str("any")?;
                list(f, of.iter().map(Type::to_string))
            }
            Type::Function(function) => {
                write!(f, "{} => {}", params(function), Shown(&function.result_type()))
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, parts: impl Iterator<Item = String>) -> fmt::Result {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { Ok(()) } else { write!(f, "<{}>", parts.join(", ")) }
}

fn bracket(f: &mut fmt::Formatter<'_>, part: Option<String>) -> fmt::Result {
    part.map_or(Ok(()), |part| write!(f, "[{part}]"))
}

fn params(function: &FunctionType) -> String {
    let known = function.params.iter().map(|param| Shown(&param.ty).to_string());
    let more = function.variadic.iter().map(|ty| format!("{ty}..."));
    format!("({})", known.chain(more).collect::<Vec<_>>().join(", "))
}

impl FunctionType {
    /// The parameters with their names and, as a last one, the result.
    pub(crate) fn describe(&self) -> String {
        let shown = |name: &str, ty: &Maybe| match name {
            "" => Shown(ty).to_string(),
            name => format!("{name}: {}", Shown(ty)),
        };
        let known = self.params_with_result();
        let known = known.iter().map(|param| shown(&param.name, &param.ty));
        let more = self.variadic.iter().map(|ty| format!("{ty}..."));
        format!("({})", known.chain(more).collect::<Vec<_>>().join(", "))
    }
}
