//! Rows: aggregates.

use super::{Builtin, arg, result, unnamed};
use crate::implementation::Implementation::Module;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "all",
        &[unnamed(AnyOf(&[Array(&Any), Set(&Any)]))],
        Some(unnamed(Boolean)),
        Module("bi_all"),
    )
    .deprecated(),
    Builtin::new(
        "any",
        &[unnamed(AnyOf(&[Array(&Any), Set(&Any)]))],
        Some(unnamed(Boolean)),
        Module("bi_any"),
    )
    .deprecated(),
    Builtin::new(
        "count",
        &[arg(
            "collection",
            AnyOf(&[String, Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)]),
            "what is counted: members, elements or characters",
        )],
        Some(result("n", Number)),
        Module("bi_count"),
    ),
    Builtin::new(
        "max",
        &[arg("collection", AnyOf(&[Array(&Any), Set(&Any)]), "the values to choose from")],
        Some(result("n", Any)),
        Module("bi_max"),
    ),
    Builtin::new(
        "min",
        &[arg("collection", AnyOf(&[Array(&Any), Set(&Any)]), "the values to choose from")],
        Some(result("n", Any)),
        Module("bi_min"),
    ),
    Builtin::new(
        "product",
        &[arg("collection", AnyOf(&[Array(&Number), Set(&Number)]), "the numbers to multiply")],
        Some(result("n", Number)),
        Module("bi_product"),
    ),
    Builtin::new(
        "sort",
        &[arg("collection", AnyOf(&[Array(&Any), Set(&Any)]), "the values to put in order")],
        Some(result("n", Array(&Any))),
        Module("bi_sort"),
    ),
    Builtin::new(
        "sum",
        &[arg("collection", AnyOf(&[Array(&Number), Set(&Number)]), "the numbers to add")],
        Some(result("n", Number)),
        Module("bi_sum"),
    ),
];
