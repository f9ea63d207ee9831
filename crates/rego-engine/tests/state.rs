//! Changes of the data: cells, documents, many of them, and what instances of a pool make of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{
    Config, DataCell, Engine, EvalContext, EvalError, Input, Instance, Module, Pool, PoolConfig,
};
use rego_value::{Value, json};
use test_support::Random;

/// `t/all` hands out the data; `t/sum` iterates over them, which sorts their members in place.
const POLICY: &str = r#"package t

all := data.root

sum := {"keys": [key | some key, _ in data.root.a], "n": object.get(data.root, ["a", "n"], null), "z": object.get(data.root, ["k1", "k2"], null)}
"#;

fn module(config: Config) -> Module {
    let options = Options {
        wasm: PlanOptions { target: Target::Engine, ..PlanOptions::default() },
        ..Options::default()
    };
    let built = rego_build::build(&[Source::new("t.rego", POLICY)], &["t/all", "t/sum"], &options).unwrap();
    Module::new(&Engine::new(config).unwrap(), &built.bytes).unwrap()
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

fn ask(instance: &mut Instance, entrypoint: &str) -> Option<Value> {
    let id = instance.module().entrypoint(entrypoint).unwrap();
    instance.evaluate_value(id, Input::Undefined, &EvalContext::default()).unwrap()
}

/// What `t/sum` must be.
fn sum(data: &Value) -> Value {
    let root = data.get_str("root").unwrap();
    let keys: Vec<Value> = match root.get_str("a") {
        Some(Value::Object(members)) => members.keys().cloned().collect(),
        Some(Value::Set(items)) => items.iter().cloned().collect(),
        Some(Value::Array(items)) => {
            (0..items.len()).map(|at| Value::from(i64::try_from(at).unwrap())).collect()
        }
        _ => Vec::new(),
    };
    let get = |one: &str, two: &str| {
        root.get_str(one).and_then(|value| value.get_str(two)).cloned().unwrap_or(Value::Null)
    };
    Value::object([
        (Value::from("keys"), Value::array(keys)),
        (Value::from("n"), get("a", "n")),
        (Value::from("z"), get("k1", "k2")),
    ])
}

#[test]
fn a_cell_is_set_in_place() {
    let mut instance = Instance::new(&module(Config::default())).unwrap();
    instance.set_data(value(r#"{"root": {"a": {"n": 1, "s": "text"}, "b": 2}}"#)).unwrap();
    let cell = instance.cell(&["root", "a", "n"]).unwrap();
    for number in [0, 7, -1, 1 << 40, i64::MAX, 5, i64::MIN, 1 << 30, (1 << 30) - 1] {
        instance.set_cell(cell, number).unwrap();
        assert_eq!(instance.cell_value(cell), Some(number));
        let expected = Value::object([
            (
                Value::from("a"),
                Value::object([
                    (Value::from("n"), Value::from(number)),
                    (Value::from("s"), Value::from("text")),
                ]),
            ),
            (Value::from("b"), Value::from(2)),
        ]);
        assert_eq!(ask(&mut instance, "t/all"), Some(expected.clone()));
        assert_eq!(instance.data().get_str("root"), Some(&expected));
    }
    assert!(matches!(instance.cell(&["root", "a"]), Err(EvalError::NoCell { .. })));
    instance.set_data_at(&["root", "a"], value(r#"{"n": 3}"#)).unwrap();
    assert_eq!(instance.cell_value(cell), Some(3));
    instance.set_cell(cell, 4).unwrap();
    assert_eq!(ask(&mut instance, "t/all"), Some(value(r#"{"a": {"n": 4}, "b": 2}"#)));
    instance.remove_data_at(&["root", "a"]).unwrap();
    assert_eq!(instance.set_cell(cell, 5), Err(EvalError::StaleCell));
    assert_eq!(instance.cell_value(cell), None);
}

#[test]
fn cells_outlive_an_evaluation_that_ends_badly() {
    let module = module(Config::default());
    let mut instance = Instance::new(&module).unwrap();
    instance.set_data(value(r#"{"root": {"a": {"n": 1}}}"#)).unwrap();
    let cell = instance.cell(&["root", "a", "n"]).unwrap();
    instance.set_cell(cell, 8).unwrap();
    let late = EvalContext { deadline: Some(std::time::Duration::ZERO), ..EvalContext::default() };
    let id = module.entrypoint("t/sum").unwrap();
    // The clock may not have ticked: then it is no error.
    (0..100).for_each(|_| drop(instance.evaluate_value(id, Input::Undefined, &late)));
    assert_eq!(ask(&mut instance, "t/all"), Some(value(r#"{"a": {"n": 8}}"#)));
    instance.set_cell(cell, 9).unwrap();
    assert_eq!(ask(&mut instance, "t/all"), Some(value(r#"{"a": {"n": 9}}"#)));
}

/// A random document with what Rego has beside JSON, too.
fn document(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 5 } else { 9 }) {
        0 => Value::from(i64::try_from(random.below(1 << 20)).unwrap() - 500_000),
        1 => Value::from(i64::try_from(random.below(usize::MAX >> 1)).unwrap()),
        2 => Value::from("x".repeat(random.below(40))),
        3 => value("1.25e400"),
        4 => [Value::Null, Value::Bool(true), Value::Bool(false)][random.below(3)].clone(),
        5 => Value::array((0..random.below(5)).map(|_| document(random, depth - 1)).collect::<Vec<_>>()),
        6 => Value::set((0..random.below(5)).map(|_| document(random, depth - 1)).collect::<Vec<_>>()),
        _ => {
            let most = if random.one_in(8) { 40 } else { 6 };
            let count = random.below(most);
            let members = (0..count).map(|_| (Value::from(step(random)), document(random, depth - 1)));
            Value::object(members.collect::<Vec<_>>())
        }
    }
}

fn step(random: &mut Random) -> String {
    match random.below(6) {
        0 => "a".to_owned(),
        1 => "n".to_owned(),
        _ => format!("k{}", random.below(30)),
    }
}

/// Where random changes are made.
trait Target_ {
    fn put(&mut self, path: &[&str], value: Value) -> Result<(), EvalError>;
    fn remove(&mut self, path: &[&str]) -> Result<(), EvalError>;
    fn cell(&mut self, path: &[&str]) -> Result<DataCell, EvalError>;
    fn set(&mut self, cell: DataCell, value: i64) -> Result<(), EvalError>;
    fn release(&mut self, cell: DataCell);
    fn data(&self) -> Value;
}

impl Target_ for Instance {
    fn put(&mut self, path: &[&str], value: Value) -> Result<(), EvalError> {
        self.set_data_at(path, value)
    }
    fn remove(&mut self, path: &[&str]) -> Result<(), EvalError> {
        self.remove_data_at(path)
    }
    fn cell(&mut self, path: &[&str]) -> Result<DataCell, EvalError> {
        Instance::cell(self, path)
    }
    fn set(&mut self, cell: DataCell, value: i64) -> Result<(), EvalError> {
        self.set_cell(cell, value)
    }
    fn release(&mut self, cell: DataCell) {
        self.release_cell(cell);
    }
    fn data(&self) -> Value {
        Instance::data(self)
    }
}

impl Target_ for &Pool {
    fn put(&mut self, path: &[&str], value: Value) -> Result<(), EvalError> {
        self.set_data_at(path, value)
    }
    fn remove(&mut self, path: &[&str]) -> Result<(), EvalError> {
        self.remove_data_at(path)
    }
    fn cell(&mut self, path: &[&str]) -> Result<DataCell, EvalError> {
        Pool::cell(self, path)
    }
    fn set(&mut self, cell: DataCell, value: i64) -> Result<(), EvalError> {
        self.set_cell(cell, value)
    }
    fn release(&mut self, cell: DataCell) {
        self.update(|changes| {
            changes.release_cell(cell);
            Ok(())
        })
        .unwrap();
    }
    fn data(&self) -> Value {
        Pool::data(self)
    }
}

/// A tree that is changed as the tree of the documents must be.
struct Model {
    data: Value,
    cells: Vec<(DataCell, Vec<String>)>,
}

fn put(node: &mut Value, path: &[String], value: Value) -> bool {
    let Some((key, rest)) = path.split_first() else {
        *node = value;
        return true;
    };
    let Value::Object(members) = node else { return false };
    let member = members.make_mut().entry(Value::from(key.as_str()));
    put(member.or_insert_with(|| Value::object([])), rest, value)
}

fn at<'v>(node: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(node, |node, key| node.get_str(key))
}

impl Model {
    fn change(&mut self, random: &mut Random, target: &mut impl Target_) {
        let path: Vec<String> =
            ["root".to_owned()].into_iter().chain((0..random.below(4)).map(|_| step(random))).collect();
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        match random.below(10) {
            0..4 => {
                let value = if steps.len() == 1 { value("{}") } else { document(random, 3) };
                let mut changed = self.data.clone();
                let fits = put(&mut changed, &path, value.clone());
                assert_eq!(target.put(&steps, value).is_ok(), fits);
                if fits {
                    self.data = changed;
                }
            }
            4 if steps.len() > 1 => {
                let (last, parents) = path.split_last().unwrap();
                let removed = target.remove(&steps).is_ok();
                if let Some(Value::Object(members)) = at(&self.data, parents).cloned() {
                    let mut members = members;
                    members.make_mut().remove(&Value::from(last.as_str()));
                    put(&mut self.data, parents, Value::Object(members));
                    assert!(removed);
                }
            }
            5 => {
                let is_number = matches!(at(&self.data, &path), Some(Value::Number(_)));
                let cell = target.cell(&steps);
                assert_eq!(cell.is_ok(), is_number, "{path:?}");
                self.cells.extend(cell.ok().map(|cell| (cell, path)));
            }
            6 if !self.cells.is_empty() => {
                let (cell, _) = self.cells.swap_remove(random.below(self.cells.len()));
                self.cells.retain(|(other, _)| *other != cell);
                target.release(cell);
            }
            _ if !self.cells.is_empty() => {
                let number = random.below(self.cells.len());
                let (cell, path) = self.cells[number].clone();
                let value = match random.below(2) {
                    0 => i64::try_from(random.below(1000)).unwrap(),
                    _ => i64::try_from(random.below(usize::MAX >> 1)).unwrap(),
                };
                match target.set(cell, value) {
                    Ok(()) => assert!(put(&mut self.data, &path, Value::from(value))),
                    Err(error) => {
                        assert_eq!(error, EvalError::StaleCell);
                        self.cells.swap_remove(number);
                    }
                }
            }
            _ => {}
        }
        assert_eq!(target.data(), self.data);
    }
}

fn check(instance: &mut Instance, data: &Value, random: &mut Random) {
    match random.below(4) {
        0 => assert_eq!(ask(instance, "t/sum"), Some(sum(data))),
        1 => assert_eq!(ask(instance, "t/all").as_ref(), data.get_str("root")),
        _ => {}
    }
}

#[test]
fn random_changes_are_what_they_say() {
    let mut random = Random::new(11);
    let config = Config { garbage_limit: 1 << 14, ..Config::default() };
    let module = module(config);
    for _ in 0..12 {
        let data = Value::object([(Value::from("root"), document(&mut random, 4))]);
        let data =
            if data.get_str("root").unwrap().as_object().is_some() { data } else { value(r#"{"root":{}}"#) };
        let mut instance = Instance::new(&module).unwrap();
        instance.set_data(data.clone()).unwrap();
        let mut model = Model { data, cells: Vec::new() };
        for _ in 0..400 {
            model.change(&mut random, &mut instance);
            check(&mut instance, &model.data, &mut random);
        }
        assert_eq!(ask(&mut instance, "t/all").as_ref(), model.data.get_str("root"));
    }
}

#[test]
fn every_instance_of_a_pool_sees_the_state_of_its_turn() {
    let mut random = Random::new(12);
    let pool =
        Pool::new(&module(Config::default()), PoolConfig { size: 3, ..PoolConfig::default() }).unwrap();
    let data = value(r#"{"root": {"a": {"n": 1}}}"#);
    pool.set_data(data.clone()).unwrap();
    let mut model = Model { data, cells: Vec::new() };
    for turn in 0..3000 {
        (0..random.below(4)).for_each(|_| model.change(&mut random, &mut &pool));
        if turn == 1500 {
            // More than an instance can follow step by step.
            (0..6000).for_each(|_| model.change(&mut random, &mut &pool));
        }
        // One in one, or two in a row, or three.
        let depth = random.below(3);
        nest(&pool, depth, &model.data, &mut random);
    }
}

fn nest(pool: &Pool, depth: usize, data: &Value, random: &mut Random) {
    pool.with(|instance, revision| {
        assert_eq!(revision, pool.data_revision());
        if depth > 0 {
            nest(pool, depth - 1, data, random);
        }
        check(instance, data, random);
        assert_eq!(instance.set_data_at(&["root"], Value::Null), Err(EvalError::SharedData));
    })
    .unwrap();
}

/// Documents of many sizes, and a counter, a million times, in a memory that holds little more than the data.
#[test]
fn a_million_changes_stay_within_the_memory() {
    let config = Config { memory_limit: 4 << 20, garbage_limit: 1 << 18, ..Config::default() };
    let mut instance = Instance::new(&module(config)).unwrap();
    instance.set_data(value(r#"{"root": {"n": 0, "a": {}}}"#)).unwrap();
    let cell = instance.cell(&["root", "n"]).unwrap();
    let mut random = Random::new(13);
    let texts: Vec<Value> = (0..20).map(|length| Value::from("y".repeat(length * length * 4))).collect();
    for turn in 0..500_000i64 {
        instance.set_cell(cell, turn << (turn % 40)).unwrap();
        let key = format!("k{}", random.below(200));
        match random.below(4) {
            0 => instance.remove_data_at(&["root", "a", &key]).unwrap(),
            _ => instance.set_data_at(&["root", "a", &key], texts[random.below(20)].clone()).unwrap(),
        }
    }
    assert!(instance.memory_size() <= 2 << 20, "{}", instance.memory_size());
    assert_eq!(ask(&mut instance, "t/all").as_ref(), instance.data().get_str("root"));
}
