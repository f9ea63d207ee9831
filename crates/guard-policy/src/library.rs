//! The Rego library of `rego/`, which generated policies import.

/// One module of Rego.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegoModule {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl RegoModule {
    /// Its file name, relative to the root of a bundle, such as `guardrails/policies/api_budget.rego`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text, as `opa fmt` would write it.
    pub fn text(&self) -> &str {
        &self.text
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
    let module = |(name, text): &(&str, &str)| RegoModule {
        name: format!("hexarch/{name}.rego"),
        text: (*text).to_owned(),
    };
    PACKAGES.iter().map(module).collect()
}
