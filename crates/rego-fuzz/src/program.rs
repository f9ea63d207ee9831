//! A program: a policy, what it is asked, and with what.

/// Stands for the name of the program's package in every text.
pub(crate) const PACKAGE: &str = "PKG";

/// A policy with its data and inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// Read as Rego v0.
    pub(crate) v0: bool,
    /// A failing built-in function is the error of the evaluation.
    pub(crate) strict: bool,
    /// The imports and rules, each of one or more lines.
    pub(crate) parts: Vec<String>,
    /// The documents in the package's path, as JSON.
    pub(crate) data: String,
    /// The inputs, as JSON; an empty text is no input.
    pub(crate) inputs: Vec<String>,
    /// The rules that are asked for; an empty name is the whole package.
    pub(crate) entries: Vec<String>,
}

impl Program {
    /// The policy as the package of that name.
    pub(crate) fn source(&self, package: &str) -> String {
        let parts = self.parts.join("\n\n");
        format!("package {PACKAGE}\n\n{parts}\n").replace(PACKAGE, package)
    }

    /// Its questions: an entry and an input each.
    pub(crate) fn questions(&self) -> impl Iterator<Item = (&str, &str)> {
        let with = |input| self.entries.iter().map(move |entry| (entry.as_str(), input));
        self.inputs.iter().map(String::as_str).flat_map(with)
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let version = if self.v0 { "v0" } else { "v1" };
        let strict = if self.strict { ", strict built-in errors" } else { "" };
        writeln!(f, "# Rego {version}{strict}\n{}", self.source("p").trim_end())?;
        write!(f, "# data.p: {}", self.data)
    }
}
