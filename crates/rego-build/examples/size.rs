//! What a policy's module is made of: its sections and its functions, largest first.
//!
//! ```text
//! cargo run -p rego-build --example size -- policy.rego guardrail/decision [engine]
//! ```
#![expect(clippy::disallowed_types, reason = "a tool: it reads the file that it is told to")]

use std::collections::HashMap;
use std::io::{Read, Write};

use rego_build::{Options, PlanOptions, Source, Target, build};
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(entrypoint)) = (arguments.next(), arguments.next()) else {
        return Err("usage: size POLICY ENTRYPOINT [engine]".into());
    };
    let mut text = Vec::new();
    std::fs::File::open(&path)?.read_to_end(&mut text)?;
    let source = Source::new(path, text);
    let target = match arguments.next().as_deref() {
        None => Target::Portable,
        Some("engine") => Target::Engine,
        Some(other) => return Err(format!("{other}: neither nothing nor `engine`").into()),
    };
    let options = |name_runtime| Options { wasm: PlanOptions { name_runtime, target }, ..Options::default() };
    let plain = build(std::slice::from_ref(&source), &[&entrypoint], &options(false))?;
    let module = build(&[source], &[&entrypoint], &options(true))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:>8} the module", plain.bytes.len())?;
    print(&module.bytes, &mut out)
}

/// Prints the sections and functions of a module.
fn print(module: &[u8], out: &mut impl Write) -> Outcome<()> {
    let (mut imports, mut names, mut sizes) = (0, HashMap::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if let Some((id, range)) = payload.as_section() {
            writeln!(out, "{:>8} section {id}", range.end - range.start)?;
        }
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imports += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => sizes.push(body.range().end - body.range().start),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(subsections) = section.as_known() {
                    for subsection in subsections {
                        if let Name::Function(map) = subsection? {
                            for naming in map {
                                let naming = naming?;
                                names.insert(naming.index, naming.name);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut functions: Vec<_> =
        (imports..).zip(sizes).map(|(index, size)| (size, names.get(&index))).collect();
    functions.sort_unstable_by(|a, b| b.cmp(a));
    for (size, name) in functions {
        writeln!(out, "{size:>8} {}", name.copied().unwrap_or("?"))?;
    }
    Ok(())
}
