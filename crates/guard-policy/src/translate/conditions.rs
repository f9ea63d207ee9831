//! Which calls a rule is about, as conditions of Rego and as words.

use crate::model::{Matches, Pattern};

use super::text::{enumerated, list, quoted};

/// A field that a rule looks at: its name in `input`, in words, and the patterns.
struct Field<'a> {
    name: &'static str,
    words: &'static str,
    patterns: &'a [Pattern],
}

impl Matches {
    fn fields(&self) -> Vec<Field<'_>> {
        let field = |name, words, patterns| Field { name, words, patterns };
        let all = [
            field("operation", "operation", &self.operation),
            field("resource", "resource", &self.resource),
            field("resource_type", "resource type", &self.resource_types),
            field("model", "model", &self.model),
            field("feature", "feature", &self.feature),
        ];
        all.into_iter().filter(|field: &Field<'_>| field.narrows()).collect()
    }

    /// The fields of `input` that a call has to say for the rule to be about it.
    pub(super) fn read_fields(&self) -> Vec<&'static str> {
        self.fields().iter().map(|field| field.name).collect()
    }

    /// The conditions of a rule's body.
    pub(super) fn conditions(&self) -> Vec<String> {
        self.fields().iter().map(|field| condition(field.name, field.patterns)).collect()
    }

    /// In words: `operation `delete` on resource `prod-*``; `every call` where nothing is narrowed.
    pub(super) fn words(&self) -> String {
        let fields = self.fields();
        if fields.is_empty() {
            return "every call".to_owned();
        }
        let told = fields.iter().map(|field| {
            let names: Vec<String> = field.patterns.iter().map(|Pattern(text)| format!("`{text}`")).collect();
            format!("{} {}", field.words, enumerated(&names, "or"))
        });
        told.collect::<Vec<_>>().join(", ")
    }

    /// The same without the model.
    pub(crate) fn without_model(&self) -> Self {
        Self { model: Vec::new(), ..self.clone() }
    }
}

impl Field<'_> {
    fn narrows(&self) -> bool {
        !self.patterns.is_empty() && self.patterns.iter().all(|Pattern(text)| text != "*" && text != "**")
    }
}

/// What a pattern amounts to. Most are names, beginnings or ends, which read better as such and are faster.
enum Shape<'a> {
    Exact(String),
    Beginning(&'a str),
    End(&'a str),
    Glob,
}

fn shape(pattern: &str) -> Shape<'_> {
    const SPECIAL: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];
    let plain = |text: &str| !text.contains(SPECIAL);
    if plain(pattern) {
        return Shape::Exact(pattern.to_owned());
    }
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(beginning), _) if plain(beginning) => Shape::Beginning(beginning),
        (_, Some(end)) if plain(end) => Shape::End(end),
        _ => Shape::Glob,
    }
}

/// The field fits one of the patterns.
fn condition(field: &str, patterns: &[Pattern]) -> String {
    let shapes: Vec<Shape<'_>> = patterns.iter().map(|Pattern(text)| shape(text)).collect();
    match shapes.as_slice() {
        [Shape::Exact(name)] => return format!("input.{field} == {}", quoted(name)),
        [Shape::Beginning(text)] => return format!("startswith(input.{field}, {})", quoted(text)),
        [Shape::End(text)] => return format!("endswith(input.{field}, {})", quoted(text)),
        _ => {}
    }
    let items: Vec<String> = patterns.iter().map(|Pattern(text)| quoted(text)).collect();
    if shapes.iter().all(|shape| matches!(shape, Shape::Exact(_))) {
        return format!("input.{field} in {}", list('{', &items, '}', 1));
    }
    matches_call(field, &items)
}

fn matches_call(field: &str, items: &[String]) -> String {
    format!("calls.matches({}, {})", quoted(field), list('[', items, ']', 1))
}

/// The field fits none of the patterns, or is missing.
pub(super) fn fits_none(field: &str, patterns: &[Pattern]) -> String {
    let items: Vec<String> = patterns.iter().map(|Pattern(text)| quoted(text)).collect();
    format!("not {}", matches_call(field, &items))
}
