//! Rows: formats.

use super::{Builtin, arg};
use crate::implementation::Implementation::Unsupported;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "semver.compare",
        &[arg("a", String), arg("b", String)],
        Some(arg("result", Number)),
        Unsupported,
    ),
    Builtin::new("semver.is_valid", &[arg("vsn", Any)], Some(arg("result", Boolean)), Unsupported),
    Builtin::new("units.parse", &[arg("x", String)], Some(arg("y", Number)), Unsupported),
    Builtin::new("units.parse_bytes", &[arg("x", String)], Some(arg("y", Number)), Unsupported),
    Builtin::new("uri.is_valid", &[arg("uri", String)], Some(arg("result", Boolean)), Unsupported),
    Builtin::new(
        "uri.parse",
        &[arg("uri", String)],
        Some(arg("output", Object { fields: &[], dynamic: Some((&String, &String)) })),
        Unsupported,
    ),
    Builtin::new(
        "uuid.parse",
        &[arg("uuid", String)],
        Some(arg("result", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Unsupported,
    ),
    Builtin::new("uuid.rfc4122", &[arg("k", String)], Some(arg("output", String)), Unsupported)
        .nondeterministic(),
];
