//! Rows: numbers.

use super::{Builtin, arg, result};
use crate::implementation::Implementation::{Host, Module};
use crate::numbers;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "abs",
        &[arg("x", Number, "a number of either sign")],
        Some(result("y", Number)),
        Module("bi_abs"),
    ),
    Builtin::new(
        "bits.and",
        &[arg("x", Number, "the first integer"), arg("y", Number, "the second integer")],
        Some(result("z", Number)),
        Module("bi_bits_and"),
    ),
    Builtin::new(
        "bits.lsh",
        &[arg("x", Number, "the integer to shift"), arg("s", Number, "by how many bits")],
        Some(result("z", Number)),
        Module("bi_bits_lsh"),
    ),
    Builtin::new(
        "bits.negate",
        &[arg("x", Number, "an integer")],
        Some(result("z", Number)),
        Module("bi_bits_negate"),
    ),
    Builtin::new(
        "bits.or",
        &[arg("x", Number, "the first integer"), arg("y", Number, "the second integer")],
        Some(result("z", Number)),
        Module("bi_bits_or"),
    ),
    Builtin::new(
        "bits.rsh",
        &[arg("x", Number, "the integer to shift"), arg("s", Number, "by how many bits")],
        Some(result("z", Number)),
        Module("bi_bits_rsh"),
    ),
    Builtin::new(
        "bits.xor",
        &[arg("x", Number, "the first integer"), arg("y", Number, "the second integer")],
        Some(result("z", Number)),
        Module("bi_bits_xor"),
    ),
    Builtin::new(
        "ceil",
        &[arg("x", Number, "the number to round")],
        Some(result("y", Number)),
        Module("bi_ceil"),
    ),
    Builtin::new(
        "div",
        &[arg("x", Number, "the dividend"), arg("y", Number, "the divisor")],
        Some(result("z", Number)),
        Module("bi_div"),
    )
    .infix("/"),
    Builtin::new(
        "floor",
        &[arg("x", Number, "the number to round")],
        Some(result("y", Number)),
        Module("bi_floor"),
    ),
    Builtin::new(
        "minus",
        &[arg("x", AnyOf(&[Number, Set(&Any)]), ""), arg("y", AnyOf(&[Number, Set(&Any)]), "")],
        Some(result("z", AnyOf(&[Number, Set(&Any)]))),
        Module("bi_minus"),
    )
    .infix("-"),
    Builtin::new(
        "mul",
        &[arg("x", Number, ""), arg("y", Number, "")],
        Some(result("z", Number)),
        Module("bi_mul"),
    )
    .infix("*"),
    Builtin::new(
        "numbers.range",
        &[arg("a", Number, "the first number"), arg("b", Number, "the last number")],
        Some(result("range", Array(&Number))),
        Module("bi_numbers_range"),
    ),
    Builtin::new(
        "numbers.range_step",
        &[
            arg("a", Number, "the first number"),
            arg("b", Number, "the last number, if a step leads to it"),
            arg("step", Number, "the distance of two numbers"),
        ],
        Some(result("range", Array(&Number))),
        Host(numbers::range_step),
    ),
    Builtin::new(
        "plus",
        &[arg("x", Number, ""), arg("y", Number, "")],
        Some(result("z", Number)),
        Module("bi_plus"),
    )
    .infix("+"),
    Builtin::new(
        "rand.intn",
        &[
            arg("str", String, "the seed: equal seeds give equal numbers within an evaluation"),
            arg("n", Number, "the bound, itself not among the numbers"),
        ],
        Some(result("y", Number)),
        Host(numbers::rand_intn),
    )
    .nondeterministic(),
    Builtin::new(
        "rem",
        &[arg("x", Number, ""), arg("y", Number, "")],
        Some(result("z", Number)),
        Module("bi_rem"),
    )
    .infix("%"),
    Builtin::new(
        "round",
        &[arg("x", Number, "the number to round")],
        Some(result("y", Number)),
        Module("bi_round"),
    ),
];
