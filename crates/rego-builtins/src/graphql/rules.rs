//! The rules for operations, fields, fragments and directives. Each function holds those of one place.

use std::collections::{HashMap, HashSet};

use super::ast::{
    Argument, Directive, Field, FieldDefinition, Fragment, Inline, Operation, Selection, Spread, Variable,
    kind,
};
use super::problem::{Place, Problem};
use super::schema::TypeInfo;
use super::suggest::{nearest, quoted_list, suggestion};
use super::validate::{Known, MOST_WALKED, Step, Walker};
use crate::gofmt::quote;

impl<'a> Walker<'a> {
    /// KnownTypeNames
    pub(super) fn at_variable(&mut self, variable: &'a Variable) {
        let name = variable.ty.name();
        if self.schema.get(name).is_none() {
            self.add(variable.at, format!("Unknown type \"{name}\"."));
        }
    }

    pub(super) fn after_operation(&mut self, operation: &'a Operation) -> Step {
        let at = operation.at;
        // KnownRootType
        if self.schema.root(&operation.kind).is_none() {
            let kind = &operation.kind;
            self.add(at, format!("Schema does not support operation type \"{kind}\""));
        }
        // LoneAnonymousOperation
        if operation.name.is_empty() && self.document.operations.len() > 1 {
            self.add(at, "This anonymous operation must be the only defined operation.");
        }
        self.unused_variables(operation);
        self.overlapping_fields(&operation.selections)?;
        self.single_subscription(operation)?;
        // UniqueOperationNames
        if !self.seen.operations.insert(&operation.name) {
            self.add(at, format!("There can be only one operation named \"{}\".", operation.name));
        }
        // UniqueVariableNames, once for each name
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for variable in &operation.variables {
            let count = seen.entry(&variable.name).or_default();
            *count += 1;
            if *count == 2 {
                self.add(
                    variable.at,
                    format!("There can be only one variable named \"${}\".", variable.name),
                );
            }
        }
        // VariablesAreInputTypes
        for variable in &operation.variables {
            let info = self.schema.get(variable.ty.name());
            if info.is_some_and(|info| !info.definition().is_input()) {
                let Variable { name, ty, at, .. } = variable;
                self.add(*at, format!("Variable \"${name}\" cannot be non-input type \"{ty}\"."));
            }
        }
        Ok(())
    }

    /// NoUnusedVariables
    fn unused_variables(&mut self, operation: &'a Operation) {
        for variable in &operation.variables {
            if variable.used || self.used.contains(&std::ptr::from_ref(variable)) {
                continue;
            }
            let place = match operation.name.as_str() {
                "" => String::new(),
                name => format!(" in operation \"{name}\""),
            };
            self.add(variable.at, format!("Variable \"${}\" is never used{place}.", variable.name));
        }
    }

    /// SingleFieldSubscriptions
    fn single_subscription(&mut self, operation: &'a Operation) -> Step {
        if operation.kind != "subscription" || self.schema.root("subscription").is_none() {
            return Ok(());
        }
        let mut fields: Vec<(&str, Option<Place>)> = Vec::new();
        self.top_fields(&operation.selections, &mut HashSet::new(), &mut fields, 0)?;
        let mut seen = HashSet::new();
        fields.retain(|(name, _)| seen.insert(*name));
        let subject = match operation.name.as_str() {
            "" => "Anonymous Subscription".to_owned(),
            name => format!("Subscription {}", quote(name)),
        };
        if let [_, (_, at), ..] = fields.as_slice() {
            self.add(*at, format!("{subject} must select only one top level field."));
        }
        for (name, at) in fields {
            if name.starts_with("__") {
                self.add(at, format!("{subject} must not select an introspection top level field."));
            }
        }
        Ok(())
    }

