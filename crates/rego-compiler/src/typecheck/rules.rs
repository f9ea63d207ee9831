//! The types of rules.

use std::sync::Arc;

use rego_syntax::ast::{Annotations, Ref, Rule, RuleKind, SchemaAnnotation, Term, Value};
use rego_syntax::{Diagnostic, Span};

use super::Checker;
use super::schema::type_of_schema;
use crate::errors::type_error;
use crate::types::{FunctionType, Key, Maybe, Param, Type};
use crate::visit::{self, Node};

/// How many steps of a rule's reference may vary before its type is left open.
const MAX_VARYING: usize = 128;

impl Checker<'_> {
    /// Checks a rule (without its `else`), and remembers the type of what it defines. `path` is its reference
    /// from `data` on.
    /// The schemas of `blocks` say what documents are for this rule.
    pub(crate) fn check_rule(&mut self, rule: &Rule, path: &Ref, blocks: &[&Annotations]) -> Vec<Diagnostic> {
        self.comprehensions.clear();
        let depth = self.layers.len();
        let mut found = self.push_schemas(blocks, rule.span);
        let errors = self.body(&rule.body);
        let ty = if errors.is_empty() { self.type_of_rule(rule, path) } else { None };
        self.layers.truncate(depth);
        if !errors.is_empty() {
            // What refers to the rule must not be reported for it.
            self.forget_rule(path);
        } else if let Some(ty) = ty {
            self.insert_rule(&path.ground_prefix(), &ty);
        }
        found.extend(errors);
        found
    }

    /// Adds a layer with what the schemas say of documents.
    fn push_schemas(&mut self, blocks: &[&Annotations], span: Span) -> Vec<Diagnostic> {
        self.push_tree(Arc::default());
        let layer = self.layers.len() - 1;
        let mut found = Vec::new();
        for schema in blocks.iter().flat_map(|block| &block.schemas) {
            let definition = match self.definition(schema) {
                Ok(Some(definition)) => definition,
                Ok(None) => continue,
                Err(message) => {
                    found.push(type_error(span, message));
                    continue;
                }
            };
            let ty = match type_of_schema(&definition) {
                Ok(ty) => ty,
                Err(message) => {
                    found.push(type_error(span, message));
                    continue;
                }
            };
            let Some((document, steps)) = schema.path.split_first() else { continue };
            if steps.len() > MAX_VARYING {
                continue;
            }
            let above = self.get_ref(&Ref(vec![document.clone()]));
            let ty = override_at(above, steps, ty);
            self.change(layer, |tree| tree.put(std::slice::from_ref(document), Some(ty)));
        }
        found
    }

    /// The schema that METADATA gives or names. One that is named says nothing where the caller gave none at all.
    fn definition(&self, schema: &SchemaAnnotation) -> Result<Option<serde_json::Value>, String> {
        let Some(path) = &schema.schema else { return Ok(schema.definition.clone()) };
        let Some(schemas) = &self.schemas else { return Ok(None) };
        let steps = path.iter().skip(1).map(|step| step.as_string().map(ToString::to_string));
        let known = steps.collect::<Option<Vec<String>>>().and_then(|steps| schemas.get(&steps));
        match known {
            Some(known) => Ok(Some(known.clone())),
            None => Err(format!("undefined schema: {}", crate::text::of_ref(path))),
        }
    }

    fn type_of_rule(&mut self, rule: &Rule, path: &Ref) -> Maybe {
        let head = &rule.head;
        let value = head.value.as_ref().map(|value| &value.value);
        if !head.args.is_empty() {
            head.args.iter().for_each(|arg| self.open_vars_are_any(arg));
            let params = head.args.iter().map(|arg| Param::unnamed(self.get(&arg.value))).collect();
            let result = value.and_then(|value| self.get(value));
            let result = result.map(|ty| Param::unnamed(Some(ty)));
            return Some(Type::Function(Arc::new(FunctionType { params, result, variadic: None })));
        }
        let inner = match head.rule_kind() {
            RuleKind::SingleValue => value.and_then(|value| self.get(value)),
            RuleKind::MultiValue => {
                let element = head.key.as_ref().and_then(|key| self.get(&key.value));
                element.map(|element| Type::set(Some(element)))
            }
        };
        let varying = path.get(path.dynamic().unwrap_or(path.len())..).unwrap_or_default();
        self.nested(varying, inner)
    }

    /// An object for each step of a reference from the first that varies on.
    fn nested(&mut self, steps: &[Term], inner: Maybe) -> Maybe {
        if steps.len() > MAX_VARYING {
            return Some(Type::any());
        }
        steps.iter().rev().try_fold(inner?, |inner, step| {
            let key = self.get(&step.value)?;
            Some(Type::object(Vec::new(), Some((Some(key), Some(inner)))))
        })
    }

    /// Arguments that the body says nothing about can be anything.
    fn open_vars_are_any(&mut self, arg: &Term) {
        visit::walk_terms(Node::Term(arg), &mut |term| {
            if let Value::Var(name) = &term.value
                && self.get(&term.value).is_none()
            {
                self.put_var(name, Some(Type::any()));
            }
            false
        });
    }
}

/// The type of a document in which what the steps lead to has another type.
fn override_at(document: Maybe, steps: &[Term], ty: Type) -> Type {
    let Some((step, rest)) = steps.split_first() else { return ty };
    let Some(key) = Key::of_constant(&step.value) else { return Type::any() };
    let (mut fixed, dynamic) = match &document {
        Some(Type::Object(object)) => (object.fixed.clone(), object.rest.clone()),
        _ => (Vec::new(), Some((Some(Type::any()), Some(Type::any())))),
    };
    match fixed.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = Some(override_at(known.take(), rest, ty)),
        None => fixed.push((key, Some(override_at(None, rest, ty)))),
    }
    Type::object(fixed, dynamic)
}
