//! docs/builtins.md, which is written from the table: `BLESS=1 cargo test -p rego-builtins --test documentation`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;

use rego_builtins::{Arg, Builtin, Implementation, all};

const HEAD: &str = "\
# Built-in functions

The functions of OPA 1.22.2, as `rego-builtins` has them; this page is written from its table (`crates/rego-builtins/tests/documentation.rs`). What each one answers is described in [OPA's reference](https://www.openpolicyagent.org/docs/policy-reference/builtins), and what calling one costs in [performance.md](performance.md).

*Module*: part of the compiled module, in any host. *Host*: imported from the host, through `opa_builtin` of OPA's ABI. *Either*: in the module where any host has to run it, in the host where that is our engine. *Compiled*: becomes instructions. *N*: two evaluations may answer differently; one evaluation never does. *D*: deprecated, refused in strict mode.

| function | arguments | result | where | |
|---|---|---|---|---|
";

const OTHERWISE: &str = "
## What is done otherwise than in OPA 1.22.2

On purpose, each the careful way; everything else is held to OPA's answers by tests.

- `json.patch` indexes an array that has changed its length as it is by then, as RFC 6902 says. OPA goes on with the elements that the array had before: `[{\"op\": \"remove\", \"path\": \"/0\"}, {\"op\": \"add\", \"path\": \"/1/x\", \"value\": 9}]` on `[{\"a\": 1}, {\"b\": 2}, {\"c\": 3}]` loses `c` there, and other patches crash it.
- `io.jwt.*` refuse to sign or verify an HMAC with an Ed25519 public key.
- `json.match_schema` and `json.verify_schema` refuse remote references; OPA fetches them unless `allow_net` forbids it. A schema that names a type twice is refused.
- `http.send` and `net.lookup_ip_addr` reach nothing unless the host has opened the network to listed hosts.
- Functions end with the evaluation's deadline, and what they produce is bounded (`regex.replace`, `json.patch`, `json.marshal_with_options`).
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in all() {
        let notes = [(row.nondeterministic, "N"), (row.deprecated, "D")];
        let notes: Vec<&str> = notes.iter().filter(|(holds, _)| *holds).map(|(_, note)| *note).collect();
        let arguments: Vec<String> = row.args.iter().map(argument).collect();
        writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            name(row),
            arguments.join(", "),
            row.result.as_ref().map(|result| code(&result.ty.to_string())).unwrap_or_default(),
            place(&row.implementation),
            notes.join(" "),
        )
        .unwrap();
    }
    page + OTHERWISE
}

fn name(row: &Builtin) -> String {
    match row.infix {
        Some(operator) => format!("{}, {}", code(row.name), code(operator)),
        None => code(row.name),
    }
}

fn argument(arg: &Arg) -> String {
    let ty = code(&arg.ty.to_string());
    if arg.name.is_empty() { ty } else { format!("{} {ty}", arg.name) }
}

/// A bar would end the cell of the table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn place(implementation: &Implementation) -> &'static str {
    match implementation {
        Implementation::Compiled => "compiled",
        Implementation::Module(_) => "module",
        Implementation::Host(_) | Implementation::Own => "host",
        Implementation::Either(..) => "either",
        Implementation::Unsupported => "not yet",
    }
}

#[test]
fn the_page_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/builtins.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == page(), "docs/builtins.md is not what the table says; BLESS=1 writes it");
}

#[test]
fn no_function_is_only_known_by_name() {
    let missing: Vec<&str> =
        all().iter().filter(|row| place(&row.implementation) == "not yet").map(|row| row.name).collect();
    assert!(missing.is_empty(), "nobody carries out {missing:?}");
}
