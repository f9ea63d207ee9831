//! Text to a document of type definitions.

use std::sync::Arc;

use super::ast::{
    ArgumentDefinition, Comment, Comments, Definition, DirectiveDefinition, EnumValue, FieldDefinition, Root,
    SchemaDefinition, SchemaDocument, kind,
};
use super::lexer::{Kind, Token};
use super::parser::{Parsed, Parser, unexpected_token};

/// Where a directive may stand.
const LOCATIONS: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// A description, and the comment before it.
#[derive(Default)]
struct Described<'a> {
    token: Option<Token<'a>>,
    comment: Comment,
}

impl Described<'_> {
    fn text(&self) -> &str {
        self.token.as_ref().map_or("", |token| token.value.as_ref())
    }

    /// The description, and the comments before and after it. Within a type an empty description is none.
    fn split(self, after_description: Comment) -> (String, Comments) {
        let text = self.text().to_owned();
        (text, Comments { before_description: self.comment, after_description, end: Vec::new() })
    }

    fn unless_empty(self) -> Self {
        if self.text().is_empty() { Self::default() } else { self }
    }
}

/// Reads a schema document.
pub(super) fn parse_schema(text: &str) -> Parsed<SchemaDocument> {
    let mut parser = Parser::new(text);
    let mut document = SchemaDocument::default();
    while parser.kind() != Kind::End {
        let description = parser.description()?;
        let next = parser.peek();
        if next.kind != Kind::Name {
            return parser.unexpected();
        }
        match next.value.as_ref() {
            "scalar" | "type" | "interface" | "union" | "enum" | "input" => {
                document.definitions.push(Arc::new(parser.definition(description)?));
            }
            "schema" => {
                let after = parser.comment();
                parser.expect_keyword("schema")?;
                let (text, comments) = description.split(after);
                let definition = parser.schema_definition()?;
                let comments = Comments { end: definition.comments.end, ..comments };
                document.schema.push(SchemaDefinition { description: text, comments, ..definition });
            }
            "directive" => document.directives.push(Arc::new(parser.directive_definition(description)?)),
            "extend" => match &description.token {
                Some(token) if !token.value.is_empty() => return unexpected_token(token),
                _ => parser.extension(&mut document)?,
            },
            _ => return parser.unexpected(),
        }
    }
    document.comment = parser.comment();
    Ok(document)
}

