//! Rows: sets.

use super::{Builtin, arg, result, unnamed};
use crate::implementation::Implementation::Module;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "and",
        &[arg("x", Set(&Any), "the first set"), arg("y", Set(&Any), "the second set")],
        Some(result("z", Set(&Any))),
        Module("bi_and"),
    )
    .infix("&"),
    Builtin::new(
        "intersection",
        &[arg("xs", Set(&Set(&Any)), "a set of sets")],
        Some(result("y", Set(&Any))),
        Module("bi_intersection"),
    ),
    Builtin::new(
        "or",
        &[arg("x", Set(&Any), ""), arg("y", Set(&Any), "")],
        Some(result("z", Set(&Any))),
        Module("bi_or"),
    )
    .infix("|"),
    Builtin::new(
        "set_diff",
        &[unnamed(Set(&Any)), unnamed(Set(&Any))],
        Some(unnamed(Set(&Any))),
        Module("bi_set_diff"),
    )
    .deprecated(),
    Builtin::new(
        "union",
        &[arg("xs", Set(&Set(&Any)), "a set of sets")],
        Some(result("y", Set(&Any))),
        Module("bi_union"),
    ),
];
