//! Rows: time.

use super::{Builtin, arg, result};
use crate::implementation::Implementation::Host;
use crate::time;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "time.add_date",
        &[
            arg("ns", Number, "nanoseconds since the epoch"),
            arg("years", Number, "years to add"),
            arg("months", Number, "months to add"),
            arg("days", Number, "days to add"),
        ],
        Some(result("output", Number)),
        Host(time::add_date),
    ),
    Builtin::new(
        "time.clock",
        &[arg(
            "x",
            AnyOf(&[Number, Tuple(&[Number, String])]),
            "nanoseconds since the epoch (UTC), or those and a time zone",
        )],
        Some(result("output", Tuple(&[Number, Number, Number]))),
        Host(time::clock),
    ),
    Builtin::new(
        "time.date",
        &[arg(
            "x",
            AnyOf(&[Number, Tuple(&[Number, String])]),
            "nanoseconds since the epoch (UTC), or those and a time zone",
        )],
        Some(result("date", Tuple(&[Number, Number, Number]))),
        Host(time::date),
    ),
    Builtin::new(
        "time.diff",
        &[
            arg(
                "ns1",
                AnyOf(&[Number, Tuple(&[Number, String])]),
                "nanoseconds since the epoch (UTC), or those and a time zone",
            ),
            arg(
                "ns2",
                AnyOf(&[Number, Tuple(&[Number, String])]),
                "nanoseconds since the epoch (UTC), or those and a time zone",
            ),
        ],
        Some(result("output", Tuple(&[Number, Number, Number, Number, Number, Number]))),
        Host(time::diff),
    ),
    Builtin::new(
        "time.format",
        &[arg(
            "x",
            AnyOf(&[Number, Tuple(&[Number, String]), Tuple(&[Number, String, String])]),
            "nanoseconds since the epoch (UTC), or those and a time zone, or these and a layout of Go",
        )],
        Some(result("formatted timestamp", String)),
        Host(time::format),
    ),
    Builtin::new("time.now_ns", &[], Some(result("now", Number)), Host(time::now_ns)).nondeterministic(),
    Builtin::new(
        "time.parse_duration_ns",
        &[arg("duration", String, "a duration such as `3m`")],
        Some(result("ns", Number)),
        Host(time::parse_duration_ns),
    ),
    Builtin::new(
        "time.parse_ns",
        &[arg("layout", String, "a layout of Go"), arg("value", String, "the text to read")],
        Some(result("ns", Number)),
        Host(time::parse_ns),
    ),
    Builtin::new(
        "time.parse_rfc3339_ns",
        &[arg("value", String, "a time as RFC 3339 writes it")],
        Some(result("ns", Number)),
        Host(time::parse_rfc3339_ns),
    ),
    Builtin::new(
        "time.weekday",
        &[arg(
            "x",
            AnyOf(&[Number, Tuple(&[Number, String])]),
            "nanoseconds since the epoch (UTC), or those and a time zone",
        )],
        Some(result("day", String)),
        Host(time::weekday),
    ),
];
