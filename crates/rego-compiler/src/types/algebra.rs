//! Unions and the parts of types: what keys and values a collection has, what a key selects.

use std::sync::Arc;

use super::{Key, Maybe, Type};

impl Type {
    /// The union of the listed types.
    pub fn one_of(types: impl IntoIterator<Item = Type>) -> Self {
        let mut list: Vec<Type> = types.into_iter().collect();
        list.sort();
        list.dedup();
        Type::Any(Arc::from(list))
    }

    /// The type of a value that is of one type or of the other; unknown ones are left out of account.
    /// There is no union of a function and something else.
    pub fn union(a: Maybe, b: Maybe) -> Maybe {
        match (a, b) {
            (None, other) | (other, None) => other,
            (Some(Type::Function(a)), Some(Type::Function(b))) => {
                a.union(&b).map(|function| Type::Function(Arc::new(function)))
            }
            (Some(Type::Function(_)), Some(_)) | (Some(_), Some(Type::Function(_))) => None,
            (Some(Type::Any(any)), Some(other)) | (Some(other), Some(Type::Any(any))) => {
                Some(join(any, other))
            }
            (Some(a), Some(b)) if a == b => Some(a),
            (Some(a), Some(b)) => Some(Type::one_of([a, b])),
        }
    }

    /// The same of many types, each of which is compared with few of the others: a table may have a type for each row.
    pub fn union_of(types: impl IntoIterator<Item = Maybe>) -> Maybe {
        let types: Vec<Type> = types.into_iter().flatten().collect();
        if types.iter().any(|ty| matches!(ty, Type::Function(_))) {
            return types.into_iter().map(Some).fold(None, Type::union);
        }
        let (mut list, mut is_union) = (Vec::with_capacity(types.len()), false);
        for ty in types {
            match ty {
                Type::Any(of) if of.is_empty() => return Some(Type::any()),
                Type::Any(of) => {
                    is_union = true;
                    list.extend(of.iter().cloned());
                }
                other => list.push(other),
            }
        }
        list.sort();
        list.dedup();
        match list.len() {
            0 => None,
            1 if !is_union => list.pop(),
            _ => Some(Type::Any(Arc::from(list))),
        }
    }

    /// Whether a value of type `other` is one of this type, by name and not by structure: a union holds
    /// the types that it lists.
    pub fn contains(&self, other: &Type) -> bool {
        match self {
            Type::Any(of) => {
                !matches!(other, Type::Function(_)) && (of.is_empty() || of.binary_search(other).is_ok())
            }
            _ => self == other,
        }
    }

    /// The type that `key` selects in a collection.
    pub fn select(&self, key: &Key) -> Maybe {
        match self {
            Type::Array(array) => key.as_position().and_then(|position| array.select(position)),
            Type::Object(object) => object.select(key),
            Type::Set(of) => {
                let of = of.as_ref()?;
                let key = key.type_of();
                match &**of {
                    of if *of == key => Some(key),
                    Type::Any(_) if of.contains(&key) => Some(key),
                    _ => None,
                }
            }
            Type::Any(of) if of.is_empty() => Some(Type::any()),
            Type::Any(of) => Type::union_of(of.iter().map(|ty| ty.select(key))),
            _ => None,
        }
    }

    /// The type of the keys of a collection.
    pub fn keys(&self) -> Maybe {
        match self {
            Type::Array(_) => Some(Type::Number),
            Type::Object(object) => {
                let fixed = object.fixed.iter().map(|(key, _)| Some(key.type_of()));
                let rest = object.rest.iter().map(|(key, _)| key.clone());
                Type::union_of(fixed.chain(rest))
            }
            Type::Set(of) => of.as_deref().cloned(),
            Type::Any(of) if of.is_empty() => Some(Type::any()),
            Type::Any(of) => Type::union_of(of.iter().map(Type::keys)),
            _ => None,
        }
    }

    /// The type of the values of a collection.
    pub fn values(&self) -> Maybe {
        match self {
            Type::Array(array) => Type::union_of(array.fixed.iter().chain([&array.rest]).cloned()),
            Type::Object(object) => object.values(),
            Type::Set(of) => of.as_deref().cloned(),
            Type::Any(of) if of.is_empty() => Some(Type::any()),
            Type::Any(of) => Type::union_of(of.iter().map(Type::values)),
            _ => None,
        }
    }

    /// Whether anything in `ty` is unknown.
    pub fn is_unknown(ty: &Maybe) -> bool {
        match ty {
            None => true,
            Some(Type::Function(function)) => {
                function.params.iter().any(|param| Type::is_unknown(&param.ty))
                    || Type::is_unknown(&function.result_type())
            }
            Some(Type::Array(array)) => {
                array.fixed.iter().any(Type::is_unknown)
                    || (array.rest.is_some() && Type::is_unknown(&array.rest))
            }
            Some(Type::Object(object)) => {
                object.fixed.iter().any(|(_, value)| Type::is_unknown(value))
                    || object
                        .rest
                        .as_ref()
                        .is_some_and(|(key, value)| Type::is_unknown(key) || Type::is_unknown(value))
            }
            Some(Type::Set(of)) => of.as_deref().is_none_or(|of| Type::is_unknown(&Some(of.clone()))),
            Some(_) => false,
        }
    }
}

fn join(any: Arc<[Type]>, other: Type) -> Type {
    if any.is_empty() {
        return Type::Any(any);
    }
    match &other {
        Type::Any(of) if of.is_empty() => other,
        Type::Any(of) => Type::one_of(any.iter().chain(of.iter()).cloned()),
        _ if any.binary_search(&other).is_ok() => Type::Any(any),
        _ => Type::one_of(any.iter().cloned().chain([other])),
    }
}
