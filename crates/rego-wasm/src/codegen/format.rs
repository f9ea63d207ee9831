//! `sprintf` of a constant format and `concat` of a few parts: taken apart at compile time, put together in the module.

use rego_ir::{Local, Location, Operand, Stmt, StmtKind};
use rego_value::abi;
use wasm_encoder::{Instruction, ValType};

use super::Result;
use super::body::Body;
use super::function::FuncGen;
use super::helpers::Helper;
use super::whole::items;
use super::{Generator, HANDLE};
use crate::link::Generated;

/// A part of a format.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Verb(u8),
}

/// Longer texts are copied and not written by the code itself, in bytes.
const MOST_BESIDE: usize = 32;

/// The verb of a part that has to be a string.
const STRING: u8 = 0;

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

/// The words that a text is laid out in, the last one filled with zeros, with their offsets in bytes.
pub(super) fn words(text: &str) -> impl Iterator<Item = (u32, i64)> {
    (0..).step_by(8).zip(text.as_bytes().chunks(8)).map(|(offset, chunk)| {
        let mut word = [0; 8];
        word.iter_mut().zip(chunk).for_each(|(to, byte)| *to = *byte);
        (offset, i64::from_le_bytes(word))
    })
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

    /// Generates `sprintf` of a plain format, or `concat`, together with the statements that make the array of its operands;
    /// how many there are behind the first. The array is made for the general function alone, which is called where an
    /// operand does not suit its verb.
    pub(super) fn formatted(&mut self, stmt: &Stmt, rest: &[Stmt]) -> Result<usize> {
        let StmtKind::MakeArray { target, .. } = stmt.kind else { return Ok(0) };
        // A table may have thousands of constant arrays.
        if self.is_folded(stmt) {
            return Ok(0);
        }
        let items = items(target, rest);
        let Some(Stmt { kind: StmtKind::Call { func, args, result }, location }) = rest.get(items.len())
        else {
            return Ok(0);
        };
        let [text, Operand::Local(array)] = *args.as_slice() else { return Ok(0) };
        let only_these_read_it = array == target && self.reads(stmt, target) == Some(items.len() + 1);
        if !only_these_read_it {
            return Ok(0);
        }
        let Some((pieces, operands)) = self.pieces(func, text, &items)? else { return Ok(0) };
        self.body.block_value();
        let done = self.body.depth();
        self.body.block();
        self.text_of(&pieces, &operands)?;
        self.body.br(done).end();
        self.array_of(target, &items)?;
        match func.as_str() {
            "concat" => {
                for arg in args {
                    self.push(*arg)?;
                }
                self.call_runtime("bi_concat");
            }
            _ => drop(self.push_host_call(func, args, *location)?),
        }
        self.body.end();
        self.builtin_result(*result, *location)?;
        Ok(items.len() + 1)
    }

    /// The pieces of what a call makes of a constant text and these items, and the operands that its verbs stand for.
    fn pieces(
        &mut self,
        func: &str,
        text: Operand,
        items: &[Operand],
    ) -> Result<Option<(Vec<Piece>, Vec<Operand>)>> {
        let Some(text) = self.constant(text)? else { return Ok(None) };
        match (func, self.shared.constants.text(text).map(str::to_owned)) {
            ("sprintf", Some(format)) => {
                let pieces = pieces(&format);
                let verbs = |pieces: &Vec<Piece>| {
                    pieces.iter().filter(|piece| matches!(piece, Piece::Verb(_))).count()
                };
                Ok(pieces
                    .filter(|pieces| verbs(pieces) == items.len())
                    .map(|pieces| (pieces, items.to_vec())))
            }
            ("concat", Some(delimiter)) => Ok(Some(self.joined(&delimiter, items)?)),
            _ => Ok(None),
        }
    }

    /// The pieces of items with a delimiter between them.
    fn joined(&mut self, delimiter: &str, items: &[Operand]) -> Result<(Vec<Piece>, Vec<Operand>)> {
        let (mut pieces, mut operands, mut text) = (Vec::new(), Vec::new(), String::new());
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                text.push_str(delimiter);
            }
            let constant = self.constant(*item)?;
            match constant.and_then(|constant| self.shared.constants.text(constant)) {
                Some(constant) => text.push_str(constant),
                None => {
                    pieces.extend([Piece::Text(std::mem::take(&mut text)), Piece::Verb(STRING)]);
                    operands.push(*item);
                }
            }
        }
        pieces.push(Piece::Text(text));
        Ok((pieces, operands))
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
        for Put { source, mut verb, then } in puts {
            if let (STRING, Source::Operand(operand)) = (verb, &source) {
                self.push_is_kind(*operand, abi::KIND_STRING)?;
                self.body.op(Instruction::I32Eqz).br_if(unsuited);
                verb = b's';
            }
            self.body.get(at).constant(length(&written)).op(Instruction::I32Add);
            match source {
                Source::Operand(operand) => self.push(operand)?,
                Source::Text(handle) => drop(self.body.constant(handle)),
            }
            self.body.constant(u32::from(verb)).constant(length(&then));
            let put = self.shared.helper(Helper::Put);
            self.body.call(put);
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
        for (offset, word) in words(text) {
            self.body.get(at).op(Instruction::I64Const(word)).store_long_at(offset);
        }
    }
}

