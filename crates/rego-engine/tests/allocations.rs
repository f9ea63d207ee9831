//! What a warm decision takes of the host: counted by an allocator.
#![allow(clippy::unwrap_used, unsafe_code, reason = "tests; an allocator is unsafe by nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Answer, Config, Engine, EvalContext, Input, Instance, Module, Pool, PoolConfig};
use rego_value::json;

/// The system's allocator, which counts for each thread.
struct Counting;

thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });

fn count() {
    // A thread that ends has nobody left who would ask.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const POLICY: &str = r#"package guard

default decision := {"allowed": true, "action": "allow", "reason": "ok"}

decision := {"allowed": false, "action": "block", "reason": reason} if {
	input.operation == "delete"
	some role in input.user.roles
	data.limits[role] < input.count
	reason := concat(" ", ["too many for", role, input.user.name])
}
"#;

const INPUT: &str = r#"{"operation": "delete", "count": 12, "unread": {"deep": [1, 2, {"a": "bé"}]},
    "user": {"name": "Grace Hopper", "roles": ["reader", "writer"], "age": 1.5}}"#;

const DATA: &str = r#"{"limits": {"reader": 99, "writer": 10}}"#;

/// A policy that calls no function of its host.
fn module() -> Module {
    let options = Options {
        wasm: PlanOptions { target: Target::Engine, ..PlanOptions::default() },
        ..Options::default()
    };
    let built =
        rego_build::build(&[Source::new("guard.rego", POLICY)], &["guard/decision"], &options).unwrap();
    Module::new(&Engine::new(Config::default()).unwrap(), &built.bytes).unwrap()
}

/// The number of allocations on this thread.
fn counted(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

fn look(answer: Option<Answer<'_>>) -> bool {
    let answer = answer.unwrap();
    assert_eq!(answer.get("action").unwrap().as_str(), Some("block"));
    let reason = answer.get("reason").unwrap();
    assert_eq!(reason.as_str(), Some("too many for writer Grace Hopper"));
    assert_eq!(answer.members().unwrap().count(), 3);
    answer.get("allowed").unwrap().as_bool().unwrap()
}

fn decide(instance: &mut Instance, input: Input<'_>) -> bool {
    let entrypoint = instance.module().entrypoint("guard/decision").unwrap();
    instance.evaluate_with(entrypoint, input, &EvalContext::default(), look).unwrap()
}

#[test]
fn a_warm_decision_allocates_nothing() {
    let pool = Pool::new(&module(), PoolConfig::default()).unwrap();
    pool.set_data(json::parse(DATA.as_bytes()).unwrap()).unwrap();
    assert_eq!(pool.module().host_functions(), [""; 0]);
    let turn = || assert!(!pool.with(|instance, _| decide(instance, Input::from(INPUT))).unwrap());
    // The first ones make room for themselves.
    (0..3).for_each(|_| turn());
    assert_eq!(counted(|| (0..100).for_each(|_| turn())), 0);
    assert!(counted(|| drop(INPUT.to_owned())) > 0, "the counter counts");
}