impl<'a> Parser<'a> {
    fn description(&mut self) -> Parsed<Described<'a>> {
        if !matches!(self.kind(), Kind::String | Kind::BlockString) {
            return Ok(Described::default());
        }
        let comment = self.comment();
        Ok(Described { token: Some(self.take()?), comment })
    }

    /// What follows the keyword `schema`.
    fn schema_definition(&mut self) -> Parsed<SchemaDefinition> {
        let at = self.place();
        let directives = self.directives(true)?;
        let mut roots = Vec::new();
        let end = self.some(Kind::BraceL, Kind::BraceR, |parser| {
            let (at, comment) = (parser.place(), parser.comment());
            let operation = parser.operation_type()?;
            parser.expect(Kind::Colon)?;
            let ty = parser.name()?;
            roots.push(Root { operation, ty, at, comment });
            Ok(())
        })?;
        let comments = Comments { end, ..Comments::default() };
        Ok(SchemaDefinition { description: String::new(), directives, roots, at, comments })
    }

    fn definition(&mut self, description: Described<'a>) -> Parsed<Definition> {
        let after = self.comment();
        let keyword = self.name()?;
        let (description, comments) = description.split(after);
        let mut definition = self.body(&keyword, Form::Definition)?;
        definition.description = description;
        definition.comments = Comments { end: definition.comments.end, ..comments };
        Ok(definition)
    }

    fn extension(&mut self, document: &mut SchemaDocument) -> Parsed<()> {
        let comment = self.comment();
        self.expect_keyword("extend")?;
        let keyword = self.peek().value.clone().into_owned();
        let after = |end| Comments { after_description: comment, end, ..Comments::default() };
        match keyword.as_str() {
            "schema" => {
                self.expect_keyword("schema")?;
                let mut extension = self.schema_definition()?;
                if extension.directives.is_empty() && extension.roots.is_empty() {
                    return self.unexpected();
                }
                extension.comments = after(extension.comments.end);
                document.schema_extensions.push(extension);
            }
            "scalar" | "type" | "interface" | "union" | "enum" | "input" => {
                self.expect_keyword(&keyword)?;
                let mut extension = self.body(&keyword, Form::Extension)?;
                if is_empty(&extension) {
                    return self.unexpected();
                }
                extension.comments = after(extension.comments.end);
                document.extensions.push(extension);
            }
            _ => return self.unexpected(),
        }
        Ok(())
    }

    /// What follows the keyword of a type.
    fn body(&mut self, keyword: &str, form: Form) -> Parsed<Definition> {
        let mut definition = Definition { at: self.place(), name: self.name()?, ..Definition::default() };
        if matches!((keyword, form), ("type", _) | ("interface", Form::Definition)) {
            definition.interfaces = self.interfaces()?;
        }
        // The library takes variables in the directives of this one extension.
        definition.directives = self.directives(!(keyword == "input" && form == Form::Extension))?;
        match keyword {
            "type" | "interface" => {
                definition.kind = if keyword == "type" { kind::OBJECT } else { kind::INTERFACE }.to_owned();
                let fields = &mut definition.fields;
                definition.comments.end = self.some(Kind::BraceL, Kind::BraceR, |parser| {
                    fields.push(parser.field_definition()?);
                    Ok(())
                })?;
            }
            "input" => {
                definition.kind = kind::INPUT_OBJECT.to_owned();
                let fields = &mut definition.fields;
                definition.comments.end = self.some(Kind::BraceL, Kind::BraceR, |parser| {
                    fields.push(parser.input_field()?);
                    Ok(())
                })?;
            }
            "enum" => {
                definition.kind = kind::ENUM.to_owned();
                let values = &mut definition.enum_values;
                definition.comments.end = self.some(Kind::BraceL, Kind::BraceR, |parser| {
                    values.push(parser.enum_value()?);
                    Ok(())
                })?;
            }
            "union" => {
                definition.kind = kind::UNION.to_owned();
                self.union_members(&mut definition)?;
            }
            _ => definition.kind = kind::SCALAR.to_owned(),
        }
        Ok(definition)
    }

    fn interfaces(&mut self) -> Parsed<Vec<String>> {
        let mut names = Vec::new();
        if self.is_value("implements") {
            self.take()?;
            self.skip(Kind::Amp)?;
            names.push(self.name()?);
            while self.skip(Kind::Amp)? {
                names.push(self.name()?);
            }
        }
        Ok(names)
    }

    fn union_members(&mut self, definition: &mut Definition) -> Parsed<()> {
        if !self.skip(Kind::Equals)? {
            return Ok(());
        }
        self.skip(Kind::Pipe)?;
        loop {
            definition.type_places.extend(self.place());
            definition.types.push(self.name()?);
            if !self.skip(Kind::Pipe)? {
                return Ok(());
            }
        }
    }

    fn field_definition(&mut self) -> Parsed<FieldDefinition> {
        let (description, comments, at, name) = self.member()?;
        let arguments = self.argument_definitions()?;
        self.expect(Kind::Colon)?;
        let ty = self.ty()?;
        let directives = self.directives(true)?;
        Ok(FieldDefinition { description, name, arguments, default: None, ty, directives, at, comments })
    }

    fn input_field(&mut self) -> Parsed<FieldDefinition> {
        let ArgumentDefinition { description, name, default, ty, directives, at, comments } =
            self.argument_definition()?;
        Ok(FieldDefinition {
            description,
            name,
            arguments: Vec::new(),
            default,
            ty,
            directives,
            at,
            comments,
        })
    }

    fn enum_value(&mut self) -> Parsed<EnumValue> {
        let (description, comments, at, name) = self.member()?;
        let directives = self.directives(true)?;
        Ok(EnumValue { description, name, directives, at, comments })
    }

    /// Description, comments, place and name of something within a type.
    fn member(&mut self) -> Parsed<(String, Comments, Option<super::problem::Place>, String)> {
        let described = self.description()?.unless_empty();
        let after = self.comment();
        let (description, comments) = described.split(after);
        Ok((description, comments, self.place(), self.name()?))
    }

    fn argument_definitions(&mut self) -> Parsed<Vec<ArgumentDefinition>> {
        let mut arguments = Vec::new();
        self.some(Kind::ParenL, Kind::ParenR, |parser| {
            arguments.push(parser.argument_definition()?);
            Ok(())
        })?;
        Ok(arguments)
    }

    fn argument_definition(&mut self) -> Parsed<ArgumentDefinition> {
        let (description, comments, at, name) = self.member()?;
        self.expect(Kind::Colon)?;
        let ty = self.ty()?;
        let default = if self.skip(Kind::Equals)? { Some(self.literal(true)?) } else { None };
        let directives = self.directives(true)?;
        Ok(ArgumentDefinition { description, name, default, ty, directives, at, comments })
    }

    fn directive_definition(&mut self, description: Described<'a>) -> Parsed<DirectiveDefinition> {
        let after = self.comment();
        self.expect_keyword("directive")?;
        self.expect(Kind::At)?;
        let (description, comments) = description.split(after);
        let at = self.place();
        let name = self.name()?;
        let arguments = self.argument_definitions()?;
        let repeatable = self.kind() == Kind::Name && self.is_value("repeatable");
        if repeatable {
            self.take()?;
        }
        self.expect_keyword("on")?;
        self.skip(Kind::Pipe)?;
        let mut locations = vec![self.location()?];
        while self.skip(Kind::Pipe)? {
            locations.push(self.location()?);
        }
        Ok(DirectiveDefinition { description, name, arguments, locations, repeatable, at, comments })
    }

    fn location(&mut self) -> Parsed<String> {
        let token = self.expect(Kind::Name)?;
        if LOCATIONS.contains(&token.value.as_ref()) {
            return Ok(token.value.into_owned());
        }
        unexpected_token(&token)
    }
}

/// A type as it is first defined, or an addition to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Definition,
    Extension,
}

/// An extension that adds nothing.
fn is_empty(extension: &Definition) -> bool {
    extension.directives.is_empty()
        && extension.interfaces.is_empty()
        && extension.fields.is_empty()
        && extension.types.is_empty()
        && extension.enum_values.is_empty()
}
