//! A query document against a schema: one walk over operations and fragments, and the rules of section 5 of the
//! GraphQL specification, each applied where its subject has been walked. Problems come in the order of the walk, and
//! at one place in the order of the rules' names, as in the library that OPA uses.

use std::collections::{HashMap, HashSet};

use super::ast::{
    Argument, ArgumentDefinition, Directive, Field, FieldDefinition, Fragment, Inline, Literal, LiteralKind,
    Operation, QueryDocument, Selection, Spread, Type, Variable,
};
use super::overlap::Overlap;
use super::problem::{Place, Problem};
use super::schema::{Schema, TypeInfo};

/// A check that goes on, or one that has taken too long.
pub(super) type Step<T = ()> = Result<T, Problem>;

/// Work on one document: visits, comparisons and lookups. Rules that follow fragments can take exponential time, which
/// is for this to end; the largest documents in use need a hundredth of it.
/// Fewer in unit tests, which are not optimised.
const MOST_STEPS: usize = if cfg!(test) { 100_000 } else { 1_000_000 };

/// How deep selections may be nested, those of fragments included.
pub(super) const MOST_WALKED: usize = 300;

/// What is known of a field from where it stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Known<'a> {
    /// The type that it is selected from.
    pub(super) parent: Option<&'a TypeInfo>,
    pub(super) definition: Option<&'a FieldDefinition>,
}

/// What is wanted of a literal.
#[derive(Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    pub(super) ty: Option<&'a Type>,
    /// The named type within `ty`.
    pub(super) info: Option<&'a TypeInfo>,
    /// There is a default that is not null.
    pub(super) has_default: bool,
}

/// All problems of a document; empty when it is valid.
pub(super) fn validate(schema: &Schema, document: &QueryDocument) -> Vec<Problem> {
    let mut walker = Walker::new(schema, document);
    if let Err(problem) = walker.walk() {
        walker.problems = vec![problem];
    }
    walker.problems
}

pub(super) struct Walker<'a> {
    pub(super) schema: &'a Schema,
    pub(super) document: &'a QueryDocument,
    pub(super) problems: Vec<Problem>,
    steps: usize,
    fragments: HashMap<&'a str, &'a Fragment>,
    known: HashMap<*const Field, Known<'a>>,
    /// The operation that is being walked, and its variables by name.
    pub(super) operation: Option<&'a Operation>,
    variables: HashMap<&'a str, &'a Variable>,
    /// Fragments that were walked within this operation or fragment.
    entered: HashSet<&'a str>,
    /// Variables that occur in the operation they belong to.
    pub(super) used: HashSet<*const Variable>,
    /// What a variable's occurrence referred to when an operation was last walked over it.
    pub(super) bound: HashMap<*const Literal, Option<&'a Variable>>,
    pub(super) overlap: Overlap<'a>,
    pub(super) seen: Seen<'a>,
}

/// What single rules remember.
#[derive(Default)]
pub(super) struct Seen<'a> {
    pub(super) misplaced: HashSet<(&'a str, Option<Place>)>,
    pub(super) followed: HashSet<&'a str>,
    pub(super) in_fragments: bool,
    pub(super) spread: HashSet<&'a str>,
    pub(super) fragments: HashSet<&'a str>,
    pub(super) operations: HashSet<&'a str>,
}

impl<'a> Walker<'a> {
    fn new(schema: &'a Schema, document: &'a QueryDocument) -> Self {
        let mut fragments = HashMap::new();
        for fragment in &document.fragments {
            fragments.entry(fragment.name.as_str()).or_insert(fragment);
        }
        Self {
            schema,
            document,
            problems: Vec::new(),
            steps: 0,
            fragments,
            known: HashMap::new(),
            operation: None,
            variables: HashMap::new(),
            entered: HashSet::new(),
            used: HashSet::new(),
            bound: HashMap::new(),
            overlap: Overlap::default(),
            seen: Seen::default(),
        }
    }

    pub(super) fn add(&mut self, at: Option<Place>, message: impl Into<String>) {
        self.problems.push(Problem::new(at, message));
    }

