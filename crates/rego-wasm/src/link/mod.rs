//! The linker: the runtime's functions that are reached, and the generated ones, as one module.
//!
//! Functions and data segments that nothing reaches are left out, so every function index of the runtime's code is
//! rewritten. Data keep their addresses; types, globals and the table stay as they are; generated types, globals and
//! constants follow them.

mod reach;
mod relocations;
mod runtime;

use std::collections::{BTreeMap, HashMap};

use wasm_encoder::reencode::{Reencode, RoundtripReencoder, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction,
    MemoryType, Module, NameMap, NameSection, StartSection, TableSection, TypeSection, ValType,
};
use wasmparser::ExternalKind;

pub(crate) use runtime::Runtime;

use crate::Target;
use crate::error::CompileError;
use reach::Reached;
use runtime::bad;

type Result<T> = core::result::Result<T, CompileError>;

/// The size of a page of memory in bytes.
const PAGE: u64 = 65_536;

/// What generated code can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Callee {
    /// A function that the runtime exports.
    Runtime(&'static str),
    /// A function of the host, imported from `env`.
    Host(HostFunction),
    /// A generated function, by its position.
    Generated(u32),
    /// A helper that code generation asked for, by its position among the helpers, which come last.
    Helper(u32),
}

/// The functions of the host: those that OPA's ABI has, and one of our engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum HostFunction {
    /// `opa_abort(message)`.
    Abort,
    /// `opa_builtin0` to `opa_builtin4`, by the number of arguments.
    Builtin(u8),
    /// `rego_match(pattern, text)`: see [`crate::PATTERNS_SECTION`].
    Match,
}

impl HostFunction {
    /// The most arguments that a built-in function can be given.
    pub(crate) const MAX_ARGUMENTS: usize = 4;

    fn name(self) -> String {
        match self {
            Self::Abort => "opa_abort".to_owned(),
            Self::Builtin(arguments) => format!("opa_builtin{arguments}"),
            Self::Match => "rego_match".to_owned(),
        }
    }

    fn signature(self) -> (Vec<ValType>, Vec<ValType>) {
        match self {
            Self::Abort => (vec![ValType::I32], Vec::new()),
            Self::Match => (vec![ValType::I32; 2], vec![ValType::I32]),
            // The function's id and a context come before the arguments.
            Self::Builtin(arguments) => (vec![ValType::I32; usize::from(arguments) + 2], vec![ValType::I32]),
        }
    }
}

/// The callees of generated code; its call instructions hold positions in this list.
#[derive(Default)]
pub(crate) struct Symbols {
    list: Vec<Callee>,
    positions: HashMap<Callee, u32>,
}

impl Symbols {
    /// The number that a call instruction has to hold.
    pub(crate) fn number(&mut self, callee: Callee) -> u32 {
        if let Some(number) = self.positions.get(&callee) {
            return *number;
        }
        // INVARIANT: a plan has far fewer functions than 2^32.
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(callee);
        self.positions.insert(callee, number);
        number
    }
}

/// A generated function.
pub(crate) struct Generated {
    /// The name for profilers.
    pub(crate) name: String,
    pub(crate) params: Vec<ValType>,
    pub(crate) results: Vec<ValType>,
    /// The variables beside the parameters.
    pub(crate) locals: Vec<ValType>,
    /// The body; calls hold numbers of [`Symbols`].
    pub(crate) code: Vec<Instruction<'static>>,
    /// The name under which the host calls it.
    pub(crate) export: Option<&'static str>,
}

/// What the linker puts together.
pub(crate) struct Input<'a> {
    pub(crate) runtime: &'a Runtime<'a>,
    pub(crate) symbols: &'a Symbols,
    pub(crate) functions: &'a [Generated],
    /// The position of the start function.
    pub(crate) start: usize,
    /// The position of the first helper.
    pub(crate) helpers: usize,
    /// Constants: address and bytes.
    pub(crate) constants: (u32, &'a [u8]),
    /// The first address behind everything static.
    pub(crate) heap_base: u32,
    /// Exported globals of type `i32`.
    pub(crate) globals: &'a [(&'static str, i32)],
    /// Whether to name the runtime's functions too.
    pub(crate) name_runtime: bool,
    pub(crate) target: Target,
    /// Further custom sections.
    pub(crate) custom: &'a [(&'static str, Vec<u8>)],
}

/// Links a module.
pub(crate) fn link(input: &Input<'_>) -> Result<Vec<u8>> {
    let mut roots = Vec::new();
    for (name, (kind, index)) in &input.runtime.exports {
        if *kind == ExternalKind::Func && is_public(name, input.target) {
            roots.push(*index);
        }
    }
    for callee in &input.symbols.list {
        if let Callee::Runtime(name) = callee {
            roots.push(runtime_function(input.runtime, name)?);
        }
    }
    let foreign = foreign(input.runtime, input.target)?;
    let reached = reach::reach(input.runtime, &roots, &foreign)?;
    Linker { input, indices: Indices::new(input, &reached, &foreign)?, reached, foreign }.module()
}

