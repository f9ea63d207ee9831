//! Rows: formats.

use super::{Builtin, arg};
use crate::implementation::Implementation::Host;
use crate::types::Type::*;
use crate::{semver, units, uri, uuid};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "semver.compare",
        &[arg("a", String), arg("b", String)],
        Some(arg("result", Number)),
        Host(semver::compare),
    ),
    Builtin::new("semver.is_valid", &[arg("vsn", Any)], Some(arg("result", Boolean)), Host(semver::is_valid)),
    Builtin::new("units.parse", &[arg("x", String)], Some(arg("y", Number)), Host(units::parse)),
    Builtin::new("units.parse_bytes", &[arg("x", String)], Some(arg("y", Number)), Host(units::parse_bytes)),
    Builtin::new("uri.is_valid", &[arg("uri", String)], Some(arg("result", Boolean)), Host(uri::is_valid)),
    Builtin::new(
        "uri.parse",
        &[arg("uri", String)],
        Some(arg("output", Object { fields: &[], dynamic: Some((&String, &String)) })),
        Host(uri::parse),
    ),
    Builtin::new(
        "uuid.parse",
        &[arg("uuid", String)],
        Some(arg("result", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(uuid::parse),
    ),
    Builtin::new("uuid.rfc4122", &[arg("k", String)], Some(arg("output", String)), Host(uuid::rfc4122))
        .nondeterministic(),
];
