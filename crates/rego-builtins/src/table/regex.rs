//! Rows: regex.

use super::{Builtin, arg, unnamed};
use crate::implementation::Implementation::{Either, Host, Module};
use crate::types::Type::*;
use crate::{glob, globs, regex};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "glob.match",
        &[arg("pattern", String), arg("delimiters", AnyOf(&[Null, Array(&String)])), arg("match", String)],
        Some(arg("result", Boolean)),
        Module("bi_glob_match"),
    ),
    Builtin::new(
        "glob.quote_meta",
        &[arg("pattern", String)],
        Some(arg("output", String)),
        Host(glob::quote_meta),
    ),
    Builtin::new(
        "re_match",
        &[unnamed(String), unnamed(String)],
        Some(unnamed(Boolean)),
        Either("bi_re_match", regex::is_match),
    )
    .deprecated(),
    Builtin::new(
        "regex.find_all_string_submatch_n",
        &[arg("pattern", String), arg("value", String), arg("number", Number)],
        Some(arg("output", Array(&Array(&String)))),
        Either("bi_regex_find_all_string_submatch_n", regex::find_all_string_submatch_n),
    ),
    Builtin::new(
        "regex.find_n",
        &[arg("pattern", String), arg("value", String), arg("number", Number)],
        Some(arg("output", Array(&String))),
        Host(regex::find_n),
    ),
    Builtin::new(
        "regex.globs_match",
        &[arg("glob1", String), arg("glob2", String)],
        Some(arg("result", Boolean)),
        Host(globs::globs_match),
    ),
    Builtin::new(
        "regex.is_valid",
        &[arg("pattern", String)],
        Some(arg("result", Boolean)),
        Either("bi_regex_is_valid", regex::is_valid),
    ),
    Builtin::new(
        "regex.match",
        &[arg("pattern", String), arg("value", String)],
        Some(arg("result", Boolean)),
        Either("bi_regex_match", regex::is_match),
    ),
    Builtin::new(
        "regex.replace",
        &[arg("s", String), arg("pattern", String), arg("value", String)],
        Some(arg("output", String)),
        Host(regex::replace),
    ),
    Builtin::new(
        "regex.split",
        &[arg("pattern", String), arg("value", String)],
        Some(arg("output", Array(&String))),
        Host(regex::split),
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
        Host(regex::template_match),
    ),
];
