//! Rows: aggregates.

use super::{Builtin, arg, unnamed};
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
        )],
        Some(arg("n", Number)),
        Module("bi_count"),
    ),
    Builtin::new(
        "max",
        &[arg("collection", AnyOf(&[Array(&Any), Set(&Any)]))],
        Some(arg("n", Any)),
        Module("bi_max"),
    ),
    Builtin::new(
        "min",
        &[arg("collection", AnyOf(&[Array(&Any), Set(&Any)]))],
        Some(arg("n", Any)),
        Module("bi_min"),
    ),
    Builtin::new(
        "product",
        &[arg("collection", AnyOf(&[Array(&Number), Set(&Number)]))],
        Some(arg("n", Number)),
        Module("bi_product"),
    ),
    Builtin::new(
        "sort",
        &[arg("collection", AnyOf(&[Array(&Any), Set(&Any)]))],
        Some(arg("n", Array(&Any))),
        Module("bi_sort"),
    ),
    Builtin::new(
        "sum",
        &[arg("collection", AnyOf(&[Array(&Number), Set(&Number)]))],
        Some(arg("n", Number)),
        Module("bi_sum"),
    ),
];
