//! [`Policy`] to text.

use core::fmt::{self, Display, Write};

use crate::{Block, Func, Local, Location, Operand, Plan, Policy, Stmt, StmtKind, StringIndex};

/// Prints a policy in the text form that [`crate::parse_text`] reads.
#[must_use]
pub fn print_text(policy: &Policy) -> String {
    let mut printer = Printer { policy, out: String::new(), indent: 0 };
    // INVARIANT: writing to a String cannot fail.
    let _ = printer.policy();
    printer.out
}

struct Printer<'a> {
    policy: &'a Policy,
    out: String,
    indent: usize,
}

/// A string as a JSON literal, so that every character of it can be read back.
fn quoted(text: &str) -> impl Display {
    serde_json::Value::from(text)
}

fn joined<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn operand(operand: Operand) -> String {
    match operand {
        Operand::Local(local) => local.to_string(),
        Operand::String(StringIndex(n)) => format!("s{n}"),
        Operand::Bool(b) => b.to_string(),
    }
}

impl Printer<'_> {
    fn policy(&mut self) -> fmt::Result {
        let policy = self.policy;
        for s in &policy.static_.strings {
            writeln!(self.out, "string {}", quoted(s))?;
        }
        for b in &policy.static_.builtin_funcs {
            writeln!(self.out, "builtin {} {}", quoted(&b.name), b.decl)?;
        }
        for f in &policy.static_.files {
            writeln!(self.out, "file {}", quoted(f))?;
        }
        for r in &policy.unplanned_rules {
            writeln!(self.out, "unplanned {}{}", quoted(&r.path), At(r.location))?;
        }
        policy.plans.iter().try_for_each(|p| self.plan(p))?;
        policy.funcs.iter().try_for_each(|f| self.func(f))
    }

    fn plan(&mut self, plan: &Plan) -> fmt::Result {
        writeln!(self.out, "\nplan {}", quoted(&plan.name))?;
        self.blocks(&plan.blocks)
    }

    fn func(&mut self, func: &Func) -> fmt::Result {
        let params = joined(&func.params, Local::to_string);
        let path = joined(&func.path, |p| quoted(p).to_string());
        writeln!(self.out, "\nfunc {}({params}) -> {} path ({path})", quoted(&func.name), func.return_)?;
        self.blocks(&func.blocks)
    }

    fn blocks(&mut self, blocks: &[Block]) -> fmt::Result {
        for block in blocks {
            self.line("block")?;
            self.block(block)?;
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> fmt::Result {
        writeln!(self.out, "{:1$}{text}", "", self.indent * 2)
    }

    fn block(&mut self, block: &Block) -> fmt::Result {
        self.indent += 1;
        block.stmts.iter().try_for_each(|s| self.stmt(s))?;
        self.indent -= 1;
        self.line("end")
    }

    fn stmt(&mut self, stmt: &Stmt) -> fmt::Result {
        let comment = Comment { policy: self.policy, kind: &stmt.kind };
        let line = format!("{}{}{comment}", head(&stmt.kind), At(stmt.location));
        self.line(&line)?;
        match &stmt.kind {
            StmtKind::Block { blocks } => {
                self.indent += 1;
                self.blocks(blocks)?;
                self.indent -= 1;
                self.line("end")
            }
            StmtKind::Scan { block, .. } | StmtKind::Not { block } | StmtKind::With { block, .. } => {
                self.block(block)
            }
            _ => Ok(()),
        }
    }
}

/// A statement without its blocks.
fn head(kind: &StmtKind) -> String {
    match kind {
        StmtKind::ReturnLocal { source } => format!("return {source}"),
        StmtKind::Call { func, args, result } => {
            format!("{result} = call {}({})", quoted(func), joined(args, |a| operand(*a)))
        }
        StmtKind::CallDynamic { args, result, path } => {
            format!(
                "{result} = calldynamic ({})({})",
                joined(path, |p| operand(*p)),
                joined(args, Local::to_string)
            )
        }
        StmtKind::Block { .. } => "nest".to_owned(),
        StmtKind::Break { index } => format!("break {index}"),
        StmtKind::Scan { source, key, value, .. } => format!("scan {source} -> {key}, {value}"),
        StmtKind::Not { .. } => "not".to_owned(),
        StmtKind::With { local, path, value, .. } => {
            let path = joined(path, |p| format!("s{}", p.0));
            format!("with {local} ({path}) = {}", operand(*value))
        }
        StmtKind::ResultSetAdd { value } => format!("result {value}"),
        StmtKind::Nop => "nop".to_owned(),
        _ => simple_head(kind),
    }
}

/// The statements that make, move, change or test values.
fn simple_head(kind: &StmtKind) -> String {
    match kind {
        StmtKind::Dot { source, key, target } => {
            format!("{target} = dot {}[{}]", operand(*source), operand(*key))
        }
        StmtKind::Len { source, target } => format!("{target} = len {}", operand(*source)),
        StmtKind::AssignInt { value, target } => format!("{target} = assignint {value}"),
        StmtKind::AssignVar { source, target } => format!("{target} = {}", operand(*source)),
        StmtKind::AssignVarOnce { source, target } => format!("{target} = once {}", operand(*source)),
        StmtKind::ResetLocal { target } => format!("reset {target}"),
        StmtKind::MakeNull { target } => format!("{target} = null"),
        StmtKind::MakeNumberInt { value, target } => format!("{target} = int {value}"),
        StmtKind::MakeNumberRef { index, target } => format!("{target} = number s{}", index.0),
        StmtKind::MakeArray { capacity, target } => format!("{target} = array {capacity}"),
        StmtKind::MakeObject { target } => format!("{target} = object"),
        StmtKind::MakeSet { target } => format!("{target} = set"),
        StmtKind::Equal { a, b } => format!("equal {}, {}", operand(*a), operand(*b)),
        StmtKind::NotEqual { a, b } => format!("notequal {}, {}", operand(*a), operand(*b)),
        StmtKind::IsArray { source } => format!("isarray {}", operand(*source)),
        StmtKind::IsObject { source } => format!("isobject {}", operand(*source)),
        StmtKind::IsSet { source } => format!("isset {}", operand(*source)),
        StmtKind::IsDefined { source } => format!("isdefined {source}"),
        StmtKind::IsUndefined { source } => format!("isundefined {source}"),
        StmtKind::ArrayAppend { value, array } => format!("append {array}, {}", operand(*value)),
        StmtKind::ObjectInsert { key, value, object } => {
            format!("insert {object}[{}] = {}", operand(*key), operand(*value))
        }
        StmtKind::ObjectInsertOnce { key, value, object } => {
            format!("insertonce {object}[{}] = {}", operand(*key), operand(*value))
        }
        StmtKind::ObjectMerge { a, b, target } => format!("{target} = merge {a}, {b}"),
        StmtKind::SetAdd { value, set } => format!("add {set}, {}", operand(*value)),
        // The others are written by `head`, which calls this one.
        _ => String::new(),
    }
}

/// ` @file:row:col-endrow:endcol`, or nothing for an unknown position.
struct At(Location);

impl Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location { file, row, col, end_row, end_col } = self.0;
        if self.0 == Location::default() {
            return Ok(());
        }
        write!(f, " @{file}:{row}:{col}-{end_row}:{end_col}")
    }
}

/// The string constants of a line, spelled out behind it.
struct Comment<'a> {
    policy: &'a Policy,
    kind: &'a StmtKind,
}

impl Display for Comment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lead = " ; ";
        let mut result = Ok(());
        self.kind.for_each_string(|StringIndex(n)| {
            let text = usize::try_from(n).ok().and_then(|n| self.policy.static_.strings.get(n));
            if let (Some(text), Ok(())) = (text, result) {
                result = write!(f, "{lead}{}", quoted(text));
                lead = ", ";
            }
        });
        result
    }
}
