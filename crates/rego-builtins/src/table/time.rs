//! Rows: time.

use super::{Builtin, arg};
use crate::implementation::Implementation::Host;
use crate::time;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "time.add_date",
        &[arg("ns", Number), arg("years", Number), arg("months", Number), arg("days", Number)],
        Some(arg("output", Number)),
        Host(time::add_date),
    ),
    Builtin::new(
        "time.clock",
        &[arg("x", AnyOf(&[Number, Tuple(&[Number, String])]))],
        Some(arg("output", Tuple(&[Number, Number, Number]))),
        Host(time::clock),
    ),
    Builtin::new(
        "time.date",
        &[arg("x", AnyOf(&[Number, Tuple(&[Number, String])]))],
        Some(arg("date", Tuple(&[Number, Number, Number]))),
        Host(time::date),
    ),
    Builtin::new(
        "time.diff",
        &[
            arg("ns1", AnyOf(&[Number, Tuple(&[Number, String])])),
            arg("ns2", AnyOf(&[Number, Tuple(&[Number, String])])),
        ],
        Some(arg("output", Tuple(&[Number, Number, Number, Number, Number, Number]))),
        Host(time::diff),
    ),
    Builtin::new(
        "time.format",
        &[arg("x", AnyOf(&[Number, Tuple(&[Number, String]), Tuple(&[Number, String, String])]))],
        Some(arg("formatted timestamp", String)),
        Host(time::format),
    ),
    Builtin::new("time.now_ns", &[], Some(arg("now", Number)), Host(time::now_ns)).nondeterministic(),
    Builtin::new(
        "time.parse_duration_ns",
        &[arg("duration", String)],
        Some(arg("ns", Number)),
        Host(time::parse_duration_ns),
    ),
    Builtin::new(
        "time.parse_ns",
        &[arg("layout", String), arg("value", String)],
        Some(arg("ns", Number)),
        Host(time::parse_ns),
    ),
    Builtin::new(
        "time.parse_rfc3339_ns",
        &[arg("value", String)],
        Some(arg("ns", Number)),
        Host(time::parse_rfc3339_ns),
    ),
    Builtin::new(
        "time.weekday",
        &[arg("x", AnyOf(&[Number, Tuple(&[Number, String])]))],
        Some(arg("day", String)),
        Host(time::weekday),
    ),
];
