//! Function types.

use super::{Maybe, Type};

/// A parameter or a result: its type, and its name where the declaration gives one.
#[derive(Clone, Debug, Default)]
pub struct Param {
    /// For messages; empty for functions that policies define.
    pub name: String,
    /// What it stands for, for the details of messages; may be empty.
    pub about: &'static str,
    /// `None` where it could not be inferred.
    pub ty: Maybe,
}

impl Param {
    /// One of a function that a policy defines.
    pub(crate) fn unnamed(ty: Maybe) -> Self {
        Self { ty, ..Self::default() }
    }
}

/// A function that a call can name.
#[derive(Clone, Debug, Default)]
pub struct FunctionType {
    /// In order, without the result.
    pub params: Vec<Param>,
    /// `None` for functions that are statements (`print`).
    pub result: Option<Param>,
    /// The type of further arguments.
    pub variadic: Maybe,
}

impl FunctionType {
    /// The number of arguments, without the result.
    pub fn arity(&self) -> usize {
        self.params.len()
    }

    /// The type of the result.
    pub fn result_type(&self) -> Maybe {
        self.result.as_ref().and_then(|result| result.ty.clone())
    }

    /// The declaration of a built-in function.
    pub fn of_builtin(builtin: &rego_builtins::Builtin) -> Self {
        let param = |arg: &rego_builtins::Arg| Param {
            name: arg.name.to_owned(),
            about: arg.about,
            ty: Some(Type::from(arg.ty)),
        };
        Self {
            params: builtin.args.iter().map(param).collect(),
            result: builtin.result.as_ref().map(param),
            variadic: builtin.variadic.map(Type::from),
        }
    }

    /// Arguments and result (a call may name a variable for it) as one list, as calls are checked.
    pub fn params_with_result(&self) -> Vec<Param> {
        self.params.iter().chain(&self.result).cloned().collect()
    }

    /// The function that stands for both; nothing where they differ in their number of arguments.
    pub(super) fn union(&self, other: &Self) -> Option<Self> {
        if self.arity() != other.arity() || self.variadic.is_some() != other.variadic.is_some() {
            return None;
        }
        let join = |(a, b): (&Param, &Param)| Param::unnamed(Type::union(a.ty.clone(), b.ty.clone()));
        let result = Type::union(self.result_type(), other.result_type());
        Some(Self {
            params: self.params.iter().zip(&other.params).map(join).collect(),
            result: result.map(|ty| Param::unnamed(Some(ty))),
            variadic: Type::union(self.variadic.clone(), other.variadic.clone()),
        })
    }
}

impl From<rego_builtins::Type> for Type {
    fn from(declared: rego_builtins::Type) -> Self {
        use rego_builtins::Type as Declared;
        match declared {
            Declared::Any => Type::any(),
            Declared::Null => Type::Null,
            Declared::Boolean => Type::Boolean,
            Declared::Number => Type::Number,
            Declared::String => Type::String,
            Declared::AnyOf(types) => Type::one_of(types.iter().map(|ty| Type::from(*ty))),
            Declared::Array(of) => Type::array(Vec::new(), Some(Type::from(*of))),
            Declared::Tuple(types) => {
                Type::array(types.iter().map(|ty| Some(Type::from(*ty))).collect(), None)
            }
            Declared::Set(of) => Type::set(Some(Type::from(*of))),
            Declared::Object { fields, dynamic } => Type::object(
                fields.iter().map(|(name, ty)| (super::Key::string(name), Some(Type::from(*ty)))).collect(),
                dynamic.map(|(key, value)| (Some(Type::from(*key)), Some(Type::from(*value)))),
            ),
        }
    }
}
