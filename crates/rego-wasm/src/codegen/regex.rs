//! Regular expressions that are known when the policy is compiled: they are compiled with it, or by our engine when it
//! loads the module, and no decision compiles them again.

use rego_ir::{Local, Location, Operand};
use rego_regex::Expression;
use rego_value::abi;

use super::Result;
use super::function::FuncGen;
use crate::Target;
use crate::link::{Callee, HostFunction};

/// The largest program, in bytes, that the engine is left to compile in its own way: it shall not fail to.
const ENGINE_PROGRAM: usize = 64 << 10;

/// What became of a constant expression, by its address.
#[derive(Clone, Copy)]
pub(crate) enum Pattern {
    /// An automaton.
    Table(u32),
    /// A program: what an automaton would be too large for, and what has to find groups.
    Program(u32),
}

impl FuncGen<'_, '_> {
    /// Generates a call whose expression is a constant that is valid; false for all others.
    pub(super) fn regex_call(
        &mut self,
        name: &str,
        args: &[Operand],
        result: Local,
        location: Location,
    ) -> Result<bool> {
        let names = ["regex.find_all_string_submatch_n", "regex.match", "re_match", "regex.is_valid"];
        let Some(name) = names.into_iter().find(|known| *known == name) else { return Ok(false) };
        let groups = name == "regex.find_all_string_submatch_n";
        let Some((pattern, rest)) = args.split_first() else { return Ok(false) };
        let Some(pattern) = self.constant(*pattern)?.and_then(|handle| self.shared.constants.text(handle))
        else {
            return Ok(false);
        };
        let expression = Expression::parse(pattern);
        if name == "regex.is_valid" {
            self.assign_constant(result, if expression.is_ok() { abi::TRUE } else { abi::FALSE });
            return Ok(true);
        }
        // One that is invalid fails when it is evaluated, if it ever is.
        let Ok(expression) = expression else { return Ok(false) };
        let pattern = pattern.to_owned();
        if !groups && self.shared.target == Target::Engine && expression.program().len() <= ENGINE_PROGRAM {
            let [text] = rest else { return Ok(false) };
            return self.engine_match(name, pattern, *text, result, location);
        }
        let compiled = self.shared.constants.pattern(&pattern, &expression, groups)?;
        let address = match compiled {
            Pattern::Table(address) | Pattern::Program(address) => address,
        };
        self.body.constant(address);
        for arg in rest {
            self.push(*arg)?;
        }
        if groups {
            self.call_runtime("rt_regex_find");
        } else {
            self.body.constant(u32::from(name == "re_match"));
            self.call_runtime(match compiled {
                Pattern::Table(_) => "rt_regex_table",
                Pattern::Program(_) => "rt_regex_program",
            });
        }
        self.builtin_result(result, location)?;
        Ok(true)
    }

    /// Generates a match by the engine, which compiles the module's expressions when it loads it, for the processor and
    /// not for the module.
    fn engine_match(
        &mut self,
        name: &'static str,
        pattern: String,
        text: Operand,
        result: Local,
        location: Location,
    ) -> Result<bool> {
        let number = self.shared.engine_pattern(name, pattern);
        self.body.constant(number);
        self.push(text)?;
        let callee = self.shared.symbols.number(Callee::Host(HostFunction::Match));
        self.body.call(callee);
        self.builtin_result(result, location)?;
        Ok(true)
    }
}
