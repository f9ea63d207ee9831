//! One case for each error of the verifier, in the text form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_ir::{Block, Policy, Stmt, StmtKind, parse_text, verify};

/// The errors of a policy, one a line.
fn errors(text: &str) -> String {
    let policy = parse_text(text).unwrap();
    match verify(policy) {
        Ok(_) => String::from("ok"),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

/// A function `f` of input and data with the given statements in one block.
fn in_func(stmts: &str) -> String {
    format!(
        "string \"x\"\nbuiltin \"plus\" {{\"args\":[{{}},{{}}],\"result\":{{}}}}\nfunc \"f\"(%0, %1) -> %2 path (\"p\")\nblock\n{stmts}\nend\n"
    )
}

#[test]
fn well_formed() {
    assert_eq!(errors(&in_func("%3 = call \"plus\"(%0, s0)\n%2 = once %3\nreturn %2")), "ok");
    assert_eq!(errors("plan \"eval\"\nblock\n%2 = object\nresult %2\nend"), "ok");
}

#[test]
fn statements() {
    for (stmts, expected) in [
        ("%3 = s1", "string index 1 out of range in func `f`"),
        ("%3 = number s0", "constant `x` is not a number in func `f`"),
        ("%3 = s0 @1:1:1-1:2", "file index 1 out of range in func `f`"),
        ("%3 = %4", "local %4 is read before it is assigned in func `f`"),
        ("append %4, s0", "local %4 is read before it is assigned in func `f`"),
        ("break 1", "break leaves 2 blocks but only 1 are open in func `f`"),
        ("break 4294967295", "break leaves 4294967296 blocks but only 1 are open in func `f`"),
        ("%3 = calldynamic (s0)(%0, %1)", "break leaves 4 blocks but only 1 are open in func `f`"),
        ("%3 = call \"g\"()", "call of unknown function `g` in func `f`"),
        ("%3 = call \"f\"(%0)", "`f` takes 2 arguments, called with 1 in func `f`"),
        ("%3 = call \"plus\"(%0)", "`plus` takes 2 arguments, called with 1 in func `f`"),
        ("result %0", "result set changed inside a function in func `f`"),
    ] {
        assert_eq!(errors(&in_func(stmts)), expected, "{stmts}");
    }
}

#[test]
fn items() {
    assert_eq!(errors("plan \"e\"\nblock\nreturn %0\nend"), "return outside of a function in plan `e`");
    assert_eq!(errors("plan \"e\"\nplan \"e\""), "duplicate name in plan `e`");
    assert_eq!(errors("func \"f\"() -> %0 path ()"), "function without parameters in func `f`");
    assert_eq!(errors("func \"f\"(%0, %0) -> %1 path ()"), "local %0 is declared twice in func `f`");
    let twice = "func \"f\"(%0) -> %1 path (\"a\")\nfunc \"g\"(%0) -> %1 path (\"a\")";
    assert_eq!(errors(twice), "duplicate function path in func `g`");
}

#[test]
fn depth_is_limited() {
    let nest = |levels: usize| {
        let mut block = Block::default();
        for _ in 1..levels {
            let stmt: Stmt = StmtKind::Block { blocks: vec![block] }.at(Default::default());
            block = Block { stmts: vec![stmt] };
        }
        let plan = rego_ir::Plan { name: "e".to_owned(), blocks: vec![block] };
        Policy { plans: vec![plan], ..Policy::default() }
    };
    assert!(verify(nest(Block::MAX_DEPTH)).is_ok());
    let errors = verify(nest(Block::MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(errors[0].to_string(), "blocks are nested deeper than 100 in plan `e`");
}