    fn top_fields(
        &mut self,
        selections: &'a [Selection],
        entered: &mut HashSet<&'a str>,
        fields: &mut Vec<(&'a str, Option<Place>)>,
        depth: usize,
    ) -> Step {
        if depth > MOST_WALKED {
            return Err(Problem::too_complex());
        }
        for selection in selections {
            self.spend(1)?;
            match selection {
                Selection::Field(field) => fields.push((&field.name, field.at)),
                Selection::Inline(inline) => {
                    self.top_fields(&inline.selections, entered, fields, depth + 1)?;
                }
                Selection::Spread(spread) => {
                    let Some(fragment) = self.fragment(&spread.name) else { return Ok(()) };
                    if entered.insert(&fragment.name) {
                        self.top_fields(&fragment.selections, entered, fields, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn after_field(&mut self, field: &'a Field, known: Known<'a>) -> Step {
        match (known.parent, known.definition) {
            (Some(parent), None) => self.unknown_field(field, parent)?,
            (Some(parent), Some(definition)) => {
                let on = format!("field \"{}.{}\"", parent.definition().name, field.name);
                self.unknown_arguments(&field.arguments, definition, &on, field.at)?;
            }
            _ => {}
        }
        // MaxIntrospectionDepth
        if ["__schema", "__type"].contains(&field.name.as_str())
            && self.too_many_lists(field, &mut HashSet::new(), 0, 0)?
        {
            self.add(field.at, "Maximum introspection depth exceeded");
        }
        // Fragments are compared where they are spread.
        if self.operation.is_some() {
            self.overlapping_fields(&field.selections)?;
        }
        if let Some(definition) = known.definition {
            self.required_arguments(field, definition)?;
            self.leaf(field, definition);
        }
        self.unique_arguments(&field.arguments);
        Ok(())
    }

    /// FieldsOnCorrectType
    fn unknown_field(&mut self, field: &'a Field, parent: &'a TypeInfo) -> Step {
        let definition = parent.definition();
        let mut message = format!("Cannot query field \"{}\" on type \"{}\".", field.name, definition.name);
        let types = self.types_with_field(&field.name, parent)?;
        if !types.is_empty() {
            let list = quoted_list(&types);
            message.push_str(&format!(" Did you mean to use an inline fragment on {list}?"));
        } else if [kind::OBJECT, kind::INTERFACE].contains(&definition.kind.as_str()) {
            self.spend(definition.fields.len())?;
            let near = nearest(&field.name, definition.fields.iter().map(|field| field.name.as_str()));
            if !near.is_empty() {
                message.push_str(&format!(" Did you mean {}?", quoted_list(&near)));
            }
        }
        self.add(field.at, message);
        Ok(())
    }

    /// The possible types of an abstract one that have the field, and interfaces of theirs that have it, the most
    /// frequent first.
    fn types_with_field(&mut self, name: &str, parent: &'a TypeInfo) -> Step<Vec<&'a str>> {
        if !parent.definition().is_abstract() {
            return Ok(Vec::new());
        }
        let (mut objects, mut interfaces) = (Vec::new(), Vec::new());
        let mut count: HashMap<&str, usize> = HashMap::new();
        let schema = self.schema;
        for possible in schema.possible_types(&parent.definition().name) {
            self.spend(1)?;
            let Some(info) = schema.get(possible).filter(|info| info.field(name).is_some()) else { continue };
            objects.push(possible.as_str());
            for interface in &info.definition().interfaces {
                self.spend(1)?;
                if schema.get(interface).is_some_and(|info| info.field(name).is_some()) {
                    let count = count.entry(interface).or_default();
                    if *count == 0 {
                        interfaces.push(interface.as_str());
                    }
                    *count += 1;
                }
            }
        }
        interfaces.extend(objects);
        let of = |name: &str| count.get(name).copied().unwrap_or_default();
        interfaces.sort_by(|a, b| of(b).cmp(&of(a)).then_with(|| a.cmp(b)));
        Ok(interfaces)
    }

    /// KnownArgumentNames, of fields
    fn unknown_arguments(
        &mut self,
        arguments: &'a [Argument],
        definition: &'a FieldDefinition,
        on: &str,
        at: Option<Place>,
    ) -> Step {
        for argument in arguments {
            if self.argument_definition(&definition.arguments, &argument.name)?.is_none() {
                let known = definition.arguments.iter().map(|argument| argument.name.as_str());
                let hint = suggestion("Did you mean", &argument.name, known, true);
                self.add(at, format!("Unknown argument \"{}\" on {on}.{hint}", argument.name));
            }
        }
        Ok(())
    }

    /// Whether three of the lists that lead from type to type in an introspection query are nested.
    fn too_many_lists(
        &mut self,
        field: &'a Field,
        within: &mut HashSet<&'a str>,
        lists: usize,
        depth: usize,
    ) -> Step<bool> {
        const LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];
        let lists = lists + usize::from(LISTS.contains(&field.name.as_str()));
        if lists >= 3 {
            return Ok(true);
        }
        self.too_many_lists_in(&field.selections, within, lists, depth)
    }

    fn too_many_lists_in(
        &mut self,
        selections: &'a [Selection],
        within: &mut HashSet<&'a str>,
        lists: usize,
        depth: usize,
    ) -> Step<bool> {
        if depth > MOST_WALKED {
            return Err(Problem::too_complex());
        }
        for selection in selections {
            self.spend(1)?;
            let found = match selection {
                Selection::Field(field) => self.too_many_lists(field, within, lists, depth + 1)?,
                Selection::Inline(inline) => {
                    self.too_many_lists_in(&inline.selections, within, lists, depth + 1)?
                }
                Selection::Spread(spread) => match self.fragment(&spread.name) {
                    Some(fragment) if within.insert(&fragment.name) => {
                        let found = self.too_many_lists_in(&fragment.selections, within, lists, depth + 1)?;
                        within.remove(fragment.name.as_str());
                        found
                    }
                    _ => false,
                },
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// ProvidedRequiredArguments, of fields
    fn required_arguments(&mut self, field: &'a Field, definition: &'a FieldDefinition) -> Step {
        for argument in definition.arguments.iter().filter(|argument| argument.is_required()) {
            self.spend(field.arguments.len() / 8)?;
            if field.arguments.iter().any(|given| given.name == argument.name) {
                continue;
            }
            let message = format!(
                "Field \"{}\" argument \"{}\" of type \"{}\" is required, but it was not provided.",
                field.name, argument.name, argument.ty
            );
            self.add(field.at, message);
        }
        Ok(())
    }

    /// ScalarLeafs
    fn leaf(&mut self, field: &'a Field, definition: &'a FieldDefinition) {
        let Some(info) = self.schema.get(definition.ty.name()) else { return };
        let (leaf, name) = (info.definition().is_leaf(), &field.name);
        if leaf && !field.selections.is_empty() {
            let ty = &info.definition().name;
            let message =
                format!("Field \"{name}\" must not have a selection since type \"{ty}\" has no subfields.");
            self.add(field.at, message);
        }
        if !leaf && field.selections.is_empty() {
            let message = format!(
                "Field \"{name}\" of type \"{}\" must have a selection of subfields. Did you mean \"{name} {{ ... }}\"?",
                definition.ty
            );
            self.add(field.at, message);
        }
    }

    /// UniqueArgumentNames, once for each name
    fn unique_arguments(&mut self, arguments: &'a [Argument]) {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for argument in arguments {
            let count = seen.entry(&argument.name).or_default();
            *count += 1;
            if *count == 2 {
                self.add(argument.at, format!("There can be only one argument named \"{}\".", argument.name));
            }
        }
    }

    pub(super) fn after_directive(&mut self, directive: &'a Directive, location: &'static str) -> Step {
        let Directive { name, at, .. } = directive;
        let definition = self.schema.directives.get(name);
        // KnownArgumentNames
        if let Some(definition) = definition {
            for argument in &directive.arguments {
                if self.argument_definition(&definition.arguments, &argument.name)?.is_none() {
                    let known = definition.arguments.iter().map(|argument| argument.name.as_str());
                    let hint = suggestion("Did you mean", &argument.name, known, true);
                    let message =
                        format!("Unknown argument \"{}\" on directive \"@{name}\".{hint}", argument.name);
                    self.add(*at, message);
                }
            }
        }
        // KnownDirectives
        match definition {
            None => self.add(*at, format!("Unknown directive \"@{name}\".")),
            Some(definition) => {
                let allowed = definition.locations.iter().any(|allowed| allowed == location);
                if !allowed && self.seen.misplaced.insert((name, *at)) {
                    self.add(*at, format!("Directive \"@{name}\" may not be used on {location}."));
                }
            }
        }
        // ProvidedRequiredArguments
        for argument in definition.into_iter().flat_map(|found| &found.arguments) {
            if argument.is_required() && directive.arguments.iter().all(|given| given.name != argument.name) {
                let message = format!(
                    "Directive \"@{name}\" argument \"{}\" of type \"{}\" is required, but it was not provided.",
                    argument.name, argument.ty
                );
                self.add(*at, message);
            }
        }
        self.unique_arguments(&directive.arguments);
        Ok(())
    }

    /// UniqueDirectivesPerLocation
    pub(super) fn after_directives(&mut self, directives: &'a [Directive]) {
        let mut seen: HashSet<&str> = HashSet::new();
        for Directive { name, at, .. } in directives {
            let repeatable = self.schema.directives.get(name).is_some_and(|found| found.repeatable);
            if !seen.insert(name) && !repeatable {
                self.add(*at, format!("The directive \"@{name}\" can only be used once at this location."));
            }
        }
    }

    pub(super) fn after_inline(&mut self, inline: &'a Inline, parent: Option<&'a TypeInfo>) -> Step {
        let Inline { condition, at, .. } = inline;
        let info = self.schema.get(condition);
        // FragmentsOnCompositeTypes
        if info.is_some_and(|info| !info.definition().is_composite()) {
            self.add(*at, format!("Fragment cannot condition on non composite type \"{condition}\"."));
        }
        // KnownTypeNames
        if !condition.is_empty() && info.is_none() {
            self.add(*at, format!("Unknown type \"{condition}\"."));
        }
        self.overlapping_fields(&inline.selections)?;
        // PossibleFragmentSpreads
        if let Some(parent) = parent
            && self.is_impossible(parent, condition)?
        {
            let of = &parent.definition().name;
            let message = format!(
                "Fragment cannot be spread here as objects of type \"{of}\" can never be of type \"{condition}\"."
            );
            self.add(*at, message);
        }
        Ok(())
    }

    /// Whether nothing of a type can be of another one.
    fn is_impossible(&mut self, parent: &'a TypeInfo, condition: &'a str) -> Step<bool> {
        let parent = parent.definition();
        let of = self.schema.get(condition).map(TypeInfo::definition);
        let Some(of) = of.filter(|of| of.is_composite() && parent.is_composite()) else {
            return Ok(false);
        };
        if parent.kind == kind::OBJECT {
            return Ok(!self.schema.is_possible(&of.name, &parent.name));
        }
        let possible = self.schema.possible_types(&parent.name);
        self.spend(possible.len() / 8)?;
        Ok(!possible.iter().any(|name| self.schema.is_possible(&of.name, name)))
    }

    pub(super) fn after_spread(&mut self, spread: &'a Spread, parent: Option<&'a TypeInfo>) -> Step {
        let Spread { name, at, .. } = spread;
        let fragment = self.fragment(name);
        // KnownFragmentNames
        if fragment.is_none() {
            self.add(*at, format!("Unknown fragment \"{name}\"."));
        }
        // NoUnusedFragments
        if !self.seen.in_fragments {
            self.seen.spread.insert(name);
        }
        // PossibleFragmentSpreads
        if let (Some(parent), Some(fragment)) = (parent, fragment)
            && self.is_impossible(parent, &fragment.condition)?
        {
            let (of, condition) = (&parent.definition().name, &fragment.condition);
            let message = format!(
                "Fragment \"{name}\" cannot be spread here as objects of type \"{of}\" can never be of type \"{condition}\"."
            );
            self.add(*at, message);
        }
        Ok(())
    }

    pub(super) fn after_fragment(&mut self, fragment: &'a Fragment) -> Step {
        let Fragment { name, condition, at, .. } = fragment;
        // FragmentsOnCompositeTypes, KnownTypeNames
        match self.schema.get(condition) {
            Some(info) if !condition.is_empty() && !info.definition().is_composite() => {
                self.add(
                    *at,
                    format!("Fragment \"{name}\" cannot condition on non composite type \"{condition}\"."),
                );
            }
            Some(_) => {}
            None => {
                self.spend(self.schema.types.len())?;
                let known = self.schema.types.keys().map(String::as_str);
                let hint = suggestion("Did you mean", condition, known, true);
                self.add(*at, format!("Unknown type \"{condition}\".{hint}"));
            }
        }
        self.fragment_cycles(fragment)?;
        // NoUnusedFragments
        self.seen.in_fragments = true;
        if !self.seen.spread.contains(name.as_str()) {
            self.add(*at, format!("Fragment \"{name}\" is never used."));
        }
        self.overlapping_fields(&fragment.selections)?;
        // UniqueFragmentNames
        if !self.seen.fragments.insert(name) {
            self.add(*at, format!("There can be only one fragment named \"{name}\"."));
        }
        Ok(())
    }

    /// NoFragmentCycles: depth first over spreads, on a stack of our own.
    fn fragment_cycles(&mut self, start: &'a Fragment) -> Step {
        if !self.seen.followed.insert(&start.name) {
            return Ok(());
        }
        // A fragment, its spreads, and the next of them; and the spreads that led to the last fragment.
        let mut stack = vec![(start, spreads_of(start), 0)];
        let mut path: Vec<&Spread> = Vec::new();
        let mut depth_of: HashMap<&str, usize> = HashMap::from([(start.name.as_str(), 0)]);
        while let Some((fragment, spreads, next)) = stack.last_mut() {
            let Some(spread) = spreads.get(*next).copied() else {
                depth_of.remove(fragment.name.as_str());
                stack.pop();
                path.pop();
                continue;
            };
            *next += 1;
            self.spend(1)?;
            let name = spread.name.as_str();
            if let Some(depth) = depth_of.get(name) {
                let between: Vec<String> =
                    path.iter().skip(*depth).map(|spread| format!("\"{}\"", spread.name)).collect();
                let via =
                    if between.is_empty() { String::new() } else { format!(" via {}", between.join(", ")) };
                self.add(spread.at, format!("Cannot spread fragment \"{name}\" within itself{via}."));
            } else if let Some(inner) = self.fragment(name)
                && self.seen.followed.insert(&inner.name)
            {
                depth_of.insert(&inner.name, stack.len());
                path.push(spread);
                let spreads = spreads_of(inner);
                self.spend(spreads.len())?;
                stack.push((inner, spreads, 0));
            }
        }
        Ok(())
    }
}

/// All spreads within a fragment, in the order in which the library finds them: those of a selection first, then
/// those of what was selected last.
fn spreads_of(fragment: &Fragment) -> Vec<&Spread> {
    let mut spreads = Vec::new();
    let mut sets: Vec<&[Selection]> = vec![&fragment.selections];
    while let Some(set) = sets.pop() {
        for selection in set {
            match selection {
                Selection::Spread(spread) => spreads.push(spread),
                Selection::Field(field) => sets.push(&field.selections),
                Selection::Inline(inline) => sets.push(&inline.selections),
            }
        }
    }
    spreads
}
