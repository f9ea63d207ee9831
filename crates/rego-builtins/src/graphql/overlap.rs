//! OverlappingFieldsCanBeMerged: fields that give the answer's member the same name must ask for the same thing.
//!
//! Within a selection all fields of one name are compared with each other; between two selections, those of the one
//! with those of the other; and fragments that are spread take part, each pair of them once (section 5.3.2 of the
//! specification). Steps are counted, since selections that differ at every level are compared again and again.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::ast::{Argument, Field, Literal, LiteralKind, Selection, Spread, Type, kind};
use super::problem::{Place, Problem};
use super::validate::{MOST_WALKED, Step, Walker};

/// Fields by the name they have in the answer, in the order in which the names first occur, and the spreads.
#[derive(Default)]
struct Collected<'a> {
    names: Vec<&'a str>,
    fields: HashMap<&'a str, Vec<&'a Field>>,
    spreads: Vec<&'a Spread>,
}

/// What the rule remembers of a document.
#[derive(Default)]
pub(super) struct Overlap<'a> {
    /// Pairs of fragments that were compared, and whether only as mutually exclusive ones.
    pairs: HashMap<(&'a str, &'a str), bool>,
    /// Fragments that were compared with the selection at hand.
    compared: HashSet<&'a str>,
    collected: HashMap<*const Selection, Rc<Collected<'a>>>,
}

/// Two fields that cannot be merged.
struct Conflict<'a> {
    response_name: &'a str,
    message: String,
    within: Vec<Conflict<'a>>,
    at: Option<Place>,
}

impl Conflict<'_> {
    fn reason(&self) -> String {
        if self.within.is_empty() {
            return self.message.clone();
        }
        let parts: Vec<String> = self
            .within
            .iter()
            .map(|inner| format!("subfields \"{}\" conflict because {}", inner.response_name, inner.reason()))
            .collect();
        parts.join(" and ")
    }
}

type Conflicts<'a> = Vec<Conflict<'a>>;

impl<'a> Walker<'a> {
    /// The rule for one selection.
    pub(super) fn overlapping_fields(&mut self, selections: &'a [Selection]) -> Step {
        if selections.is_empty() {
            return Ok(());
        }
        for conflict in self.conflicts_within(selections)? {
            let message = format!(
                "Fields \"{}\" conflict because {}. Use different aliases on the fields to fetch both if this was \
                 intentional.",
                conflict.response_name,
                conflict.reason()
            );
            self.add(conflict.at, message);
        }
        Ok(())
    }

