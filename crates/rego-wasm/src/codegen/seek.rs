//! `some grant in grants; grant.action == input.action; grant.type == …`: elements that cannot meet the equalities at
//! the beginning of a round are passed over without being looked at.
//!
//! Where the collection comes from the data and members of its elements have to be equal to what no round changes, the
//! module asks its engine for a column by these members ([`rego_value::abi::Column`]). An array that has it is then
//! searched by the mixture of the hashes of what is wanted, four elements at once. The round judges what is found, for
//! hashes may be equal by chance, and it sees every element of an array without the column. What is passed over it
//! would have found to be undefined at one of the equalities, before which stand only statements that do nothing else,
//! so that leaving them out is not seen.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use rego_ir::{Block, Local, Operand, StmtKind, StringIndex};
use rego_value::abi;
use wasm_encoder::Instruction;

use super::Result;
use super::control::Scan;
use super::function::FuncGen;
use super::helpers::Helper;
use crate::Target;

/// More statements than this are not looked at for equalities.
const PREFIX: usize = 32;

/// More members than these are left to the round.
const MOST_KEYS: usize = 4;

/// With more columns than these, arrays are searched without: each array of the data is tried with all of them.
const MOST_COLUMNS: usize = 64;

/// How elements are passed over.
pub(super) struct Seek {
    /// The variable of the distance from an item to its word in the column; 0 where every element is looked at.
    distance: u32,
    /// The variable of the word that is sought.
    mixture: u32,
}

/// Equalities of members with something else.
type Equalities = Vec<(StringIndex, Wanted)>;

/// What a member is compared with.
#[derive(Clone)]
enum Wanted {
    /// An operand that no round changes.
    Operand(Operand),
    /// What is found by constant keys below a local that no round changes.
    Below(Local, Vec<StringIndex>),
}

