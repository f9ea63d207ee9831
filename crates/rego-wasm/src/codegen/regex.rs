//! Regular expressions that are known when the policy is compiled: they are compiled with it, and no decision compiles
//! them again.

use rego_ir::{Local, Location, Operand};
use rego_regex::Expression;
use rego_value::abi;

use super::Result;
use super::function::FuncGen;

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
        let groups = name == "regex.find_all_string_submatch_n";
        if !groups && !matches!(name, "regex.match" | "re_match" | "regex.is_valid") {
            return Ok(false);
        }
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
}
