//! Text to a document of operations and fragments.

use super::ast::{Field, Fragment, Inline, Operation, QueryDocument, Selection, Spread, Variable};
use super::lexer::Kind;
use super::parser::{Parsed, Parser, unexpected_token};
use super::problem::Problem;

/// Reads a query document.
pub(super) fn parse_query(text: &str) -> Parsed<QueryDocument> {
    let mut parser = Parser::new(text);
    let mut document = QueryDocument::default();
    loop {
        let next = parser.peek();
        match (next.kind, next.value.as_ref()) {
            (Kind::End, _) => return Ok(document),
            (Kind::Name, "query" | "mutation" | "subscription") | (Kind::BraceL, _) => {
                document.operations.push(parser.operation()?);
            }
            (Kind::Name, "fragment") => document.fragments.push(parser.fragment_definition()?),
            _ => return parser.unexpected(),
        }
    }
}

impl Parser<'_> {
    fn operation(&mut self) -> Parsed<Operation> {
        let (at, comment) = (self.place(), self.comment());
        if self.kind() == Kind::BraceL {
            let selections = self.selections()?;
            let (name, variables, directives) = (String::new(), Vec::new(), Vec::new());
            let (kind, comment) = ("query".to_owned(), Vec::new());
            return Ok(Operation { kind, name, variables, directives, selections, at, comment });
        }
        let kind = self.operation_type()?;
        let name = if self.kind() == Kind::Name { self.name()? } else { String::new() };
        let variables = self.variable_definitions()?;
        let directives = self.directives(false)?;
        let selections = self.selections()?;
        Ok(Operation { kind, name, variables, directives, selections, at, comment })
    }

    pub(super) fn operation_type(&mut self) -> Parsed<String> {
        let token = self.take()?;
        match token.value.as_ref() {
            "query" | "mutation" | "subscription" => Ok(token.value.into_owned()),
            _ => unexpected_token(&token),
        }
    }

    fn variable_definitions(&mut self) -> Parsed<Vec<Variable>> {
        let mut variables = Vec::new();
        self.some(Kind::ParenL, Kind::ParenR, |parser| {
            let (at, comment) = (parser.place(), parser.comment());
            let name = parser.variable_name()?;
            parser.expect(Kind::Colon)?;
            let ty = parser.ty()?;
            let default = if parser.skip(Kind::Equals)? { Some(parser.literal(true)?) } else { None };
            let directives = parser.directives(false)?;
            variables.push(Variable { name, ty, default, directives, used: false, at, comment });
            Ok(())
        })?;
        Ok(variables)
    }

    fn selections(&mut self) -> Parsed<Vec<Selection>> {
        let next = self.peek();
        if next.kind != Kind::BraceL {
            let message = format!("Expected {{, found {}", next.kind.as_str());
            return Err(Problem::new(Some(next.at), message));
        }
        self.nested(|parser| {
            let mut selections = Vec::new();
            parser.some(Kind::BraceL, Kind::BraceR, |parser| {
                selections.push(parser.selection()?);
                Ok(())
            })?;
            Ok(selections)
        })
    }

    fn selection(&mut self) -> Parsed<Selection> {
        if self.kind() == Kind::Spread { self.spread() } else { Ok(Selection::Field(self.field()?)) }
    }

    fn field(&mut self) -> Parsed<Field> {
        let (at, comment) = (self.place(), self.comment());
        let alias = self.name()?;
        let name = if self.skip(Kind::Colon)? { self.name()? } else { alias.clone() };
        let arguments = self.arguments(false)?;
        let directives = self.directives(false)?;
        let selections = if self.kind() == Kind::BraceL { self.selections()? } else { Vec::new() };
        Ok(Field { alias, name, arguments, directives, selections, at, comment })
    }

    fn spread(&mut self) -> Parsed<Selection> {
        let comment = self.comment();
        self.expect(Kind::Spread)?;
        let at = self.place();
        if self.kind() == Kind::Name && !self.is_value("on") {
            let name = self.name()?;
            let directives = self.directives(false)?;
            return Ok(Selection::Spread(Spread { name, directives, at, comment }));
        }
        let mut condition = String::new();
        if self.is_value("on") {
            self.take()?;
            condition = self.name()?;
        }
        let directives = self.directives(false)?;
        let selections = self.selections()?;
        Ok(Selection::Inline(Inline { condition, directives, selections, at, comment }))
    }

    fn fragment_definition(&mut self) -> Parsed<Fragment> {
        let (at, comment) = (self.place(), self.comment());
        self.expect_keyword("fragment")?;
        if self.is_value("on") {
            return self.unexpected();
        }
        let name = self.name()?;
        let variables = self.variable_definitions()?;
        self.expect_keyword("on")?;
        let condition = self.name()?;
        let directives = self.directives(false)?;
        let selections = self.selections()?;
        Ok(Fragment { name, variables, condition, directives, selections, at, comment })
    }
}
