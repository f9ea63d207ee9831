//! The two written forms: what is refused, and that nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_ir::{Block, Location, Policy, Stmt, StmtKind, from_json, parse_text, print_text, to_json};

#[test]
fn json_errors_say_where() {
    let plan =
        |stmt: &str| format!(r#"{{"plans":{{"plans":[{{"name":"e","blocks":[{{"stmts":[{stmt}]}}]}}]}}}}"#);
    let at = "plans.plans[0].blocks[0].stmts[0]";
    for (stmt, expected) in [
        (r#"{"type":"FooStmt","stmt":{}}"#, format!("unknown statement `FooStmt` at {at}")),
        (r#"{"type":"BreakStmt","stmt":{}}"#, format!("missing field `index` at {at}.stmt")),
        (
            r#"{"type":"BreakStmt","stmt":{"index":-1}}"#,
            format!("expected an unsigned 32-bit integer at {at}.stmt.index"),
        ),
        (r#"{"type":"BreakStmt"}"#, format!("missing field `stmt` at {at}")),
        (
            r#"{"type":"LenStmt","stmt":{"source":{"type":"number","value":1},"target":1}}"#,
            format!("unknown operand type `number` at {at}.stmt.source"),
        ),
    ] {
        assert_eq!(from_json(&plan(stmt)).unwrap_err().to_string(), expected);
    }
    assert!(from_json("").unwrap_err().to_string().starts_with("plan is not valid JSON"));
    assert_eq!(from_json("[]").unwrap_err().to_string(), "expected an object at ");
}

/// A policy whose blocks are nested to the given depth.
fn nested(levels: usize) -> Policy {
    let mut block = Block::default();
    for _ in 1..levels {
        block = Block {
            stmts: vec![Stmt {
                kind: StmtKind::Block { blocks: vec![block] },
                location: Location::default(),
            }],
        };
    }
    Policy { plans: vec![rego_ir::Plan { name: "e".to_owned(), blocks: vec![block] }], ..Policy::default() }
}

#[test]
fn nesting_is_read_up_to_the_limit_and_refused_far_beyond() {
    let deep = nested(Block::MAX_DEPTH);
    assert_eq!(from_json(&to_json(&deep).to_string()), Ok(deep.clone()));
    assert_eq!(parse_text(&print_text(&deep)), Ok(deep));
    let brackets = "[".repeat(100_000);
    assert!(from_json(&brackets).unwrap_err().to_string().contains("nested deeper"));
    let nests = "plan \"e\"\nblock\n".to_owned() + &"nest\nblock\n".repeat(100_000);
    assert!(parse_text(&nests).unwrap_err().to_string().contains("nested deeper"));
}

#[test]
fn cut_and_changed_texts_do_not_panic() {
    let policy = parse_text(SAMPLE).unwrap();
    let json = to_json(&policy).to_string();
    let text = print_text(&policy);
    assert_eq!(text, SAMPLE);
    for source in [&json, &text] {
        for end in 0..source.len() {
            let _ = from_json(&source[..end]);
            let _ = parse_text(&source[..end]);
            let mut changed = source.clone().into_bytes();
            for byte in [b'"', b'{', b'0', b'%', b'-'] {
                changed[end] = byte;
                let changed = String::from_utf8(changed.clone()).unwrap();
                let _ = from_json(&changed);
                let _ = parse_text(&changed);
            }
        }
    }
}

/// One of every statement.
const SAMPLE: &str = r#"string "a"
string "12"
builtin "plus" {"args":[],"type":"function"}
file "p.rego"
unplanned "data.p.r" @0:9:1-9:4

plan "eval"
block
  %2 = call "f"(%0, %1) @0:1:1-1:9
  result %2 @0:1:1-1:9
end

func "f"(%0, %1) -> %2 path ("g0", "p")
block
  reset %3
  %4 = s0 ; "a"
  %4 = true
  %4 = once %3
  %5 = null
  %5 = int -3
  %5 = assignint 4
  %5 = number s1 ; "12"
  %6 = array 2
  append %6, false
  %7 = object
  insert %7[s0] = %5 ; "a"
  insertonce %7[s0] = %5 ; "a"
  %8 = set
  add %8, s1 ; "12"
  %9 = merge %7, %7
  %10 = dot %9[s0] ; "a"
  %11 = len %9
  equal %10, %11
  notequal %10, s0 ; "a"
  isarray %6
  isobject %7
  isset %8
  isdefined %3
  isundefined %3
  nop
  nest @0:2:1-2:2
    block
      %12 = calldynamic (s0, %10)(%0, %1) ; "a"
      break 1
    end
    block
    end
  end
  scan %9 -> %13, %14
    not
      equal %13, s0 ; "a"
    end
  end
  with %0 (s0, s1) = %5 ; "a", "12"
    %15 = %0
  end
end
block
  return %2
end
"#;
