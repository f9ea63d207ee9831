//! The types that the generator thinks in. OPA's are finer; what the generator takes for `Any` they may reject, and
//! then both compilers must.

use rego_builtins::Type;

use crate::choices::Choices;

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    Num,
    Str,
    Bool,
    Null,
    Any,
    Arr(Box<Ty>),
    Set(Box<Ty>),
    Obj(Box<Ty>, Box<Ty>),
}

impl Ty {
    pub(super) fn arr(of: Ty) -> Self {
        Self::Arr(Box::new(of))
    }

    pub(super) fn set(of: Ty) -> Self {
        Self::Set(Box::new(of))
    }

    pub(super) fn obj(key: Ty, value: Ty) -> Self {
        Self::Obj(Box::new(key), Box::new(value))
    }

    /// Whether a value of this type may stand where that one is wanted.
    pub(super) fn fits(&self, wanted: &Ty) -> bool {
        match (self, wanted) {
            (_, Ty::Any) => true,
            (Ty::Arr(a), Ty::Arr(b)) | (Ty::Set(a), Ty::Set(b)) => a.fits(b),
            (Ty::Obj(k, v), Ty::Obj(wk, wv)) => k.fits(wk) && v.fits(wv),
            _ => self == wanted,
        }
    }

    /// The types of keys and elements, where one can iterate over it.
    pub(super) fn elements(&self) -> Option<(Ty, Ty)> {
        match self {
            Ty::Arr(of) => Some((Ty::Num, (**of).clone())),
            Ty::Set(of) => Some(((**of).clone(), (**of).clone())),
            Ty::Obj(key, value) => Some(((**key).clone(), (**value).clone())),
            _ => None,
        }
    }

    /// Some type, at most so deep.
    pub(super) fn some(c: &mut Choices, depth: usize) -> Self {
        let kinds = if depth == 0 { 4 } else { 9 };
        match c.below(kinds) {
            0 => Ty::Num,
            1 => Ty::Str,
            2 => Ty::Bool,
            3 => [Ty::Null, Ty::Any].get(c.below(2)).cloned().unwrap_or(Ty::Null),
            4 | 5 => Ty::arr(Ty::some(c, depth - 1)),
            6 => Ty::set(Ty::some(c, depth - 1)),
            _ => {
                let key = if c.one_in(6) { Ty::some(c, 0) } else { Ty::Str };
                Ty::obj(key, Ty::some(c, depth - 1))
            }
        }
    }

    /// A collection.
    pub(super) fn collection(c: &mut Choices) -> Self {
        let of = Ty::some(c, 1);
        match c.below(3) {
            0 => Ty::arr(of),
            1 => Ty::set(of),
            _ => Ty::obj(Ty::Str, of),
        }
    }

    /// One of the types that a type of the table of built-in functions allows.
    pub(super) fn of(ty: &Type, c: &mut Choices) -> Self {
        match ty {
            Type::Any => Ty::some(c, 1),
            Type::Null => Ty::Null,
            Type::Boolean => Ty::Bool,
            Type::Number => Ty::Num,
            Type::String => Ty::Str,
            Type::AnyOf(types) => c.pick(types).map_or(Ty::Any, |ty| Ty::of(ty, c)),
            Type::Array(of) => Ty::arr(Ty::of(of, c)),
            Type::Tuple(types) => Ty::arr(types.first().map_or(Ty::Any, |ty| Ty::of(ty, c))),
            Type::Set(of) => Ty::set(Ty::of(of, c)),
            Type::Object { dynamic: Some((key, value)), .. } => Ty::obj(Ty::of(key, c), Ty::of(value, c)),
            Type::Object { dynamic: None, .. } => Ty::obj(Ty::Str, Ty::Any),
        }
    }

    /// What a result of the table's type counts as.
    pub(super) fn of_result(ty: &Type) -> Self {
        match ty {
            Type::Null => Ty::Null,
            Type::Boolean => Ty::Bool,
            Type::Number => Ty::Num,
            Type::String => Ty::Str,
            Type::Array(of) => Ty::arr(Ty::of_result(of)),
            Type::Set(of) => Ty::set(Ty::of_result(of)),
            Type::Object { dynamic: Some((key, value)), .. } => {
                Ty::obj(Ty::of_result(key), Ty::of_result(value))
            }
            _ => Ty::Any,
        }
    }
}
