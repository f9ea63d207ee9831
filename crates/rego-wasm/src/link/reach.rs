//! Which functions of the runtime a module needs.

use std::collections::{BTreeSet, HashSet};

use wasmparser::Operator;

use super::runtime::{Runtime, bad};
use crate::error::CompileError;

/// The functions that are reached.
pub(crate) struct Reached {
    /// Their indices in the runtime, imports first, ascending.
    pub(crate) functions: BTreeSet<u32>,
}

/// Follows the calls from `roots`.
pub(crate) fn reach(runtime: &Runtime<'_>, roots: Vec<u32>) -> Result<Reached, CompileError> {
    let mut reached = BTreeSet::new();
    // The types of indirect calls: a table entry of such a type may be called.
    let mut indirect = HashSet::new();
    let mut pending = roots;
    while let Some(function) = pending.pop() {
        if !reached.insert(function) {
            continue;
        }
        let imports = runtime.imports.len();
        let Some(defined) = usize::try_from(function).ok().and_then(|f| f.checked_sub(imports)) else {
            continue;
        };
        let body =
            runtime.bodies.get(defined).ok_or_else(|| bad("exports a function that does not exist"))?;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            match operators.read()? {
                Operator::Call { function_index }
                | Operator::ReturnCall { function_index }
                | Operator::RefFunc { function_index } => pending.push(function_index),
                Operator::CallIndirect { type_index, .. }
                | Operator::ReturnCallIndirect { type_index, .. }
                    if indirect.insert(type_index) =>
                {
                    pending.extend(table_functions(runtime, type_index));
                }
                _ => {}
            }
        }
    }
    Ok(Reached { functions: reached })
}

/// The table's functions of a type.
fn table_functions<'a>(runtime: &'a Runtime<'_>, type_index: u32) -> impl Iterator<Item = u32> + 'a {
    let wanted = type_at(runtime, type_index);
    runtime.elements.iter().flat_map(|(_, functions)| functions.iter().copied()).filter(move |function| {
        let imports = runtime.imports.len();
        let index = usize::try_from(*function).unwrap_or(usize::MAX);
        let ty = match index.checked_sub(imports) {
            Some(defined) => runtime.functions.get(defined).copied(),
            None => runtime.imports.get(index).map(|(_, ty)| *ty),
        };
        ty.is_some_and(|ty| type_at(runtime, ty) == wanted)
    })
}

fn type_at<'a>(runtime: &'a Runtime<'_>, index: u32) -> Option<&'a wasmparser::FuncType> {
    usize::try_from(index).ok().and_then(|index| runtime.types.get(index))
}
