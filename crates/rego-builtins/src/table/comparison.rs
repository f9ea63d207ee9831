//! Rows: comparison.

use super::{Builtin, arg, result, unnamed};
use crate::implementation::Implementation::{Compiled, Module};
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new("assign", &[unnamed(Any), unnamed(Any)], Some(unnamed(Boolean)), Compiled).infix(":="),
    Builtin::new("eq", &[unnamed(Any), unnamed(Any)], Some(unnamed(Boolean)), Compiled).infix("="),
    Builtin::new(
        "equal",
        &[arg("x", Any, ""), arg("y", Any, "")],
        Some(result("result", Boolean)),
        Module("bi_equal"),
    )
    .infix("=="),
    Builtin::new(
        "gt",
        &[arg("x", Any, ""), arg("y", Any, "")],
        Some(result("result", Boolean)),
        Module("bi_gt"),
    )
    .infix(">"),
    Builtin::new(
        "gte",
        &[arg("x", Any, ""), arg("y", Any, "")],
        Some(result("result", Boolean)),
        Module("bi_gte"),
    )
    .infix(">="),
    Builtin::new(
        "lt",
        &[arg("x", Any, ""), arg("y", Any, "")],
        Some(result("result", Boolean)),
        Module("bi_lt"),
    )
    .infix("<"),
    Builtin::new(
        "lte",
        &[arg("x", Any, ""), arg("y", Any, "")],
        Some(result("result", Boolean)),
        Module("bi_lte"),
    )
    .infix("<="),
    Builtin::new(
        "neq",
        &[arg("x", Any, ""), arg("y", Any, "")],
        Some(result("result", Boolean)),
        Module("bi_neq"),
    )
    .infix("!="),
];
