//! Texts that messages quote.

use rego_syntax::ast::{Name, Package, Ref, Term};

/// The text of some steps as a reference: `data.a["b c"][x]`.
pub(crate) fn of_ref(steps: &[Term]) -> String {
    Ref(steps.to_vec()).to_string()
}

/// The text of a package: `package a.b`.
pub(crate) fn of_package(package: &Package) -> String {
    format!("package {}", of_ref(package.path.steps()))
}

/// A variable as the source writes it.
pub(crate) fn of_var(name: &Name) -> &str {
    if name.is_wildcard() { "_" } else { name }
}

/// The dotted name of a reference, if all its steps can be written with a dot.
pub(crate) fn dotted(reference: &Ref) -> Option<String> {
    let mut out = reference.head_var()?.to_string();
    for step in reference.steps() {
        let step = step.as_string()?;
        if step.contains('.') {
            return None;
        }
        out.push('.');
        out.push_str(step);
    }
    Some(out)
}
