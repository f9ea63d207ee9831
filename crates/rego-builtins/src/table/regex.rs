//! Rows: regex.

use super::{Builtin, arg, unnamed};
use crate::implementation::Implementation::{Module, Unsupported};
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "glob.match",
        &[arg("pattern", String), arg("delimiters", AnyOf(&[Null, Array(&String)])), arg("match", String)],
        Some(arg("result", Boolean)),
        Module("bi_glob_match"),
    ),
    Builtin::new("glob.quote_meta", &[arg("pattern", String)], Some(arg("output", String)), Unsupported),
    Builtin::new(
        "re_match",
        &[unnamed(String), unnamed(String)],
        Some(unnamed(Boolean)),
        Module("bi_re_match"),
    )
    .deprecated(),
    Builtin::new(
        "regex.find_all_string_submatch_n",
        &[arg("pattern", String), arg("value", String), arg("number", Number)],
        Some(arg("output", Array(&Array(&String)))),
        Module("bi_regex_find_all_string_submatch_n"),
    ),
    Builtin::new(
        "regex.find_n",
        &[arg("pattern", String), arg("value", String), arg("number", Number)],
        Some(arg("output", Array(&String))),
        Unsupported,
    ),
    Builtin::new(
        "regex.globs_match",
        &[arg("glob1", String), arg("glob2", String)],
        Some(arg("result", Boolean)),
        Unsupported,
    ),
    Builtin::new(
        "regex.is_valid",
        &[arg("pattern", String)],
        Some(arg("result", Boolean)),
        Module("bi_regex_is_valid"),
    ),
    Builtin::new(
        "regex.match",
        &[arg("pattern", String), arg("value", String)],
        Some(arg("result", Boolean)),
        Module("bi_regex_match"),
    ),
    Builtin::new(
        "regex.replace",
        &[arg("s", String), arg("pattern", String), arg("value", String)],
        Some(arg("output", String)),
        Unsupported,
    ),
    Builtin::new(
        "regex.split",
        &[arg("pattern", String), arg("value", String)],
        Some(arg("output", Array(&String))),
        Unsupported,
    ),
    Builtin::new(
        "regex.template_match",
        &[
            arg("template", String),
            arg("value", String),
            arg("delimiter_start", String),
            arg("delimiter_end", String),
        ],
        Some(arg("result", Boolean)),
        Unsupported,
    ),
];
