//! Rows: encoding.

use super::{Builtin, arg, result};
use crate::implementation::Implementation::{Host, Module};
use crate::types::Type::*;
use crate::{encoding, yaml};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "base64.decode",
        &[arg("x", String, "text in base64")],
        Some(result("y", String)),
        Module("bi_base64_decode"),
    ),
    Builtin::new(
        "base64.encode",
        &[arg("x", String, "string to encode")],
        Some(result("y", String)),
        Module("bi_base64_encode"),
    ),
    Builtin::new(
        "base64.is_valid",
        &[arg("x", String, "string to check")],
        Some(result("result", Boolean)),
        Module("bi_base64_is_valid"),
    ),
    Builtin::new(
        "base64url.decode",
        &[arg("x", String, "text in base64")],
        Some(result("y", String)),
        Module("bi_base64url_decode"),
    ),
    Builtin::new(
        "base64url.encode",
        &[arg("x", String, "string to encode")],
        Some(result("y", String)),
        Module("bi_base64url_encode"),
    ),
    Builtin::new(
        "base64url.encode_no_pad",
        &[arg("x", String, "string to encode")],
        Some(result("y", String)),
        Host(encoding::base64url_encode_no_pad),
    ),
    Builtin::new(
        "hex.decode",
        &[arg("x", String, "hexadecimal digits")],
        Some(result("y", String)),
        Host(encoding::hex_decode),
    ),
    Builtin::new(
        "hex.encode",
        &[arg("x", String, "string to encode")],
        Some(result("y", String)),
        Host(encoding::hex_encode),
    ),
    Builtin::new(
        "json.is_valid",
        &[arg("x", String, "text that may be JSON")],
        Some(result("result", Boolean)),
        Module("bi_json_is_valid"),
    ),
    Builtin::new(
        "json.marshal",
        &[arg("x", Any, "the value to write")],
        Some(result("y", String)),
        Module("bi_json_marshal"),
    ),
    Builtin::new(
        "json.marshal_with_options",
        &[
            arg("x", Any, "the value to write"),
            arg(
                "opts",
                Object {
                    fields: &[("indent", String), ("prefix", String), ("pretty", Boolean)],
                    dynamic: Some((&String, &Any)),
                },
                "`pretty`, `indent` and `prefix`",
            ),
        ],
        Some(result("y", String)),
        Host(encoding::json_marshal_with_options),
    ),
    Builtin::new(
        "json.unmarshal",
        &[arg("x", String, "text in JSON")],
        Some(result("y", Any)),
        Module("bi_json_unmarshal"),
    ),
    Builtin::new(
        "urlquery.decode",
        &[arg("x", String, "text as it stands in a query")],
        Some(result("y", String)),
        Host(encoding::urlquery_decode),
    ),
    Builtin::new(
        "urlquery.decode_object",
        &[arg("x", String, "a query")],
        Some(result("object", Object { fields: &[], dynamic: Some((&String, &Array(&String))) })),
        Host(encoding::urlquery_decode_object),
    ),
    Builtin::new(
        "urlquery.encode",
        &[arg("x", String, "string to encode")],
        Some(result("y", String)),
        Host(encoding::urlquery_encode),
    ),
    Builtin::new(
        "urlquery.encode_object",
        &[arg(
            "object",
            Object { fields: &[], dynamic: Some((&String, &AnyOf(&[String, Array(&String), Set(&String)]))) },
            "the names and their values",
        )],
        Some(result("y", String)),
        Host(encoding::urlquery_encode_object),
    ),
    Builtin::new(
        "yaml.is_valid",
        &[arg("x", String, "text that may be YAML")],
        Some(result("result", Boolean)),
        Host(yaml::is_valid),
    ),
    Builtin::new(
        "yaml.marshal",
        &[arg("x", Any, "the value to write")],
        Some(result("y", String)),
        Host(yaml::marshal),
    ),
    Builtin::new(
        "yaml.unmarshal",
        &[arg("x", String, "text in YAML")],
        Some(result("y", Any)),
        Host(yaml::unmarshal),
    ),
];
