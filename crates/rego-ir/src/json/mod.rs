//! OPA's JSON form of a plan (`opa build -t plan`, schema `v1/ir/plan.schema.json`).

mod read;
mod write;

pub use read::{ReadError, from_json, from_json_value};
pub use write::to_json;

use crate::{Block, Location};

/// The names of a statement's position fields in OPA's JSON.
const LOCATION_FIELDS: [&str; 5] = ["file", "row", "col", "end_row", "end_col"];

/// Room for one level of IR blocks in JSON levels: statement, its fields, `blocks`, block, `stmts`.
const JSON_LEVELS_PER_BLOCK: usize = 5;

/// JSON nested deeper than this cannot be a plan within [`Block::MAX_DEPTH`]; the declarations of built-in
/// functions have the levels to spare.
const MAX_JSON_DEPTH: usize = Block::MAX_DEPTH * JSON_LEVELS_PER_BLOCK + 32;

/// The values of [`LOCATION_FIELDS`], in their order.
const fn location_values(at: Location) -> [u32; 5] {
    [at.file, at.row, at.col, at.end_row, at.end_col]
}
