//! The rules for literals.

use std::collections::HashSet;

use super::ast::{Child, Definition, Literal, LiteralKind, Variable, kind};
use super::suggest::suggestion;
use super::validate::{Step, Walker, Wanted};

impl<'a> Walker<'a> {
    pub(super) fn after_literal(&mut self, literal: &'a Literal, wanted: Wanted<'a>) -> Step {
        self.undefined_variable(literal);
        self.unique_members(literal);
        self.correct_type(literal, wanted)?;
        self.allowed_position(literal, wanted);
        self.one_of_variables(literal, wanted);
        Ok(())
    }

    /// What a variable's occurrence refers to.
    fn variable(&self, literal: &Literal) -> Option<&'a Variable> {
        self.bound.get(&std::ptr::from_ref(literal)).copied().flatten()
    }

    /// NoUndefinedVariables
    fn undefined_variable(&mut self, literal: &Literal) {
        let Some(operation) = self.operation else { return };
        if literal.kind == LiteralKind::Variable && self.variable(literal).is_none() {
            let by = match operation.name.as_str() {
                "" => String::new(),
                name => format!(" by operation \"{name}\""),
            };
            self.add(literal.at, format!("Variable \"{literal}\" is not defined{by}."));
        }
    }

    /// UniqueInputFieldNames
    fn unique_members(&mut self, literal: &Literal) {
        if literal.kind != LiteralKind::Object {
            return;
        }
        let mut seen: HashSet<&str> = HashSet::new();
        for Child { name, at, .. } in &literal.children {
            if !seen.insert(name) {
                self.add(*at, format!("There can be only one input field named \"{name}\"."));
            }
        }
    }

    /// ValuesOfCorrectType
    fn correct_type(&mut self, literal: &'a Literal, wanted: Wanted<'a>) -> Step {
        let (Some(ty), Some(info)) = (wanted.ty, wanted.info) else { return Ok(()) };
        let definition = info.definition();
        if literal.kind == LiteralKind::Null && ty.non_null {
            self.add(literal.at, format!("Expected value of type \"{ty}\", found {literal}."));
        }
        let built_in = ["Int", "Float", "String", "Boolean", "ID"].contains(&definition.name.as_str());
        // The values of other scalars are the application's business.
        if definition.kind == kind::SCALAR && !built_in {
            return Ok(());
        }
        let shown = Wrong { literal, definition, ty: ty.to_string() };
        if self.is_beyond_go(literal, 0)? {
            self.add(literal.at, shown.message());
        }
        let one_of = |names: &[&str]| names.contains(&definition.name.as_str());
        let correct = match literal.kind {
            LiteralKind::Null | LiteralKind::Variable => true,
            LiteralKind::List => ty.element().is_some(),
            LiteralKind::Int => one_of(&["Int", "Float", "ID"]),
            LiteralKind::Float => one_of(&["Float"]),
            LiteralKind::Boolean => one_of(&["Boolean"]),
            LiteralKind::String | LiteralKind::Block if definition.kind == kind::ENUM => {
                let hint = enum_hint(literal, definition);
                let message = format!("Enum \"{ty}\" cannot represent non-enum value: {literal}.{hint}");
                self.add(literal.at, message);
                true
            }
            LiteralKind::String | LiteralKind::Block => one_of(&["String", "ID"]),
            LiteralKind::Enum => {
                if definition.kind == kind::ENUM {
                    self.spend(definition.enum_values.len() / 8)?;
                    if definition.enum_values.iter().all(|value| value.name != literal.raw) {
                        let hint = enum_hint(literal, definition);
                        self.add(
                            literal.at,
                            format!("Value \"{literal}\" does not exist in \"{ty}\" enum.{hint}"),
                        );
                    }
                }
                definition.kind == kind::ENUM
            }
            LiteralKind::Object => {
                self.object_members(literal, wanted, definition)?;
                true
            }
        };
        if !correct {
            self.add(literal.at, shown.message());
        }
        Ok(())
    }

    /// Whether a number in it is none that Go's 64 bits can hold. A variable stands for its default.
    fn is_beyond_go(&mut self, literal: &'a Literal, depth: usize) -> Step<bool> {
        self.spend(1)?;
        Ok(match literal.kind {
            LiteralKind::Int => literal.raw.parse::<i64>().is_err(),
            LiteralKind::Float => !literal.raw.parse::<f64>().is_ok_and(f64::is_finite),
            LiteralKind::Boolean => {
                !["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"]
                    .contains(&literal.raw.as_str())
            }
            // A default is constant, so that this goes one level deeper and no more.
            LiteralKind::Variable if depth == 0 => {
                match self.variable(literal).and_then(|variable| variable.default.as_ref()) {
                    Some(default) => self.is_beyond_go(default, 1)?,
                    None => false,
                }
            }
            LiteralKind::List | LiteralKind::Object => {
                for child in &literal.children {
                    if self.is_beyond_go(&child.value, depth)? {
                        return Ok(true);
                    }
                }
                false
            }
            _ => false,
        })
    }

    fn object_members(
        &mut self,
        literal: &'a Literal,
        wanted: Wanted<'a>,
        definition: &'a Definition,
    ) -> Step {
        let given: HashSet<&str> = literal.children.iter().map(|child| child.name.as_str()).collect();
        for field in &definition.fields {
            if field.ty.non_null && field.default.is_none() && !given.contains(field.name.as_str()) {
                let message = format!(
                    "Field \"{}.{}\" of required type \"{}\" was not provided.",
                    definition.name, field.name, field.ty
                );
                self.add(literal.at, message);
            }
        }
        for _ in definition.directives.iter().filter(|directive| directive.name == "oneOf") {
            self.one_member(literal, definition);
        }
        for Child { name, at, .. } in &literal.children {
            if wanted.info.and_then(|info| info.field(name)).is_none() {
                self.spend(definition.fields.len())?;
                let known = definition.fields.iter().map(|field| field.name.as_str());
                let hint = suggestion("Did you mean", name, known, true);
                let of = &definition.name;
                self.add(*at, format!("Field \"{name}\" is not defined by type \"{of}\".{hint}"));
            }
        }
        Ok(())
    }

    /// What `@oneOf` asks for.
    fn one_member(&mut self, literal: &Literal, definition: &Definition) {
        match literal.children.as_slice() {
            [one] if one.value.kind == LiteralKind::Null => {
                // The first field of the type is named, whichever was given.
                let field = definition.fields.first().map_or("", |field| field.name.as_str());
                let message = format!("Field \"{}.{field}\" must be non-null.", definition.name);
                self.add(one.value.at, message);
            }
            [_] => {}
            _ => {
                let of = &definition.name;
                self.add(literal.at, format!("OneOf Input Object \"{of}\" must specify exactly one key."));
            }
        }
    }

    /// VariablesInAllowedPosition
    fn allowed_position(&mut self, literal: &Literal, wanted: Wanted<'a>) {
        if literal.kind != LiteralKind::Variable || self.operation.is_none() {
            return;
        }
        let (Some(ty), Some(variable)) = (wanted.ty, self.variable(literal)) else { return };
        let has_default = variable.default.as_ref().is_some_and(|default| default.kind != LiteralKind::Null);
        if !variable.ty.is_compatible(ty, has_default || wanted.has_default) {
            let message = format!(
                "Variable \"{literal}\" of type \"{}\" used in position expecting type \"{ty}\".",
                variable.ty
            );
            self.add(literal.at, message);
        }
    }

    /// VariablesInAllowedPosition, of `@oneOf` objects
    fn one_of_variables(&mut self, literal: &'a Literal, wanted: Wanted<'a>) {
        let Some(definition) = wanted.info.map(|info| info.definition()) else { return };
        let one_of = definition.directives.iter().any(|directive| directive.name == "oneOf");
        if literal.kind != LiteralKind::Object || !one_of {
            return;
        }
        for Child { value, .. } in &literal.children {
            if value.kind != LiteralKind::Variable {
                continue;
            }
            let Some(variable) = self.variable(value).filter(|variable| !variable.ty.non_null) else {
                continue;
            };
            let message = format!(
                "Variable \"{value}\" is of type \"{}\" but must be non-nullable to be used for OneOf Input Object \"{}\".",
                variable.ty, definition.name
            );
            self.add(variable.at, message);
        }
    }
}

