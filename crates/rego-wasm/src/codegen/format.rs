//! `sprintf` of a constant format: taken apart at compile time, put together in the module.

use rego_ir::{Local, Location, Operand, Stmt, StmtKind};
use wasm_encoder::Instruction;

use super::Result;
use super::function::FuncGen;
use super::whole::items;

/// A part of a format.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Verb(u8),
}

/// Longer texts are copied and not written by the code itself, in bytes.
const MOST_BESIDE: usize = 32;

/// What the runtime puts into a text, and the text that the code writes behind it.
struct Put {
    source: Source,
    verb: u8,
    then: String,
}

enum Source {
    Operand(Operand),
    /// The handle of a constant string.
    Text(u32),
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
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

    /// Generates `sprintf` of a plain format together with the statements that make the array of its operands; how many
    /// there are behind the first. The array is made for the host alone, which is called where an operand does not suit its
    /// verb.
    pub(super) fn formatted(&mut self, stmt: &Stmt, rest: &[Stmt]) -> Result<usize> {
        let StmtKind::MakeArray { target, .. } = stmt.kind else { return Ok(0) };
        // A table may have thousands of constant arrays.
        if self.is_folded(stmt) {
            return Ok(0);
        }
        let operands = items(target, rest);
        let Some(Stmt { kind: StmtKind::Call { func, args, result }, location }) = rest.get(operands.len())
        else {
            return Ok(0);
        };
        let ("sprintf", [format, Operand::Local(array)]) = (func.as_str(), args.as_slice()) else {
            return Ok(0);
        };
        let only_these_read_it = *array == target && self.reads(stmt, target) == Some(operands.len() + 1);
        if !only_these_read_it {
            return Ok(0);
        }
        let Some(format) = self.constant(*format)? else { return Ok(0) };
        let Some(pieces) = self.shared.constants.text(format).and_then(pieces) else { return Ok(0) };
        if pieces.iter().filter(|piece| matches!(piece, Piece::Verb(_))).count() != operands.len() {
            return Ok(0);
        }
        self.body.block_value();
        let done = self.body.depth();
        self.body.block();
        self.text_of(&pieces, &operands)?;
        self.body.br(done).end();
        self.array_of(target, &operands)?;
        self.push_host_call(func, args, *location)?;
        self.body.end();
        self.builtin_result(*result, *location)?;
        Ok(operands.len() + 1)
    }

    /// Pushes the text of a format and its operands; leaves the innermost block where an operand does not suit its verb.
    fn text_of(&mut self, pieces: &[Piece], operands: &[Operand]) -> Result<()> {
        let unsuited = self.body.depth();
        let (begin, at) = (self.used_temporary(), self.used_temporary());
        let (mut written, puts) = self.puts(pieces, operands)?;
        self.body.constant(length(&written));
        self.call_runtime("rt_text_begin");
        self.body.tee(begin).set(at);
        self.write_text(at, &written);
        for Put { source, verb, then } in puts {
            self.body.get(at).constant(length(&written)).op(Instruction::I32Add);
            match source {
                Source::Operand(operand) => self.push(operand)?,
                Source::Text(handle) => drop(self.body.constant(handle)),
            }
            self.body.constant(u32::from(verb)).constant(length(&then));
            self.call_runtime("rt_text_put");
            self.body.tee(at).op(Instruction::I32Eqz).br_if(unsuited);
            self.write_text(at, &then);
            written = then;
        }
        self.body.get(begin).get(at).constant(length(&written)).op(Instruction::I32Add);
        self.call_runtime("rt_text_end");
        self.release(begin);
        self.release(at);
        Ok(())
    }

    /// The text that a format begins with, and what is put behind it.
    fn puts(&mut self, pieces: &[Piece], operands: &[Operand]) -> Result<(String, Vec<Put>)> {
        let (mut first, mut puts) = (String::new(), Vec::<Put>::new());
        let mut operands = operands.iter();
        for piece in pieces {
            let (source, verb) = match piece {
                Piece::Text(text) if text.len() <= MOST_BESIDE => {
                    puts.last_mut().map_or(&mut first, |put| &mut put.then).push_str(text);
                    continue;
                }
                Piece::Text(text) => (Source::Text(self.shared.constants.string(text)?), b's'),
                Piece::Verb(verb) => match operands.next() {
                    Some(operand) => (Source::Operand(*operand), *verb),
                    None => continue,
                },
            };
            puts.push(Put { source, verb, then: String::new() });
        }
        Ok((first, puts))
    }

    /// Writes a text at an address, and up to seven zeros behind it.
    fn write_text(&mut self, at: u32, text: &str) {
        for (offset, chunk) in (0..).step_by(8).zip(text.as_bytes().chunks(8)) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, byte)| *to = *byte);
            self.body.get(at).op(Instruction::I64Const(i64::from_le_bytes(word))).store_long_at(offset);
        }
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