    /// Accounts for work.
    pub(super) fn spend(&mut self, steps: usize) -> Step {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MOST_STEPS { Err(Problem::too_complex()) } else { Ok(()) }
    }

    /// The first fragment of that name.
    pub(super) fn fragment(&self, name: &str) -> Option<&'a Fragment> {
        self.fragments.get(name).copied()
    }

    pub(super) fn known(&self, field: &'a Field) -> Known<'a> {
        self.known.get(&std::ptr::from_ref(field)).copied().unwrap_or_default()
    }

    fn walk(&mut self) -> Step {
        let document = self.document;
        for operation in &document.operations {
            self.learn(self.schema.root(&operation.kind), &operation.selections, 0)?;
        }
        for fragment in &document.fragments {
            self.learn(self.schema.get(&fragment.condition), &fragment.selections, 0)?;
        }
        for operation in &document.operations {
            self.entered.clear();
            self.walk_operation(operation)?;
        }
        self.operation = None;
        for fragment in &document.fragments {
            self.entered.clear();
            self.directives(&fragment.directives, "FRAGMENT_DEFINITION")?;
            self.selections(self.schema.get(&fragment.condition), &fragment.selections, 0)?;
            self.after_fragment(fragment)?;
        }
        Ok(())
    }

    /// Notes what each field is; that depends on nothing but where it stands in the text.
    fn learn(&mut self, parent: Option<&'a TypeInfo>, selections: &'a [Selection], depth: usize) -> Step {
        if depth > MOST_WALKED {
            return Err(Problem::too_complex());
        }
        for selection in selections {
            self.spend(1)?;
            match selection {
                Selection::Field(field) => {
                    let definition = if field.name == "__typename" {
                        Some(&self.schema.type_name)
                    } else {
                        parent.and_then(|parent| parent.field(&field.name))
                    };
                    self.known.insert(std::ptr::from_ref(field), Known { parent, definition });
                    let next = definition.and_then(|definition| self.schema.get(definition.ty.name()));
                    self.learn(next, &field.selections, depth + 1)?;
                }
                Selection::Inline(inline) => {
                    let next = self.inline_type(parent, inline);
                    self.learn(next, &inline.selections, depth + 1)?;
                }
                Selection::Spread(_) => {}
            }
        }
        Ok(())
    }

    fn inline_type(&self, parent: Option<&'a TypeInfo>, inline: &Inline) -> Option<&'a TypeInfo> {
        if inline.condition.is_empty() { parent } else { self.schema.get(&inline.condition) }
    }

    fn walk_operation(&mut self, operation: &'a Operation) -> Step {
        self.operation = Some(operation);
        self.variables.clear();
        for variable in &operation.variables {
            self.variables.entry(&variable.name).or_insert(variable);
            self.at_variable(variable);
        }
        let location = match operation.kind.as_str() {
            "" | "query" => "QUERY",
            "mutation" => "MUTATION",
            "subscription" => "SUBSCRIPTION",
            other => {
                return Err(Problem::new(operation.at, format!("got unknown operation type \"{other}\"")));
            }
        };
        for variable in &operation.variables {
            if let Some(default) = &variable.default {
                let info = self.schema.get(variable.ty.name());
                self.literal(default, Wanted { ty: Some(&variable.ty), info, has_default: false })?;
            }
            self.directives(&variable.directives, "VARIABLE_DEFINITION")?;
        }
        self.directives(&operation.directives, location)?;
        self.selections(self.schema.root(&operation.kind), &operation.selections, 0)?;
        self.after_operation(operation)?;
        self.operation = None;
        Ok(())
    }

    fn directives(&mut self, directives: &'a [Directive], location: &'static str) -> Step {
        for directive in directives {
            let definition = self.schema.directives.get(&directive.name);
            self.arguments(definition.map(|found| found.arguments.as_slice()), &directive.arguments)?;
            self.after_directive(directive, location)?;
        }
        self.after_directives(directives);
        Ok(())
    }

    fn arguments(
        &mut self,
        definitions: Option<&'a [ArgumentDefinition]>,
        arguments: &'a [Argument],
    ) -> Step {
        for argument in arguments {
            let definition = match definitions {
                Some(definitions) => self.argument_definition(definitions, &argument.name)?,
                None => None,
            };
            let wanted = definition.map_or_else(Wanted::default, |definition| {
                self.wanted(&definition.ty, definition.default.as_ref())
            });
            self.literal(&argument.value, wanted)?;
        }
        Ok(())
    }

    pub(super) fn argument_definition(
        &mut self,
        definitions: &'a [ArgumentDefinition],
        name: &str,
    ) -> Step<Option<&'a ArgumentDefinition>> {
        self.spend(definitions.len() / 8)?;
        Ok(definitions.iter().find(|definition| definition.name == name))
    }

    fn wanted(&self, ty: &'a Type, default: Option<&Literal>) -> Wanted<'a> {
        let has_default = default.is_some_and(|default| default.kind != LiteralKind::Null);
        Wanted { ty: Some(ty), info: self.schema.get(ty.name()), has_default }
    }

    fn literal(&mut self, literal: &'a Literal, wanted: Wanted<'a>) -> Step {
        self.spend(1)?;
        match literal.kind {
            LiteralKind::Variable if self.operation.is_some() => {
                let variable = self.variables.get(literal.raw.as_str()).copied();
                if let Some(variable) = variable {
                    self.used.insert(std::ptr::from_ref(variable));
                }
                self.bound.insert(std::ptr::from_ref(literal), variable);
            }
            LiteralKind::Object => {
                for child in &literal.children {
                    let field = wanted.info.and_then(|info| info.field(&child.name));
                    let inner = field
                        .map_or_else(Wanted::default, |field| self.wanted(&field.ty, field.default.as_ref()));
                    self.literal(&child.value, inner)?;
                }
            }
            LiteralKind::List => {
                let inner = match wanted.ty.and_then(Type::element) {
                    Some(element) => Wanted { ty: Some(element), info: wanted.info, has_default: false },
                    None => Wanted::default(),
                };
                for child in &literal.children {
                    self.literal(&child.value, inner)?;
                }
            }
            _ => {}
        }
        self.after_literal(literal, wanted)
    }

    fn selections(
        &mut self,
        parent: Option<&'a TypeInfo>,
        selections: &'a [Selection],
        depth: usize,
    ) -> Step {
        if depth > MOST_WALKED {
            return Err(Problem::too_complex());
        }
        for selection in selections {
            self.spend(1)?;
            match selection {
                Selection::Field(field) => self.field(field, depth)?,
                Selection::Inline(inline) => {
                    let next = self.inline_type(parent, inline);
                    self.directives(&inline.directives, "INLINE_FRAGMENT")?;
                    self.selections(next, &inline.selections, depth + 1)?;
                    self.after_inline(inline, parent)?;
                }
                Selection::Spread(spread) => self.spread(spread, parent, depth)?,
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Field, depth: usize) -> Step {
        let known = self.known(field);
        self.arguments(known.definition.map(|found| found.arguments.as_slice()), &field.arguments)?;
        self.directives(&field.directives, "FIELD")?;
        let next = known.definition.and_then(|definition| self.schema.get(definition.ty.name()));
        self.selections(next, &field.selections, depth + 1)?;
        self.after_field(field, known)
    }

    fn spread(&mut self, spread: &'a Spread, parent: Option<&'a TypeInfo>, depth: usize) -> Step {
        self.directives(&spread.directives, "FRAGMENT_SPREAD")?;
        if let Some(fragment) = self.fragment(&spread.name)
            && self.entered.insert(&fragment.name)
        {
            self.directives(&fragment.directives, "FRAGMENT_DEFINITION")?;
            let next = self.schema.get(&fragment.condition);
            self.selections(next, &fragment.selections, depth + 1)?;
        }
        self.after_spread(spread, parent)
    }
}
