//! Regular expressions. The constant ones come as tables and programs that the compiler has laid out; the others are
//! compiled when they are first met, and kept until the evaluation ends.

use super::operands::{int, string};
use crate::error::{Failure, Outcome};
use crate::memory::{alloc, bytes, load_u32, set_state, state, store_u32, write};
use crate::value::Value;
use crate::{array, table};
use alloc::vec::Vec;
use rego_regex::{Expression, Program, Table};

/// The word of state that holds the object from expressions to their records; 0 is none.
const KNOWN: usize = 1;

/// How often an expression has to be asked for before it is worth a table.
const WORTH_A_TABLE: u32 = 8;

/// Offsets in the record of an expression.
mod record {
    /// How often it was asked for.
    pub(super) const USES: u32 = 0;
    /// The block of its program.
    pub(super) const PROGRAM: u32 = 4;
    /// The block of its table; 0 is none.
    pub(super) const TABLE: u32 = 8;
    pub(super) const SIZE: u32 = 12;
}

/// The expressions of the last evaluation are forgotten: their memory is rewound.
pub(crate) fn forget() {
    set_state(KNOWN, 0);
}

/// The bytes of a block: a length and as many bytes.
fn block(address: u32) -> &'static [u8] {
    bytes(address + 4, load_u32(address))
}

fn store_block(bytes: &[u8]) -> u32 {
    let address = alloc((bytes.len() as u32).saturating_add(4));
    store_u32(address, bytes.len() as u32);
    write(address + 4, bytes);
    address
}

/// The record of an expression.
fn known(pattern: Value, text: &str) -> Result<u32, Failure> {
    let mut patterns = Value(state(KNOWN));
    if !patterns.is_defined() {
        patterns = table::new_object(4);
        set_state(KNOWN, patterns.0);
    }
    let there = table::get(patterns, pattern);
    if let Some(address) = there.as_int_operand() {
        return Ok(address as u32);
    }
    let expression = Expression::parse(text).map_err(|error| Failure::Builtin(error.text()))?;
    let program = store_block(&expression.program());
    let address = alloc(record::SIZE);
    store_u32(address + record::USES, 0);
    store_u32(address + record::PROGRAM, program);
    store_u32(address + record::TABLE, 0);
    table::insert(patterns, pattern, Value::int(i64::from(address)));
    Ok(address)
}

pub(super) fn is_match(pattern: Value, text: Value) -> Outcome {
    let (expression, text) = (string(pattern, 1)?, string(text, 2)?);
    let known = known(pattern, expression)?;
    let program = Program::new(block(load_u32(known + record::PROGRAM)));
    let uses = load_u32(known + record::USES);
    store_u32(known + record::USES, uses.saturating_add(1));
    if uses == WORTH_A_TABLE
        && let Some(table) = program.table()
    {
        store_u32(known + record::TABLE, store_block(&table));
    }
    let table = load_u32(known + record::TABLE);
    let found = if table == 0 { program.is_match(text) } else { Table::new(block(table)).is_match(text) };
    Ok(Value::bool(found))
}

/// False for what is no string.
pub(super) fn is_valid(pattern: Value) -> Outcome {
    Ok(Value::bool(pattern.as_str().is_some_and(|pattern| Expression::parse(pattern).is_ok())))
}

pub(super) fn find_all_string_submatch_n(pattern: Value, text: Value, count: Value) -> Outcome {
    let (expression, text, count) = (string(pattern, 1)?, string(text, 2)?, int(count, 3)?);
    let known = known(pattern, expression)?;
    Ok(find(block(load_u32(known + record::PROGRAM)), text, count))
}

/// Matches of a program; all, where the count is negative.
fn find(program: &[u8], text: &'static str, count: i64) -> Value {
    let mut matches = Vec::new();
    Program::new(program).find_all(text, usize::try_from(count).unwrap_or(usize::MAX), |groups| {
        let groups: Vec<u32> = groups.into_iter().map(|group| Value::string(group).0).collect();
        matches.push(array::from_slice(&groups).0);
    });
    array::from_slice(&matches)
}

/// `regex.match` of a constant expression of which a table was made.
pub(crate) fn table_match(table: u32, text: Value) -> Outcome {
    Ok(Value::bool(Table::new(block(table)).is_match(string(text, 2)?)))
}

/// `regex.match` of any other constant expression.
pub(crate) fn program_match(program: u32, text: Value) -> Outcome {
    Ok(Value::bool(Program::new(block(program)).is_match(string(text, 2)?)))
}

/// `regex.find_all_string_submatch_n` of a constant expression.
pub(crate) fn program_find(program: u32, text: Value, count: Value) -> Outcome {
    let (text, count) = (string(text, 2)?, int(count, 3)?);
    Ok(find(block(program), text, count))
}
