//! Rows: collections.

use super::{Builtin, arg};
use crate::implementation::Implementation::{Host, Module};
use crate::types::Type::*;
use crate::{graph, json_schema, object};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "array.concat",
        &[arg("x", Array(&Any)), arg("y", Array(&Any))],
        Some(arg("z", Array(&Any))),
        Module("bi_array_concat"),
    ),
    Builtin::new(
        "array.flatten",
        &[arg("arr", Array(&Any))],
        Some(arg("flattened", Array(&Any))),
        Module("bi_array_flatten"),
    ),
    Builtin::new(
        "array.reverse",
        &[arg("arr", Array(&Any))],
        Some(arg("rev", Array(&Any))),
        Module("bi_array_reverse"),
    ),
    Builtin::new(
        "array.slice",
        &[arg("arr", Array(&Any)), arg("start", Number), arg("stop", Number)],
        Some(arg("slice", Array(&Any))),
        Module("bi_array_slice"),
    ),
    Builtin::new(
        "graph.reachable",
        &[
            arg("graph", Object { fields: &[], dynamic: Some((&Any, &AnyOf(&[Array(&Any), Set(&Any)]))) }),
            arg("initial", AnyOf(&[Array(&Any), Set(&Any)])),
        ],
        Some(arg("output", Set(&Any))),
        Module("bi_graph_reachable"),
    ),
    Builtin::new(
        "graph.reachable_paths",
        &[
            arg("graph", Object { fields: &[], dynamic: Some((&Any, &AnyOf(&[Array(&Any), Set(&Any)]))) }),
            arg("initial", AnyOf(&[Array(&Any), Set(&Any)])),
        ],
        Some(arg("output", Set(&Array(&Any)))),
        Host(graph::reachable_paths),
    ),
    Builtin::new(
        "json.filter",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }),
            arg(
                "paths",
                AnyOf(&[Array(&AnyOf(&[String, Array(&Any)])), Set(&AnyOf(&[String, Array(&Any)]))]),
            ),
        ],
        Some(arg("filtered", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_json_filter"),
    ),
    Builtin::new(
        "json.match_schema",
        &[
            arg("document", AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }])),
            arg("schema", AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }])),
        ],
        Some(arg(
            "output",
            Tuple(&[
                Boolean,
                Array(&Object {
                    fields: &[("desc", String), ("error", String), ("field", String), ("type", String)],
                    dynamic: None,
                }),
            ]),
        )),
        Host(json_schema::matches),
    )
    .nondeterministic(),
    Builtin::new(
        "json.patch",
        &[
            arg("target", Any),
            arg(
                "patches",
                Array(&Object { fields: &[("op", String), ("path", Any)], dynamic: Some((&Any, &Any)) }),
            ),
        ],
        Some(arg("output", Any)),
        Host(object::patch),
    ),
    Builtin::new(
        "json.remove",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }),
            arg(
                "paths",
                AnyOf(&[Array(&AnyOf(&[String, Array(&Any)])), Set(&AnyOf(&[String, Array(&Any)]))]),
            ),
        ],
        Some(arg("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_json_remove"),
    ),
    Builtin::new(
        "json.verify_schema",
        &[arg("schema", AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]))],
        Some(arg("output", Tuple(&[Boolean, AnyOf(&[Null, String])]))),
        Host(json_schema::verify),
    )
    .nondeterministic(),
    Builtin::new(
        "object.filter",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }),
            arg(
                "keys",
                AnyOf(&[Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)]),
            ),
        ],
        Some(arg("filtered", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_object_filter"),
    ),
    Builtin::new(
        "object.get",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }),
            arg("key", Any),
            arg("default", Any),
        ],
        Some(arg("value", Any)),
        Module("bi_object_get"),
    ),
    Builtin::new(
        "object.keys",
        &[arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) })],
        Some(arg("value", Set(&Any))),
        Module("bi_object_keys"),
    ),
    Builtin::new(
        "object.remove",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }),
            arg(
                "keys",
                AnyOf(&[Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)]),
            ),
        ],
        Some(arg("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_object_remove"),
    ),
    Builtin::new(
        "object.subset",
        &[
            arg(
                "super",
                AnyOf(&[Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)]),
            ),
            arg("sub", AnyOf(&[Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)])),
        ],
        Some(arg("result", Boolean)),
        Host(object::subset),
    ),
    Builtin::new(
        "object.union",
        &[
            arg("a", Object { fields: &[], dynamic: Some((&Any, &Any)) }),
            arg("b", Object { fields: &[], dynamic: Some((&Any, &Any)) }),
        ],
        Some(arg("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_object_union"),
    ),
    Builtin::new(
        "object.union_n",
        &[arg("objects", Array(&Object { fields: &[], dynamic: Some((&Any, &Any)) }))],
        Some(arg("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_object_union_n"),
    ),
    Builtin::new(
        "walk",
        &[arg("x", Any)],
        Some(arg("output", Tuple(&[Array(&Any), Any]))),
        Module("bi_walk"),
    )
    .relation(),
];