/// What `rego-engine` calls of modules whose layout of values it knows.
const ENGINE_EXPORTS: [&str; 4] = ["opa_heap_ptr_get", "opa_heap_ptr_set", "opa_malloc", "rego_error_slot"];

/// What `rego-engine` carries out itself: functions of the runtime, and the names by which modules import them.
const ENGINE_IMPORTS: [(&str, &str); 6] = [
    ("rt_failed", "rego_failed"),
    ("rt_wrong_type", "rego_wrong_type"),
    ("rt_wide", "rego_number"),
    ("rt_wide_compare", "rego_number_compare"),
    ("rt_wide_hash", "rego_number_hash"),
    ("rt_wide_text", "rego_number_text"),
];

/// The functions of the runtime that the host has, by index: the names by which they are imported.
fn foreign(runtime: &Runtime<'_>, target: Target) -> Result<BTreeMap<u32, &'static str>> {
    let names: &[_] = if target == Target::Engine { &ENGINE_IMPORTS } else { &[] };
    names.iter().map(|(function, import)| Ok((runtime_function(runtime, function)?, *import))).collect()
}

/// Whether an export of the runtime is one of the finished module: all but the pieces for generated code, and what the
/// module's host does not call.
fn is_public(name: &str, target: Target) -> bool {
    match target {
        Target::Portable => !(name.starts_with("rt_") || name.starts_with("bi_") || name.starts_with("__")),
        Target::Engine => ENGINE_EXPORTS.contains(&name),
    }
}

fn runtime_function(runtime: &Runtime<'_>, name: &str) -> Result<u32> {
    runtime.function(name).ok_or_else(|| bad(&format!("does not export `{name}`")))
}

/// Where functions and types end up. Imports come first: those of the runtime that are reached, then the host's
/// functions that only generated code calls; then the runtime's functions, then the generated ones.
struct Indices {
    /// Imported functions: name and type.
    imports: Vec<(String, u32)>,
    /// The imports that generated code calls, by position in `imports`.
    host: HashMap<HostFunction, u32>,
    /// New indices of the runtime's functions, by old index.
    functions: HashMap<u32, u32>,
    /// The index of the first generated function.
    first_generated: u32,
    /// Types: those of the runtime, then those of generated functions.
    types: Vec<(Vec<ValType>, Vec<ValType>)>,
}

impl Indices {
    fn new(input: &Input<'_>, reached: &Reached, foreign: &BTreeMap<u32, &'static str>) -> Result<Self> {
        let mut this = Self {
            imports: Vec::new(),
            host: HashMap::new(),
            functions: HashMap::new(),
            first_generated: 0,
            types: Vec::new(),
        };
        for ty in &input.runtime.types {
            this.types.push((value_types(ty.params())?, value_types(ty.results())?));
        }
        for (old, (name, ty)) in (0..).zip(&input.runtime.imports) {
            if reached.functions.contains(&old) {
                this.functions.insert(old, count(this.imports.len())?);
                this.imports.push(((*name).to_owned(), *ty));
            }
        }
        let imported = count(input.runtime.imports.len())?;
        for (old, name) in foreign.iter().filter(|(old, _)| reached.functions.contains(old)) {
            this.functions.insert(*old, count(this.imports.len())?);
            let ty = usize::try_from(old - imported).ok().and_then(|at| input.runtime.functions.get(at));
            let ty = ty.ok_or_else(|| bad("has a function without type"))?;
            this.imports.push(((*name).to_owned(), *ty));
        }
        for callee in &input.symbols.list {
            if let Callee::Host(function) = callee {
                this.import(*function)?;
            }
        }
        let first = count(this.imports.len())?;
        let defined = reached.functions.range(imported..).filter(|old| !foreign.contains_key(old));
        for (new, old) in (first..).zip(defined) {
            this.functions.insert(*old, new);
            this.first_generated = new + 1;
        }
        this.first_generated = this.first_generated.max(first);
        Ok(this)
    }

    fn import(&mut self, function: HostFunction) -> Result<()> {
        let name = function.name();
        let position = match self.imports.iter().position(|(import, _)| *import == name) {
            Some(position) => position,
            None => {
                let (params, results) = function.signature();
                let ty = self.type_index(&params, &results)?;
                self.imports.push((name, ty));
                self.imports.len() - 1
            }
        };
        self.host.insert(function, count(position)?);
        Ok(())
    }

    fn type_index(&mut self, params: &[ValType], results: &[ValType]) -> Result<u32> {
        let known = self.types.iter().position(|(p, r)| p == params && r == results);
        match known {
            Some(index) => count(index),
            None => {
                self.types.push((params.to_vec(), results.to_vec()));
                count(self.types.len() - 1)
            }
        }
    }

    fn function(&self, old: u32) -> Result<u32> {
        self.functions.get(&old).copied().ok_or_else(|| bad("calls a function that the linker did not reach"))
    }
}

fn count(n: usize) -> Result<u32> {
    u32::try_from(n).map_err(|_| bad("is too large"))
}

fn value_types(types: &[wasmparser::ValType]) -> Result<Vec<ValType>> {
    let mut reencoder = RoundtripReencoder;
    let convert = |ty: &wasmparser::ValType| reencoder.val_type(*ty).map_err(|e| bad(&e.to_string()));
    types.iter().map(convert).collect()
}

/// Rewrites the function indices in the runtime's code.
struct Rewrite<'a> {
    indices: &'a Indices,
}

