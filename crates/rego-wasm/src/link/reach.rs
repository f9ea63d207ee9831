//! Which functions and data segments of the runtime a module needs.

use std::collections::{BTreeMap, BTreeSet};

use super::relocations::Target;
use super::runtime::{Runtime, bad};
use crate::error::CompileError;

/// What is reached.
#[derive(Default)]
pub(crate) struct Reached {
    /// Functions, by their indices in the runtime, imports first, ascending.
    pub(crate) functions: BTreeSet<u32>,
    /// The functions among them that are called through the table.
    pub(crate) addresses: BTreeSet<u32>,
    /// Data segments, by their positions.
    pub(crate) segments: BTreeSet<u32>,
}

/// Follows calls, addresses and pointers from the functions in `roots`, and not into those that the host has.
pub(crate) fn reach(
    runtime: &Runtime<'_>,
    roots: &[u32],
    foreign: &BTreeMap<u32, &str>,
) -> Result<Reached, CompileError> {
    let mut reached = Reached::default();
    let mut pending: Vec<Target> = roots.iter().copied().map(Target::Function).collect();
    while let Some(target) = pending.pop() {
        match target {
            Target::Function(function) => {
                if reached.functions.insert(function) && !foreign.contains_key(&function) {
                    pending.extend(of_function(runtime, function)?);
                }
            }
            Target::Address(function) => {
                reached.addresses.insert(function);
                pending.push(Target::Function(function));
            }
            Target::Segment(position) => {
                if reached.segments.insert(position) {
                    let segment = usize::try_from(position).ok().and_then(|p| runtime.data.get(p));
                    let segment =
                        segment.ok_or_else(|| bad("refers to a data segment that does not exist"))?;
                    pending.extend(runtime.relocations.of_data(segment.places.clone()));
                }
            }
        }
    }
    Ok(reached)
}

fn of_function(runtime: &Runtime<'_>, function: u32) -> Result<Vec<Target>, CompileError> {
    let imports = runtime.imports.len();
    let Some(defined) = usize::try_from(function).ok().and_then(|f| f.checked_sub(imports)) else {
        return Ok(Vec::new());
    };
    let body = runtime.bodies.get(defined).ok_or_else(|| bad("refers to a function that does not exist"))?;
    Ok(runtime.relocations.of_code(body.range()).collect())
}
