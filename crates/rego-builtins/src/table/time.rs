//! Rows: time.

use super::{Builtin, arg};
use crate::implementation::Implementation::Unsupported;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "time.add_date",
        &[arg("ns", Number), arg("years", Number), arg("months", Number), arg("days", Number)],
        Some(arg("output", Number)),
        Unsupported,
    ),
    Builtin::new(
        "time.clock",
        &[arg("x", AnyOf(&[Number, Tuple(&[Number, String])]))],
        Some(arg("output", Tuple(&[Number, Number, Number]))),
        Unsupported,
    ),
    Builtin::new(
        "time.date",
        &[arg("x", AnyOf(&[Number, Tuple(&[Number, String])]))],
        Some(arg("date", Tuple(&[Number, Number, Number]))),
        Unsupported,
    ),
    Builtin::new(
        "time.diff",
        &[
            arg("ns1", AnyOf(&[Number, Tuple(&[Number, String])])),
            arg("ns2", AnyOf(&[Number, Tuple(&[Number, String])])),
        ],
        Some(arg("output", Tuple(&[Number, Number, Number, Number, Number, Number]))),
        Unsupported,
    ),
    Builtin::new(
        "time.format",
        &[arg("x", AnyOf(&[Number, Tuple(&[Number, String]), Tuple(&[Number, String, String])]))],
        Some(arg("formatted timestamp", String)),
        Unsupported,
    ),
    Builtin::new("time.now_ns", &[], Some(arg("now", Number)), Unsupported).nondeterministic(),
    Builtin::new("time.parse_duration_ns", &[arg("duration", String)], Some(arg("ns", Number)), Unsupported),
    Builtin::new(
        "time.parse_ns",
        &[arg("layout", String), arg("value", String)],
        Some(arg("ns", Number)),
        Unsupported,
    ),
    Builtin::new("time.parse_rfc3339_ns", &[arg("value", String)], Some(arg("ns", Number)), Unsupported),
    Builtin::new(
        "time.weekday",
        &[arg("x", AnyOf(&[Number, Tuple(&[Number, String])]))],
        Some(arg("day", String)),
        Unsupported,
    ),
];