impl Reencode for Rewrite<'_> {
    type Error = CompileError;

    fn function_index(
        &mut self,
        func: u32,
    ) -> core::result::Result<u32, wasm_encoder::reencode::Error<CompileError>> {
        self.indices.function(func).map_err(wasm_encoder::reencode::Error::UserError)
    }
}

struct Linker<'a> {
    input: &'a Input<'a>,
    indices: Indices,
    reached: Reached,
    foreign: BTreeMap<u32, &'static str>,
}

impl Linker<'_> {
    fn module(mut self) -> Result<Vec<u8>> {
        // Types are complete once the functions are declared, though their section comes first.
        let functions = self.functions()?;
        let mut module = Module::new();
        module.section(&self.types());
        module.section(&self.imports());
        module.section(&functions);
        if let Some(tables) = self.tables() {
            module.section(&tables);
        }
        module.section(&self.globals()?);
        module.section(&self.exports()?);
        module.section(&StartSection { function_index: self.generated_index(self.input.start)? });
        if !self.reached.addresses.is_empty() {
            module.section(&self.elements()?);
        }
        module.section(&self.code()?);
        module.section(&self.data());
        module.section(&self.names()?);
        for (name, data) in self.input.custom.iter().filter(|(_, data)| !data.is_empty()) {
            module.section(&CustomSection { name: (*name).into(), data: data.as_slice().into() });
        }
        Ok(module.finish())
    }

    /// The runtime's functions that become part of the module: old indices, and positions among those defined there.
    fn kept(&self) -> impl Iterator<Item = (u32, usize)> {
        let imports = self.input.runtime.imports.len();
        let defined = move |old: &u32| Some((*old, usize::try_from(*old).ok()?.checked_sub(imports)?));
        self.reached.functions.iter().filter(|old| !self.foreign.contains_key(old)).filter_map(defined)
    }

    fn generated_index(&self, position: usize) -> Result<u32> {
        Ok(self.indices.first_generated + count(position)?)
    }

    fn functions(&mut self) -> Result<FunctionSection> {
        let mut section = FunctionSection::new();
        for (_, defined) in self.kept() {
            let ty = self.input.runtime.functions.get(defined);
            section.function(*ty.ok_or_else(|| bad("has a function without type"))?);
        }
        for function in self.input.functions {
            section.function(self.indices.type_index(&function.params, &function.results)?);
        }
        Ok(section)
    }

    fn types(&self) -> TypeSection {
        let mut section = TypeSection::new();
        for (params, results) in &self.indices.types {
            section.ty().function(params.iter().copied(), results.iter().copied());
        }
        section
    }

    fn imports(&self) -> ImportSection {
        let mut section = ImportSection::new();
        let pages = u64::from(self.input.heap_base).div_ceil(PAGE).max(self.input.runtime.memory.initial);
        let memory = MemoryType {
            minimum: pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        section.import("env", "memory", EntityType::Memory(memory));
        for (name, ty) in &self.indices.imports {
            section.import("env", name, EntityType::Function(*ty));
        }
        section
    }

    fn tables(&self) -> Option<TableSection> {
        let mut section = TableSection::new();
        for table in &self.input.runtime.tables {
            section.table(wasm_encoder::TableType {
                element_type: wasm_encoder::RefType::FUNCREF,
                table64: false,
                minimum: table.initial,
                maximum: table.maximum,
                shared: false,
            });
        }
        (!section.is_empty()).then_some(section)
    }

    fn globals(&self) -> Result<GlobalSection> {
        let mut section = GlobalSection::new();
        let mut rewrite = Rewrite { indices: &self.indices };
        for global in &self.input.runtime.globals {
            let ty = rewrite.global_type(global.ty).map_err(|e| bad(&e.to_string()))?;
            let init = rewrite.const_expr(global.init_expr.clone()).map_err(|e| bad(&e.to_string()))?;
            section.global(ty, &init);
        }
        let ty = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
        for (_, value) in self.input.globals {
            section.global(ty, &ConstExpr::i32_const(*value));
        }
        Ok(section)
    }

    fn exports(&self) -> Result<ExportSection> {
        let mut section = ExportSection::new();
        section.export("memory", ExportKind::Memory, 0);
        // Sorted, since the order of a hash map would make two builds differ.
        let mut exports: Vec<_> = self.input.runtime.exports.iter().collect();
        exports.sort_unstable_by_key(|(name, _)| **name);
        for (name, (kind, index)) in exports {
            if *kind == ExternalKind::Func && is_public(name, self.input.target) {
                section.export(name, ExportKind::Func, self.indices.function(*index)?);
            }
        }
        for (position, function) in self.input.functions.iter().enumerate() {
            if let Some(name) = function.export {
                section.export(name, ExportKind::Func, self.generated_index(position)?);
            }
        }
        let first = count(self.input.runtime.globals.len())?;
        for (index, (name, _)) in (first..).zip(self.input.globals) {
            section.export(name, ExportKind::Global, index);
        }
        Ok(section)
    }

    /// The places of the table that may be called; the others stay empty.
    fn elements(&self) -> Result<ElementSection> {
        let mut section = ElementSection::new();
        for (offset, functions) in &self.input.runtime.elements {
            for (place, old) in (*offset..).zip(functions) {
                if self.reached.addresses.contains(old) {
                    let function = self.indices.function(*old)?;
                    let offset = ConstExpr::i32_const(place.cast_signed());
                    section.active(None, &offset, Elements::Functions(vec![function].into()));
                }
            }
        }
        Ok(section)
    }

    fn code(&self) -> Result<CodeSection> {
        let mut section = CodeSection::new();
        let mut rewrite = Rewrite { indices: &self.indices };
        for (_, defined) in self.kept() {
            let body = self.input.runtime.bodies.get(defined);
            let body = body.ok_or_else(|| bad("has a function without body"))?;
            utils::parse_function_body(&mut rewrite, &mut section, body.clone())
                .map_err(|e| bad(&e.to_string()))?;
        }
        for function in self.input.functions {
            section.function(&self.generated(function)?);
        }
        Ok(section)
    }

    fn generated(&self, function: &Generated) -> Result<Function> {
        let mut encoded = Function::new_with_locals_types(function.locals.iter().copied());
        for instruction in &function.code {
            match instruction {
                Instruction::Call(symbol) => encoded.instruction(&Instruction::Call(self.callee(*symbol)?)),
                other => encoded.instruction(other),
            };
        }
        encoded.instruction(&Instruction::End);
        Ok(encoded)
    }

    fn callee(&self, symbol: u32) -> Result<u32> {
        let callee = usize::try_from(symbol).ok().and_then(|position| self.input.symbols.list.get(position));
        match callee {
            Some(Callee::Generated(position)) => Ok(self.indices.first_generated + position),
            Some(Callee::Helper(position)) => Ok(self.generated_index(self.input.helpers)? + position),
            Some(Callee::Runtime(name)) => self.indices.function(runtime_function(self.input.runtime, name)?),
            Some(Callee::Host(function)) => self
                .indices
                .host
                .get(function)
                .copied()
                .ok_or_else(|| bad("lacks an import that was asked for")),
            None => Err(bad("is called by a symbol that does not exist")),
        }
    }

    fn data(&self) -> DataSection {
        let mut section = DataSection::new();
        for (position, segment) in (0..).zip(&self.input.runtime.data) {
            if self.reached.segments.contains(&position) {
                let address = ConstExpr::i32_const(segment.address.cast_signed());
                section.active(0, &address, segment.bytes.iter().copied());
            }
        }
        let (address, bytes) = self.input.constants;
        section.active(0, &ConstExpr::i32_const(address.cast_signed()), bytes.iter().copied());
        section
    }

    fn names(&self) -> Result<NameSection> {
        let mut map = NameMap::new();
        if self.input.name_runtime {
            // Imports come first; those that the engine has keep their names as such.
            let imports = self.reached.functions.range(..count(self.input.runtime.imports.len())?);
            for old in imports.copied().chain(self.kept().map(|(old, _)| old)) {
                if let Some(name) = self.input.runtime.names.get(&old) {
                    map.append(self.indices.function(old)?, name);
                }
            }
        }
        for (position, function) in self.input.functions.iter().enumerate() {
            map.append(self.generated_index(position)?, &function.name);
        }
        let mut section = NameSection::new();
        section.functions(&map);
        Ok(section)
    }
}
