//! Rows: numbers.

use super::{Builtin, arg};
use crate::implementation::Implementation::{Host, Module};
use crate::numbers;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new("abs", &[arg("x", Number)], Some(arg("y", Number)), Module("bi_abs")),
    Builtin::new(
        "bits.and",
        &[arg("x", Number), arg("y", Number)],
        Some(arg("z", Number)),
        Module("bi_bits_and"),
    ),
    Builtin::new(
        "bits.lsh",
        &[arg("x", Number), arg("s", Number)],
        Some(arg("z", Number)),
        Module("bi_bits_lsh"),
    ),
    Builtin::new("bits.negate", &[arg("x", Number)], Some(arg("z", Number)), Module("bi_bits_negate")),
    Builtin::new(
        "bits.or",
        &[arg("x", Number), arg("y", Number)],
        Some(arg("z", Number)),
        Module("bi_bits_or"),
    ),
    Builtin::new(
        "bits.rsh",
        &[arg("x", Number), arg("s", Number)],
        Some(arg("z", Number)),
        Module("bi_bits_rsh"),
    ),
    Builtin::new(
        "bits.xor",
        &[arg("x", Number), arg("y", Number)],
        Some(arg("z", Number)),
        Module("bi_bits_xor"),
    ),
    Builtin::new("ceil", &[arg("x", Number)], Some(arg("y", Number)), Module("bi_ceil")),
    Builtin::new("div", &[arg("x", Number), arg("y", Number)], Some(arg("z", Number)), Module("bi_div"))
        .infix("/"),
    Builtin::new("floor", &[arg("x", Number)], Some(arg("y", Number)), Module("bi_floor")),
    Builtin::new(
        "minus",
        &[arg("x", AnyOf(&[Number, Set(&Any)])), arg("y", AnyOf(&[Number, Set(&Any)]))],
        Some(arg("z", AnyOf(&[Number, Set(&Any)]))),
        Module("bi_minus"),
    )
    .infix("-"),
    Builtin::new("mul", &[arg("x", Number), arg("y", Number)], Some(arg("z", Number)), Module("bi_mul"))
        .infix("*"),
    Builtin::new(
        "numbers.range",
        &[arg("a", Number), arg("b", Number)],
        Some(arg("range", Array(&Number))),
        Module("bi_numbers_range"),
    ),
    Builtin::new(
        "numbers.range_step",
        &[arg("a", Number), arg("b", Number), arg("step", Number)],
        Some(arg("range", Array(&Number))),
        Host(numbers::range_step),
    ),
    Builtin::new("plus", &[arg("x", Number), arg("y", Number)], Some(arg("z", Number)), Module("bi_plus"))
        .infix("+"),
    Builtin::new(
        "rand.intn",
        &[arg("str", String), arg("n", Number)],
        Some(arg("y", Number)),
        Host(numbers::rand_intn),
    )
    .nondeterministic(),
    Builtin::new("rem", &[arg("x", Number), arg("y", Number)], Some(arg("z", Number)), Module("bi_rem"))
        .infix("%"),
    Builtin::new("round", &[arg("x", Number)], Some(arg("y", Number)), Module("bi_round")),
];
