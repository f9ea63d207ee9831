//! JSON to [`Policy`]. Unknown statements and operands are errors; unknown *fields* are ignored, as OPA does,
//! so that a plan of a newer OPA that only says more can still be read.

use serde_json::{Map, Value};

use super::MAX_JSON_DEPTH;
use crate::{
    Block, BuiltinFunc, Func, Local, Location, Operand, Plan, Policy, Static, Stmt, StmtKind, StringIndex,
    UnplannedRule,
};

/// Why a text is no plan, and where in the JSON that is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The text is no JSON, or is nested too deeply.
    #[error("plan is not valid JSON: {0}")]
    Json(String),
    /// A statement that this version does not know.
    #[error("unknown statement `{name}` at {path}")]
    UnknownStatement {
        /// The statement's `type`.
        name: String,
        /// Where it is, such as `funcs.funcs[0].blocks[1].stmts[2]`.
        path: String,
    },
    /// An operand that is neither local, string index nor bool.
    #[error("unknown operand type `{name}` at {path}")]
    UnknownOperand {
        /// The operand's `type`.
        name: String,
        /// Where it is.
        path: String,
    },
    /// A field that is missing.
    #[error("missing field `{field}` at {path}")]
    Missing {
        /// The field.
        field: String,
        /// The object that lacks it.
        path: String,
    },
    /// A value of another type than the plan's schema has.
    #[error("expected {expected} at {path}")]
    Type {
        /// What the schema has there.
        expected: &'static str,
        /// Where the value is.
        path: String,
    },
}

type Result<T> = core::result::Result<T, ReadError>;

/// Reads a plan from JSON text.
///
/// # Errors
/// A [`ReadError`] says what is wrong and where. No input makes it panic.
pub fn from_json(text: &str) -> Result<Policy> {
    check_depth(text)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let json = serde::Deserialize::deserialize(&mut reader).map_err(|e| ReadError::Json(e.to_string()))?;
    reader.end().map_err(|e| ReadError::Json(e.to_string()))?;
    from_json_value(&json)
}

/// Reads a plan from parsed JSON.
///
/// # Errors
/// As [`from_json`].
pub fn from_json_value(json: &Value) -> Result<Policy> {
    Node { json, path: &Path::Root }.policy()
}

/// serde_json's own limit of 128 is too low for plans, and without a limit its recursion could end the stack.
fn check_depth(text: &str) -> Result<()> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_JSON_DEPTH {
            return Err(ReadError::Json(format!("nested deeper than {MAX_JSON_DEPTH} levels")));
        }
    }
    Ok(())
}

/// Where a value is; rendered only for an error.
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn render(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Field(Path::Root, name) => (*name).to_owned(),
            Self::Field(parent, name) => format!("{}.{name}", parent.render()),
            Self::Index(parent, index) => format!("{}[{index}]", parent.render()),
        }
    }
}

/// A JSON value that knows where it is.
#[derive(Clone, Copy)]
struct Node<'a> {
    json: &'a Value,
    path: &'a Path<'a>,
}

