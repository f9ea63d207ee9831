//! The answers of a plan, as a set of objects and as the value that most have alone.
//!
//! Planners end the plan of an entrypoint with an object whose only member is `result`. Whoever asks for that member is
//! spared the object and the array around it.

use rego_ir::{Operand, Plan, Static, Stmt, StmtKind};
use rego_value::abi;

use super::body::Body;
use super::{Generator, HANDLE, Result};
use crate::link::{Callee, Generated};

/// The member of an answer that holds an entrypoint's value.
const RESULT: &str = "result";

/// The statements of a plan before those that make `{"result": value}` its only answer, and the value.
pub(super) fn single<'p>(plan: &'p Plan, statics: &Static) -> Option<(&'p [Stmt], Operand)> {
    let [block] = plan.blocks.as_slice() else { return None };
    let (stmts, [make, insert, add]) = block.stmts.split_last_chunk()?;
    let StmtKind::MakeObject { target } = make.kind else { return None };
    let StmtKind::ObjectInsert { key: Operand::String(key), value, object } = insert.kind else {
        return None;
    };
    let StmtKind::ResultSetAdd { value: answer } = add.kind else { return None };
    let name = statics.strings.get(usize::try_from(key.0).ok()?)?;
    (name == RESULT && object == target && answer == target && !adds(stmts)).then_some((stmts, value))
}

fn adds(stmts: &[Stmt]) -> bool {
    stmts.iter().any(|stmt| {
        matches!(stmt.kind, StmtKind::ResultSetAdd { .. })
            || stmt.kind.blocks().iter().any(|block| adds(&block.stmts))
    })
}

/// The function that gives a plan's answers, by the one that gives their value.
pub(super) fn set_of_value(generator: &mut Generator<'_>, plan: &Plan, value: Callee) -> Result<Generated> {
    let mut body = Body::new(2);
    let (found, answers, answer) = (body.new_local(HANDLE), body.new_local(HANDLE), body.new_local(HANDLE));
    let key = generator.constants.string(RESULT)?;
    body.get(0).get(1).call(generator.symbols.number(value)).set(found);
    body.constant(1).call(generator.runtime("rt_array_new")).set(answers);
    body.get(found).if_();
    body.constant(1).call(generator.runtime("rt_object_new")).tee(answer);
    body.constant(key).get(found).call(generator.runtime("rt_object_insert"));
    body.get(answers).get(answer).call(generator.runtime("rt_array_push"));
    body.end().get(answers);
    Ok(body.into_function(plan.name.clone()))
}

/// The function that gives the value of a plan's first answer, by the one that gives all answers.
pub(super) fn value_of_set(generator: &mut Generator<'_>, plan: &Plan, answers: Callee) -> Result<Generated> {
    let mut body = Body::new(2);
    let found = body.new_local(HANDLE);
    let first = abi::small_int(0).unwrap_or_default();
    let key = generator.constants.string(RESULT)?;
    body.get(0).get(1).call(generator.symbols.number(answers));
    body.constant(first).call(generator.runtime("rt_get")).tee(found).if_value();
    body.get(found).constant(key).call(generator.runtime("rt_get"));
    body.else_().constant(abi::UNDEFINED).end();
    Ok(body.into_function(format!("{}.value", plan.name)))
}
