//! The table itself: one row per built-in function, one file per group of rows.

mod aggregates;
mod collections;
mod comparison;
mod crypto;
mod encoding;
mod formats;
mod net;
mod numbers;
mod other;
mod regex;
mod sets;
mod strings;
mod time;
mod tokens;
mod types;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::implementation::Implementation;
use crate::types::Type;

/// A named argument or result. The name is empty where OPA gives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// The name in documentation and in type errors; may be empty.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// What it stands for, in the details of type errors; empty for operands, which need no explanation.
    pub about: &'static str,
}

impl Arg {
    /// An argument or result that is named, or not if the name is empty, and not described.
    pub const fn new(name: &'static str, ty: Type) -> Self {
        Self { name, ty, about: "" }
    }
}

/// One built-in function.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The full name, such as `time.now_ns`.
    pub name: &'static str,
    /// The operator it is written with, such as `+`, where there is one.
    pub infix: Option<&'static str>,
    /// The arguments, without the result.
    pub args: &'static [Arg],
    /// The type of further arguments (`print` alone has it).
    pub variadic: Option<Type>,
    /// The result; `None` for functions that are statements (`print`).
    pub result: Option<Arg>,
    /// Two calls with equal arguments may differ between evaluations.
    pub nondeterministic: bool,
    /// Refused in strict mode.
    pub deprecated: bool,
    /// The result is the set of answers of a relation, one of which is taken at a time (`walk`).
    pub relation: bool,
    /// What carries it out.
    pub implementation: Implementation,
}

impl Builtin {
    const fn new(
        name: &'static str,
        args: &'static [Arg],
        result: Option<Arg>,
        implementation: Implementation,
    ) -> Self {
        Self {
            name,
            infix: None,
            args,
            variadic: None,
            result,
            nondeterministic: false,
            deprecated: false,
            relation: false,
            implementation,
        }
    }

    /// The declaration of a function of the embedding program's own. Its name needs a dot, or must be none of a rule's.
    pub const fn declared(name: &'static str, args: &'static [Arg], result: Arg) -> Self {
        Self::new(name, args, Some(result), Implementation::Own)
    }

    const fn infix(self, operator: &'static str) -> Self {
        Self { infix: Some(operator), ..self }
    }

    const fn variadic(self, ty: Type) -> Self {
        Self { variadic: Some(ty), ..self }
    }

    const fn nondeterministic(self) -> Self {
        Self { nondeterministic: true, ..self }
    }

    const fn deprecated(self) -> Self {
        Self { deprecated: true, ..self }
    }

    const fn relation(self) -> Self {
        Self { relation: true, ..self }
    }
}

const fn arg(name: &'static str, ty: Type, about: &'static str) -> Arg {
    Arg { name, ty, about }
}

const fn result(name: &'static str, ty: Type) -> Arg {
    Arg::new(name, ty)
}

const fn unnamed(ty: Type) -> Arg {
    Arg::new("", ty)
}

static SORTED: LazyLock<Vec<&'static Builtin>> = LazyLock::new(|| {
    let groups = [
        aggregates::ROWS,
        collections::ROWS,
        comparison::ROWS,
        crypto::ROWS,
        encoding::ROWS,
        formats::ROWS,
        net::ROWS,
        numbers::ROWS,
        other::ROWS,
        regex::ROWS,
        sets::ROWS,
        strings::ROWS,
        time::ROWS,
        tokens::ROWS,
        types::ROWS,
    ];
    let mut rows: Vec<&'static Builtin> = groups.into_iter().flatten().collect();
    rows.sort_by_key(|row| row.name);
    rows
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static Builtin>> =
    LazyLock::new(|| SORTED.iter().map(|row| (row.name, *row)).collect());

/// Every row, sorted by name.
pub fn all() -> &'static [&'static Builtin] {
    &SORTED
}

/// The names of all rows, sorted.
pub fn names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| SORTED.iter().map(|row| row.name).collect());
    &NAMES
}

/// The row of that name.
pub fn by_name(name: &str) -> Option<&'static Builtin> {
    BY_NAME.get(name).copied()
}

/// The row written with that operator, such as `+`.
///
/// `in` stands for both `internal.member_2` and `internal.member_3`; the parser tells them apart by
/// the number of operands, so give that too (without the result).
pub fn by_infix(operator: &str, arity: usize) -> Option<&'static Builtin> {
    SORTED.iter().copied().find(|row| row.infix == Some(operator) && row.args.len() == arity)
}
