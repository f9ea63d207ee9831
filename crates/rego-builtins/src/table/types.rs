//! Rows: types.

use super::{Builtin, arg, result, unnamed};
use crate::casts;
use crate::implementation::Implementation::{Host, Module};
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new("cast_array", &[unnamed(Any)], Some(unnamed(Array(&Any))), Host(casts::cast_array))
        .deprecated(),
    Builtin::new("cast_boolean", &[unnamed(Any)], Some(unnamed(Boolean)), Host(casts::cast_boolean))
        .deprecated(),
    Builtin::new("cast_null", &[unnamed(Any)], Some(unnamed(Null)), Host(casts::cast_null)).deprecated(),
    Builtin::new(
        "cast_object",
        &[unnamed(Any)],
        Some(unnamed(Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Host(casts::cast_object),
    )
    .deprecated(),
    Builtin::new("cast_set", &[unnamed(Any)], Some(unnamed(Set(&Any))), Host(casts::cast_set)).deprecated(),
    Builtin::new("cast_string", &[unnamed(Any)], Some(unnamed(String)), Host(casts::cast_string))
        .deprecated(),
    Builtin::new(
        "is_array",
        &[arg("x", Any, "input value")],
        Some(result("result", Boolean)),
        Module("bi_is_array"),
    ),
    Builtin::new(
        "is_boolean",
        &[arg("x", Any, "input value")],
        Some(result("result", Boolean)),
        Module("bi_is_boolean"),
    ),
    Builtin::new(
        "is_null",
        &[arg("x", Any, "input value")],
        Some(result("result", Boolean)),
        Module("bi_is_null"),
    ),
    Builtin::new(
        "is_number",
        &[arg("x", Any, "input value")],
        Some(result("result", Boolean)),
        Module("bi_is_number"),
    ),
    Builtin::new(
        "is_object",
        &[arg("x", Any, "input value")],
        Some(result("result", Boolean)),
        Module("bi_is_object"),
    ),
    Builtin::new(
        "is_set",
        &[arg("x", Any, "input value")],
        Some(result("result", Boolean)),
        Module("bi_is_set"),
    ),
    Builtin::new(
        "is_string",
        &[arg("x", Any, "input value")],
        Some(result("result", Boolean)),
        Module("bi_is_string"),
    ),
    Builtin::new(
        "to_number",
        &[arg("value", AnyOf(&[Null, Boolean, Number, String]), "the value to convert")],
        Some(result("num", Number)),
        Module("bi_to_number"),
    ),
    Builtin::new(
        "type_name",
        &[arg("x", Any, "input value")],
        Some(result("type", String)),
        Module("bi_type_name"),
    ),
];