    fn collect(&mut self, selections: &'a [Selection]) -> Step<Rc<Collected<'a>>> {
        let Some(first) = selections.first() else { return Ok(Rc::default()) };
        if let Some(known) = self.overlap.collected.get(&std::ptr::from_ref(first)) {
            return Ok(Rc::clone(known));
        }
        let mut collected = Collected::default();
        // Inline fragments are as deep as the parser allows, at most.
        self.collect_into(selections, &mut collected)?;
        let collected = Rc::new(collected);
        self.overlap.collected.insert(std::ptr::from_ref(first), Rc::clone(&collected));
        Ok(collected)
    }

    fn collect_into(&mut self, selections: &'a [Selection], collected: &mut Collected<'a>) -> Step {
        for selection in selections {
            self.spend(1)?;
            match selection {
                Selection::Field(field) => {
                    let name = field.response_name();
                    let fields = collected.fields.entry(name).or_default();
                    if fields.is_empty() {
                        collected.names.push(name);
                    }
                    fields.push(field);
                }
                Selection::Inline(inline) => self.collect_into(&inline.selections, collected)?,
                Selection::Spread(spread) => collected.spreads.push(spread),
            }
        }
        Ok(())
    }

    fn conflicts_within(&mut self, selections: &'a [Selection]) -> Step<Conflicts<'a>> {
        let collected = self.collect(selections)?;
        let mut conflicts = Vec::new();
        for name in &collected.names {
            let fields = collected.fields.get(name).map_or(&[][..], Vec::as_slice);
            for (position, one) in fields.iter().enumerate() {
                for other in fields.iter().skip(position + 1) {
                    conflicts.extend(self.conflict(false, one, other, 0)?);
                }
            }
        }
        self.overlap.compared.clear();
        for (position, spread) in collected.spreads.iter().enumerate() {
            self.fields_and_fragment(&mut conflicts, false, &collected, spread, 0)?;
            for other in collected.spreads.iter().skip(position + 1) {
                self.fragments(&mut conflicts, false, spread, other, 0)?;
            }
        }
        Ok(conflicts)
    }

    fn fields_and_fragment(
        &mut self,
        conflicts: &mut Conflicts<'a>,
        exclusive: bool,
        fields: &Collected<'a>,
        spread: &'a Spread,
        depth: usize,
    ) -> Step {
        self.spend(1)?;
        if depth > MOST_WALKED {
            return Err(Problem::too_complex());
        }
        if !self.overlap.compared.insert(&spread.name) {
            return Ok(());
        }
        let Some(fragment) = self.fragment(&spread.name) else { return Ok(()) };
        let inner = self.collect(&fragment.selections)?;
        if same_fields(fields, &inner) {
            return Ok(());
        }
        self.between(conflicts, exclusive, fields, &inner, depth)?;
        for nested in &inner.spreads {
            if nested.name != spread.name {
                self.fields_and_fragment(conflicts, exclusive, fields, nested, depth + 1)?;
            }
        }
        Ok(())
    }

    fn fragments(
        &mut self,
        conflicts: &mut Conflicts<'a>,
        exclusive: bool,
        one: &'a Spread,
        other: &'a Spread,
        depth: usize,
    ) -> Step {
        self.spend(1)?;
        if depth > MOST_WALKED {
            return Err(Problem::too_complex());
        }
        let (one_name, other_name) = (one.name.as_str(), other.name.as_str());
        // What was compared as not exclusive need not be compared again as exclusive.
        let compared = |was: &bool| exclusive || !*was;
        if one_name == other_name || self.overlap.pairs.get(&(one_name, other_name)).is_some_and(compared) {
            return Ok(());
        }
        self.overlap.pairs.insert((one_name, other_name), exclusive);
        self.overlap.pairs.insert((other_name, one_name), exclusive);
        let (Some(first), Some(second)) = (self.fragment(one_name), self.fragment(other_name)) else {
            return Ok(());
        };
        let (first, second) = (self.collect(&first.selections)?, self.collect(&second.selections)?);
        self.between(conflicts, exclusive, &first, &second, depth)?;
        for nested in &second.spreads {
            self.fragments(conflicts, exclusive, one, nested, depth + 1)?;
        }
        for nested in &first.spreads {
            self.fragments(conflicts, exclusive, nested, other, depth + 1)?;
        }
        Ok(())
    }

    fn between(
        &mut self,
        conflicts: &mut Conflicts<'a>,
        exclusive: bool,
        one: &Collected<'a>,
        other: &Collected<'a>,
        depth: usize,
    ) -> Step {
        for name in &one.names {
            self.spend(1)?;
            let (Some(ours), Some(theirs)) = (one.fields.get(name), other.fields.get(name)) else { continue };
            for field in ours {
                for with in theirs {
                    conflicts.extend(self.conflict(exclusive, field, with, depth + 1)?);
                }
            }
        }
        Ok(())
    }

    fn conflict(
        &mut self,
        parents_exclusive: bool,
        one: &'a Field,
        other: &'a Field,
        depth: usize,
    ) -> Step<Option<Conflict<'a>>> {
        self.spend(1)?;
        if depth > MOST_WALKED {
            return Err(Problem::too_complex());
        }
        let (known, known_other) = (self.known(one), self.known(other));
        let (Some(parent), Some(other_parent)) = (known.parent, known_other.parent) else { return Ok(None) };
        let (parent, other_parent) = (parent.definition(), other_parent.definition());
        let exclusive = parents_exclusive
            || (parent.name != other_parent.name
                && parent.kind == kind::OBJECT
                && other_parent.kind == kind::OBJECT
                && known.definition.is_some()
                && known_other.definition.is_some());
        let response_name = one.response_name();
        let simple =
            |message: String| Ok(Some(Conflict { response_name, message, within: Vec::new(), at: other.at }));
        if !exclusive && one.name != other.name {
            return simple(format!("\"{}\" and \"{}\" are different fields", one.name, other.name));
        }
        self.spend(one.arguments.len() * other.arguments.len() / 8)?;
        if !exclusive && !same_arguments(&one.arguments, &other.arguments) {
            return simple("they have differing arguments".to_owned());
        }
        if let (Some(definition), Some(other_definition)) = (known.definition, known_other.definition)
            && self.types_conflict(&definition.ty, &other_definition.ty)
        {
            return simple(format!(
                "they return conflicting types \"{}\" and \"{}\"",
                definition.ty, other_definition.ty
            ));
        }
        let within = self.conflicts_between(exclusive, &one.selections, &other.selections, depth)?;
        if within.is_empty() {
            return Ok(None);
        }
        Ok(Some(Conflict { response_name, message: String::new(), within, at: other.at }))
    }

    fn conflicts_between(
        &mut self,
        exclusive: bool,
        one: &'a [Selection],
        other: &'a [Selection],
        depth: usize,
    ) -> Step<Conflicts<'a>> {
        let (one, other) = (self.collect(one)?, self.collect(other)?);
        let mut conflicts = Vec::new();
        self.between(&mut conflicts, exclusive, &one, &other, depth)?;
        for (fields, with) in [(&one, &other), (&other, &one)] {
            for spread in &with.spreads {
                self.overlap.compared.clear();
                self.fields_and_fragment(&mut conflicts, exclusive, fields, spread, depth + 1)?;
            }
        }
        for spread in &one.spreads {
            for with in &other.spreads {
                self.fragments(&mut conflicts, exclusive, spread, with, depth + 1)?;
            }
        }
        Ok(conflicts)
    }

