//! Tests of code generation and linking against a runtime of empty functions.

use std::path::PathBuf;

use rego_ir::{from_json_value, parse_text, verify};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Instruction, MemoryType, Module, TypeSection, ValType,
};

use crate::{CompileError, Options, Target, compile_with};

/// The runtime functions that generated code calls: name, parameters, whether there is a result.
const PIECES: [(&str, usize, bool); 44] = [
    ("rt_get", 2, true),
    ("rt_len", 1, true),
    ("rt_iter_len", 1, true),
    ("rt_array_new", 1, true),
    ("rt_array_push", 2, false),
    ("rt_object_new", 1, true),
    ("rt_object_from", 1, true),
    ("rt_object_insert", 3, false),
    ("rt_object_insert_once", 3, true),
    ("rt_object_merge", 2, true),
    ("rt_set_new", 1, true),
    ("rt_set_add", 2, false),
    ("rt_equal", 2, true),
    ("rt_compare", 2, true),
    ("rt_upsert", 3, true),
    ("rt_builtin_failed", 1, false),
    ("rt_format", 2, true),
    ("rt_text_begin", 1, true),
    ("rt_text_put", 4, true),
    ("rt_text_end", 2, true),
    ("rt_floor_div", 2, true),
    ("bi_div", 2, true),
    ("bi_floor", 1, true),
    ("rt_init", 1, false),
    ("rt_begin", 1, false),
    ("rego_error_slot", 0, true),
    ("opa_heap_ptr_get", 0, true),
    ("opa_heap_ptr_set", 1, false),
    ("opa_value_parse", 2, true),
    ("opa_value_dump", 1, true),
    ("opa_json_dump", 1, true),
    ("rt_regex_find", 3, true),
    ("rt_regex_program", 3, true),
    ("rt_regex_table", 3, true),
    ("opa_malloc", 1, true),
    ("rt_failed", 5, false),
    ("rt_wrong_type", 6, false),
    ("rt_wide", 3, true),
    ("rt_wide_compare", 2, true),
    ("rt_wide_hash", 1, true),
    ("rt_wide_text", 1, true),
    ("bi_plus", 2, true),
    ("bi_minus", 2, true),
    ("bi_mul", 2, true),
];

/// A runtime whose functions do nothing, with all that a plan can call.
fn stub_runtime() -> Vec<u8> {
    let mut types = TypeSection::new();
    let (mut imports, mut functions, mut exports, mut code) =
        (ImportSection::new(), FunctionSection::new(), ExportSection::new(), CodeSection::new());
    let memory =
        MemoryType { minimum: 2, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import("env", "memory", EntityType::Memory(memory));
    let mut type_index = |params: usize, result: bool| {
        types.ty().function(vec![ValType::I32; params], vec![ValType::I32; usize::from(result)]);
        types.len() - 1
    };
    imports.import("env", "opa_abort", EntityType::Function(type_index(1, false)));
    let symbols = rego_builtins::all().iter().filter_map(|row| match row.implementation {
        rego_builtins::Implementation::Module(symbol) | rego_builtins::Implementation::Either(symbol, _) => {
            Some((symbol, row.args.len(), true))
        }
        _ => None,
    });
    let mut names: Vec<_> = PIECES.into_iter().chain(symbols).collect();
    names.sort_unstable();
    names.dedup();
    for (index, (name, params, result)) in (1..).zip(names) {
        functions.function(type_index(params, result));
        exports.export(name, ExportKind::Func, index);
        let mut body = Function::new([]);
        body.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
        code.function(&body);
    }
    let mut globals = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
    globals.global(ty, &ConstExpr::i32_const(65_536));
    exports.export("__heap_base", ExportKind::Global, 0);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&globals)
        .section(&exports)
        .section(&code)
        // No relocations: the section they belong to, and their number.
        .section(&CustomSection { name: "reloc.CODE".into(), data: (&[4, 0][..]).into() });
    module.finish()
}

