//! Rows: collections.

use super::{Builtin, arg, result};
use crate::implementation::Implementation::{Host, Module};
use crate::types::Type::*;
use crate::{graph, json_schema, object, patch};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "array.concat",
        &[arg("x", Array(&Any), "the first array"), arg("y", Array(&Any), "the second array")],
        Some(result("z", Array(&Any))),
        Module("bi_array_concat"),
    ),
    Builtin::new(
        "array.flatten",
        &[arg("arr", Array(&Any), "an array, perhaps of arrays")],
        Some(result("flattened", Array(&Any))),
        Module("bi_array_flatten"),
    ),
    Builtin::new(
        "array.reverse",
        &[arg("arr", Array(&Any), "an array")],
        Some(result("rev", Array(&Any))),
        Module("bi_array_reverse"),
    ),
    Builtin::new(
        "array.slice",
        &[
            arg("arr", Array(&Any), "an array"),
            arg("start", Number, "where the slice begins; 0 where it is less"),
            arg(
                "stop",
                Number,
                "where the slice ends, itself not in it; the length of `arr` where it is more",
            ),
        ],
        Some(result("slice", Array(&Any))),
        Module("bi_array_slice"),
    ),
    Builtin::new(
        "graph.reachable",
        &[
            arg(
                "graph",
                Object { fields: &[], dynamic: Some((&Any, &AnyOf(&[Array(&Any), Set(&Any)]))) },
                "for each node the nodes next to it",
            ),
            arg("initial", AnyOf(&[Array(&Any), Set(&Any)]), "the nodes to begin with"),
        ],
        Some(result("output", Set(&Any))),
        Module("bi_graph_reachable"),
    ),
    Builtin::new(
        "graph.reachable_paths",
        &[
            arg(
                "graph",
                Object { fields: &[], dynamic: Some((&Any, &AnyOf(&[Array(&Any), Set(&Any)]))) },
                "for each node the nodes next to it",
            ),
            arg("initial", AnyOf(&[Array(&Any), Set(&Any)]), "the nodes to begin with"),
        ],
        Some(result("output", Set(&Array(&Any)))),
        Host(graph::reachable_paths),
    ),
    Builtin::new(
        "json.filter",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }, "the object to filter"),
            arg(
                "paths",
                AnyOf(&[Array(&AnyOf(&[String, Array(&Any)])), Set(&AnyOf(&[String, Array(&Any)]))]),
                "the paths to keep",
            ),
        ],
        Some(result("filtered", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_json_filter"),
    ),
    Builtin::new(
        "json.match_schema",
        &[
            arg(
                "document",
                AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
                "the document to check",
            ),
            arg(
                "schema",
                AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
                "a JSON schema",
            ),
        ],
        Some(result(
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
            arg("target", Any, "the value to change"),
            arg(
                "patches",
                Array(&Object { fields: &[("op", String), ("path", Any)], dynamic: Some((&Any, &Any)) }),
                "JSON patches (RFC 6902), in order",
            ),
        ],
        Some(result("output", Any)),
        Host(patch::patch),
    ),
    Builtin::new(
        "json.remove",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }, "an object"),
            arg(
                "paths",
                AnyOf(&[Array(&AnyOf(&[String, Array(&Any)])), Set(&AnyOf(&[String, Array(&Any)]))]),
                "the paths to take away",
            ),
        ],
        Some(result("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_json_remove"),
    ),
    Builtin::new(
        "json.verify_schema",
        &[arg(
            "schema",
            AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
            "what may be a JSON schema",
        )],
        Some(result("output", Tuple(&[Boolean, AnyOf(&[Null, String])]))),
        Host(json_schema::verify),
    )
    .nondeterministic(),
    Builtin::new(
        "object.filter",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }, "an object"),
            arg(
                "keys",
                AnyOf(&[Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)]),
                "the keys to keep",
            ),
        ],
        Some(result("filtered", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_object_filter"),
    ),
    Builtin::new(
        "object.get",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }, "an object"),
            arg("key", Any, "a key, or an array of keys that lead to the value"),
            arg("default", Any, "the result where there is no such key"),
        ],
        Some(result("value", Any)),
        Module("bi_object_get"),
    ),
    Builtin::new(
        "object.keys",
        &[arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }, "an object")],
        Some(result("value", Set(&Any))),
        Module("bi_object_keys"),
    ),
    Builtin::new(
        "object.remove",
        &[
            arg("object", Object { fields: &[], dynamic: Some((&Any, &Any)) }, "an object"),
            arg(
                "keys",
                AnyOf(&[Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)]),
                "the keys to take away",
            ),
        ],
        Some(result("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_object_remove"),
    ),
    Builtin::new(
        "object.subset",
        &[
            arg(
                "super",
                AnyOf(&[Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)]),
                "what may hold all of `sub`",
            ),
            arg(
                "sub",
                AnyOf(&[Array(&Any), Object { fields: &[], dynamic: Some((&Any, &Any)) }, Set(&Any)]),
                "what may be a part of `super`",
            ),
        ],
        Some(result("result", Boolean)),
        Host(object::subset),
    ),
    Builtin::new(
        "object.union",
        &[
            arg("a", Object { fields: &[], dynamic: Some((&Any, &Any)) }, "an object"),
            arg("b", Object { fields: &[], dynamic: Some((&Any, &Any)) }, "an object whose values win"),
        ],
        Some(result("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_object_union"),
    ),
    Builtin::new(
        "object.union_n",
        &[arg(
            "objects",
            Array(&Object { fields: &[], dynamic: Some((&Any, &Any)) }),
            "objects, of which the later win",
        )],
        Some(result("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Module("bi_object_union_n"),
    ),
    Builtin::new(
        "walk",
        &[arg("x", Any, "the value to walk")],
        Some(result("output", Tuple(&[Array(&Any), Any]))),
        Module("bi_walk"),
    )
    .relation(),
];
