//! The table against OPA's own list of built-in functions.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use rego_builtins::{Arg, Builtin, Type, all, by_infix, by_name};
use serde_json::{Map, Value, json};

/// A document of the conformance folder.
fn document(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(test_support::corpus().join(name)).unwrap()).unwrap()
}

fn type_to_json(ty: &Type) -> Value {
    match ty {
        Type::Any => json!({"type": "any"}),
        Type::Null => json!({"type": "null"}),
        Type::Boolean => json!({"type": "boolean"}),
        Type::Number => json!({"type": "number"}),
        Type::String => json!({"type": "string"}),
        Type::AnyOf(of) => {
            json!({"type": "any", "of": of.iter().map(type_to_json).collect::<Vec<_>>()})
        }
        Type::Array(of) => json!({"type": "array", "dynamic": type_to_json(of)}),
        Type::Tuple(of) => {
            json!({"type": "array", "static": of.iter().map(type_to_json).collect::<Vec<_>>()})
        }
        Type::Set(of) => json!({"type": "set", "of": type_to_json(of)}),
        Type::Object { fields, dynamic } => {
            let mut object = json!({"type": "object"});
            if !fields.is_empty() {
                object["static"] =
                    fields.iter().map(|(key, ty)| json!({"key": key, "value": type_to_json(ty)})).collect();
            }
            if let Some((key, value)) = dynamic {
                object["dynamic"] = json!({"key": type_to_json(key), "value": type_to_json(value)});
            }
            object
        }
    }
}

fn arg_to_json(arg: &Arg) -> Value {
    let mut value = type_to_json(&arg.ty);
    if !arg.name.is_empty() {
        value["name"] = json!(arg.name);
    }
    value
}

fn decl_to_json(row: &Builtin) -> Value {
    let mut decl = json!({"type": "function"});
    if !row.args.is_empty() {
        decl["args"] = row.args.iter().map(arg_to_json).collect();
    }
    if let Some(result) = &row.result {
        decl["result"] = arg_to_json(result);
    }
    if let Some(ty) = &row.variadic {
        decl["variadic"] = type_to_json(ty);
    }
    decl
}

fn without_descriptions(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_descriptions).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| *key != "description")
            .map(|(key, value)| (key.clone(), without_descriptions(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn assert_same_rows(theirs: &[Value]) {
    let names: Vec<&str> = theirs.iter().map(|row| row["name"].as_str().unwrap()).collect();
    let ours: Vec<&str> = all().iter().map(|row| row.name).collect();
    assert_eq!(ours, names);
    for row in theirs {
        let ours = by_name(row["name"].as_str().unwrap()).unwrap();
        assert_eq!(decl_to_json(ours), without_descriptions(&row["decl"]), "{}", ours.name);
        assert_eq!(ours.infix, row["infix"].as_str(), "{}", ours.name);
        let flag = |name: &str| row[name].as_bool().unwrap_or(false);
        assert_eq!(ours.nondeterministic, flag("nondeterministic"), "{}", ours.name);
        assert_eq!(ours.deprecated, flag("deprecated"), "{}", ours.name);
        assert_eq!(ours.relation, flag("relation"), "{}", ours.name);
    }
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_rows_are_those_of_builtins_json() {
    let theirs = document("builtins.json");
    let theirs = theirs.as_array().unwrap();
    assert_same_rows(theirs);
    for row in theirs {
        let ours = by_name(row["name"].as_str().unwrap()).unwrap();
        let texts: Vec<String> = ours.args.iter().map(|arg| arg.ty.to_string()).collect();
        let expected: Vec<&str> =
            row["args"].as_array().unwrap().iter().map(|arg| arg["type"].as_str().unwrap()).collect();
        assert_eq!(texts, expected, "{}", ours.name);
        let described: Vec<bool> = ours.args.iter().map(|arg| !arg.about.is_empty()).collect();
        let theirs_described =
            row["args"].as_array().unwrap().iter().map(|arg| arg["description"].is_string());
        assert_eq!(described, theirs_described.collect::<Vec<_>>(), "{}", ours.name);
        let result = ours.result.map(|result| result.ty.to_string()).unwrap_or_default();
        assert_eq!(result, row["result"]["type"].as_str().unwrap(), "{}", ours.name);
    }
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_rows_are_those_of_capabilities_json() {
    let theirs = document("capabilities.json");
    assert_same_rows(theirs["builtins"].as_array().unwrap());
}

#[test]
fn operators_find_their_rows() {
    assert_eq!(by_infix("+", 2).unwrap().name, "plus");
    assert_eq!(by_infix("in", 2).unwrap().name, "internal.member_2");
    assert_eq!(by_infix("in", 3).unwrap().name, "internal.member_3");
    assert!(by_infix("=>", 2).is_none());
}

#[test]
fn four_arguments_are_the_most_a_host_function_can_have() {
    for row in all() {
        if row.implementation.host().is_some() {
            assert!(row.args.len() <= 4, "{}", row.name);
        }
    }
}
