//! The verifier: what a code generator may rely on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::{Block, Func, Local, Location, Operand, Policy, Stmt, StmtKind, StringIndex};

/// A policy that the verifier has accepted.
///
/// Its indices are in range, its calls name functions that exist and have the number of parameters given, breaks stay
/// inside their function, blocks are nested at most [`Block::MAX_DEPTH`] deep, and no local is read that nothing has
/// assigned before, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPlan {
    policy: Policy,
}

impl VerifiedPlan {
    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Gives the policy back, to be changed and verified again.
    #[must_use]
    pub fn into_policy(self) -> Policy {
        self.policy
    }
}

/// One reason why a policy is not well formed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} in {item}")]
pub struct VerifyError {
    /// The plan or function, such as ``func `g0.data.p.q` ``.
    pub item: Arc<str>,
    /// The position of the statement, or zeros where the item itself is at fault.
    pub location: Location,
    /// What is wrong.
    pub kind: VerifyErrorKind,
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyErrorKind {
    /// Two functions or two plans have one name.
    #[error("duplicate name")]
    DuplicateName,
    /// Two functions have one path and one number of parameters, so that a dynamic call could mean either.
    #[error("duplicate function path")]
    DuplicatePath,
    /// A function has no parameters; input and data are always passed.
    #[error("function without parameters")]
    NoParameters,
    /// Two parameters are one local, or the result is one of them.
    #[error("local {0} is declared twice")]
    DuplicateLocal(Local),
    /// A string constant that does not exist.
    #[error("string index {} out of range", .0.0)]
    StringIndex(StringIndex),
    /// A file name that does not exist.
    #[error("file index {0} out of range")]
    FileIndex(u32),
    /// A number statement whose text is no number.
    #[error("constant `{0}` is not a number")]
    NotANumber(String),
    /// A local that nothing has assigned.
    #[error("local {0} is read before it is assigned")]
    UnassignedLocal(Local),
    /// A break, or the break inside a dynamic call, leaves more blocks than there are.
    #[error("break leaves {levels} blocks but only {depth} are open")]
    BreakDepth {
        /// How many blocks it leaves.
        levels: usize,
        /// How many there are.
        depth: usize,
    },
    /// Blocks are nested too deeply.
    #[error("blocks are nested deeper than {}", Block::MAX_DEPTH)]
    TooDeep,
    /// A call of something that is neither a function nor a declared built-in.
    #[error("call of unknown function `{0}`")]
    UnknownFunction(String),
    /// A call with the wrong number of arguments.
    #[error("`{func}` takes {expected} arguments, called with {actual}")]
    Arity {
        /// The function.
        func: String,
        /// What it takes.
        expected: usize,
        /// What it was given.
        actual: usize,
    },
    /// A dynamic call without path.
    #[error("dynamic call without a path")]
    EmptyPath,
    /// `ReturnLocalStmt` in a plan.
    #[error("return outside of a function")]
    ReturnInPlan,
    /// `ResultSetAddStmt` in a function.
    #[error("result set changed inside a function")]
    ResultInFunc,
}

/// The blocks that a dynamic call leaves when the function it found is undefined; see [`StmtKind::CallDynamic`].
pub const CALL_DYNAMIC_LEVELS: usize = 4;

/// Checks that a policy is well formed.
///
/// # Errors
/// All reasons why it is not, in the order of the text.
pub fn verify(policy: Policy) -> Result<VerifiedPlan, Vec<VerifyError>> {
    let mut verifier =
        Verifier { policy: &policy, funcs: HashMap::new(), errors: Vec::new(), item: "policy".into() };
    verifier.names();
    verifier.bodies();
    if verifier.errors.is_empty() { Ok(VerifiedPlan { policy }) } else { Err(verifier.errors) }
}

struct Verifier<'a> {
    policy: &'a Policy,
    /// Parameters by function name.
    funcs: HashMap<&'a str, usize>,
    errors: Vec<VerifyError>,
    /// What is being checked.
    item: Arc<str>,
}

/// What is known inside one plan or function.
struct Scope {
    in_func: bool,
    assigned: HashSet<Local, FixedState>,
}

impl<'a> Verifier<'a> {
    fn error(&mut self, location: Location, kind: VerifyErrorKind) {
        self.errors.push(VerifyError { item: Arc::clone(&self.item), location, kind });
    }

    fn item_error(&mut self, kind: VerifyErrorKind) {
        self.error(Location::default(), kind);
    }

    fn names(&mut self) {
        let policy = self.policy;
        let mut plans = HashSet::new();
        for plan in &policy.plans {
            self.item = format!("plan `{}`", plan.name).into();
            if !plans.insert(plan.name.as_str()) {
                self.item_error(VerifyErrorKind::DuplicateName);
            }
        }
        let mut paths = HashSet::new();
        for func in &policy.funcs {
            self.item = format!("func `{}`", func.name).into();
            if self.funcs.insert(&func.name, func.params.len()).is_some() {
                self.item_error(VerifyErrorKind::DuplicateName);
            }
            if !func.path.is_empty() && !paths.insert((&func.path, func.params.len())) {
                self.item_error(VerifyErrorKind::DuplicatePath);
            }
        }
    }

    fn bodies(&mut self) {
        let policy = self.policy;
        for plan in &policy.plans {
            self.item = format!("plan `{}`", plan.name).into();
            let mut scope =
                Scope { in_func: false, assigned: HashSet::from_iter([Local::INPUT, Local::DATA]) };
            plan.blocks.iter().for_each(|b| self.block(b, &mut scope, 1));
        }
        for func in &policy.funcs {
            self.item = format!("func `{}`", func.name).into();
            let mut scope = self.func_scope(func);
            func.blocks.iter().for_each(|b| self.block(b, &mut scope, 1));
        }
    }

