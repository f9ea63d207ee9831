//! Order, sums and differences of integers beyond 31 bits, such as moments and amounts, without the runtime's search for
//! the kind of number that each operand is. Anything but two integers of 64 bits is left to the runtime.

use rego_value::abi;
use wasm_encoder::{Instruction, ValType};

use super::body::Body;
use super::{Generator, HANDLE};
use crate::link::Generated;

/// A function of two values that are read as integers if they are; its last lines are for those that are not.
struct OfIntegers {
    body: Body,
    /// The integers.
    operands: [u32; 2],
    /// The block that is left for the last lines.
    otherwise: u32,
}

impl OfIntegers {
    fn new() -> Self {
        let mut body = Body::new(2);
        let operands = [body.new_local(ValType::I64), body.new_local(ValType::I64)];
        body.block();
        let otherwise = body.depth();
        let mut function = Self { body, operands, otherwise };
        for (value, into) in (0..).zip(operands) {
            read(&mut function.body, value, into, otherwise);
        }
        function
    }

    /// Ends with a call of the runtime's function for all kinds of values.
    fn finish(mut self, generator: &mut Generator<'_>, name: &str, general: &'static str) -> Generated {
        let general = generator.runtime(general);
        self.body.end().get(0).get(1).call(general);
        self.body.into_function(name)
    }

    /// Leaves with an integer, whose place on the heap is the runtime's to give.
    fn give(&mut self, generator: &mut Generator<'_>, int: u32) {
        let allocate = generator.runtime("opa_malloc");
        let body = &mut self.body;
        let address = body.new_local(HANDLE);
        // A handle is twice its integer plus one.
        body.get(int).get(int).op(Instruction::I64Add).op(Instruction::I64Const(1)).op(Instruction::I64Add);
        body.op(Instruction::I32WrapI64).tee(address);
        body.op(Instruction::I64ExtendI32S).op(Instruction::I64Const(1)).op(Instruction::I64ShrS);
        body.get(int).op(Instruction::I64Eq);
        body.if_().get(address).op(Instruction::Return).end();
        body.constant(abi::INT_SIZE).call(allocate).tee(address);
        body.op(Instruction::I64Const(i64::from(abi::KIND_INT))).store_long(abi::KIND);
        body.get(address).get(int).store_long(abi::INT_VALUE).get(address).op(Instruction::Return);
    }
}

/// Reads an integer of a variable, which is a handle itself or lies on the heap, into another; leaves the block for anything
/// else.
pub(super) fn read(body: &mut Body, value: u32, into: u32, otherwise: u32) {
    body.get(value).constant(1).op(Instruction::I32And).if_();
    body.get(value).op(Instruction::I64ExtendI32S).op(Instruction::I64Const(1)).op(Instruction::I64ShrS);
    body.op(Instruction::LocalSet(into)).else_();
    body.get(value).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(otherwise);
    body.get(value).load_byte(abi::KIND).constant(u32::from(abi::KIND_INT)).op(Instruction::I32Ne);
    body.br_if(otherwise);
    body.get(value).load_long(abi::INT_VALUE).op(Instruction::LocalSet(into)).end();
}

/// Below zero, zero or above, as the first is less than the second, equal or greater.
pub(super) fn compare(generator: &mut Generator<'_>) -> Generated {
    let mut function = OfIntegers::new();
    let [a, b] = function.operands;
    let body = &mut function.body;
    body.get(a).get(b).op(Instruction::I64GtS).get(a).get(b).op(Instruction::I64LtS);
    body.op(Instruction::I32Sub).op(Instruction::Return);
    function.finish(generator, "compare", "rt_compare")
}

/// The sum; the runtime's where 64 bits do not hold it.
pub(super) fn plus(generator: &mut Generator<'_>) -> Generated {
    let mut function = OfIntegers::new();
    let [a, b] = function.operands;
    let body = &mut function.body;
    let sum = body.new_local(ValType::I64);
    body.get(a).get(b).op(Instruction::I64Add).tee(sum);
    // It has another sign than both.
    body.get(a).op(Instruction::I64Xor).get(sum).get(b).op(Instruction::I64Xor).op(Instruction::I64And);
    body.op(Instruction::I64Const(0)).op(Instruction::I64LtS).br_if(function.otherwise);
    function.give(generator, sum);
    function.finish(generator, "plus", "bi_plus")
}

/// The difference; the runtime's where 64 bits do not hold it, and of sets.
pub(super) fn minus(generator: &mut Generator<'_>) -> Generated {
    let mut function = OfIntegers::new();
    let [a, b] = function.operands;
    let body = &mut function.body;
    let difference = body.new_local(ValType::I64);
    body.get(a).get(b).op(Instruction::I64Sub).tee(difference);
    // It has another sign than the first, which has another than the second.
    body.get(a).op(Instruction::I64Xor).get(a).get(b).op(Instruction::I64Xor).op(Instruction::I64And);
    body.op(Instruction::I64Const(0)).op(Instruction::I64LtS).br_if(function.otherwise);
    function.give(generator, difference);
    function.finish(generator, "minus", "bi_minus")
}
