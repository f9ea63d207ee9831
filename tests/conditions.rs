//! Rules with conditions: random rules about random calls, decided by our engine and by the real OPA, against an
//! interpreter that shares nothing with the translation. `SEED` and `CASES` choose others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "conditions/reference.rs"]
mod reference;

use guard_policy::{
    LoadOptions, PolicyFile, RegoModule, RuleSet, TRACE_ENTRYPOINT, trace_modules, translate,
};
use hexarch_guardrails::conditions::{Field, NewCondition, NewRule, RuleAction};
use hexarch_guardrails::{DECISION_ENTRYPOINT, GuardError, Guardian, compile_for_engine};
use reference::{Answer, Set, call, decide};
use rego_engine::{Config, Engine, EvalContext, Instance, Module};
use serde_json::{Value, json};
use test_support::{Folder, Random, opa, setting};

/// Rules and calls of one run.
struct Run {
    seed: u64,
    sets: Vec<Set>,
    calls: Vec<Value>,
    file: PolicyFile,
}

impl Run {
    fn new() -> Self {
        let seed = setting("SEED", 1);
        let cases = usize::try_from(setting("CASES", 30)).unwrap();
        println!("SEED={seed} CASES={cases}");
        let mut random = Random::new(seed);
        let sets: Vec<Set> =
            (0..cases).map(|number| Set::random(&format!("set_{number}"), &mut random)).collect();
        let calls = (0..100).map(|_| call(&mut random)).collect();
        let file = sets.iter().fold(PolicyFile::without_policies(), |file, set| {
            let text = set.to_json().to_string();
            let rules = RuleSet::parse("rules.json", &text).unwrap_or_else(|error| panic!("{text}\n{error}"));
            file.with_rules(&rules).unwrap()
        });
        Self { seed, sets, calls, file }
    }

    fn modules(&self) -> Vec<RegoModule> {
        let mut modules = translate(&self.file).modules().to_vec();
        modules.extend(trace_modules(&self.file));
        modules
    }

    /// Compares what an engine decided, and how it says that came about, with the interpreter.
    fn check(&self, call: &Value, decisions: &[Value], traced: &Value) {
        for (set, decision) in self.sets.iter().zip(decisions) {
            let told = || {
                format!(
                    "SEED={} {}\nthe call is {call}\nthe decision is {decision}",
                    self.seed,
                    set.to_json()
                )
            };
            let expected = decide(set, call);
            assert_eq!(decision["action"], expected.action, "{}", told());
            assert_eq!(decision["metadata"]["rule"].as_str(), expected.rule.as_deref(), "{}", told());
            assert_eq!(decision["allowed"], matches!(expected.action, "allow" | "warn"), "{}", told());
            let traced = traced[&set.id].as_array().unwrap();
            assert_eq!(traced.len(), expected.answers.len(), "{}", told());
            for (rule, (id, answer)) in traced.iter().zip(&expected.answers) {
                assert_eq!(rule["rule"].as_str(), Some(id.as_str()), "{}", told());
                assert_eq!(answer_of(&rule["when"]["answer"]), *answer, "rule {id}: {}\n{}", rule, told());
            }
        }
    }
}

fn answer_of(answer: &Value) -> Answer {
    match answer {
        Value::Bool(true) => Answer::Held,
        Value::Bool(false) => Answer::NotHeld,
        Value::Array(trouble) if trouble.iter().any(|one| one["kind"] == "error") => Answer::Error,
        Value::Array(trouble) if !trouble.is_empty() => Answer::Missing,
        other => panic!("{other} is no answer"),
    }
}

fn asked(call: &Value, policy: &str) -> Value {
    let mut call = call.clone();
    call["policy_id"] = policy.into();
    call
}