/// Compiles a plan in text form.
fn compile_text(text: &str) -> Result<Vec<u8>, CompileError> {
    let plan = verify(parse_text(text).unwrap()).unwrap();
    // A plan that says so in its first line is compiled for our engine.
    let target = if text.starts_with("; for our engine") { Target::Engine } else { Target::Portable };
    compile_with(&stub_runtime(), &plan, &Options { target, ..Options::default() }).map(|module| module.bytes)
}

/// The functions of a module in WebAssembly's text form.
fn functions(bytes: &[u8], names: &[&str]) -> String {
    let text = wasmprinter::print_bytes(bytes).unwrap();
    let mut out = String::new();
    let mut taking = false;
    for line in text.lines() {
        if line.starts_with("  (func ") {
            taking = names.iter().any(|name| {
                line.contains(&format!("(@name \"{name}\")")) || line.contains(&format!("${name} "))
            });
        } else if line.starts_with("  (") {
            taking = false;
        }
        if taking {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[test]
fn every_plan_of_the_corpus_compiles_to_a_valid_module() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/v1/plans");
    if !dir.is_dir() {
        eprintln!("SKIPPED: no conformance corpus beside the project");
        return;
    }
    let runtime = stub_runtime();
    let mut unsupported = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let cases: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        for case in cases {
            let id = &case["id"];
            let plan = verify(from_json_value(&case["plan"]).unwrap()).unwrap();
            match compile_with(&runtime, &plan, &Options::default()) {
                Ok(module) => {
                    wasmparser::validate(&module.bytes).unwrap_or_else(|e| panic!("{id}: {e}"));
                    assert_eq!(compile_with(&runtime, &plan, &Options::default()).unwrap(), module, "{id}");
                }
                Err(CompileError::UnsupportedBuiltin { name, .. }) => {
                    *unsupported.entry(name).or_insert(0) += 1
                }
                Err(error) => panic!("{id}: {error}"),
            }
        }
    }
    eprintln!("not supported yet: {unsupported:?}");
}

/// Each file holds a plan and, below a line of dashes, the code of its functions. `BLESS=1` writes the second part anew.
#[test]
fn code_is_as_recorded() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/codegen");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (plan, recorded) = text.split_once("----\n").unwrap_or((&text, ""));
        let policy = parse_text(plan).unwrap();
        let names: Vec<&str> = policy.funcs.iter().map(|func| func.name.as_str()).collect();
        let bytes = compile_text(plan).unwrap();
        wasmparser::validate(&bytes).unwrap();
        let code = functions(&bytes, &names);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, format!("{plan}----\n{code}")).unwrap();
        } else {
            assert_eq!(code, recorded, "{}", file.display());
        }
    }
}

#[test]
fn what_cannot_be_compiled_is_named() {
    let call = |name: &str, arguments: usize| {
        let args = vec!["%0"; arguments].join(", ");
        let text = format!(
            "builtin \"{name}\" {{\"result\":{{}},\"variadic\":{{}}}}\nfile \"p.rego\"\nplan \"e\"\nblock\n  %2 = call \"{name}\"({args}) @0:4:2-4:9\nend"
        );
        compile_text(&text).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(call("custom.function", 4), Ok(()));
    let message = "p.rego:4:2: built-in function `custom.function` is called with 5 arguments; a host function takes at most 4";
    assert_eq!(call("custom.function", 5), Err(message.to_owned()));
    assert_eq!(call("eq", 2), Err("p.rego:4:2: built-in function `eq` is not supported".to_owned()));
}

#[test]
fn a_module_exports_the_abi_and_nothing_internal() {
    let bytes = compile_text("plan \"p/q\"\nblock\n  result %0\nend").unwrap();
    let text = wasmprinter::print_bytes(&bytes).unwrap();
    for name in [
        "memory",
        "eval",
        "opa_eval",
        "builtins",
        "entrypoints",
        "rego_eval",
        "rego_value",
        "opa_wasm_abi_version",
    ] {
        assert!(text.contains(&format!("(export \"{name}\"")), "{name}");
    }
    assert!(
        !text.contains("(export \"rt_") && !text.contains("(export \"bi_") && !text.contains("(export \"__")
    );
    assert!(text.contains("(import \"env\" \"memory\" (memory (;0;) 2))"), "{text}");
}
