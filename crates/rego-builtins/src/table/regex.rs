//! Rows: regex.

use super::{Builtin, arg, result, unnamed};
use crate::implementation::Implementation::{Either, Host, Module};
use crate::types::Type::*;
use crate::{glob, globs, regex};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "glob.match",
        &[
            arg("pattern", String, "glob pattern"),
            arg(
                "delimiters",
                AnyOf(&[Null, Array(&String)]),
                "the characters that separate parts, a dot where there are none; `null`: nothing does",
            ),
            arg("match", String, "the string to match"),
        ],
        Some(result("result", Boolean)),
        Module("bi_glob_match"),
    ),
    Builtin::new(
        "glob.quote_meta",
        &[arg("pattern", String, "text that may hold characters of patterns")],
        Some(result("output", String)),
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
        &[
            arg("pattern", String, "regular expression"),
            arg("value", String, "the string that is searched"),
            arg("number", Number, "the most matches to return; `-1`: all"),
        ],
        Some(result("output", Array(&Array(&String)))),
        Either("bi_regex_find_all_string_submatch_n", regex::find_all_string_submatch_n),
    ),
    Builtin::new(
        "regex.find_n",
        &[
            arg("pattern", String, "regular expression"),
            arg("value", String, "the string that is searched"),
            arg("number", Number, "the most matches to return; `-1`: all"),
        ],
        Some(result("output", Array(&String))),
        Host(regex::find_n),
    ),
    Builtin::new(
        "regex.globs_match",
        &[arg("glob1", String, "the first pattern"), arg("glob2", String, "the second pattern")],
        Some(result("result", Boolean)),
        Host(globs::globs_match),
    ),
    Builtin::new(
        "regex.is_valid",
        &[arg("pattern", String, "what may be a regular expression")],
        Some(result("result", Boolean)),
        Either("bi_regex_is_valid", regex::is_valid),
    ),
    Builtin::new(
        "regex.match",
        &[arg("pattern", String, "regular expression"), arg("value", String, "the string that is searched")],
        Some(result("result", Boolean)),
        Either("bi_regex_match", regex::is_match),
    ),
    Builtin::new(
        "regex.replace",
        &[
            arg("s", String, "the string to change"),
            arg("pattern", String, "regular expression"),
            arg("value", String, "what replaces a match; `$1` is its first group"),
        ],
        Some(result("output", String)),
        Host(regex::replace),
    ),
    Builtin::new(
        "regex.split",
        &[arg("pattern", String, "regular expression"), arg("value", String, "the string to split")],
        Some(result("output", Array(&String))),
        Host(regex::split),
    ),
    Builtin::new(
        "regex.template_match",
        &[
            arg("template", String, "text with regular expressions between delimiters"),
            arg("value", String, "the string to match"),
            arg("delimiter_start", String, "what opens a regular expression"),
            arg("delimiter_end", String, "what closes a regular expression"),
        ],
        Some(result("result", Boolean)),
        Host(regex::template_match),
    ),
];
