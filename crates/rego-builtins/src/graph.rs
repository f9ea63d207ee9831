//! Category graph, as far as the host does it.

use std::collections::BTreeSet;

use rego_value::{Object, Value};

use crate::args::{Args, elements, wrong_type};
use crate::bounds::{MOST_VALUES, Steps, too_many};
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// `graph.reachable_paths`: every way from the initial vertices until there is no edge left, or the
/// next vertex is outside the graph, or on the way already.
pub(crate) fn reachable_paths(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let graph = args.object(1)?;
    let initial = args.value(2)?;
    let initial = elements(initial).ok_or_else(|| wrong_type(2, initial, &["{array, set}"]))?;
    let mut paths = Paths { graph, found: BTreeSet::new(), size: 0, steps: Steps::new(context) };
    for vertex in initial {
        let Some(edges) = graph.get(vertex) else { continue };
        match elements(edges) {
            Some(neighbours) if !neighbours.is_empty() => {
                for neighbour in neighbours {
                    paths.follow(vertex, neighbour)?;
                }
            }
            _ => paths.add(&[vertex])?,
        }
    }
    Ok(Some(Value::set(paths.found)))
}

struct Paths<'a> {
    graph: &'a Object,
    found: BTreeSet<Value>,
    /// The length of all paths together, which bounds memory and time.
    size: usize,
    steps: Steps<'a>,
}

impl<'a> Paths<'a> {
    fn add(&mut self, path: &[&'a Value]) -> Result<(), BuiltinError> {
        self.size += path.len();
        if self.size > MOST_VALUES {
            return Err(too_many());
        }
        self.found.insert(Value::array(path.iter().map(|vertex| (*vertex).clone())));
        Ok(())
    }

    /// All paths that begin with an edge, depth first, without recursion.
    fn follow(&mut self, start: &'a Value, first: &'a Value) -> Result<(), BuiltinError> {
        let mut pending: Vec<(Vec<&'a Value>, &'a Value)> = vec![(vec![start], first)];
        while let Some((mut path, vertex)) = pending.pop() {
            self.steps.step()?;
            let Some(edges) = self.graph.get(vertex) else {
                self.add(&path)?;
                continue;
            };
            path.push(vertex);
            let neighbours = elements(edges).unwrap_or_default();
            if neighbours.is_empty() {
                self.add(&path)?;
            }
            for neighbour in neighbours {
                self.size += 1;
                if path.contains(&neighbour) {
                    self.add(&path)?;
                } else {
                    pending.push((path.clone(), neighbour));
                }
            }
        }
        Ok(())
    }
}
