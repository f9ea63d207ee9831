//! Writes the module and the plan of every policy of a folder (in the layout of the benchmarks' policies).
//!
//! ```sh
//! cargo run -p rego-build --example emit -- POLICIES OUT [names] [PASSES]
//! ```
//!
//! With `names`, the runtime's functions keep their names in the module, for profilers. `PASSES` names the optimiser's
//! passes to run: `all`, `none`, or one.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for its authors")]

use std::path::Path;

use rego_build::{Options, Source};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, policies, out, rest @ ..] = arguments.as_slice() else {
        println!("emit POLICIES OUT [names]");
        return;
    };
    let mut options = Options::default();
    options.wasm.target = rego_build::Target::Engine;
    options.wasm.name_runtime = rest.iter().any(|word| word == "names");
    if let Some(passes) = rest.iter().find_map(|word| rego_build::Passes::by_name(word)) {
        options.passes = passes;
    }
    for entry in std::fs::read_dir(policies).unwrap() {
        let dir = entry.unwrap().path();
        let name = dir.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(dir.join("policy.rego")).unwrap();
        let package = text.lines().find_map(|line| line.strip_prefix("package ")).unwrap().trim();
        let entrypoint = format!("{}/decision", package.replace('.', "/"));
        let source = [Source::new("policy.rego", text.as_str())];
        let module = rego_build::build(&source, &[&entrypoint], &options).unwrap();
        println!("{name}: {} bytes", module.bytes.len());
        std::fs::write(Path::new(out).join(format!("{name}.wasm")), module.bytes).unwrap();
        let program = rego_build::check(&source, &options).unwrap();
        let queries = [rego_compiler::plan::Query::entrypoint(&entrypoint)];
        let plan =
            rego_compiler::plan::plan_in(&program, program.sources(), &queries, options.marks).unwrap();
        let plan = rego_opt::optimise(plan, options.passes);
        std::fs::write(Path::new(out).join(format!("{name}.plan")), rego_ir::print_text(&plan)).unwrap();
    }
}
