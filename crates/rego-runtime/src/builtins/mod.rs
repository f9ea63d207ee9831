//! The builtins that run in the module, one file per category.

mod aggregates;
mod arithmetic;
mod comparison;

use crate::error::{Outcome, settle};
use crate::value::Value;

/// A builtin by the number of its operands.
#[derive(Clone, Copy)]
pub enum Builtin {
    /// One operand.
    Unary(fn(Value) -> Value),
    /// Two operands.
    Binary(fn(Value, Value) -> Value),
    /// Three operands.
    Ternary(fn(Value, Value, Value) -> Value),
}

impl Builtin {
    /// The value for these operands; `None` where they are too few or too many.
    #[must_use]
    pub fn call(self, operands: &[Value]) -> Option<Value> {
        match (self, operands) {
            (Builtin::Unary(function), [a]) => Some(function(*a)),
            (Builtin::Binary(function), [a, b]) => Some(function(*a, *b)),
            (Builtin::Ternary(function), [a, b, c]) => Some(function(*a, *b, *c)),
            _ => None,
        }
    }
}

macro_rules! arity {
    ($function:path, $a:ident) => {
        Builtin::Unary($function)
    };
    ($function:path, $a:ident $b:ident) => {
        Builtin::Binary($function)
    };
    ($function:path, $a:ident $b:ident $c:ident) => {
        Builtin::Ternary($function)
    };
}

/// One row per builtin: its name in Rego, its symbol, its operands, the function. The row makes the export, the entry in
/// [`BUILTINS`], and the recording of its error under its name.
macro_rules! builtins {
    ($($name:literal $symbol:ident($($operand:ident)+) => $module:ident::$function:ident;)*) => {
        #[cfg_attr(target_arch = "wasm32", expect(unsafe_code, reason = "exported symbols"))]
        mod symbols {
            use super::{Outcome, Value, settle};
            $(
                #[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
                pub(super) extern "C" fn $symbol($($operand: Value),+) -> Value {
                    if $(!$operand.is_defined())||+ {
                        return Value::UNDEFINED;
                    }
                    let outcome: Outcome = super::$module::$function($($operand),+);
                    settle($name, outcome)
                }
            )*
        }

        /// The builtins of the runtime: the name in Rego, and the function. The symbol is `bi_` and the name with `_`
        /// for `.`.
        pub const BUILTINS: &[(&str, Builtin)] = &[
            $(($name, {
                fn function($($operand: Value),+) -> Value {
                    symbols::$symbol($($operand),+)
                }
                arity!(function, $($operand)+)
            }),)*
        ];
    };
}

builtins! {
    "plus" bi_plus(a b) => arithmetic::plus;
    "minus" bi_minus(a b) => arithmetic::minus;
    "mul" bi_mul(a b) => arithmetic::mul;
    "div" bi_div(a b) => arithmetic::div;
    "rem" bi_rem(a b) => arithmetic::rem;
    "abs" bi_abs(a) => arithmetic::abs;
    "round" bi_round(a) => arithmetic::round;
    "ceil" bi_ceil(a) => arithmetic::ceil;
    "floor" bi_floor(a) => arithmetic::floor;

    "equal" bi_equal(a b) => comparison::equal;
    "neq" bi_neq(a b) => comparison::neq;
    "gt" bi_gt(a b) => comparison::gt;
    "gte" bi_gte(a b) => comparison::gte;
    "lt" bi_lt(a b) => comparison::lt;
    "lte" bi_lte(a b) => comparison::lte;
    "internal.member_2" bi_internal_member_2(a b) => comparison::member_2;
    "internal.member_3" bi_internal_member_3(a b c) => comparison::member_3;

    "count" bi_count(a) => aggregates::count;
    "sum" bi_sum(a) => aggregates::sum;
    "product" bi_product(a) => aggregates::product;
    "max" bi_max(a) => aggregates::max;
    "min" bi_min(a) => aggregates::min;
    "sort" bi_sort(a) => aggregates::sort;
    "all" bi_all(a) => aggregates::all;
    "any" bi_any(a) => aggregates::any;
}