impl Node<'_> {
    fn type_error<T>(&self, expected: &'static str) -> Result<T> {
        Err(ReadError::Type { expected, path: self.path.render() })
    }

    fn object(&self) -> Result<&Map<String, Value>> {
        match self.json {
            Value::Object(map) => Ok(map),
            _ => self.type_error("an object"),
        }
    }

    /// Reads a field with `read`; an absent one is an error.
    fn field<T>(&self, name: &str, read: impl FnOnce(Node<'_>) -> Result<T>) -> Result<T> {
        match self.object()?.get(name) {
            Some(json) => read(Node { json, path: &Path::Field(self.path, name) }),
            None => Err(ReadError::Missing { field: name.to_owned(), path: self.path.render() }),
        }
    }

    /// Reads a field with `read`; an absent or null one is the default, since Go leaves out or nulls what is empty.
    fn field_or_default<T: Default>(
        &self,
        name: &str,
        read: impl FnOnce(Node<'_>) -> Result<T>,
    ) -> Result<T> {
        match self.object()?.get(name) {
            None | Some(Value::Null) => Ok(T::default()),
            Some(json) => read(Node { json, path: &Path::Field(self.path, name) }),
        }
    }

    fn list<T>(&self, mut read: impl FnMut(Node<'_>) -> Result<T>) -> Result<Vec<T>> {
        match self.json {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, json)| read(Node { json, path: &Path::Index(self.path, i) }))
                .collect(),
            _ => self.type_error("an array"),
        }
    }

    fn list_field<T>(&self, name: &str, read: impl FnMut(Node<'_>) -> Result<T>) -> Result<Vec<T>> {
        self.field_or_default(name, |n| n.list(read))
    }

    fn string(self) -> Result<String> {
        self.json.as_str().map(str::to_owned).map_or_else(|| self.type_error("a string"), Ok)
    }

    fn u32(self) -> Result<u32> {
        let number = self.json.as_u64().and_then(|n| u32::try_from(n).ok());
        number.map_or_else(|| self.type_error("an unsigned 32-bit integer"), Ok)
    }

    fn i32(self) -> Result<i32> {
        let number = self.json.as_i64().and_then(|n| i32::try_from(n).ok());
        number.map_or_else(|| self.type_error("a 32-bit integer"), Ok)
    }

    fn i64(self) -> Result<i64> {
        self.json.as_i64().map_or_else(|| self.type_error("a 64-bit integer"), Ok)
    }

    fn bool(self) -> Result<bool> {
        self.json.as_bool().map_or_else(|| self.type_error("a boolean"), Ok)
    }

    fn local(self) -> Result<Local> {
        self.u32().map(Local)
    }

    fn string_index(self) -> Result<StringIndex> {
        self.u32().map(StringIndex)
    }
}

impl Node<'_> {
    fn policy(self) -> Result<Policy> {
        Ok(Policy {
            static_: self.field_or_default("static", |n| n.static_())?,
            plans: self.field_or_default("plans", |n| n.list_field("plans", |n| n.plan()))?,
            funcs: self.field_or_default("funcs", |n| n.list_field("funcs", |n| n.func()))?,
            unplanned_rules: self.list_field("unplanned_rules", |n| n.unplanned())?,
        })
    }

    fn static_(self) -> Result<Static> {
        let constant = |n: Node<'_>| n.field("value", |n| n.string());
        Ok(Static {
            strings: self.list_field("strings", constant)?,
            builtin_funcs: self.list_field("builtin_funcs", |n| n.builtin())?,
            files: self.list_field("files", constant)?,
        })
    }

    fn builtin(self) -> Result<BuiltinFunc> {
        Ok(BuiltinFunc {
            name: self.field("name", |n| n.string())?,
            decl: self.field("decl", |n| n.object().cloned().map(Value::Object))?,
        })
    }

    fn plan(self) -> Result<Plan> {
        Ok(Plan {
            name: self.field("name", |n| n.string())?,
            blocks: self.list_field("blocks", |n| n.block())?,
        })
    }

    fn func(self) -> Result<Func> {
        Ok(Func {
            name: self.field("name", |n| n.string())?,
            path: self.list_field("path", |n| n.string())?,
            params: self.list_field("params", |n| n.local())?,
            return_: self.field("return", |n| n.local())?,
            blocks: self.list_field("blocks", |n| n.block())?,
        })
    }

    fn unplanned(self) -> Result<UnplannedRule> {
        Ok(UnplannedRule {
            path: self.field("path", |n| n.string())?,
            location: self.field_or_default("location", |n| n.location())?,
        })
    }

    fn block(self) -> Result<Block> {
        Ok(Block { stmts: self.list_field("stmts", |n| n.stmt())? })
    }

    fn location(self) -> Result<Location> {
        let read = |name| self.field_or_default(name, |n| n.u32());
        Ok(Location {
            file: read("file")?,
            row: read("row")?,
            col: read("col")?,
            end_row: read("end_row")?,
            end_col: read("end_col")?,
        })
    }

    fn operand(self) -> Result<Operand> {
        let kind = self.field("type", |n| n.string())?;
        match kind.as_str() {
            "local" => self.field("value", |n| n.local()).map(Operand::Local),
            "string_index" => self.field("value", |n| n.string_index()).map(Operand::String),
            "bool" => self.field("value", |n| n.bool()).map(Operand::Bool),
            _ => Err(ReadError::UnknownOperand { name: kind, path: self.path.render() }),
        }
    }

    fn stmt(self) -> Result<Stmt> {
        let name = self.field("type", |n| n.string())?;
        self.field("stmt", |fields| {
            let kind = match fields.stmt_control(&name)? {
                Some(kind) => Some(kind),
                None => match fields.stmt_make(&name)? {
                    Some(kind) => Some(kind),
                    None => fields.stmt_test(&name)?,
                },
            };
            match kind {
                Some(kind) => Ok(kind.at(fields.location()?)),
                None => Err(ReadError::UnknownStatement { name: name.clone(), path: self.path.render() }),
            }
        })
    }

    fn stmt_control(self, name: &str) -> Result<Option<StmtKind>> {
        let local = |field| self.field(field, |n| n.local());
        let operand = |field| self.field(field, |n| n.operand());
        Ok(Some(match name {
            "ReturnLocalStmt" => StmtKind::ReturnLocal { source: local("source")? },
            "CallStmt" => StmtKind::Call {
                func: self.field("func", |n| n.string())?,
                args: self.list_field("args", |n| n.operand())?,
                result: local("result")?,
            },
            "CallDynamicStmt" => StmtKind::CallDynamic {
                args: self.list_field("args", |n| n.local())?,
                result: local("result")?,
                path: self.list_field("path", |n| n.operand())?,
            },
            "BlockStmt" => StmtKind::Block { blocks: self.list_field("blocks", |n| n.block())? },
            "BreakStmt" => StmtKind::Break { index: self.field("index", |n| n.u32())? },
            "ScanStmt" => StmtKind::Scan {
                source: local("source")?,
                key: local("key")?,
                value: local("value")?,
                block: self.field("block", |n| n.block())?,
            },
            "NotStmt" => StmtKind::Not { block: self.field("block", |n| n.block())? },
            "WithStmt" => StmtKind::With {
                local: local("local")?,
                path: self.list_field("path", |n| n.string_index())?,
                value: operand("value")?,
                block: self.field("block", |n| n.block())?,
            },
            "NopStmt" => StmtKind::Nop,
            "ResultSetAddStmt" => StmtKind::ResultSetAdd { value: local("value")? },
            _ => return Ok(None),
        }))
    }

    fn stmt_make(self, name: &str) -> Result<Option<StmtKind>> {
        let local = |field| self.field(field, |n| n.local());
        let operand = |field| self.field(field, |n| n.operand());
        let value = || self.field("value", |n| n.i64());
        Ok(Some(match name {
            "AssignIntStmt" => StmtKind::AssignInt { value: value()?, target: local("target")? },
            "AssignVarStmt" => StmtKind::AssignVar { source: operand("source")?, target: local("target")? },
            "AssignVarOnceStmt" => {
                StmtKind::AssignVarOnce { source: operand("source")?, target: local("target")? }
            }
            "ResetLocalStmt" => StmtKind::ResetLocal { target: local("target")? },
            "MakeNullStmt" => StmtKind::MakeNull { target: local("target")? },
            "MakeNumberIntStmt" => StmtKind::MakeNumberInt { value: value()?, target: local("target")? },
            "MakeNumberRefStmt" => {
                StmtKind::MakeNumberRef { index: self.number_index()?, target: local("target")? }
            }
            "MakeArrayStmt" => StmtKind::MakeArray {
                capacity: self.field("capacity", |n| n.i32())?,
                target: local("target")?,
            },
            "MakeObjectStmt" => StmtKind::MakeObject { target: local("target")? },
            "MakeSetStmt" => StmtKind::MakeSet { target: local("target")? },
            "ArrayAppendStmt" => StmtKind::ArrayAppend { value: operand("value")?, array: local("array")? },
            "ObjectInsertStmt" => StmtKind::ObjectInsert {
                key: operand("key")?,
                value: operand("value")?,
                object: local("object")?,
            },
            "ObjectInsertOnceStmt" => StmtKind::ObjectInsertOnce {
                key: operand("key")?,
                value: operand("value")?,
                object: local("object")?,
            },
            "ObjectMergeStmt" => {
                StmtKind::ObjectMerge { a: local("a")?, b: local("b")?, target: local("target")? }
            }
            "SetAddStmt" => StmtKind::SetAdd { value: operand("value")?, set: local("set")? },
            _ => return Ok(None),
        }))
    }

    fn stmt_test(self, name: &str) -> Result<Option<StmtKind>> {
        let local = |field| self.field(field, |n| n.local());
        let operand = |field| self.field(field, |n| n.operand());
        Ok(Some(match name {
            "DotStmt" => {
                StmtKind::Dot { source: operand("source")?, key: operand("key")?, target: local("target")? }
            }
            "LenStmt" => StmtKind::Len { source: operand("source")?, target: local("target")? },
            "EqualStmt" => StmtKind::Equal { a: operand("a")?, b: operand("b")? },
            "NotEqualStmt" => StmtKind::NotEqual { a: operand("a")?, b: operand("b")? },
            "IsArrayStmt" => StmtKind::IsArray { source: operand("source")? },
            "IsObjectStmt" => StmtKind::IsObject { source: operand("source")? },
            "IsSetStmt" => StmtKind::IsSet { source: operand("source")? },
            "IsDefinedStmt" => StmtKind::IsDefined { source: local("source")? },
            "IsUndefinedStmt" => StmtKind::IsUndefined { source: local("source")? },
            _ => return Ok(None),
        }))
    }

    /// `index` is the field's name; `Index` is the older spelling that OPA still writes beside it.
    fn number_index(self) -> Result<StringIndex> {
        let name = if self.object()?.contains_key("index") { "index" } else { "Index" };
        self.field(name, |n| n.string_index())
    }
}
