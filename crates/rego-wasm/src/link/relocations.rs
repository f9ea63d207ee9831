//! What the runtime's functions and data segments refer to, read from the relocations that `wasm-ld --emit-relocs`
//! leaves in the module (tool-conventions, "Linking.md").

use wasmparser::{KnownCustom, Linking, RelocSectionReader, RelocationType, SymbolInfo};

use super::runtime::bad;
use crate::error::CompileError;

type Result<T> = core::result::Result<T, CompileError>;

/// What a piece of code or of data refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A function that is called.
    Function(u32),
    /// A function whose address is taken: its place in the table must be filled.
    Address(u32),
    /// A data segment.
    Segment(u32),
}

/// The section that a list of relocations belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Code,
    Data,
}

/// A relocation as it is read, before the symbols are known.
struct Entry {
    section: Section,
    /// From the beginning of the section's content.
    offset: u64,
    kind: RelocationType,
    symbol: u32,
}

/// The relocations of a module, sorted by their places.
#[derive(Default)]
pub(crate) struct Relocations {
    symbols: Vec<Option<Target>>,
    entries: Vec<Entry>,
    code: Vec<(u64, Target)>,
    data: Vec<(u64, Target)>,
    /// Whether there are any sections of relocations: a module without them cannot be taken apart.
    present: bool,
}

impl Relocations {
    /// Takes what a custom section says.
    pub(crate) fn custom(&mut self, name: &str, section: KnownCustom<'_>) -> Result<()> {
        match section {
            KnownCustom::Linking(linking) => {
                for part in linking.subsections() {
                    if let Linking::SymbolTable(symbols) = part? {
                        for symbol in symbols {
                            self.symbols.push(target(&symbol?));
                        }
                    }
                }
            }
            KnownCustom::Reloc(relocations) => match name {
                "reloc.CODE" => self.section(Section::Code, &relocations)?,
                "reloc.DATA" => self.section(Section::Data, &relocations)?,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn section(&mut self, section: Section, relocations: &RelocSectionReader<'_>) -> Result<()> {
        self.present = true;
        for entry in relocations.entries() {
            let entry = entry?;
            self.entries.push(Entry {
                section,
                offset: u64::from(entry.offset),
                kind: entry.ty,
                symbol: entry.index,
            });
        }
        Ok(())
    }

    /// Turns symbols into what they stand for, when the whole module has been read. Code and data begin at these
    /// places of the module.
    pub(crate) fn resolve(&mut self, code: u64, data: u64) -> Result<()> {
        if !self.present {
            return Err(bad("was linked without --emit-relocs"));
        }
        for entry in core::mem::take(&mut self.entries) {
            // Types, globals and the table stay as they are.
            if matches!(
                entry.kind,
                RelocationType::TypeIndexLeb
                    | RelocationType::GlobalIndexLeb
                    | RelocationType::TableNumberLeb
            ) {
                continue;
            }
            let symbol = usize::try_from(entry.symbol).ok().and_then(|index| self.symbols.get(index));
            let symbol = *symbol.ok_or_else(|| bad("has a relocation without a symbol"))?;
            let target = match (entry.kind, symbol) {
                (RelocationType::FunctionIndexLeb, Some(Target::Function(function))) => {
                    Target::Function(function)
                }
                (
                    RelocationType::TableIndexSleb | RelocationType::TableIndexI32,
                    Some(Target::Function(function)),
                ) => Target::Address(function),
                (
                    RelocationType::MemoryAddrLeb
                    | RelocationType::MemoryAddrSleb
                    | RelocationType::MemoryAddrI32,
                    segment,
                ) => match segment {
                    Some(target) => target,
                    // A symbol of the linker's own, such as the end of the stack.
                    None => continue,
                },
                (kind, _) => return Err(bad(&format!("has a relocation of an unknown kind, {kind:?}"))),
            };
            match entry.section {
                Section::Code => self.code.push((code + entry.offset, target)),
                Section::Data => self.data.push((data + entry.offset, target)),
            }
        }
        self.code.sort_by_key(|(place, _)| *place);
        self.data.sort_by_key(|(place, _)| *place);
        Ok(())
    }

    /// What the code at these places of the module refers to.
    pub(crate) fn of_code(&self, places: core::ops::Range<u64>) -> impl Iterator<Item = Target> {
        within(&self.code, places)
    }

    /// What the data at these places of the module refer to.
    pub(crate) fn of_data(&self, places: core::ops::Range<u64>) -> impl Iterator<Item = Target> {
        within(&self.data, places)
    }
}

fn target(symbol: &SymbolInfo<'_>) -> Option<Target> {
    match symbol {
        SymbolInfo::Func { index, .. } => Some(Target::Function(*index)),
        SymbolInfo::Data { symbol: Some(symbol), .. } => Some(Target::Segment(symbol.index)),
        _ => None,
    }
}

fn within(list: &[(u64, Target)], places: core::ops::Range<u64>) -> impl Iterator<Item = Target> {
    let first = list.partition_point(|(place, _)| *place < places.start);
    let rest = list.get(first..).unwrap_or_default();
    rest.iter().take_while(move |(place, _)| *place < places.end).map(|(_, target)| *target)
}
