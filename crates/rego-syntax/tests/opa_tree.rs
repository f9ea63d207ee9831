//! The tree against the tree of a real OPA: `HEXARCH_OPA=path/to/opa cargo test -p rego-syntax --test opa_tree`.
//! `HEXARCH_OPA_STRIDE=n` takes every n-th module only (each costs a process).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod corpus;

use rego_syntax::ast::{
    Body, Expr, ExprKind, Head, Import, Logical, Module, Rule, TemplatePart, Term, Value, With,
};
use rego_syntax::{FileId, ParserOptions, SourceFile, parse_module};
use serde_json::{Value as Json, json};

fn module(m: &Module) -> Json {
    json!({
        "package": {"path": terms(&m.package.path)},
        "imports": m.imports.iter().map(import).collect::<Vec<_>>(),
        "rules": m.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn import(i: &Import) -> Json {
    let mut out = json!({"path": term(&i.path)});
    if let Some(alias) = &i.alias {
        out["alias"] = alias.as_str().into();
    }
    out
}

fn rule(r: &Rule) -> Json {
    let mut out = json!({"head": head(&r.head), "body": body(&r.body)});
    if r.default {
        out["default"] = true.into();
    }
    if let Some(next) = &r.else_rule {
        out["else"] = rule(next);
    }
    out
}

fn head(h: &Head) -> Json {
    let mut out = json!({"ref": terms(&h.reference)});
    if !h.name.is_empty() {
        out["name"] = h.name.as_str().into();
    }
    if !h.args.is_empty() {
        out["args"] = terms(&h.args);
    }
    if let Some(key) = &h.key {
        out["key"] = term(key);
    }
    if let Some(value) = &h.value {
        out["value"] = term(value);
    }
    if h.assign {
        out["assign"] = true.into();
    }
    out
}

fn body(b: &Body) -> Json {
    b.iter().enumerate().map(|(i, e)| expr(i, e)).collect()
}

fn expr(index: usize, e: &Expr) -> Json {
    let kind = match &e.kind {
        ExprKind::Term(t) => term(t),
        ExprKind::Call(ts) => terms(ts),
        ExprKind::SomeDecl(d) => json!({"symbols": terms(&d.symbols)}),
        ExprKind::Every(every) => json!({
            "key": every.key.as_ref().map(term),
            "value": term(&every.value),
            "domain": term(&every.domain),
            "body": body(&every.body),
        }),
        ExprKind::Not(not) => {
            json!({"type": "not", "body": body(&not.body), "explicit_body": not.explicit_body})
        }
        ExprKind::And(l) => logical("and", l),
        ExprKind::Or(l) => logical("or", l),
    };
    let mut out = json!({"index": index, "terms": kind});
    if e.negated {
        out["negated"] = true.into();
    }
    if e.generated {
        out["generated"] = true.into();
    }
    if !e.with.is_empty() {
        out["with"] = e.with.iter().map(with).collect();
    }
    out
}

fn logical(kind: &str, l: &Logical) -> Json {
    let mut out = json!({"type": kind, "lhs": body(&l.lhs), "rhs": body(&l.rhs)});
    if l.explicit_lhs {
        out["explicit_lhs"] = true.into();
    }
    if l.explicit_rhs {
        out["explicit_rhs"] = true.into();
    }
    out
}

fn with(w: &With) -> Json {
    json!({"target": term(&w.target), "value": term(&w.value)})
}

fn terms(ts: &[Term]) -> Json {
    ts.iter().map(term).collect()
}

fn term(t: &Term) -> Json {
    let value = match &t.value {
        Value::Null => return json!({"type": "null"}),
        Value::Bool(b) => json!(b),
        Value::Number(n) => json!(n.as_str()),
        Value::String(s) | Value::Var(s) => json!(s.as_str()),
        Value::Ref(r) => terms(r),
        Value::Array(ts) | Value::Set(ts) | Value::Call(ts) => terms(ts),
        Value::Object(entries) => entries.iter().map(|(k, v)| json!([term(k), term(v)])).collect(),
        Value::ArrayComp(c) => json!({"term": term(&c.term), "body": body(&c.body)}),
        Value::SetComp(c) => json!({"term": term(&c.term), "body": body(&c.body)}),
        Value::ObjectComp(c) => json!({"key": term(&c.key), "value": term(&c.value), "body": body(&c.body)}),
        Value::TemplateString(t) => {
            let parts: Vec<Json> = t
                .parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Term(t) => term(t),
                    TemplatePart::Expr(e) => expr(0, e),
                })
                .collect();
            json!({"parts": parts, "multi_line": t.multi_line})
        }
    };
    json!({"type": t.value.kind_name(), "value": value})
}

/// JSON without what only one side has: numbers are compared by value, and of equal keys, which OPA drops in a later
/// stage, the last value stays.
fn normal(value: &mut Json) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(normal),
        Json::Object(fields) => {
            fields.remove("location");
            if fields.get("type").is_some_and(|t| t == "number") {
                let text = fields["value"].to_string();
                let number: f64 = text.trim_matches('"').parse().unwrap();
                fields.insert("value".to_owned(), format!("{number:.13e}").into());
            }
            if fields.get("type").is_some_and(|t| t == "null") {
                fields.remove("value");
            }
            if fields.get("parts").is_some_and(Json::is_null) {
                fields.insert("parts".to_owned(), json!([]));
            }
            fields.values_mut().for_each(normal);
            if fields.get("type").is_some_and(|t| t == "object") {
                let entries = fields["value"].as_array_mut().unwrap();
                entries.dedup_by(|later, first| {
                    let equal = later[0] == first[0];
                    if equal {
                        first[1] = later[1].take();
                    }
                    equal
                });
            }
        }
        _ => {}
    }
}

#[test]
#[ignore = "needs the conformance corpus and OPA"]
fn needs_corpus_the_tree_is_opas() {
    let opa = std::env::var("OPA_BIN").expect("the conformance corpus");
    let folder = corpus::folder().expect("the conformance corpus");
    let stride = std::env::var("HEXARCH_OPA_STRIDE").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let path = std::env::temp_dir().join(format!("rego-syntax-tree-{}.rego", std::process::id()));
    let mut wrong = 0;
    let mut total = 0;
    for name in ["accepted", "type"] {
        for case in corpus::read(&folder.join(format!("check/{name}.jsonl"))).iter().step_by(stride) {
            let text = case["module"].as_str().unwrap();
            std::fs::write(&path, text).unwrap();
            let output =
                std::process::Command::new(&opa).args(["parse", "-f", "json"]).arg(&path).output().unwrap();
            let Ok(mut wanted) = serde_json::from_slice::<Json>(&output.stdout) else { continue };
            total += 1;
            for key in ["comments", "annotations"] {
                wanted.as_object_mut().unwrap().remove(key);
            }
            for key in ["imports", "rules"] {
                wanted.as_object_mut().unwrap().entry(key).or_insert(json!([]));
            }
            for rule in wanted["rules"].as_array_mut().unwrap() {
                rule.as_object_mut().unwrap().remove("annotations");
            }
            normal(&mut wanted);
            let file = SourceFile::new(FileId(0), "p.rego", text);
            let found = parse_module(&file, &ParserOptions::default()).into_result().unwrap();
            let mut found = module(&found);
            normal(&mut found);
            if found != wanted {
                wrong += 1;
                if wrong <= 5 {
                    println!("{text}\nwant {wanted}\nfound {found}\n");
                }
            }
        }
    }
    std::fs::remove_file(&path).unwrap();
    println!("{total} trees compared");
    assert_eq!(wrong, 0, "of {total}");
}
