//! Rows: formats.

use super::{Builtin, arg, result};
use crate::implementation::Implementation::Host;
use crate::types::Type::*;
use crate::{semver, units, uri, uuid};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "semver.compare",
        &[arg("a", String, "the first version"), arg("b", String, "the second version")],
        Some(result("result", Number)),
        Host(semver::compare),
    ),
    Builtin::new(
        "semver.is_valid",
        &[arg("vsn", Any, "input value")],
        Some(result("result", Boolean)),
        Host(semver::is_valid),
    ),
    Builtin::new(
        "units.parse",
        &[arg("x", String, "an amount with a unit such as `10K`")],
        Some(result("y", Number)),
        Host(units::parse),
    ),
    Builtin::new(
        "units.parse_bytes",
        &[arg("x", String, "an amount of bytes with a unit such as `10KiB`")],
        Some(result("y", Number)),
        Host(units::parse_bytes),
    ),
    Builtin::new(
        "uri.is_valid",
        &[arg("uri", String, "text that may be a URI")],
        Some(result("result", Boolean)),
        Host(uri::is_valid),
    ),
    Builtin::new(
        "uri.parse",
        &[arg("uri", String, "text that may be a URI")],
        Some(result("output", Object { fields: &[], dynamic: Some((&String, &String)) })),
        Host(uri::parse),
    ),
    Builtin::new(
        "uuid.parse",
        &[arg("uuid", String, "text that may be a UUID")],
        Some(result("result", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(uuid::parse),
    ),
    Builtin::new(
        "uuid.rfc4122",
        &[arg("k", String, "the seed: equal seeds give equal UUIDs within an evaluation")],
        Some(result("output", String)),
        Host(uuid::rfc4122),
    )
    .nondeterministic(),
];
