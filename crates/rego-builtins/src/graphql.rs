//! Category graphql: queries and schemas as text or as the objects made of it, and the one checked against the other.
//!
//! The objects and the verdicts are those of the Go library that OPA uses (gqlparser 2.5.58), including the scalars,
//! directives and introspection types that every schema has. There is no crate with that syntax tree, so parser and
//! rules are our own. Beyond OPA there are limits: on nesting, and on the steps that checking one document may take.

mod ast;
mod check_schema;
mod decode;
mod encode;
mod lexer;
mod overlap;
mod parse_query;
mod parse_schema;
mod parser;
mod problem;
mod rules;
mod rules_values;
mod schema;
mod suggest;
mod validate;

use rego_value::Value;

use crate::args::{Args, wrong_type};
use crate::context::Context;
use crate::error::BuiltinError;
use ast::{QueryDocument, SchemaDocument};
use problem::Problem;
use schema::Schema;

type Outcome = Result<Option<Value>, BuiltinError>;

/// The problems of a query text or of its check as OPA words them: the place of the first one is named at the end.
fn worded(problems: &[Problem], separated: bool) -> BuiltinError {
    let text: String = problems
        .iter()
        .map(|problem| if separated { format!("{problem}\n") } else { problem.to_string() })
        .collect();
    let parts: Vec<&str> = text.splitn(4, ':').collect();
    if let [_, line, column, message] = parts.as_slice()
        && let (Ok(line), Ok(column)) = (line.parse::<u64>(), column.parse::<u64>())
    {
        let message = message.trim_start_matches(' ');
        let message = message.strip_suffix(".\n").unwrap_or(message);
        return BuiltinError::new(format!("{message} in GraphQL string at location {line}:{column}"));
    }
    BuiltinError::new(format!("GraphQL parse error: {text}"))
}

fn query_text(text: &str) -> Result<QueryDocument, BuiltinError> {
    parse_query::parse_query(text).map_err(|problem| worded(&[problem], false))
}

fn schema_text(text: &str) -> Result<SchemaDocument, BuiltinError> {
    parse_schema::parse_schema(text).map_err(|problem| worded(&[problem], false))
}

/// A query given as text or object; `position` is that of the message, which OPA counts from 0 here.
fn query_document(value: &Value, position: usize) -> Result<QueryDocument, BuiltinError> {
    match value {
        Value::String(text) => query_text(text),
        Value::Object(_) => decode::query(value).map_err(BuiltinError::new),
        other => Err(wrong_type(position, other, &["string", "object"])),
    }
}

fn schema_document(value: &Value, position: usize) -> Result<SchemaDocument, BuiltinError> {
    match value {
        Value::String(text) => schema_text(text),
        Value::Object(_) => decode::schema(value).map_err(BuiltinError::new),
        other => Err(wrong_type(position, other, &["string", "object"])),
    }
}

fn checked_schema(document: &SchemaDocument) -> Result<Schema, BuiltinError> {
    schema::build(document).map_err(|problem| {
        let head = "Error in gqlparser SchemaDocument to Schema conversion";
        BuiltinError::new(format!("{head}: {problem}"))
    })
}

/// Query and schema, when the one is valid against the other.
fn verified(args: Args<'_>) -> Result<(QueryDocument, SchemaDocument), BuiltinError> {
    let query = query_document(args.value(1)?, 0)?;
    let document = schema_document(args.value(2)?, 1)?;
    let schema = checked_schema(&document)?;
    let problems = validate::validate(&schema, &query);
    if problems.is_empty() { Ok((query, document)) } else { Err(worded(&problems, true)) }
}

/// `graphql.parse`
pub(crate) fn parse(_: &mut Context, args: &[Value]) -> Outcome {
    let (query, schema) = verified(Args(args))?;
    Ok(Some(Value::array([encode::query(&query), encode::schema(&schema)])))
}

/// `graphql.parse_and_verify`
pub(crate) fn parse_and_verify(_: &mut Context, args: &[Value]) -> Outcome {
    let parts = match verified(Args(args)) {
        Ok((query, schema)) => [true.into(), encode::query(&query), encode::schema(&schema)],
        Err(_) => [false.into(), Value::object([]), Value::object([])],
    };
    Ok(Some(Value::array(parts)))
}

/// `graphql.parse_query`
pub(crate) fn parse_query(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(encode::query(&query_text(Args(args).string(1)?)?)))
}

/// `graphql.parse_schema`: the definitions are not checked.
pub(crate) fn parse_schema(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(encode::schema(&schema_text(Args(args).string(1)?)?)))
}

/// `graphql.is_valid`
pub(crate) fn is_valid(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(verified(Args(args)).is_ok().into()))
}

/// `graphql.schema_is_valid`
pub(crate) fn schema_is_valid(_: &mut Context, args: &[Value]) -> Outcome {
    let valid = schema_document(Args(args).value(1)?, 0).and_then(|document| checked_schema(&document));
    Ok(Some(valid.is_ok().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(query: &str, schema: &str) -> bool {
        verified(Args(&[query.into(), schema.into()])).is_ok()
    }

    #[test]
    fn a_query_is_checked_against_a_schema() {
        let schema = "type Query { user(id: ID!): User } type User { name: String friends: [User!]! }";
        assert!(valid("{ user(id: 1) { name friends { name } } }", schema));
        assert!(!valid("{ user { name } }", schema));
        assert!(!valid("{ user(id: 1) { nam } }", schema));
        assert!(!valid("{ user(id: 1) }", schema));
    }

    #[test]
    fn nesting_is_bounded() {
        let schema = "type Query { a: Query x(l: [Int]): Int }";
        let deep = |levels: usize| format!("{}a{}", "{ a ".repeat(levels), "}".repeat(levels));
        assert!(query_text(&deep(parser::MOST_NESTED - 1)).is_ok());
        assert!(query_text(&deep(100_000)).is_err());
        assert!(query_text(&format!("{{ x(l: {}) }}", "[".repeat(100_000))).is_err());
        assert!(schema_text(&format!("type Query {{ x: {} }}", "[".repeat(100_000))).is_err());
        assert!(!valid(&deep(100_000), schema));
    }

    #[test]
    fn checks_that_explode_end() {
        let schema = "type Query { a: Query b: Query s: Int } type Subscription { a: Query }";
        // Each fragment spreads the next one twice.
        let mut query = String::from("{ __schema { ...F0 } ...F0 }");
        for i in 0..400 {
            query.push_str(&format!(
                "fragment F{i} on Query {{ a {{ ...F{j} }} b {{ ...F{j} }} }}",
                j = i + 1
            ));
        }
        query.push_str("fragment F400 on Query { s }");
        let _ = valid(&query, schema);
        // Two long chains of fragments that must be compared with each other.
        for length in [140, 280, 2_000] {
            let mut query = String::from("subscription { ...F0 ...G0 __schema { ...F0 } }");
            for (i, name) in (0..length).flat_map(|i| [(i, 'F'), (i, 'G')]) {
                query.push_str(&format!("fragment {name}{i} on Query {{ a {{ ...{name}{} }} }}", i + 1));
            }
            assert!(!valid(&query, schema));
        }
        // The same field a thousand times, each with subfields.
        let _ = valid(&format!("{{ {} }}", "a { s } ".repeat(20_000)), schema);
    }
}
