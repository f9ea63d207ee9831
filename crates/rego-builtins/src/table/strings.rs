//! Rows: strings.

use super::{Builtin, arg, result};
use crate::implementation::Implementation::{Host, Module};
use crate::types::Type::*;
use crate::{strings, template};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "concat",
        &[
            arg("delimiter", String, "what stands between two strings"),
            arg("collection", AnyOf(&[Array(&String), Set(&String)]), "the strings to join"),
        ],
        Some(result("output", String)),
        Module("bi_concat"),
    ),
    Builtin::new(
        "contains",
        &[
            arg("haystack", String, "the string that is searched"),
            arg("needle", String, "the string to look for"),
        ],
        Some(result("result", Boolean)),
        Module("bi_contains"),
    ),
    Builtin::new(
        "endswith",
        &[arg("search", String, "search string"), arg("base", String, "base string")],
        Some(result("result", Boolean)),
        Module("bi_endswith"),
    ),
    Builtin::new(
        "format_int",
        &[arg("number", Number, "an integer"), arg("base", Number, "the base: 2, 8, 10 or 16")],
        Some(result("output", String)),
        Module("bi_format_int"),
    ),
    Builtin::new(
        "indexof",
        &[
            arg("haystack", String, "the string that is searched"),
            arg("needle", String, "the string to look for"),
        ],
        Some(result("output", Number)),
        Module("bi_indexof"),
    ),
    Builtin::new(
        "indexof_n",
        &[
            arg("haystack", String, "the string that is searched"),
            arg("needle", String, "the string to look for"),
        ],
        Some(result("output", Array(&Number))),
        Host(strings::indexof_n),
    ),
    Builtin::new(
        "lower",
        &[arg("x", String, "string to convert")],
        Some(result("y", String)),
        Module("bi_lower"),
    ),
    Builtin::new(
        "replace",
        &[
            arg("x", String, "the string to change"),
            arg("old", String, "the text to replace"),
            arg("new", String, "the text in its place"),
        ],
        Some(result("y", String)),
        Module("bi_replace"),
    ),
    Builtin::new(
        "split",
        &[arg("x", String, "the string to split"), arg("delimiter", String, "what separates the parts")],
        Some(result("ys", Array(&String))),
        Module("bi_split"),
    ),
    Builtin::new(
        "sprintf",
        &[
            arg("format", String, "text with verbs such as `%d`"),
            arg("values", Array(&Any), "the values that stand for the verbs"),
        ],
        Some(result("output", String)),
        Host(strings::sprintf),
    ),
    Builtin::new(
        "startswith",
        &[arg("search", String, "search string"), arg("base", String, "base string")],
        Some(result("result", Boolean)),
        Module("bi_startswith"),
    ),
    Builtin::new(
        "strings.any_prefix_match",
        &[
            arg("search", AnyOf(&[String, Array(&String), Set(&String)]), "search string(s)"),
            arg("base", AnyOf(&[String, Array(&String), Set(&String)]), "base string(s)"),
        ],
        Some(result("result", Boolean)),
        Host(strings::any_prefix_match),
    ),
    Builtin::new(
        "strings.any_suffix_match",
        &[
            arg("search", AnyOf(&[String, Array(&String), Set(&String)]), "search string(s)"),
            arg("base", AnyOf(&[String, Array(&String), Set(&String)]), "base string(s)"),
        ],
        Some(result("result", Boolean)),
        Host(strings::any_suffix_match),
    ),
    Builtin::new(
        "strings.count",
        &[
            arg("search", String, "the string that is searched"),
            arg("substring", String, "the string to look for"),
        ],
        Some(result("output", Number)),
        Host(strings::count),
    ),
    Builtin::new(
        "strings.render_template",
        &[
            arg("value", String, "the text of a template"),
            arg(
                "vars",
                Object { fields: &[], dynamic: Some((&String, &Any)) },
                "the variables of the template",
            ),
        ],
        Some(result("result", String)),
        Host(template::render),
    ),
    Builtin::new(
        "strings.replace_n",
        &[
            arg(
                "patterns",
                Object { fields: &[], dynamic: Some((&String, &String)) },
                "for each text to replace the one in its place",
            ),
            arg("value", String, "the string to change"),
        ],
        Some(result("output", String)),
        Module("bi_strings_replace_n"),
    ),
    Builtin::new(
        "strings.reverse",
        &[arg("x", String, "a string")],
        Some(result("y", String)),
        Module("bi_strings_reverse"),
    ),
    Builtin::new(
        "strings.split_n",
        &[
            arg("x", String, "the string to split"),
            arg("delimiter", String, "what separates the parts"),
            arg("n", Number, "how many parts to return: the first ones, or the last ones if less than 0"),
        ],
        Some(result("ys", Array(&String))),
        Host(strings::split_n),
    ),
    Builtin::new(
        "substring",
        &[
            arg("value", String, "a string"),
            arg("offset", Number, "how many characters to skip, 0 or more"),
            arg("length", Number, "how many characters to take; all if less than 0"),
        ],
        Some(result("output", String)),
        Module("bi_substring"),
    ),
    Builtin::new(
        "trim",
        &[
            arg("value", String, "the string to trim"),
            arg("cutset", String, "the characters to take away from both ends"),
        ],
        Some(result("output", String)),
        Module("bi_trim"),
    ),
    Builtin::new(
        "trim_left",
        &[
            arg("value", String, "the string to trim"),
            arg("cutset", String, "the characters to take away from its beginning"),
        ],
        Some(result("output", String)),
        Module("bi_trim_left"),
    ),
    Builtin::new(
        "trim_prefix",
        &[
            arg("value", String, "the string to trim"),
            arg("prefix", String, "what to take away from its beginning"),
        ],
        Some(result("output", String)),
        Module("bi_trim_prefix"),
    ),
    Builtin::new(
        "trim_right",
        &[
            arg("value", String, "the string to trim"),
            arg("cutset", String, "the characters to take away from its end"),
        ],
        Some(result("output", String)),
        Module("bi_trim_right"),
    ),
    Builtin::new(
        "trim_space",
        &[arg("value", String, "the string to trim")],
        Some(result("output", String)),
        Module("bi_trim_space"),
    ),
    Builtin::new(
        "trim_suffix",
        &[
            arg("value", String, "the string to trim"),
            arg("suffix", String, "what to take away from its end"),
        ],
        Some(result("output", String)),
        Module("bi_trim_suffix"),
    ),
    Builtin::new(
        "upper",
        &[arg("x", String, "string to convert")],
        Some(result("y", String)),
        Module("bi_upper"),
    ),
];
