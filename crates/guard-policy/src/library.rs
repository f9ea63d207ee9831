//! The Rego library of `rego/`, which generated policies import.

/// One module of Rego.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegoModule {
    pub(crate) name: String,
    pub(crate) text: String,
    /// What an author wrote it as: the name and the text that diagnostics are to point into.
    pub(crate) written: Option<Written>,
}

/// A module as its author has it before them. It means the same as the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The file that it stands in.
    pub(crate) name: String,
    pub(crate) text: String,
    /// How many lines of the file stand before it.
    pub(crate) skip: usize,
}

impl RegoModule {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), written: None }
    }

    /// Its file name, relative to the root of a bundle, such as `guardrails/policies/api_budget.rego`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text, as `opa fmt` would write it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name and a text of the same meaning in which what is wrong has the file and the line that its author knows: of a
    /// policy in Rego those of its file, or of the hexarch.yaml that it stands in. None of every other module. The text has
    /// as many empty lines as stand before it, so it is for those modules that something is wrong with.
    pub fn as_written(&self) -> Option<(&str, String)> {
        let Written { name, text, skip } = self.written.as_ref()?;
        Some((name, format!("{}{text}", "\n".repeat(*skip))))
    }
}

/// The packages `hexarch.<name>` and their texts.
pub(crate) const PACKAGES: &[(&str, &str)] = &[
    ("callers", include_str!("../../../rego/callers.rego")),
    ("calls", include_str!("../../../rego/calls.rego")),
    ("conditions", include_str!("../../../rego/conditions.rego")),
    ("decisions", include_str!("../../../rego/decisions.rego")),
    ("hours", include_str!("../../../rego/hours.rego")),
    ("limits", include_str!("../../../rego/limits.rego")),
    ("loops", include_str!("../../../rego/loops.rego")),
    ("parameters", include_str!("../../../rego/parameters.rego")),
    ("windows", include_str!("../../../rego/windows.rego")),
];

/// The library as modules.
pub fn library() -> Vec<RegoModule> {
    let module = |(name, text): &(&str, &str)| RegoModule::new(format!("hexarch/{name}.rego"), *text);
    PACKAGES.iter().map(module).collect()
}

/// What a package of the library defines for others: the names in its text that do not begin with `_`.
pub(crate) fn offered(package: &str) -> Vec<&'static str> {
    let text = PACKAGES.iter().find(|(name, _)| *name == package).map_or("", |(_, text)| text);
    let mut names: Vec<&str> = text.split("\n\n").filter_map(defined).collect();
    names.retain(|name| !name.starts_with('_'));
    names.dedup();
    names
}

/// The name that a block of the library's text defines, if it is a definition.
pub(crate) fn defined(block: &str) -> Option<&str> {
    let line = block.lines().find(|line| !line.starts_with('#'))?;
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(line.len());
    let name = line.get(..end)?;
    let keyword = matches!(name, "package" | "import" | "");
    (!keyword && !line.starts_with(char::is_whitespace)).then_some(name)
}