/// [`Helper::Put`]: most operands are strings of a few words or integers of a few digits. It calls nothing but what ends it,
/// so that it keeps nothing over a call.
pub(super) fn put(generator: &mut Generator<'_>) -> Generated {
    let general = generator.runtime("rt_text_put");
    let mut body = Body::new(4);
    body.block();
    let other = body.depth();
    // As many bytes as the runtime leaves behind a text, so that words can be written over its end.
    body.get(ADDRESS).get(ROOM).op(Instruction::I32Add).constant((MOST_WORDS + 2) * WORD);
    body.op(Instruction::I32Add).op(Instruction::MemorySize(0)).constant(16).op(Instruction::I32Shl);
    body.op(Instruction::I32GtU).br_if(other);
    body.get(VALUE).constant(1).op(Instruction::I32And).if_();
    body.get(VERB).constant(u32::from(b's')).op(Instruction::I32Eq).br_if(other);
    put_digits(&mut body, other);
    body.end();
    body.get(VERB).constant(u32::from(b'd')).op(Instruction::I32Eq).br_if(other);
    body.get(VALUE).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(other);
    body.get(VALUE).load_byte(abi::KIND).constant(u32::from(abi::KIND_STRING)).op(Instruction::I32Ne);
    body.br_if(other);
    put_letters(&mut body, other);
    body.end().get(ADDRESS).get(VALUE).get(VERB).get(ROOM).call(general);
    body.into_function("put")
}

const ADDRESS: u32 = 0;
const VALUE: u32 = 1;
const VERB: u32 = 2;
const ROOM: u32 = 3;

/// The bytes of a word, and the most words of a string that the helper copies.
const WORD: u32 = 8;
const MOST_WORDS: u32 = 4;

/// Writes a string and gives the address behind it; leaves the block for a long one.
fn put_letters(body: &mut Body, other: u32) {
    let length = body.new_local(HANDLE);
    body.get(VALUE)
        .load(abi::LEN)
        .tee(length)
        .constant(MOST_WORDS * WORD)
        .op(Instruction::I32GtU)
        .br_if(other);
    // Zeros fill a text's last word, and an empty one has a word of them.
    for offset in (0..MOST_WORDS).map(|word| word * WORD) {
        if offset > 0 {
            body.get(length).constant(offset).op(Instruction::I32GtU).if_();
        }
        body.get(ADDRESS).get(VALUE).load_long(abi::TEXT_BYTES + offset).store_long_at(offset);
    }
    for _ in 1..MOST_WORDS {
        body.end();
    }
    body.get(ADDRESS).get(length).op(Instruction::I32Add).op(Instruction::Return);
}

/// Writes an integer of at most eight digits, all at once, and gives the address behind it; leaves the block for any other.
///
/// The number is split into halves of four digits, each of these into pairs and each pair into digits, side by side in one
/// word, with multiplications for divisions (Khuong, "How to print integers really fast", 2017).
fn put_digits(body: &mut Body, other: u32) {
    const MOST: u32 = 99_999_999;
    let (int, word, parts) =
        (body.new_local(HANDLE), body.new_local(ValType::I64), body.new_local(ValType::I64));
    let shift = body.new_local(ValType::I64);
    body.get(VALUE).constant(1).op(Instruction::I32ShrS).tee(int).constant(MOST).op(Instruction::I32GtU);
    body.br_if(other);
    body.get(int).constant(10_000).op(Instruction::I32DivU).op(Instruction::I64ExtendI32U);
    body.get(int).constant(10_000).op(Instruction::I32RemU).op(Instruction::I64ExtendI32U);
    body.op(Instruction::I64Const(32)).op(Instruction::I64Shl).op(Instruction::I64Or).set(word);
    split(
        body,
        word,
        parts,
        &Split { by: 100, factor: 10_486, shift: 20, mask: 0x0000_007f_0000_007f, width: 16 },
    );
    split(
        body,
        word,
        parts,
        &Split { by: 10, factor: 103, shift: 10, mask: 0x000f_000f_000f_000f, width: 8 },
    );
    // Zeros in front are left out, but for the last digit.
    body.get(word).op(Instruction::I64Const(1 << 56)).op(Instruction::I64Or).op(Instruction::I64Ctz);
    body.op(Instruction::I64Const(56)).op(Instruction::I64And).set(shift);
    body.get(ADDRESS).get(word).op(Instruction::I64Const(0x3030_3030_3030_3030)).op(Instruction::I64Or);
    body.get(shift).op(Instruction::I64ShrU).store_long_at(0);
    body.get(ADDRESS)
        .constant(WORD)
        .op(Instruction::I32Add)
        .get(shift)
        .op(Instruction::I32WrapI64)
        .constant(3);
    body.op(Instruction::I32ShrU).op(Instruction::I32Sub).op(Instruction::Return);
}

/// How the parts of a word are split: a part of twice the width into its quotient by a number and the remainder, where
/// multiplying and shifting is as good as dividing.
struct Split {
    by: i64,
    factor: i64,
    shift: i64,
    mask: i64,
    width: i64,
}

fn split(body: &mut Body, word: u32, quotients: u32, split: &Split) {
    body.get(word).op(Instruction::I64Const(split.factor)).op(Instruction::I64Mul);
    body.op(Instruction::I64Const(split.shift)).op(Instruction::I64ShrU);
    body.op(Instruction::I64Const(split.mask)).op(Instruction::I64And).set(quotients);
    body.get(word).get(quotients).op(Instruction::I64Const(split.by)).op(Instruction::I64Mul);
    body.op(Instruction::I64Sub).op(Instruction::I64Const(split.width)).op(Instruction::I64Shl);
    body.get(quotients).op(Instruction::I64Add).set(word);
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