#[test]
fn our_engine_decides_as_the_interpreter() {
    let run = Run::new();
    let bytes = compile_for_engine(&run.modules(), &[DECISION_ENTRYPOINT, TRACE_ENTRYPOINT]).unwrap();
    let engine = Engine::new(Config::default()).unwrap();
    let mut instance = Instance::new(&Module::new(&engine, &bytes).unwrap()).unwrap();
    let mut ask = |entrypoint: &str, input: &Value| -> Value {
        let input = input.to_string();
        let answer = instance.evaluate(entrypoint, input.as_str().into(), &EvalContext::default()).unwrap();
        let text = rego_value::json::to_string(answer.result().unwrap(), rego_value::json::Escape::Plain);
        serde_json::from_str(&text).unwrap()
    };
    for call in &run.calls {
        let decisions: Vec<Value> =
            run.sets.iter().map(|set| ask(DECISION_ENTRYPOINT, &asked(call, &set.id))).collect();
        run.check(call, &decisions, &ask(TRACE_ENTRYPOINT, call));
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_real_opa_decides_as_the_interpreter() {
    let run = Run::new();
    let folder = Folder::new("conditions");
    for module in run.modules() {
        folder.write(module.name(), module.text());
    }
    let sets: Vec<&str> = run.sets.iter().map(|set| set.id.as_str()).collect();
    folder.write("asked.json", json!({"asked": {"calls": run.calls, "sets": sets}}).to_string());
    folder.write(
        "runner.rego",
        "package runner

answers := [{\"decisions\": decisions, \"rules\": rules} |
	some call in data.asked.calls
	decisions := [decision |
		some id in data.asked.sets
		decision := data.guardrails.evaluate with input as object.union(call, {\"policy_id\": id})
	]
	rules := data.guardrails.trace.rules with input as call
]
",
    );
    let output = std::process::Command::new(opa())
        .args(["eval", "--format", "raw", "data.runner.answers", "-d"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), run.calls.len());
    for (call, answer) in run.calls.iter().zip(&answers) {
        run.check(call, answer["decisions"].as_array().unwrap(), &answer["rules"]);
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_what_is_generated_passes_opa_check_and_fmt() {
    let run = Run::new();
    let folder = Folder::new("conditions-clean");
    for module in run.modules() {
        folder.write(module.name(), module.text());
    }
    for arguments in [vec!["check", "--strict"], vec!["fmt", "--fail", "--diff"]] {
        let output = std::process::Command::new(opa()).args(&arguments).arg(folder.path()).output().unwrap();
        let told =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
    }
}

fn refunds() -> RuleSet {
    let large = NewCondition::all([
        Field::at("operation").equals("refund"),
        Field::at("context.amount").greater_than(500),
    ]);
    RuleSet::builder("refunds")
        .rule(NewRule::new("large", large).action(RuleAction::RequireConfirmation))
        .build()
        .unwrap()
}

#[test]
fn a_guardian_enforces_rules_beside_its_policies() {
    let text = "policies: [{id: other, requires_confirmation: true}]";
    let guardian = Guardian::builder().policy_text("hexarch.yaml", text).rules(refunds()).build().unwrap();
    let ran = |amount: Value| {
        guardian.check("refunds").unwrap().operation("refund").context("amount", amount).run(|| 7)
    };
    assert_eq!(ran(json!(500)).unwrap(), 7);
    for (amount, reason) in [
        (json!(501), "confirmation is required and nobody is there to ask"),
        (json!("501"), "rule `large` has no answer: `context.amount` is a text, and a number is compared"),
        (Value::Null, "rule `large` has no answer: the call does not say `context.amount`"),
    ] {
        match ran(amount) {
            Err(GuardError::Denied(violation)) => assert_eq!(violation.reason, reason),
            other => panic!("{other:?}"),
        }
    }
    let confirmed =
        guardian.check("refunds").unwrap().operation("refund").context("amount", 501).confirm(true);
    assert_eq!(confirmed.run(|| 7).unwrap(), 7);
    assert!(guardian.check("other").is_ok());
}

#[test]
fn rules_are_policies_by_themselves_and_ids_are_taken_once() {
    let folder = Folder::new("conditions-file");
    let path = folder.write("rules.yaml", refunds().to_yaml());
    let options = LoadOptions { allow_writable_by_others: true, ..LoadOptions::default() };
    let guardian = Guardian::builder().rules_file(&path).load_options(options).build().unwrap();
    assert!(guardian.check("refunds").unwrap().operation("read").run(|| ()).is_ok());
    let twice = Guardian::builder().rules_file(&path).load_options(options).rules(refunds()).build();
    let told = twice.map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("the policy id `refunds` is taken"), "{told}");
    let packed = Guardian::builder().pack("safe_delete").rules(refunds()).build().unwrap();
    assert!(packed.check("refunds").is_ok() && packed.check("safe_delete").is_ok());
    let wrong = folder
        .write("wrong.yaml", "id: refunds\nrules: [{id: r, action: block, when: {field: oops, equals: 1}}]");
    let told = Guardian::builder()
        .rules_file(wrong)
        .load_options(options)
        .build()
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(told.contains("wrong.yaml:2:"), "{told}");
}