    fn func_scope(&mut self, func: &Func) -> Scope {
        if func.params.is_empty() {
            self.item_error(VerifyErrorKind::NoParameters);
        }
        let mut assigned = HashSet::default();
        for local in func.params.iter().chain([&func.return_]) {
            if !assigned.insert(*local) {
                self.item_error(VerifyErrorKind::DuplicateLocal(*local));
            }
        }
        Scope { in_func: true, assigned }
    }

    fn block(&mut self, block: &'a Block, scope: &mut Scope, depth: usize) {
        if depth > Block::MAX_DEPTH {
            let location = block.stmts.first().map(|s| s.location).unwrap_or_default();
            return self.error(location, VerifyErrorKind::TooDeep);
        }
        for stmt in &block.stmts {
            self.stmt(stmt, scope, depth);
            stmt.kind.blocks().iter().for_each(|b| self.block(b, scope, depth + 1));
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt, scope: &mut Scope, depth: usize) {
        let at = stmt.location;
        self.indices(stmt);
        // A test of definedness and an assignment to an undefined local are what unassigned locals are for.
        let may_be_unassigned = matches!(
            stmt.kind,
            StmtKind::IsDefined { .. } | StmtKind::IsUndefined { .. } | StmtKind::ReturnLocal { .. }
        );
        let once = if let StmtKind::AssignVarOnce { target, .. } = &stmt.kind { Some(*target) } else { None };
        stmt.kind.for_each_read(|local| {
            if !may_be_unassigned && Some(local) != once && !scope.assigned.contains(&local) {
                self.error(at, VerifyErrorKind::UnassignedLocal(local));
            }
        });
        stmt.kind.for_each_write(|local| {
            scope.assigned.insert(local);
        });
        match &stmt.kind {
            StmtKind::ReturnLocal { .. } if !scope.in_func => self.error(at, VerifyErrorKind::ReturnInPlan),
            StmtKind::ResultSetAdd { .. } if scope.in_func => self.error(at, VerifyErrorKind::ResultInFunc),
            StmtKind::Break { index } => {
                self.levels(at, usize::try_from(*index).unwrap_or(usize::MAX).saturating_add(1), depth);
            }
            StmtKind::CallDynamic { path, .. } => {
                self.levels(at, CALL_DYNAMIC_LEVELS, depth);
                if path.is_empty() {
                    self.error(at, VerifyErrorKind::EmptyPath);
                }
            }
            StmtKind::Call { func, args, .. } => self.call(at, func, args),
            _ => {}
        }
    }

    fn levels(&mut self, at: Location, levels: usize, depth: usize) {
        if levels > depth {
            self.error(at, VerifyErrorKind::BreakDepth { levels, depth });
        }
    }

    fn indices(&mut self, stmt: &Stmt) {
        let constants = &self.policy.static_;
        let string =
            |index: StringIndex| usize::try_from(index.0).ok().and_then(|i| constants.strings.get(i));
        stmt.kind.for_each_string(|index| {
            if string(index).is_none() {
                self.error(stmt.location, VerifyErrorKind::StringIndex(index));
            }
        });
        if let StmtKind::MakeNumberRef { index, .. } = stmt.kind
            && let Some(text) = string(index)
            && !is_number(text)
        {
            self.error(stmt.location, VerifyErrorKind::NotANumber(text.clone()));
        }
        let file = stmt.location.file;
        // A planner that knows no file leaves the whole position zero.
        let unknown = constants.files.is_empty() && file == 0;
        if !unknown && usize::try_from(file).map_or(true, |f| f >= constants.files.len()) {
            self.error(stmt.location, VerifyErrorKind::FileIndex(file));
        }
    }

    fn call(&mut self, at: Location, func: &str, args: &[Operand]) {
        let actual = args.len();
        if let Some(&expected) = self.funcs.get(func) {
            if expected != actual {
                self.error(at, VerifyErrorKind::Arity { func: func.to_owned(), expected, actual });
            }
            return;
        }
        let Some(builtin) = self.policy.static_.builtin_funcs.iter().find(|b| b.name == func) else {
            return self.error(at, VerifyErrorKind::UnknownFunction(func.to_owned()));
        };
        if let Some((expected, variadic)) = builtin.arity()
            && (actual < expected || (actual > expected && !variadic))
        {
            self.error(at, VerifyErrorKind::Arity { func: func.to_owned(), expected, actual });
        }
    }
}

/// Whether a text is a number: JSON's grammar, and a fraction without whole digits, which Rego allows (`.5`).
fn is_number(text: &str) -> bool {
    let digits = |s: &mut &[u8]| {
        let n = s.iter().take_while(|b| b.is_ascii_digit()).count();
        *s = s.get(n..).unwrap_or_default();
        n
    };
    let mut rest = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let leading_zero = rest.first() == Some(&b'0');
    let whole = digits(&mut rest);
    if (whole == 0 && rest.first() != Some(&b'.')) || (leading_zero && whole > 1) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = fraction;
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        rest = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_number;

    #[test]
    fn numbers_follow_json() {
        for good in [
            "0",
            "-0",
            "10",
            "1.5",
            "1e9",
            "1E+9",
            "-1.25e-3",
            ".5",
            "-.5e1",
            "123456789012345678901234567890",
        ] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "01", "1.", ".", "-.", "1e", "+1", "0x1", "1 ", "NaN", "1e+"] {
            assert!(!is_number(bad), "{bad}");
        }
    }
}
