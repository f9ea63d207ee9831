//! What a caller may choose.

use std::collections::BTreeSet;

use rego_builtins::Builtin;
use rego_syntax::ast::Ref;

use crate::text;

/// What becomes of calls of `print`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrintCalls {
    /// They are taken out.
    #[default]
    Erase,
    /// They stay, as calls of `internal.print`.
    Keep,
}

/// The choices for one compilation.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// OPA's strict mode: unused imports and variables, shadowed documents and deprecated functions are
    /// errors in every module.
    pub strict: bool,
    /// What becomes of calls of `print`.
    pub print: PrintCalls,
    /// After how many errors to stop; all are reported where there is no limit.
    pub error_limit: Option<usize>,
    /// The functions that may be called; all that OPA has where none are named.
    pub capabilities: Option<BTreeSet<String>>,
    /// Functions that must not be called.
    pub unsafe_builtins: BTreeSet<String>,
    /// Functions of the host beside those that OPA has; they win over one of the same name.
    pub host_builtins: Vec<&'static Builtin>,
    /// JSON schemas by their path below `schema`: that of the empty path says what `input` is, the others are for
    /// METADATA to refer to. Nothing is known of schemas that METADATA names where there is no list at all.
    pub schemas: Option<Vec<(Vec<String>, serde_json::Value)>>,
    /// The documents that will be there beside the rules; a rule must not define what one of them defines.
    pub documents: Option<rego_value::Value>,
    /// Rules whose names begin with `test_` are tests: of those with the same name each gets one of its own, and a
    /// test with a case in its head (`test_p[case]`) reports the case as soon as it is known.
    pub tests: bool,
}

impl Options {
    /// The built-in functions that may be used.
    pub(crate) fn builtins(&self) -> impl Iterator<Item = &'static Builtin> {
        let known = rego_builtins::all().iter().filter(|builtin| self.builtin_named(builtin.name).is_some());
        known.chain(&self.host_builtins).copied()
    }

    /// The built-in function with this name, if it may be used at all.
    pub(crate) fn builtin_named(&self, name: &str) -> Option<&'static Builtin> {
        if let Some(own) = self.host_builtins.iter().find(|builtin| builtin.name == name) {
            return Some(own);
        }
        let allowed = self.capabilities.as_ref().is_none_or(|names| names.contains(name));
        if allowed { rego_builtins::by_name(name) } else { None }
    }

    /// The built-in function with this name, whether it may be called in policies or not: the compiler's own rewriting
    /// calls some.
    pub(crate) fn any_builtin(&self, name: &str) -> Option<&'static Builtin> {
        self.builtin_named(name).or_else(|| rego_builtins::by_name(name))
    }

    /// The built-in function that an operator refers to.
    pub(crate) fn builtin(&self, operator: &Ref) -> Option<&'static Builtin> {
        self.builtin_named(&text::dotted(operator)?)
    }
}