fn enum_hint(literal: &Literal, definition: &Definition) -> String {
    let values = definition.enum_values.iter().map(|value| value.name.as_str());
    suggestion("Did you mean the enum value", &literal.raw, values, true)
}

/// A literal of the wrong type.
struct Wrong<'a> {
    literal: &'a Literal,
    definition: &'a Definition,
    ty: String,
}

impl Wrong<'_> {
    fn message(&self) -> String {
        let Wrong { literal, definition, ty } = self;
        match ty.as_str() {
            "Int" | "Int!" if is_wide_integer(&literal.raw) => {
                format!("Int cannot represent non 32-bit signed integer value: {literal}")
            }
            "Int" | "Int!" => format!("Int cannot represent non-integer value: {literal}"),
            "String" | "String!" | "[String]" => {
                format!("String cannot represent a non string value: {literal}")
            }
            "Boolean" | "Boolean!" => format!("Boolean cannot represent a non boolean value: {literal}"),
            "Float" | "Float!" => format!("Float cannot represent non numeric value: {literal}"),
            "ID" | "ID!" => format!("ID cannot represent a non-string and non-integer value: {literal}"),
            _ if definition.kind == kind::ENUM => {
                format!("Enum \"{ty}\" cannot represent non-enum value: {literal}.")
            }
            _ => format!("Expected value of type \"{ty}\", found {literal}."),
        }
    }
}

/// An integer that needs more than 32 bits.
fn is_wide_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i32>().is_err()
}
