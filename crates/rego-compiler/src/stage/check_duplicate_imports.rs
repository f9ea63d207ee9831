//! Two imports must not bind one name.

use std::collections::HashMap;

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Module, Name};

use crate::errors::compile_error;
use crate::stages::Compilation;

/// Checks modules in Rego v1, and all of them in strict mode.
pub(crate) fn check_duplicate_imports(c: &mut Compilation<'_>) {
    for module in &c.modules {
        if c.options.strict || super::is_v1_compatible(module) {
            c.errors.all_recoverable(duplicates(module));
        }
    }
}

fn duplicates(module: &Module) -> Vec<Diagnostic> {
    let mut seen: HashMap<&Name, String> = HashMap::new();
    let mut found = Vec::new();
    for import in &module.imports {
        let Some(name) = import.name() else { continue };
        match seen.get(name) {
            Some(first) => {
                found.push(compile_error(import.span, format!("import must not shadow {first}")));
            }
            None => {
                seen.insert(name, import.to_string());
            }
        }
    }
    found
}
