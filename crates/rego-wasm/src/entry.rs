//! The functions that the host calls: OPA's ABI as far as it depends on the policy, and our own way in.

use std::borrow::Cow;

use rego_ir::Policy;
use rego_value::Value;
use wasm_encoder::{Instruction, ValType};

use crate::Target;
use crate::codegen::{Body, Generator, HANDLE};
use crate::error::CompileError;
use crate::link::{Callee, Generated, HostFunction};

type Result<T> = core::result::Result<T, CompileError>;

/// Offsets in an evaluation context, as the runtime makes it (`opa_eval_ctx_new`).
mod context {
    pub(super) const INPUT: u32 = 0;
    pub(super) const DATA: u32 = 4;
    pub(super) const ENTRYPOINT: u32 = 8;
    pub(super) const RESULT: u32 = 12;
}

/// Generates the entries; they follow the functions in `functions`. The start function comes last, since it is given
/// the first address behind all constants: the others must have asked for theirs.
pub(crate) fn entries(generator: &mut Generator<'_>, functions: &mut Vec<Generated>) -> Result<()> {
    let policy = generator.policy;
    let first_plan = u32::try_from(policy.funcs.len()).unwrap_or(u32::MAX);
    let rego_eval = Generator::callee(u32::try_from(functions.len()).unwrap_or(u32::MAX));
    let plans = u32::try_from(policy.plans.len()).unwrap_or(u32::MAX);
    functions.push(way_in(generator, "rego_eval", first_plan)?);
    functions.push(way_in(generator, "rego_value", first_plan + plans)?);
    if generator.target == Target::Portable {
        functions.push(eval(generator, rego_eval));
        functions.push(opa_eval(generator, rego_eval)?);
    }
    let host_functions = &generator.host_functions;
    let builtins =
        policy.static_.builtin_funcs.iter().enumerate().filter(|(id, _)| host_functions.contains(id));
    let builtins = numbered(builtins.map(|(id, builtin)| (id, builtin.name.as_str())));
    functions.push(listing(generator, "builtins", &builtins)?);
    let entrypoints = entrypoints(policy);
    functions.push(listing(generator, "entrypoints", &entrypoints)?);
    Ok(())
}

/// Generates the start function: the heap begins behind the constants.
pub(crate) fn start(generator: &mut Generator<'_>, heap_base: u32) -> Generated {
    let mut body = Body::new(0);
    body.constant(heap_base).call(generator.runtime("rt_init"));
    function("_initialize", &[], &[], body)
}

fn function(name: &str, params: &[ValType], results: &[ValType], body: Body) -> Generated {
    let (locals, code) = body.finish();
    Generated {
        name: name.to_owned(),
        params: params.to_vec(),
        results: results.to_vec(),
        locals,
        code,
        export: None,
    }
}

fn exported(name: &'static str, params: usize, body: Body) -> Generated {
    Generated { export: Some(name), ..function(name, &vec![HANDLE; params], &[HANDLE], body) }
}

/// `name(entrypoint, input, data, top)`: begins an evaluation, with the heap from `top` on, and gives what the function of
/// the entrypoint gives; the first one's is at `first_plan`.
fn way_in(generator: &mut Generator<'_>, name: &'static str, first_plan: u32) -> Result<Generated> {
    let (epoch, last) = (generator.cells.epoch(), generator.cells.last_epoch());
    let mut body = Body::new(4);
    // No result of an earlier evaluation is good for this one.
    body.constant(0)
        .constant(0)
        .load_long(last)
        .op(Instruction::I64Const(1))
        .op(Instruction::I64Add)
        .store_long(last);
    body.constant(0).constant(0).load_long(last).store_long(epoch);
    body.get(3).call(generator.runtime("rt_begin"));
    let plans = u32::try_from(generator.policy.plans.len()).unwrap_or(u32::MAX);
    // One block for each plan, in one for the entrypoint that does not exist.
    for _ in 0..=plans {
        body.block();
    }
    let targets: Vec<u32> = (0..plans).collect();
    body.get(0).op(Instruction::BrTable(Cow::Owned(targets), plans));
    for plan in 0..plans {
        body.end();
        let callee = generator.symbols.number(Generator::callee(first_plan + plan));
        body.get(1).get(2).call(callee).op(Instruction::Return);
    }
    body.end();
    let message = generator.constants.message("internal: illegal entrypoint id")?;
    let abort = generator.symbols.number(Callee::Host(HostFunction::Abort));
    body.constant(message).call(abort).op(Instruction::Unreachable);
    Ok(exported(name, 4, body))
}

/// `eval(ctx)`: takes everything from the context and leaves the result in it.
fn eval(generator: &mut Generator<'_>, rego_eval: Callee) -> Generated {
    let mut body = Body::new(1);
    body.get(0);
    body.get(0).load(context::ENTRYPOINT).get(0).load(context::INPUT).get(0).load(context::DATA);
    body.call(generator.runtime("opa_heap_ptr_get"));
    body.call(generator.symbols.number(rego_eval)).store(context::RESULT).constant(0);
    exported("eval", 1, body)
}

/// `opa_eval(reserved, entrypoint, data, input, length, heap, format)`: the one-call path.
fn opa_eval(generator: &mut Generator<'_>, rego_eval: Callee) -> Result<Generated> {
    let [reserved, entrypoint, data, input, length, heap, format] = [0, 1, 2, 3, 4, 5, 6];
    let mut body = Body::new(7);
    let message = generator.constants.message("invalid reserved argument")?;
    let abort = generator.symbols.number(Callee::Host(HostFunction::Abort));
    body.get(reserved).if_().constant(message).call(abort).op(Instruction::Unreachable).end();
    body.get(heap).call(generator.runtime("opa_heap_ptr_set"));
    // Without input text the input is undefined.
    body.get(entrypoint);
    body.get(input).get(length).call(generator.runtime("opa_value_parse"));
    body.get(data).call(generator.runtime("opa_heap_ptr_get"));
    body.call(generator.symbols.number(rego_eval));
    let result = body.new_local(HANDLE);
    body.set(result).get(format).if_value();
    body.get(result).call(generator.runtime("opa_value_dump"));
    body.else_();
    body.get(result).call(generator.runtime("opa_json_dump"));
    body.end();
    Ok(exported("opa_eval", 7, body))
}

/// A function that gives a constant object from names to numbers.
fn listing(generator: &mut Generator<'_>, name: &'static str, names: &Value) -> Result<Generated> {
    let mut body = Body::new(0);
    body.constant(generator.constants.value(names)?);
    Ok(exported(name, 0, body))
}

fn entrypoints(policy: &Policy) -> Value {
    numbered(policy.plans.iter().map(|plan| plan.name.as_str()).enumerate())
}

fn numbered<'a>(names: impl Iterator<Item = (usize, &'a str)>) -> Value {
    let number = |n: usize| Value::from(i64::try_from(n).unwrap_or(i64::MAX));
    Value::object(names.map(|(n, name)| (Value::from(name), number(n))))
}