impl<'p> FuncGen<'_, 'p> {
    /// Finds out by what the elements of a collection can be passed over, and prepares for it.
    pub(super) fn seek_begin(
        &mut self,
        (source, element): (Local, Local),
        block: &'p Block,
        scan: &Scan,
    ) -> Result<Option<Seek>> {
        if self.shared.target != Target::Engine || !self.is_from_data(source) {
            return Ok(None);
        }
        let equalities = self.equalities(element, block);
        let Some(column) = self.column(&equalities)? else { return Ok(None) };
        let seek = Seek { distance: self.used_temporary(), mixture: self.used_temporary() };
        let wanted = self.used_temporary();
        self.body.constant(0).set(seek.distance).block();
        let without = self.body.depth();
        // Only beyond this point the source is known to be a collection.
        let source = self.local(source);
        let kind = u32::from(abi::KIND_ARRAY) | u32::from(abi::FLAG_COLUMN) << 8;
        self.body.get(scan.end).op(Instruction::I32Eqz).br_if(without);
        self.body.get(source).load_short(abi::KIND).constant(kind).op(Instruction::I32Ne).br_if(without);
        self.body.get(scan.end).load(0).constant(column).op(Instruction::I32Ne).br_if(without);
        for (position, (_, value)) in equalities.iter().enumerate() {
            match self.constant_text(value)? {
                Some(text) => {
                    let hash = abi::hash_string(text.as_bytes());
                    self.body.constant(hash);
                }
                None => {
                    self.push_wanted(value)?;
                    self.body.tee(wanted).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(without);
                    // The address 0 of what is undefined can be read from as well, and no string begins there.
                    self.body.get(wanted).load_byte(abi::KIND).constant(u32::from(abi::KIND_STRING));
                    self.body.op(Instruction::I32Ne).br_if(without);
                    self.body.get(wanted).load(abi::TEXT_HASH);
                }
            }
            if position > 0 {
                // `abi::mix`
                self.body.get(seek.mixture).constant(5).op(Instruction::I32Rotl).op(Instruction::I32Xor);
            }
            self.body.set(seek.mixture);
        }
        // The number of the column stands between the items and their words.
        self.body.get(scan.end).get(scan.first).op(Instruction::I32Sub).constant(4).op(Instruction::I32Add);
        self.body.set(seek.distance).end();
        self.release(wanted);
        Ok(Some(seek))
    }

    /// Moves the cursor to the next element that a round has to judge.
    pub(super) fn seek_step(&mut self, seek: &Seek, scan: &Scan) {
        let helper = self.shared.helper(Helper::Seek);
        self.body.get(seek.distance).if_();
        self.body.get(scan.cursor).get(scan.end).get(seek.distance).get(seek.mixture).call(helper);
        self.body.set(scan.cursor).end();
    }

    /// Gives the variables back.
    pub(super) fn seek_end(&mut self, seek: &Seek) {
        self.release(seek.distance);
        self.release(seek.mixture);
    }

    /// The number of the column by these members.
    fn column(&mut self, equalities: &Equalities) -> Result<Option<u32>> {
        if equalities.is_empty() {
            return Ok(None);
        }
        let mut keys = Vec::with_capacity(equalities.len());
        for (key, _) in equalities {
            keys.push(self.shared.constants.string(self.shared.string_text(*key))?);
        }
        Ok(self.column_of(keys))
    }

    /// The number of the column by members with these keys.
    pub(super) fn column_of(&mut self, keys: Vec<u32>) -> Option<u32> {
        let columns = &mut self.shared.columns;
        let known = columns.iter().position(|column| *column == keys);
        let position = known.or_else(|| {
            (columns.len() < MOST_COLUMNS).then(|| {
                columns.push(keys);
                columns.len() - 1
            })
        });
        position.and_then(|position| u32::try_from(position).ok())
    }

    /// The text of a string that is known already.
    fn constant_text(&mut self, wanted: &Wanted) -> Result<Option<&str>> {
        let Wanted::Operand(operand) = wanted else { return Ok(None) };
        let handle = self.constant(*operand)?;
        Ok(handle.and_then(|handle| self.shared.constants.text(handle)))
    }

    fn push_wanted(&mut self, wanted: &Wanted) -> Result<()> {
        let (local, keys) = match wanted {
            Wanted::Operand(operand) => return self.push(*operand),
            Wanted::Below(local, keys) => (*local, keys),
        };
        let mut handles = Vec::with_capacity(keys.len());
        for key in keys {
            handles.push(self.shared.constants.string(self.shared.string_text(*key))?);
        }
        let found = self.found_below(local, &handles)?;
        self.body.get(found);
        Ok(())
    }

    /// The equalities at the beginning of a round between members of the element and what no round changes.
    fn equalities(&self, element: Local, block: &Block) -> Equalities {
        let round = Round { element, written: OnceCell::new(), block };
        let mut equalities = Equalities::new();
        let mut members: HashMap<Local, StringIndex> = HashMap::new();
        let mut places: HashMap<Local, Wanted> = HashMap::new();
        for stmt in block.stmts.iter().take(PREFIX) {
            match &stmt.kind {
                StmtKind::Dot { source: Operand::Local(source), key, target } if *target != element => {
                    let place = match key {
                        Operand::String(key) => self.place_below(*source, *key, &round, &places),
                        _ => None,
                    };
                    members.remove(target);
                    places.remove(target);
                    match (key, place) {
                        (Operand::String(key), _) if *source == element => {
                            members.insert(*target, *key);
                        }
                        (_, Some(place)) => {
                            places.insert(*target, place);
                        }
                        _ => {}
                    }
                }
                StmtKind::Equal { a, b } => {
                    let equality = |member: &Operand, other: &Operand| {
                        let Operand::Local(member) = member else { return None };
                        Some((*members.get(member)?, fixed(*other, &round, &places)?))
                    };
                    let found = equality(a, b).or_else(|| equality(b, a));
                    equalities
                        .extend(found.filter(|(key, _)| equalities.iter().all(|(other, _)| other != key)));
                }
                StmtKind::NotEqual { .. } => {}
                _ => break,
            }
            if equalities.len() == MOST_KEYS {
                break;
            }
        }
        equalities
    }

    /// What stands by a key below a local of a round, if that is looked up once only and no round changes it.
    fn place_below(
        &self,
        source: Local,
        key: StringIndex,
        round: &Round<'_>,
        places: &HashMap<Local, Wanted>,
    ) -> Option<Wanted> {
        let (base, mut keys) = match places.get(&source) {
            Some(Wanted::Below(base, keys)) => (*base, keys.clone()),
            _ => (source, Vec::new()),
        };
        let is_place = self.is_document(base) || self.facts.path(base).is_some();
        if !is_place || self.paths.replaced > 0 || round.changes(base) {
            return None;
        }
        keys.push(key);
        Some(Wanted::Below(base, keys))
    }
}

/// An operand of a round that is the same in each.
fn fixed(operand: Operand, round: &Round<'_>, places: &HashMap<Local, Wanted>) -> Option<Wanted> {
    match operand {
        Operand::Local(local) => match places.get(&local) {
            Some(place) => Some(place.clone()),
            None if round.changes(local) => None,
            None => Some(Wanted::Operand(operand)),
        },
        Operand::String(_) => Some(Wanted::Operand(operand)),
        Operand::Bool(_) => None,
    }
}

/// A round of an iteration.
struct Round<'p> {
    element: Local,
    block: &'p Block,
    /// What it assigns, once that is asked for.
    written: OnceCell<HashSet<Local>>,
}

impl Round<'_> {
    /// Whether a round assigns a local.
    fn changes(&self, local: Local) -> bool {
        let written = self.written.get_or_init(|| {
            let mut written = HashSet::from([self.element]);
            writes(self.block, &mut written);
            written
        });
        written.contains(&local)
    }
}

/// The locals that a block assigns.
fn writes(block: &Block, written: &mut HashSet<Local>) {
    for stmt in &block.stmts {
        stmt.kind.for_each_write(|local| {
            written.insert(local);
        });
        stmt.kind.blocks().iter().for_each(|inner| writes(inner, written));
    }
}
