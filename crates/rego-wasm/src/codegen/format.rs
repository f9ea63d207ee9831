//! `sprintf` of a constant format: taken apart at compile time, put together in the module.

use rego_ir::{Local, Location, Operand};

use super::Result;
use super::function::FuncGen;

/// A part of a format.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Verb(u8),
}

/// The parts of a format whose verbs are all `%s`, `%d` or `%v`; none when there are others.
fn pieces(format: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let verb = match rest.next()? {
            '%' => {
                text.push('%');
                continue;
            }
            's' => b's',
            'd' => b'd',
            'v' => b'v',
            _ => return None,
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Verb(verb));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Some(pieces)
}

impl FuncGen<'_, '_> {
    /// Generates a call of `sprintf` whose format is plain; false for all others. Operands that do not suit their verbs
    /// are left to the host.
    pub(super) fn format_call(
        &mut self,
        name: &str,
        args: &[Operand],
        result: Local,
        location: Location,
    ) -> Result<bool> {
        let ("sprintf", [format, operands]) = (name, args) else { return Ok(false) };
        let Some(format) = self.constant(*format)? else { return Ok(false) };
        let Some(pieces) = self.shared.constants.text(format).and_then(pieces) else { return Ok(false) };
        let mut words = vec![u32::try_from(pieces.len()).unwrap_or(u32::MAX)];
        for piece in &pieces {
            words.extend(match piece {
                Piece::Text(text) => [0, self.shared.constants.string(text)?],
                Piece::Verb(verb) => [u32::from(*verb), 0],
            });
        }
        let pieces = self.shared.constants.words(&words)?;
        let made = self.truth();
        self.body.constant(pieces);
        self.push(*operands)?;
        self.call_runtime("rt_format");
        self.body.tee(made).if_value().get(made).else_();
        self.push_host_call(name, args, location)?;
        self.body.end();
        self.builtin_result(result, location)?;
        Ok(true)
    }

    /// Generates `floor(a / b)` from the two calls that it is planned as, when nothing else needs the quotient: the
    /// integer is found without it, where both are integers.
    pub(super) fn floor_of_quotient(
        &mut self,
        (a, b): (Operand, Operand),
        (quotient, at): (Local, Location),
        (result, location): (Local, Location),
    ) -> Result<()> {
        let found = self.truth();
        let variable = self.local(result);
        self.push(a)?;
        self.push(b)?;
        self.call_runtime("rt_floor_div");
        self.body.tee(found).if_().get(found).set(variable).else_();
        self.push(a)?;
        self.push(b)?;
        self.call_runtime("bi_div");
        self.builtin_result(quotient, at)?;
        let quotient = self.local(quotient);
        self.body.get(quotient);
        self.call_runtime("bi_floor");
        self.builtin_result(result, location)?;
        self.body.end();
        self.facts.assign(result);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_with_plain_verbs_are_taken_apart() {
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            pieces("a %s of %d%%"),
            Some(vec![text("a "), Piece::Verb(b's'), text(" of "), Piece::Verb(b'd'), text("%")])
        );
        assert_eq!(pieces("%v"), Some(vec![Piece::Verb(b'v')]));
        assert_eq!(pieces(""), Some(vec![]));
        for other in ["%5d", "%x", "100%", "%-s", "%[1]d", "%.2f", "% d", "%+v"] {
            assert_eq!(pieces(other), None, "{other}");
        }
    }
}
