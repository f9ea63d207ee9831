//! What METADATA comments say.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Ref;
use crate::span::Span;

/// A METADATA block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotations {
    /// The YAML text: the comment lines behind `# METADATA`, without their `#`.
    pub text: String,
    /// `rule`, `document`, `package` or `subpackages`. Where it is not written it follows from the target.
    pub scope: String,
    /// `title`
    pub title: String,
    /// `description`
    pub description: String,
    /// `entrypoint`
    pub entrypoint: bool,
    /// `organizations`
    pub organizations: Vec<String>,
    /// `related_resources`
    pub related_resources: Vec<RelatedResource>,
    /// `authors`
    pub authors: Vec<Author>,
    /// `schemas`
    pub schemas: Vec<SchemaAnnotation>,
    /// `compile`
    pub compile: Option<CompileAnnotation>,
    /// `custom`
    pub custom: BTreeMap<String, Json>,
    /// `labels`
    pub labels: BTreeMap<String, Json>,
    /// What the block stands above.
    pub target: AnnotationTarget,
    /// Row of the last line, from 1.
    pub end_row: u32,
    /// The `# METADATA` comment.
    pub span: Span,
}

/// The statement that a METADATA block stands above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnnotationTarget {
    /// Nothing follows.
    #[default]
    None,
    /// The package.
    Package,
    /// An import, by its index in the module.
    Import(usize),
    /// A rule, by its index in the module.
    Rule(usize),
}

/// An entry of `related_resources`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedResource {
    /// The URL as it is written.
    pub reference: String,
    /// `description`
    pub description: String,
}

/// An entry of `authors`; at least one of the fields is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address, without angle brackets.
    pub email: String,
}

/// An entry of `schemas`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaAnnotation {
    /// Which document the schema describes.
    pub path: Ref,
    /// The schema's name, `schema.x`.
    pub schema: Option<Ref>,
    /// The schema itself.
    pub definition: Option<Json>,
}

/// `compile`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompileAnnotation {
    /// `unknowns`
    pub unknowns: Vec<Ref>,
    /// `mask_rule`
    pub mask_rule: Option<Ref>,
}
