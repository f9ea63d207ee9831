//! [`Policy`] to JSON.

use serde_json::{Map, Value, json};

use super::{LOCATION_FIELDS, location_values};
use crate::{Block, Func, Local, Location, Operand, Plan, Policy, Static, Stmt, StmtKind, StringIndex};

/// Writes a plan as OPA does. Empty constants are left out; every other list is written, even when empty.
#[must_use]
pub fn to_json(policy: &Policy) -> Value {
    let mut out = json!({
        "static": static_(&policy.static_),
        "plans": {"plans": policy.plans.iter().map(plan).collect::<Vec<_>>()},
        "funcs": {"funcs": policy.funcs.iter().map(func).collect::<Vec<_>>()},
    });
    if !policy.unplanned_rules.is_empty() {
        let rule =
            |r: &crate::UnplannedRule| json!({"path": r.path, "location": location_object(r.location)});
        set(&mut out, "unplanned_rules", policy.unplanned_rules.iter().map(rule).collect());
    }
    out
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value);
    }
}

fn static_(constants: &Static) -> Value {
    let mut out = Value::Object(Map::new());
    let values = |list: &[String]| list.iter().map(|s| json!({"value": s})).collect::<Value>();
    if !constants.strings.is_empty() {
        set(&mut out, "strings", values(&constants.strings));
    }
    if !constants.builtin_funcs.is_empty() {
        let builtins = constants.builtin_funcs.iter().map(|b| json!({"name": b.name, "decl": b.decl}));
        set(&mut out, "builtin_funcs", builtins.collect());
    }
    if !constants.files.is_empty() {
        set(&mut out, "files", values(&constants.files));
    }
    out
}

fn plan(plan: &Plan) -> Value {
    json!({"name": plan.name, "blocks": blocks(&plan.blocks)})
}

fn func(func: &Func) -> Value {
    let mut out = json!({
        "name": func.name,
        "params": func.params.iter().map(|p| p.0).collect::<Vec<_>>(),
        "return": func.return_.0,
        "blocks": blocks(&func.blocks),
    });
    if !func.path.is_empty() {
        set(&mut out, "path", json!(func.path));
    }
    out
}

fn blocks(blocks: &[Block]) -> Value {
    blocks.iter().map(block).collect()
}

fn block(block: &Block) -> Value {
    json!({"stmts": block.stmts.iter().map(stmt).collect::<Vec<_>>()})
}

fn operand(operand: Operand) -> Value {
    match operand {
        Operand::Local(Local(n)) => json!({"type": "local", "value": n}),
        Operand::String(StringIndex(n)) => json!({"type": "string_index", "value": n}),
        Operand::Bool(b) => json!({"type": "bool", "value": b}),
    }
}

fn location_object(at: Location) -> Value {
    LOCATION_FIELDS.iter().zip(location_values(at)).map(|(k, v)| ((*k).to_owned(), json!(v))).collect()
}

fn stmt(stmt: &Stmt) -> Value {
    let mut fields = fields(&stmt.kind);
    for (key, value) in LOCATION_FIELDS.iter().zip(location_values(stmt.location)) {
        set(&mut fields, key, json!(value));
    }
    json!({"type": stmt.kind.name(), "stmt": fields})
}

fn fields(kind: &StmtKind) -> Value {
    match kind {
        StmtKind::Block { blocks: inner } => json!({"blocks": blocks(inner)}),
        StmtKind::Scan { source, key, value, block: inner } => {
            json!({"source": source.0, "key": key.0, "value": value.0, "block": block(inner)})
        }
        StmtKind::Not { block: inner } => json!({"block": block(inner)}),
        StmtKind::With { local, path, value, block: inner } => json!({
            "local": local.0,
            "path": path.iter().map(|p| p.0).collect::<Vec<_>>(),
            "value": operand(*value),
            "block": block(inner),
        }),
        StmtKind::Call { func, args, result } => json!({
            "func": func,
            "args": args.iter().map(|a| operand(*a)).collect::<Vec<_>>(),
            "result": result.0,
        }),
        StmtKind::CallDynamic { args, result, path } => json!({
            "args": args.iter().map(|a| a.0).collect::<Vec<_>>(),
            "result": result.0,
            "path": path.iter().map(|p| operand(*p)).collect::<Vec<_>>(),
        }),
        _ => simple_fields(kind),
    }
}

/// The fields of the statements that hold neither blocks nor lists.
fn simple_fields(kind: &StmtKind) -> Value {
    match kind {
        StmtKind::ReturnLocal { source }
        | StmtKind::IsDefined { source }
        | StmtKind::IsUndefined { source } => {
            json!({"source": source.0})
        }
        StmtKind::IsArray { source } | StmtKind::IsObject { source } | StmtKind::IsSet { source } => {
            json!({"source": operand(*source)})
        }
        StmtKind::Break { index } => json!({"index": index}),
        StmtKind::Dot { source, key, target } => {
            json!({"source": operand(*source), "key": operand(*key), "target": target.0})
        }
        StmtKind::Len { source, target }
        | StmtKind::AssignVar { source, target }
        | StmtKind::AssignVarOnce { source, target } => {
            json!({"source": operand(*source), "target": target.0})
        }
        StmtKind::AssignInt { value, target } | StmtKind::MakeNumberInt { value, target } => {
            json!({"value": value, "target": target.0})
        }
        StmtKind::ResetLocal { target }
        | StmtKind::MakeNull { target }
        | StmtKind::MakeObject { target }
        | StmtKind::MakeSet { target } => json!({"target": target.0}),
        StmtKind::MakeNumberRef { index, target } => {
            json!({"index": index.0, "Index": index.0, "target": target.0})
        }
        StmtKind::MakeArray { capacity, target } => json!({"capacity": capacity, "target": target.0}),
        StmtKind::Equal { a, b } | StmtKind::NotEqual { a, b } => json!({"a": operand(*a), "b": operand(*b)}),
        StmtKind::ArrayAppend { value, array } => json!({"value": operand(*value), "array": array.0}),
        StmtKind::ObjectInsert { key, value, object } | StmtKind::ObjectInsertOnce { key, value, object } => {
            json!({"key": operand(*key), "value": operand(*value), "object": object.0})
        }
        StmtKind::ObjectMerge { a, b, target } => json!({"a": a.0, "b": b.0, "target": target.0}),
        StmtKind::SetAdd { value, set } => json!({"value": operand(*value), "set": set.0}),
        StmtKind::ResultSetAdd { value } => json!({"value": value.0}),
        StmtKind::Nop
        | StmtKind::Block { .. }
        | StmtKind::Scan { .. }
        | StmtKind::Not { .. }
        | StmtKind::With { .. }
        | StmtKind::Call { .. }
        | StmtKind::CallDynamic { .. } => Value::Object(Map::new()),
    }
}
