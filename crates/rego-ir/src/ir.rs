//! The plan's data types. Names and meaning follow OPA's `v1/ir`: a [`Policy`] holds constants, one [`Plan`]
//! for each entrypoint, and the [`Func`]s that the plans call.

use core::fmt;

/// A planned policy: constants, entrypoints and the functions they call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Constants that statements refer to by index.
    pub static_: Static,
    /// The entrypoints. An entrypoint's id is its position.
    pub plans: Vec<Plan>,
    /// The functions, rules among them.
    pub funcs: Vec<Func>,
    /// Rules that no entrypoint reaches; only coverage reports read them.
    pub unplanned_rules: Vec<UnplannedRule>,
}

/// Constants that statements refer to by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Static {
    /// String constants, number texts among them; see [`StringIndex`].
    pub strings: Vec<String>,
    /// The built-in functions that the policy calls.
    pub builtin_funcs: Vec<BuiltinFunc>,
    /// File names; see [`Location::file`].
    pub files: Vec<String>,
}

/// A built-in function that the policy calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltinFunc {
    /// The name in Rego, such as `io.jwt.decode`.
    pub name: String,
    /// Its type as OPA writes it: `{"args": [...], "result": {...}, "type": "function"}`.
    pub decl: serde_json::Value,
}

impl BuiltinFunc {
    /// Whether the declaration names a result. Without one, a call is for its effect only (`print`).
    #[must_use]
    pub fn has_result(&self) -> bool {
        self.decl.get("result").is_some_and(|r| !r.is_null())
    }

    /// The number of declared arguments, and whether more may follow; `None` when the declaration lists none.
    #[must_use]
    pub fn arity(&self) -> Option<(usize, bool)> {
        let variadic = self.decl.get("variadic").is_some_and(|v| !v.is_null());
        match self.decl.get("args") {
            Some(serde_json::Value::Array(args)) => Some((args.len(), variadic)),
            Some(_) => None,
            None => Some((0, variadic)),
        }
    }
}

/// An entrypoint: a query that adds its answers to the result set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The entrypoint's name, such as `guardrails/evaluate`.
    pub name: String,
    /// Run in order. An undefined statement leaves its block only.
    pub blocks: Vec<Block>,
}

/// A function. By convention, the first two parameters are input and data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Func {
    /// The unique name, such as `g0.data.guardrails.evaluate`.
    pub name: String,
    /// Where [`StmtKind::CallDynamic`] finds the function; empty when it cannot.
    pub path: Vec<String>,
    /// The parameters. A function of exactly two is a rule, and is memoised.
    pub params: Vec<Local>,
    /// The local that holds the result.
    pub return_: Local,
    /// Run in order; the function is undefined when the last ends without a return.
    pub blocks: Vec<Block>,
}

/// A sequence of statements. The first undefined one ends the block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The statements, in order.
    pub stmts: Vec<Stmt>,
}

impl Block {
    /// How deep blocks may be nested, the outermost one counted. Readers, verifier and code generators recurse
    /// over blocks and rely on it.
    pub const MAX_DEPTH: usize = 100;
}

/// A variable of one plan or function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Local(pub u32);

impl Local {
    /// The input document, in every plan.
    pub const INPUT: Self = Self(0);
    /// The data document, in every plan.
    pub const DATA: Self = Self(1);
}

/// An index into [`Static::strings`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StringIndex(pub u32);

/// What a statement operates on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A variable.
    Local(Local),
    /// A constant string.
    String(StringIndex),
    /// A constant boolean.
    Bool(bool),
}

impl From<Local> for Operand {
    fn from(local: Local) -> Self {
        Self::Local(local)
    }
}

impl From<StringIndex> for Operand {
    fn from(index: StringIndex) -> Self {
        Self::String(index)
    }
}

impl From<bool> for Operand {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// A statement and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// The source text it was planned for.
    pub location: Location,
}

