//! What happens in an evaluation, told event by event, and what is left of one where something is not known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rego_compiler::{CheckedProgram, Options, QueryContext, check};
use rego_syntax::ast::{Body, Ref};
use rego_syntax::{ParserOptions, SourceMap, Span, parse_module, parse_query};
use rego_topdown::{
    Explain, Explained, Functions, Left, Question, Unanswered, Unknowns, explain, filter, partial, trace_text,
};
use rego_value::{Value, json};

/// The functions that the policies here call.
struct Few;

impl Functions for Few {
    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<Vec<Value>, Unanswered> {
        let is_odd = arguments.first() == Some(&Value::from(1));
        match name {
            "equal" => Ok(vec![(arguments.first() == arguments.get(1)).into()]),
            "count" => {
                Ok(vec![arguments.first().and_then(Value::as_array).map_or(0, |all| all.len() as i64).into()])
            }
            // 1/0 ends the evaluation here, and another number's is undefined.
            "div" => Err(Unanswered { message: "div: divide by zero".to_owned(), halts: is_odd }),
            other => Err(Unanswered { message: format!("{other}: not here"), halts: true }),
        }
    }
}

/// A policy and a question about it.
struct Asked {
    program: CheckedProgram,
    body: Body,
}

impl Asked {
    fn new(policy: &str, query: &str, unify: bool) -> Self {
        let mut sources = SourceMap::new();
        let file = sources.add("p.rego", policy);
        let module = parse_module(&file, &ParserOptions::default()).into_result().unwrap();
        let program = check(vec![module], &sources, &Options::default()).unwrap();
        let text = sources.add("", query);
        let body = parse_query(&text, &ParserOptions::default()).into_result().unwrap();
        let context = QueryContext { unify, ..QueryContext::default() };
        let body = program.compile_query_in(body, &context).unwrap().body().clone();
        Self { program, body }
    }

    fn question(&self, input: Option<&str>) -> Question {
        let input = input.map(|text| json::parse(text.as_bytes()).unwrap());
        Question { input, ..Question::new(self.body.clone(), Value::object([])) }
    }

    fn explain(&self, input: Option<&str>) -> Explained {
        explain(&self.program, &mut Few, self.question(input))
    }

    fn partial(&self) -> Left {
        let unknowns = Unknowns {
            references: vec![Ref::from_dotted("input", Span::NONE)],
            disabled: Vec::new(),
            shallow: false,
            nondeterministic: false,
        };
        partial(&self.program, &mut Few, self.question(None), unknowns).unwrap()
    }
}

const POLICY: &str = "package p

allow if {
	input.user == \"ada\"
	not denied
}

denied if input.role == \"guest\"

one := 1 if input.n == 1

one := 2 if input.m == 1

broken := 1 / 0

quiet := 2 / 0
";

#[test]
fn events_tell_what_was_tried_and_what_failed() {
    let asked = Asked::new(POLICY, "data.p.allow", false);
    let told = asked.explain(Some(r#"{"user": "ada", "role": "guest"}"#));
    assert!(!told.answered && told.failure.is_none());
    let text = trace_text(&asked.program, &told.events, false, "");
    for wanted in
        ["Enter data.p.allow", "Enter data.p.denied", "Exit data.p.denied", "Fail not data.p.denied"]
    {
        assert!(text.contains(wanted), "{wanted}:\n{text}");
    }
    let fails = filter(&told.events, Explain::Fails);
    assert!(!fails.is_empty() && fails.len() < told.events.len());
    let allowed = asked.explain(Some(r#"{"user": "ada", "role": "admin"}"#));
    assert!(allowed.answered);
}

#[test]
fn a_conflict_and_a_function_that_halts_end_an_evaluation() {
    let conflict = Asked::new(POLICY, "data.p.one", false).explain(Some(r#"{"n": 1, "m": 1}"#));
    let failure = conflict.failure.unwrap();
    assert_eq!(failure.code, "eval_conflict_error");
    assert!(!failure.stack.is_empty());
    assert!(Asked::new(POLICY, "data.p.one", false).explain(Some(r#"{"m": 1}"#)).answered);
    let halted = Asked::new(POLICY, "data.p.broken", false).explain(None);
    assert_eq!(halted.failure.unwrap().message, "div: divide by zero");
    let undefined = Asked::new(POLICY, "data.p.quiet", false).explain(None);
    assert!(!undefined.answered && undefined.failure.is_none());
}

#[test]
fn what_is_left_asks_only_for_what_is_not_known() {
    let left = Asked::new(POLICY, "data.p.allow", true).partial();
    assert!(left.support.is_empty());
    let queries: Vec<String> = left.queries.iter().map(ToString::to_string).collect();
    assert_eq!(queries.len(), 1, "{queries:?}");
    let query = queries.first().unwrap();
    assert!(query.contains("input.user") && query.contains("not "), "{query}");
    assert!(!query.contains("data.p"), "{query}");
    let known = Asked::new("package p\n\nx if count([1]) == 1\n", "data.p.x", true).partial();
    assert_eq!(known.queries.iter().map(|body| body.len()).collect::<Vec<_>>(), [0]);
    let never = Asked::new("package p\n\nx if 1 == 2\n", "data.p.x", true).partial();
    assert!(never.queries.is_empty());
}

#[test]
fn what_never_ends_is_given_up_on() {
    let policy = "package p\n\nx if {\n\tsome a in numbers\n\tsome b in numbers\n\tsome c in numbers\n\tsome d in numbers\n\tsome e in numbers\n\tsome f in numbers\n\tLAST\n}\n";
    let numbers: Vec<String> = (0..60).map(|i| i.to_string()).collect();
    let policy = format!("{policy}\nnumbers := [{}]\n", numbers.join(", "))
        .replace("LAST", "[a, b, c, d, e, f] == [a, b, c, d, e, -1]");
    let told = Asked::new(&policy, "data.p.x", false).explain(None);
    let failure = told.failure.unwrap();
    assert!(failure.message.contains("too many steps"), "{}", failure.message);
}
