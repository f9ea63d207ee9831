//! Compiles the packs of `policies/`, with the library in `rego/`, to WebAssembly, for the SDK to embed.
//!
//! With the feature `native-packs` also to machine code, for any processor of the architecture.
//!
//! Writes to `OUT_DIR` and nowhere else, and runs again only when one of those files changes. A policy error fails the
//! build with the diagnostic that `hexarch-ctl` would print.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rego_build::{Options, PlanOptions, Source, Target};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=rego");
    println!("cargo::rerun-if-changed=policies");
    println!("cargo::rerun-if-changed=build.rs");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let root = variable("CARGO_MANIFEST_DIR")?;
    let out = variable("OUT_DIR")?;
    let mut index = String::from("&[\n");
    let mut natives = String::from("&[\n");
    for file in pack_files(&root.join("policies"))? {
        let name = pack_name(&file)?;
        let module = compile(&root, &file)?;
        if let Some(native) = native(&module)? {
            let path = out.join(format!("{name}.native"));
            fs::write(&path, native).map_err(|error| format!("{}: {error}", path.display()))?;
            writeln!(natives, "    ({name:?}, include_bytes!({path:?})),")
                .map_err(|error| error.to_string())?;
        }
        let wasm = out.join(format!("{name}.wasm"));
        fs::write(&wasm, module).map_err(|error| format!("{}: {error}", wasm.display()))?;
        writeln!(
            index,
            "    Pack {{ name: {name:?}, hexarch_yaml: include_str!({file:?}), module: include_bytes!({wasm:?}) }},"
        )
        .map_err(|error| error.to_string())?;
    }
    for (file, mut text) in [("packs.rs", index), ("natives.rs", natives)] {
        text.push_str("]\n");
        let path = out.join(file);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// A module as machine code, if that is asked for.
#[cfg(feature = "native-packs")]
fn native(module: &[u8]) -> Result<Option<Vec<u8>>, String> {
    use rego_engine::{Cpu, NativeOptions, Precompiled};

    let name = |key| std::env::var(key).unwrap_or_default();
    if name("HOST") != name("TARGET") {
        return Err(format!(
            "the feature `native-packs` compiles for the machine that builds: {} is not {}",
            name("HOST"),
            name("TARGET")
        ));
    }
    // What the program itself demands of a processor is no more.
    let options = NativeOptions { cpu: Cpu::Baseline, ..NativeOptions::default() };
    let native = Precompiled::compile(module, &options).map_err(|error| error.to_string())?;
    Ok(Some(native.into_unsigned()))
}

/// A module as machine code, if that is asked for.
#[cfg(not(feature = "native-packs"))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail where it is asked for")]
fn native(_: &[u8]) -> Result<Option<Vec<u8>>, String> {
    Ok(None)
}

/// A pack's hexarch.yaml as a module.
fn compile(root: &Path, file: &Path) -> Result<Vec<u8>, String> {
    let shown = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let policies = guard_policy::parse(&shown, &text).map_err(|problems| problems.to_string())?;
    let package = guard_policy::translate(&policies);
    let modules = package.modules().iter();
    let sources: Vec<Source> = modules.map(|module| Source::new(module.name(), module.text())).collect();
    let options = Options {
        wasm: PlanOptions { target: Target::Engine, ..PlanOptions::default() },
        ..Options::default()
    };
    let module = rego_build::build(&sources, package.entrypoints(), &options);
    Ok(module.map_err(|error| format!("{shown}:\n{error}"))?.bytes)
}

/// Each pack's hexarch.yaml, by the packs' names.
fn pack_files(policies: &Path) -> Result<Vec<PathBuf>, String> {
    let error = |error| format!("{}: {error}", policies.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(policies).map_err(error)? {
        let file = entry.map_err(error)?.path().join("hexarch.yaml");
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn pack_name(file: &Path) -> Result<String, String> {
    let folder = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    folder
        .map(str::to_owned)
        .ok_or_else(|| format!("{}: a pack's folder needs a name in UTF-8", file.display()))
}

fn variable(name: &str) -> Result<PathBuf, String> {
    std::env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("cargo did not set {name}"))
}