/// What a statement does. A statement is *undefined* where that is said, and otherwise defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StmtKind {
    /// Leaves the function with the value of `source`, which may be undefined.
    ReturnLocal {
        /// The value to return.
        source: Local,
    },
    /// Calls a function or a built-in; undefined when the result is.
    Call {
        /// The name of a [`Func`] or [`BuiltinFunc`].
        func: String,
        /// The arguments.
        args: Vec<Operand>,
        /// Receives the result.
        result: Local,
    },
    /// Calls the function whose [`Func::path`] has the values of `path`; undefined when there is none. When
    /// there is one and its result is undefined, three enclosing blocks are left with it, since the blocks
    /// between are the planner's alternatives for a missing function.
    CallDynamic {
        /// The arguments.
        args: Vec<Local>,
        /// Receives the result.
        result: Local,
        /// The path, beginning below `data`.
        path: Vec<Operand>,
    },
    /// Runs blocks one after the other; each may be undefined by itself.
    Block {
        /// The blocks.
        blocks: Vec<Block>,
    },
    /// Leaves `index + 1` enclosing blocks.
    Break {
        /// 0 is the block that holds the statement.
        index: u32,
    },
    /// Looks up a key; undefined when it is missing or `source` is a scalar.
    Dot {
        /// The collection.
        source: Operand,
        /// The key, index or set element.
        key: Operand,
        /// Receives the value.
        target: Local,
    },
    /// The number of elements of a collection.
    Len {
        /// The collection.
        source: Operand,
        /// Receives the number.
        target: Local,
    },
    /// Runs `block` for each element in order, and not at all when `source` is a scalar or undefined. Always
    /// defined. A break that leaves `block` goes on with the next element.
    Scan {
        /// The collection.
        source: Local,
        /// Receives the key: the index in an array, the element itself in a set.
        key: Local,
        /// Receives the value.
        value: Local,
        /// The body, which may be undefined for any element.
        block: Block,
    },
    /// Runs `block` and is undefined when that was defined to its end.
    Not {
        /// The negated block.
        block: Block,
    },
    /// Assigns an integer to a local that held a number.
    AssignInt {
        /// The integer.
        value: i64,
        /// Receives it.
        target: Local,
    },
    /// Copies a value, which may be undefined.
    AssignVar {
        /// The value.
        source: Operand,
        /// Receives it.
        target: Local,
    },
    /// Assigns to an undefined local. A defined one that differs is a conflict error.
    AssignVarOnce {
        /// The value.
        source: Operand,
        /// Receives it.
        target: Local,
    },
    /// Makes a local undefined.
    ResetLocal {
        /// The local.
        target: Local,
    },
    /// Makes null.
    MakeNull {
        /// Receives it.
        target: Local,
    },
    /// Makes an integer.
    MakeNumberInt {
        /// The integer.
        value: i64,
        /// Receives it.
        target: Local,
    },
    /// Makes a number of a constant text.
    MakeNumberRef {
        /// The text.
        index: StringIndex,
        /// Receives the number.
        target: Local,
    },
    /// Makes an empty array.
    MakeArray {
        /// The number of elements that will be appended, a hint.
        capacity: i32,
        /// Receives the array.
        target: Local,
    },
    /// Makes an empty object.
    MakeObject {
        /// Receives it.
        target: Local,
    },
    /// Makes an empty set.
    MakeSet {
        /// Receives it.
        target: Local,
    },
    /// Undefined unless the values are equal.
    Equal {
        /// One value.
        a: Operand,
        /// The other.
        b: Operand,
    },
    /// Undefined when the values are equal.
    NotEqual {
        /// One value.
        a: Operand,
        /// The other.
        b: Operand,
    },
    /// Undefined unless the value is an array.
    IsArray {
        /// The value.
        source: Operand,
    },
    /// Undefined unless the value is an object.
    IsObject {
        /// The value.
        source: Operand,
    },
    /// Undefined unless the value is a set.
    IsSet {
        /// The value.
        source: Operand,
    },
    /// Undefined when the local is.
    IsDefined {
        /// The local.
        source: Local,
    },
    /// Undefined unless the local is undefined.
    IsUndefined {
        /// The local.
        source: Local,
    },
    /// Appends to an array in place.
    ArrayAppend {
        /// The new element.
        value: Operand,
        /// The array.
        array: Local,
    },
    /// Inserts into an object in place, replacing what was there.
    ObjectInsert {
        /// The key.
        key: Operand,
        /// The value.
        value: Operand,
        /// The object.
        object: Local,
    },
    /// Inserts into an object in place. A key that has a different value is a conflict error.
    ObjectInsertOnce {
        /// The key.
        key: Operand,
        /// The value.
        value: Operand,
        /// The object.
        object: Local,
    },
    /// Merges two objects recursively into a new one; `a` wins. A value that is no object is a conflict error.
    ObjectMerge {
        /// The object that wins.
        a: Local,
        /// The other object.
        b: Local,
        /// Receives the merged object.
        target: Local,
    },
    /// Adds to a set in place.
    SetAdd {
        /// The element.
        value: Operand,
        /// The set.
        set: Local,
    },
    /// Replaces a local, or a path in it, for the time of `block`; undefined when that is.
    With {
        /// The local, usually input or data.
        local: Local,
        /// The keys that lead to the replaced value; empty replaces the whole local.
        path: Vec<StringIndex>,
        /// The replacement.
        value: Operand,
        /// What runs with the replacement.
        block: Block,
    },
    /// Does nothing.
    Nop,
    /// Adds an answer to the result set of the query.
    ResultSetAdd {
        /// The answer.
        value: Local,
    },
}

