//! Trees to the objects that OPA gives: the members of the library's Go structures, without what is null or empty.
//! Members that the library fills in while it validates are never seen.

use rego_value::Value;

use super::ast::{
    Argument, ArgumentDefinition, Child, Comments, Definition, Directive, DirectiveDefinition, EnumValue,
    Field, FieldDefinition, Fragment, Inline, Literal, Operation, QueryDocument, Root, SchemaDefinition,
    SchemaDocument, Selection, Spread, Type, TypeBase, Variable,
};

/// The members of an object.
#[derive(Default)]
struct Members(Vec<(Value, Value)>);

impl Members {
    fn value(mut self, name: &str, value: Value) -> Self {
        self.0.push((name.into(), value));
        self
    }

    fn text(self, name: &str, text: &str) -> Self {
        self.value(name, text.into())
    }

    fn flag(self, name: &str, flag: bool) -> Self {
        self.value(name, flag.into())
    }

    fn maybe(self, name: &str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.value(name, value),
            None => self,
        }
    }

    fn items<T>(self, name: &str, items: &[T], encode: impl Fn(&T) -> Value) -> Self {
        if items.is_empty() {
            return self;
        }
        self.value(name, Value::array(items.iter().map(encode)))
    }

    fn comment(self, name: &str, lines: &[String]) -> Self {
        if lines.is_empty() {
            return self;
        }
        let list = Members::default()
            .items("List", lines, |line| Members::default().text("Value", line).object())
            .object();
        self.value(name, list)
    }

    fn comments(self, comments: &Comments) -> Self {
        self.comment("BeforeDescriptionComment", &comments.before_description)
            .comment("AfterDescriptionComment", &comments.after_description)
            .comment("EndOfDefinitionComment", &comments.end)
    }

    fn object(self) -> Value {
        Value::object(self.0)
    }
}

fn new() -> Members {
    Members::default()
}

fn text(text: &str) -> Value {
    text.into()
}

/// The object of a query document.
pub(super) fn query(document: &QueryDocument) -> Value {
    new()
        .items("Operations", &document.operations, operation)
        .items("Fragments", &document.fragments, fragment)
        .comment("Comment", &document.comment)
        .object()
}

fn operation(operation: &Operation) -> Value {
    new()
        .text("Operation", &operation.kind)
        .text("Name", &operation.name)
        .items("VariableDefinitions", &operation.variables, variable)
        .items("Directives", &operation.directives, directive)
        .items("SelectionSet", &operation.selections, selection)
        .comment("Comment", &operation.comment)
        .object()
}

fn fragment(fragment: &Fragment) -> Value {
    new()
        .text("Name", &fragment.name)
        .items("VariableDefinition", &fragment.variables, variable)
        .text("TypeCondition", &fragment.condition)
        .items("Directives", &fragment.directives, directive)
        .items("SelectionSet", &fragment.selections, selection)
        .comment("Comment", &fragment.comment)
        .object()
}

fn variable(variable: &Variable) -> Value {
    new()
        .text("Variable", &variable.name)
        .value("Type", ty(&variable.ty))
        .maybe("DefaultValue", variable.default.as_ref().map(literal))
        .items("Directives", &variable.directives, directive)
        .comment("Comment", &variable.comment)
        .flag("Used", variable.used)
        .object()
}

fn ty(of: &Type) -> Value {
    let members = match &of.base {
        TypeBase::Named(name) => new().text("NamedType", name),
        TypeBase::List(of) => new().text("NamedType", "").value("Elem", ty(of)),
    };
    members.flag("NonNull", of.non_null).object()
}

fn literal(literal: &Literal) -> Value {
    new()
        .text("Raw", &literal.raw)
        .items("Children", &literal.children, child)
        .value("Kind", Value::from(literal.kind as i64))
        .comment("Comment", &literal.comment)
        .flag("ExpectedTypeHasDefault", literal.expected_has_default)
        .object()
}

fn child(child: &Child) -> Value {
    new()
        .text("Name", &child.name)
        .value("Value", literal(&child.value))
        .comment("Comment", &child.comment)
        .object()
}

