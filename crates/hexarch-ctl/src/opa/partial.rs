//! What a partial evaluation leaves, in the forms that `opa eval --partial` prints.

use rego_syntax::ast::{Ref, Rule, body_to_json, rules_to_json};
use rego_syntax::format::{format_expressions, format_rules};
use rego_test::output::json;
use rego_topdown::Left;

use crate::opa::table;

/// The queries and rules as JSON.
pub(crate) fn as_json(left: &Left) -> String {
    let mut object = json::Object::new();
    if !left.queries.is_empty() {
        object = object.raw("queries", &json::array(left.queries.iter().map(body_to_json)));
    }
    if !left.support.is_empty() {
        let module = |(package, rules): &(Ref, Vec<Rule>)| rules_to_json(package, rules);
        object = object.raw("support", &json::array(left.support.iter().map(module)));
    }
    object.finish()
}

/// The queries and rules as files.
pub(crate) fn as_source(left: &Left) -> String {
    let mut out = String::new();
    for (query, number) in left.queries.iter().zip(1..) {
        out.push_str(&format!("# Query {number}\n{}\n", format_expressions(query)));
    }
    for ((package, rules), number) in left.support.iter().zip(1..) {
        out.push_str(&format!("# Module {number}\n{}", format_rules(package, rules)));
    }
    out
}

/// The queries and rules as a table.
pub(crate) fn as_table(left: &Left) -> String {
    let cell = |text: String| text.replace('\t', "  ").trim_matches('\n').to_owned();
    let queries = left.queries.iter().zip(1..);
    let queries =
        queries.map(|(query, number)| vec![format!("Query {number}"), cell(format_expressions(query))]);
    let support = left.support.iter().zip(1..);
    let support = support.map(|((package, rules), number)| {
        vec![format!("Support {number}"), cell(format_rules(package, rules))]
    });
    table::draw_cells(&queries.chain(support).collect::<Vec<_>>())
}
