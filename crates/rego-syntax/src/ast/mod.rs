//! The syntax tree. It has the shape of OPA's `ast` package, so that the stages of OPA's compiler carry over.
//!
//! Nodes are owned and may be rewritten in place. Equality and order are structural: spans, `generated` flags and
//! the like do not count.

mod annotation;
mod display;
mod expr;
mod json;
mod module;
mod name;
mod number;
mod term;
pub mod visit;

pub use annotation::{
    AnnotationTarget, Annotations, Author, CompileAnnotation, RelatedResource, SchemaAnnotation,
};
pub use display::{infix_symbol, is_var_compatible, quote};
pub use expr::{Body, Every, Expr, ExprKind, Logical, Not, SomeDecl, With};
pub use json::{body_to_json, module_to_json, rules_to_json, terms_to_json, value_to_json};
pub use module::{
    Comment, DocKind, Head, HeadKeywords, Import, Module, Package, RegoVersion, Rule, RuleKind,
};
pub use name::Name;
pub use number::Number;
pub use term::{ArrayComp, ObjectComp, Ref, SetComp, TemplatePart, TemplateString, Term, Value};