    fn types_conflict(&self, one: &Type, other: &Type) -> bool {
        match (one.element(), other.element()) {
            (Some(one), Some(other)) => return self.types_conflict(one, other),
            (None, None) => {}
            _ => return true,
        }
        if one.non_null != other.non_null {
            return true;
        }
        let (one, other) = (self.schema.get(one.name()), self.schema.get(other.name()));
        match (one, other) {
            (Some(one), Some(other)) => {
                let (one, other) = (one.definition(), other.definition());
                one.is_leaf() && other.is_leaf() && one.name != other.name
            }
            _ => false,
        }
    }
}

/// A fragment's fields are not compared with themselves.
fn same_fields(one: &Collected<'_>, other: &Collected<'_>) -> bool {
    one.names == other.names
        && one.names.iter().all(|name| match (one.fields.get(name), other.fields.get(name)) {
            (Some(one), Some(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(one, other)| std::ptr::eq(*one, *other))
            }
            _ => false,
        })
}

fn same_arguments(one: &[Argument], other: &[Argument]) -> bool {
    let found = |argument: &Argument| {
        other.iter().any(|with| argument.name == with.name && same_value(&argument.value, &with.value))
    };
    one.len() == other.len() && one.iter().all(found)
}

/// Equal as values: the order of an object's members does not count.
fn same_value(one: &Literal, other: &Literal) -> bool {
    if one.kind != other.kind || one.raw != other.raw || one.children.len() != other.children.len() {
        return false;
    }
    let mut ours: Vec<_> = one.children.iter().collect();
    let mut theirs: Vec<_> = other.children.iter().collect();
    if one.kind == LiteralKind::Object {
        ours.sort_by(|a, b| a.name.cmp(&b.name));
        theirs.sort_by(|a, b| a.name.cmp(&b.name));
    }
    ours.iter().zip(theirs).all(|(one, other)| one.name == other.name && same_value(&one.value, &other.value))
}
