//! Every row of every table, through the Guardian with a store behind it: the state that the row begins with is charged
//! to the store, the decision is made, the call runs or is denied, and the store then holds what the row says. Once with
//! the module in this process, and once with a real OPA that is given the exported Rego and the pushed state.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "tables/support.rs"]
mod support;

use support::{Case, Side, cases};
use test_support::OpaServer;

/// All rows by one kind of evaluator; what does not hold is told at once.
fn assert_rows(mut side: impl FnMut(&Case) -> Side) {
    let (mut rows, mut wrong) = (0, Vec::new());
    for case in cases() {
        let side = side(&case);
        for row in case.table.rows() {
            if let Some(result) = side.perform(row) {
                rows += 1;
                wrong.extend(result.err().map(|why| format!("{}: {}: {why}", case.name, row.name())));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {rows} rows do not hold:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows > 200, "only {rows} rows were found");
}

#[test]
fn every_row_holds_with_a_store_behind_it() {
    assert_rows(|case| Side::new(case, None));
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_every_row_holds_with_the_state_pushed_to_opa() {
    let mut server = None;
    assert_rows(|case| {
        // One each: what a policy file publishes stays there. The last one's ends.
        let opa = server.insert(OpaServer::start());
        Side::new(case, Some(&opa.url()))
    });
}