impl StmtKind {
    /// The name in OPA's JSON form, such as `ReturnLocalStmt`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReturnLocal { .. } => "ReturnLocalStmt",
            Self::Call { .. } => "CallStmt",
            Self::CallDynamic { .. } => "CallDynamicStmt",
            Self::Block { .. } => "BlockStmt",
            Self::Break { .. } => "BreakStmt",
            Self::Dot { .. } => "DotStmt",
            Self::Len { .. } => "LenStmt",
            Self::Scan { .. } => "ScanStmt",
            Self::Not { .. } => "NotStmt",
            Self::AssignInt { .. } => "AssignIntStmt",
            Self::AssignVar { .. } => "AssignVarStmt",
            Self::AssignVarOnce { .. } => "AssignVarOnceStmt",
            Self::ResetLocal { .. } => "ResetLocalStmt",
            Self::MakeNull { .. } => "MakeNullStmt",
            Self::MakeNumberInt { .. } => "MakeNumberIntStmt",
            Self::MakeNumberRef { .. } => "MakeNumberRefStmt",
            Self::MakeArray { .. } => "MakeArrayStmt",
            Self::MakeObject { .. } => "MakeObjectStmt",
            Self::MakeSet { .. } => "MakeSetStmt",
            Self::Equal { .. } => "EqualStmt",
            Self::NotEqual { .. } => "NotEqualStmt",
            Self::IsArray { .. } => "IsArrayStmt",
            Self::IsObject { .. } => "IsObjectStmt",
            Self::IsSet { .. } => "IsSetStmt",
            Self::IsDefined { .. } => "IsDefinedStmt",
            Self::IsUndefined { .. } => "IsUndefinedStmt",
            Self::ArrayAppend { .. } => "ArrayAppendStmt",
            Self::ObjectInsert { .. } => "ObjectInsertStmt",
            Self::ObjectInsertOnce { .. } => "ObjectInsertOnceStmt",
            Self::ObjectMerge { .. } => "ObjectMergeStmt",
            Self::SetAdd { .. } => "SetAddStmt",
            Self::With { .. } => "WithStmt",
            Self::Nop => "NopStmt",
            Self::ResultSetAdd { .. } => "ResultSetAddStmt",
        }
    }

    /// The statement with its location.
    #[must_use]
    pub const fn at(self, location: Location) -> Stmt {
        Stmt { kind: self, location }
    }
}

/// A stretch of source text. Rows and columns count from 1, columns in bytes; all zero means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location {
    /// An index into [`Static::files`].
    pub file: u32,
    /// The row of the first byte.
    pub row: u32,
    /// The column of the first byte.
    pub col: u32,
    /// The row behind the last byte.
    pub end_row: u32,
    /// The column behind the last byte.
    pub end_col: u32,
}

/// A rule that no entrypoint reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnplannedRule {
    /// The rule's path, such as `data.a.b`.
    pub path: String,
    /// Where it is.
    pub location: Location,
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}
