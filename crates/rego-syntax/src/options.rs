//! What the parser is told.

use crate::ast::RegoVersion;

/// How deep expressions may be nested, and how tall the tree of one may grow (`a + b + c` grows with each operator).
///
/// OPA allows 100,000 and has a stack that grows. Ours does not, and neither has what works on the tree.
pub const DEFAULT_MAX_DEPTH: u32 = 256;

/// What the parser is told. The default is what `opa check` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParserOptions {
    /// The language of the file, before its imports are seen.
    pub rego_version: RegoVersion,
    /// Keywords that count as imported.
    pub future_keywords: Vec<String>,
    /// All keywords count as imported.
    pub all_future_keywords: bool,
    /// The keywords that imports may name beside those that the language has anyway; all where there is no list. OPA
    /// lists them in its capabilities.
    pub known_future_keywords: Option<Vec<String>>,
    /// METADATA comments are read; without it they are comments.
    pub process_annotations: bool,
    /// Optional parts of the language.
    pub features: Features,
    /// See [`DEFAULT_MAX_DEPTH`].
    pub max_depth: u32,
    /// The names of the built-in functions, which a statement `name(x)` must not define.
    pub builtin_names: &'static [&'static str],
}

/// Optional parts of the language; OPA lists them in its capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// `keywords_in_refs`: `input.package`
    pub keywords_in_refs: bool,
    /// `template_strings`: `$"{x}"`
    pub template_strings: bool,
    /// `rego_v1_import`: `import rego.v1`
    pub rego_v1_import: bool,
    /// `rego_v2_import`: `import rego.v2`
    pub rego_v2_import: bool,
}

impl Features {
    /// The parts that a version of the language has: template strings are not in Rego v0.
    #[must_use]
    pub fn for_version(rego_version: RegoVersion) -> Self {
        let template_strings = matches!(rego_version, RegoVersion::V1 | RegoVersion::V2);
        Self { template_strings, ..Self::default() }
    }
}

impl Default for Features {
    fn default() -> Self {
        Self { keywords_in_refs: true, template_strings: true, rego_v1_import: true, rego_v2_import: true }
    }
}

impl Default for ParserOptions {
    fn default() -> Self {
        Self {
            rego_version: RegoVersion::V1,
            future_keywords: Vec::new(),
            all_future_keywords: false,
            known_future_keywords: None,
            process_annotations: true,
            features: Features::default(),
            max_depth: DEFAULT_MAX_DEPTH,
            builtin_names: &[],
        }
    }
}

impl ParserOptions {
    /// The options for a version of the language.
    #[must_use]
    pub fn for_version(rego_version: RegoVersion) -> Self {
        Self { rego_version, features: Features::for_version(rego_version), ..Self::default() }
    }
}
