//! The builtins that run in the module, one file per category.

mod aggregates;
mod arithmetic;
mod bits;
mod collections;
mod comparison;
mod encoding;
mod glob;
mod json_path;
mod net;
mod operands;
mod regex;
mod strings;
mod types;

use crate::error::{Outcome, settle};
use crate::value::Value;

pub(crate) use arithmetic::floor_div;
pub(crate) use operands::number;
pub(crate) use regex::{forget, program_find, program_match, table_match};

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

    "and" bi_and(a b) => collections::and;
    "or" bi_or(a b) => collections::or;
    "set_diff" bi_set_diff(a b) => collections::set_diff;
    "intersection" bi_intersection(a) => collections::intersection;
    "union" bi_union(a) => collections::union;
    "array.concat" bi_array_concat(a b) => collections::array_concat;
    "array.flatten" bi_array_flatten(a) => collections::array_flatten;
    "array.reverse" bi_array_reverse(a) => collections::array_reverse;
    "array.slice" bi_array_slice(a b c) => collections::array_slice;
    "object.get" bi_object_get(a b c) => collections::object_get;
    "object.keys" bi_object_keys(a) => collections::object_keys;
    "object.remove" bi_object_remove(a b) => collections::object_remove;
    "object.filter" bi_object_filter(a b) => collections::object_filter;
    "object.union" bi_object_union(a b) => collections::object_union;
    "object.union_n" bi_object_union_n(a) => collections::object_union_n;
    "walk" bi_walk(a) => collections::walk;
    "graph.reachable" bi_graph_reachable(a b) => collections::reachable;
    "json.filter" bi_json_filter(a b) => json_path::filter;
    "json.remove" bi_json_remove(a b) => json_path::remove;

    "contains" bi_contains(a b) => strings::contains;
    "startswith" bi_startswith(a b) => strings::startswith;
    "endswith" bi_endswith(a b) => strings::endswith;
    "concat" bi_concat(a b) => strings::concat;
    "indexof" bi_indexof(a b) => strings::indexof;
    "substring" bi_substring(a b c) => strings::substring;
    "lower" bi_lower(a) => strings::lower;
    "upper" bi_upper(a) => strings::upper;
    "split" bi_split(a b) => strings::split;
    "replace" bi_replace(a b c) => strings::replace;
    "strings.replace_n" bi_strings_replace_n(a b) => strings::replace_n;
    "strings.reverse" bi_strings_reverse(a) => strings::reverse;
    "trim" bi_trim(a b) => strings::trim;
    "trim_left" bi_trim_left(a b) => strings::trim_left;
    "trim_right" bi_trim_right(a b) => strings::trim_right;
    "trim_prefix" bi_trim_prefix(a b) => strings::trim_prefix;
    "trim_suffix" bi_trim_suffix(a b) => strings::trim_suffix;
    "trim_space" bi_trim_space(a) => strings::trim_space;
    "format_int" bi_format_int(a b) => strings::format_int;
    "to_number" bi_to_number(a) => strings::to_number;
    "internal.template_string" bi_internal_template_string(a) => strings::template_string;
    "json.marshal" bi_json_marshal(a) => strings::json_marshal;
    "json.unmarshal" bi_json_unmarshal(a) => strings::json_unmarshal;
    "json.is_valid" bi_json_is_valid(a) => strings::json_is_valid;
    "glob.match" bi_glob_match(a b c) => glob::glob_match;

    "regex.match" bi_regex_match(a b) => regex::is_match;
    "re_match" bi_re_match(a b) => regex::is_match;
    "regex.is_valid" bi_regex_is_valid(a) => regex::is_valid;
    "regex.find_all_string_submatch_n" bi_regex_find_all_string_submatch_n(a b c) => regex::find_all_string_submatch_n;

    "base64.encode" bi_base64_encode(a) => encoding::base64_encode;
    "base64.decode" bi_base64_decode(a) => encoding::base64_decode;
    "base64.is_valid" bi_base64_is_valid(a) => encoding::base64_is_valid;
    "base64url.encode" bi_base64url_encode(a) => encoding::base64url_encode;
    "base64url.decode" bi_base64url_decode(a) => encoding::base64url_decode;

    "bits.and" bi_bits_and(a b) => bits::and;
    "bits.or" bi_bits_or(a b) => bits::or;
    "bits.xor" bi_bits_xor(a b) => bits::xor;
    "bits.negate" bi_bits_negate(a) => bits::negate;
    "bits.lsh" bi_bits_lsh(a b) => bits::lsh;
    "bits.rsh" bi_bits_rsh(a b) => bits::rsh;
    "numbers.range" bi_numbers_range(a b) => bits::numbers_range;

    "net.cidr_contains" bi_net_cidr_contains(a b) => net::cidr_contains;
    "net.cidr_overlap" bi_net_cidr_overlap(a b) => net::cidr_contains;
    "net.cidr_intersects" bi_net_cidr_intersects(a b) => net::cidr_intersects;

    "is_array" bi_is_array(a) => types::is_array;
    "is_boolean" bi_is_boolean(a) => types::is_boolean;
    "is_null" bi_is_null(a) => types::is_null;
    "is_number" bi_is_number(a) => types::is_number;
    "is_object" bi_is_object(a) => types::is_object;
    "is_set" bi_is_set(a) => types::is_set;
    "is_string" bi_is_string(a) => types::is_string;
    "type_name" bi_type_name(a) => types::type_name;
}