fn argument(argument: &Argument) -> Value {
    new()
        .text("Name", &argument.name)
        .value("Value", literal(&argument.value))
        .comment("Comment", &argument.comment)
        .object()
}

fn directive(directive: &Directive) -> Value {
    new()
        .text("Name", &directive.name)
        .items("Arguments", &directive.arguments, argument)
        .text("Location", &directive.location)
        .object()
}

fn selection(selection: &Selection) -> Value {
    match selection {
        Selection::Field(field) => self::field(field),
        Selection::Spread(Spread { name, directives, comment, .. }) => new()
            .text("Name", name)
            .items("Directives", directives, directive)
            .comment("Comment", comment)
            .object(),
        Selection::Inline(Inline { condition, directives, selections, comment, .. }) => new()
            .text("TypeCondition", condition)
            .items("Directives", directives, directive)
            .items("SelectionSet", selections, self::selection)
            .comment("Comment", comment)
            .object(),
    }
}

fn field(field: &Field) -> Value {
    new()
        .text("Alias", &field.alias)
        .text("Name", &field.name)
        .items("Arguments", &field.arguments, argument)
        .items("Directives", &field.directives, directive)
        .items("SelectionSet", &field.selections, selection)
        .comment("Comment", &field.comment)
        .object()
}

/// The object of a schema document.
pub(super) fn schema(document: &SchemaDocument) -> Value {
    new()
        .items("Schema", &document.schema, schema_definition)
        .items("SchemaExtension", &document.schema_extensions, schema_definition)
        .items("Directives", &document.directives, |definition| directive_definition(definition))
        .items("Definitions", &document.definitions, |of| definition(of))
        .items("Extensions", &document.extensions, definition)
        .comment("Comment", &document.comment)
        .object()
}

fn schema_definition(definition: &SchemaDefinition) -> Value {
    new()
        .text("Description", &definition.description)
        .items("Directives", &definition.directives, directive)
        .items("OperationTypes", &definition.roots, root)
        .comments(&definition.comments)
        .object()
}

fn root(root: &Root) -> Value {
    new().text("Operation", &root.operation).text("Type", &root.ty).comment("Comment", &root.comment).object()
}

fn definition(definition: &Definition) -> Value {
    new()
        .text("Kind", &definition.kind)
        .text("Description", &definition.description)
        .text("Name", &definition.name)
        .items("Directives", &definition.directives, directive)
        .items("Interfaces", &definition.interfaces, |name| text(name))
        .items("Fields", &definition.fields, field_definition)
        .items("Types", &definition.types, |name| text(name))
        .items("EnumValues", &definition.enum_values, enum_value)
        .flag("BuiltIn", definition.built_in)
        .comments(&definition.comments)
        .object()
}

fn field_definition(field: &FieldDefinition) -> Value {
    new()
        .text("Description", &field.description)
        .text("Name", &field.name)
        .items("Arguments", &field.arguments, argument_definition)
        .maybe("DefaultValue", field.default.as_ref().map(literal))
        .value("Type", ty(&field.ty))
        .items("Directives", &field.directives, directive)
        .comments(&field.comments)
        .object()
}

fn argument_definition(argument: &ArgumentDefinition) -> Value {
    new()
        .text("Description", &argument.description)
        .text("Name", &argument.name)
        .maybe("DefaultValue", argument.default.as_ref().map(literal))
        .value("Type", ty(&argument.ty))
        .items("Directives", &argument.directives, directive)
        .comments(&argument.comments)
        .object()
}

fn enum_value(value: &EnumValue) -> Value {
    new()
        .text("Description", &value.description)
        .text("Name", &value.name)
        .items("Directives", &value.directives, directive)
        .comments(&value.comments)
        .object()
}

fn directive_definition(definition: &DirectiveDefinition) -> Value {
    new()
        .text("Description", &definition.description)
        .text("Name", &definition.name)
        .items("Arguments", &definition.arguments, argument_definition)
        .items("Locations", &definition.locations, |name| text(name))
        .flag("IsRepeatable", definition.repeatable)
        .comments(&definition.comments)
        .object()
}
