//! Rows: strings.

use super::{Builtin, arg};
use crate::implementation::Implementation::{Host, Module};
use crate::types::Type::*;
use crate::{strings, template};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "concat",
        &[arg("delimiter", String), arg("collection", AnyOf(&[Array(&String), Set(&String)]))],
        Some(arg("output", String)),
        Module("bi_concat"),
    ),
    Builtin::new(
        "contains",
        &[arg("haystack", String), arg("needle", String)],
        Some(arg("result", Boolean)),
        Module("bi_contains"),
    ),
    Builtin::new(
        "endswith",
        &[arg("search", String), arg("base", String)],
        Some(arg("result", Boolean)),
        Module("bi_endswith"),
    ),
    Builtin::new(
        "format_int",
        &[arg("number", Number), arg("base", Number)],
        Some(arg("output", String)),
        Module("bi_format_int"),
    ),
    Builtin::new(
        "indexof",
        &[arg("haystack", String), arg("needle", String)],
        Some(arg("output", Number)),
        Module("bi_indexof"),
    ),
    Builtin::new(
        "indexof_n",
        &[arg("haystack", String), arg("needle", String)],
        Some(arg("output", Array(&Number))),
        Host(strings::indexof_n),
    ),
    Builtin::new("lower", &[arg("x", String)], Some(arg("y", String)), Module("bi_lower")),
    Builtin::new(
        "replace",
        &[arg("x", String), arg("old", String), arg("new", String)],
        Some(arg("y", String)),
        Module("bi_replace"),
    ),
    Builtin::new(
        "split",
        &[arg("x", String), arg("delimiter", String)],
        Some(arg("ys", Array(&String))),
        Module("bi_split"),
    ),
    Builtin::new(
        "sprintf",
        &[arg("format", String), arg("values", Array(&Any))],
        Some(arg("output", String)),
        Host(strings::sprintf),
    ),
    Builtin::new(
        "startswith",
        &[arg("search", String), arg("base", String)],
        Some(arg("result", Boolean)),
        Module("bi_startswith"),
    ),
    Builtin::new(
        "strings.any_prefix_match",
        &[
            arg("search", AnyOf(&[String, Array(&String), Set(&String)])),
            arg("base", AnyOf(&[String, Array(&String), Set(&String)])),
        ],
        Some(arg("result", Boolean)),
        Host(strings::any_prefix_match),
    ),
    Builtin::new(
        "strings.any_suffix_match",
        &[
            arg("search", AnyOf(&[String, Array(&String), Set(&String)])),
            arg("base", AnyOf(&[String, Array(&String), Set(&String)])),
        ],
        Some(arg("result", Boolean)),
        Host(strings::any_suffix_match),
    ),
    Builtin::new(
        "strings.count",
        &[arg("search", String), arg("substring", String)],
        Some(arg("output", Number)),
        Host(strings::count),
    ),
    Builtin::new(
        "strings.render_template",
        &[arg("value", String), arg("vars", Object { fields: &[], dynamic: Some((&String, &Any)) })],
        Some(arg("result", String)),
        Host(template::render),
    ),
    Builtin::new(
        "strings.replace_n",
        &[arg("patterns", Object { fields: &[], dynamic: Some((&String, &String)) }), arg("value", String)],
        Some(arg("output", String)),
        Module("bi_strings_replace_n"),
    ),
    Builtin::new(
        "strings.reverse",
        &[arg("x", String)],
        Some(arg("y", String)),
        Module("bi_strings_reverse"),
    ),
    Builtin::new(
        "strings.split_n",
        &[arg("x", String), arg("delimiter", String), arg("n", Number)],
        Some(arg("ys", Array(&String))),
        Host(strings::split_n),
    ),
    Builtin::new(
        "substring",
        &[arg("value", String), arg("offset", Number), arg("length", Number)],
        Some(arg("output", String)),
        Module("bi_substring"),
    ),
    Builtin::new(
        "trim",
        &[arg("value", String), arg("cutset", String)],
        Some(arg("output", String)),
        Module("bi_trim"),
    ),
    Builtin::new(
        "trim_left",
        &[arg("value", String), arg("cutset", String)],
        Some(arg("output", String)),
        Module("bi_trim_left"),
    ),
    Builtin::new(
        "trim_prefix",
        &[arg("value", String), arg("prefix", String)],
        Some(arg("output", String)),
        Module("bi_trim_prefix"),
    ),
    Builtin::new(
        "trim_right",
        &[arg("value", String), arg("cutset", String)],
        Some(arg("output", String)),
        Module("bi_trim_right"),
    ),
    Builtin::new("trim_space", &[arg("value", String)], Some(arg("output", String)), Module("bi_trim_space")),
    Builtin::new(
        "trim_suffix",
        &[arg("value", String), arg("suffix", String)],
        Some(arg("output", String)),
        Module("bi_trim_suffix"),
    ),
    Builtin::new("upper", &[arg("x", String)], Some(arg("y", String)), Module("bi_upper")),
];
