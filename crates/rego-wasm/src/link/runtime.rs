//! Reading the runtime module into its parts.

use std::collections::HashMap;

use wasmparser::{
    Data, DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, KnownCustom, Operator, Parser,
    Payload, TypeRef,
};

use super::relocations::Relocations;
use crate::error::CompileError;

type Result<T> = core::result::Result<T, CompileError>;

/// The parts of the runtime that the linker works with. Function indices count the imports first.
pub(crate) struct Runtime<'a> {
    pub(crate) types: Vec<wasmparser::FuncType>,
    /// Imported functions: field name and type.
    pub(crate) imports: Vec<(&'a str, u32)>,
    /// The memory, which is imported.
    pub(crate) memory: wasmparser::MemoryType,
    /// The types of the functions defined in it.
    pub(crate) functions: Vec<u32>,
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    pub(crate) tables: Vec<wasmparser::TableType>,
    pub(crate) globals: Vec<wasmparser::Global<'a>>,
    pub(crate) exports: HashMap<&'a str, (ExternalKind, u32)>,
    /// Table elements: first index and functions.
    pub(crate) elements: Vec<(u32, Vec<u32>)>,
    pub(crate) data: Vec<Segment<'a>>,
    /// What refers to what.
    pub(crate) relocations: Relocations,
    /// Function names, where the module says them.
    pub(crate) names: HashMap<u32, &'a str>,
}

/// A data segment.
pub(crate) struct Segment<'a> {
    /// Its address in memory.
    pub(crate) address: u32,
    pub(crate) bytes: &'a [u8],
    /// Where it lies in the module.
    pub(crate) places: core::ops::Range<u64>,
}

impl<'a> Runtime<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut runtime = Self {
            types: Vec::new(),
            imports: Vec::new(),
            memory: wasmparser::MemoryType {
                memory64: false,
                shared: false,
                initial: 0,
                maximum: None,
                page_size_log2: None,
            },
            functions: Vec::new(),
            bodies: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            exports: HashMap::new(),
            elements: Vec::new(),
            data: Vec::new(),
            relocations: Relocations::default(),
            names: HashMap::new(),
        };
        let (mut code, mut data) = (0, 0);
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match &payload {
                Payload::CodeSectionStart { unchecked_range, .. } => code = unchecked_range.start,
                Payload::DataSection(segments) => data = segments.range().start,
                _ => {}
            }
            runtime.section(payload)?;
        }
        runtime.relocations.resolve(code, data)?;
        Ok(runtime)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                for ty in types.into_iter_err_on_gc_types() {
                    self.types.push(ty?);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.import(import?)?;
                }
            }
            Payload::FunctionSection(functions) => {
                for ty in functions {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    self.tables.push(table?.ty);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    self.globals.push(global?);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    self.exports.insert(export.name, (export.kind, export.index));
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    self.element(element?)?;
                }
            }
            Payload::DataSection(segments) => {
                for data in segments {
                    self.data(&data?)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Name(names) => self.names(names)?,
                known => self.relocations.custom(custom.name(), known)?,
            },
            Payload::StartSection { .. } | Payload::MemorySection(_) => {
                return Err(bad("has a start function or a memory of its own"));
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'a>) -> Result<()> {
        match import.ty {
            TypeRef::Func(ty) => self.imports.push((import.name, ty)),
            TypeRef::Memory(memory) => self.memory = memory,
            _ => {
                return Err(bad(&format!("imports `{}`, which is neither function nor memory", import.name)));
            }
        }
        Ok(())
    }

    fn element(&mut self, element: wasmparser::Element<'a>) -> Result<()> {
        let (ElementKind::Active { offset_expr, .. }, ElementItems::Functions(items)) =
            (element.kind, element.items)
        else {
            return Err(bad("has table elements that are not active functions"));
        };
        let functions = items.into_iter().collect::<core::result::Result<Vec<_>, _>>()?;
        self.elements.push((constant(&offset_expr)?, functions));
        Ok(())
    }

    fn data(&mut self, data: &Data<'a>) -> Result<()> {
        let DataKind::Active { offset_expr, .. } = &data.kind else {
            return Err(bad("has a passive data segment"));
        };
        let address = constant(offset_expr)?;
        self.data.push(Segment { address, bytes: data.data, places: data.range.clone() });
        Ok(())
    }

    fn names(&mut self, names: wasmparser::NameSectionReader<'a>) -> Result<()> {
        for subsection in names {
            if let wasmparser::Name::Function(map) = subsection? {
                for naming in map {
                    let naming = naming?;
                    self.names.insert(naming.index, naming.name);
                }
            }
        }
        Ok(())
    }

    /// The index of an exported function.
    pub(crate) fn function(&self, name: &str) -> Option<u32> {
        match self.exports.get(name) {
            Some((ExternalKind::Func, index)) => Some(*index),
            _ => None,
        }
    }

    /// The value of an exported immutable global, such as `__heap_base`.
    pub(crate) fn global_value(&self, name: &str) -> Result<u32> {
        let global = match self.exports.get(name) {
            Some((ExternalKind::Global, index)) => {
                usize::try_from(*index).ok().and_then(|index| self.globals.get(index))
            }
            _ => None,
        };
        match global {
            Some(global) => constant(&global.init_expr),
            None => Err(bad(&format!("does not export the global `{name}`"))),
        }
    }
}

/// The value of a constant expression of one `i32.const`.
fn constant(expr: &wasmparser::ConstExpr<'_>) -> Result<u32> {
    match expr.get_operators_reader().read()? {
        Operator::I32Const { value } => Ok(value.cast_unsigned()),
        _ => Err(bad("has an address that is not constant")),
    }
}

pub(crate) fn bad(problem: &str) -> CompileError {
    CompileError::Runtime(problem.to_owned())
}
