//! Text to [`Policy`].

use crate::{
    Block, BuiltinFunc, Func, Local, Location, Operand, Plan, Policy, Stmt, StmtKind, StringIndex,
    UnplannedRule,
};

/// Why a text is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

type Result<T> = core::result::Result<T, String>;

/// Parses the text form of a plan.
///
/// # Errors
/// The first line that is not understood.
pub fn parse_text(text: &str) -> core::result::Result<Policy, ParseError> {
    let mut lines = Lines { rest: text.lines().enumerate(), line: 0 };
    parse_policy(&mut lines).map_err(|message| ParseError { line: lines.line, message })
}

struct Lines<'a> {
    rest: core::iter::Enumerate<core::str::Lines<'a>>,
    line: usize,
}

impl<'a> Lines<'a> {
    /// The next line that is neither empty nor only a comment.
    fn next(&mut self) -> Option<Line<'a>> {
        for (index, text) in self.rest.by_ref() {
            self.line = index + 1;
            let text = text.trim_start();
            if !text.is_empty() && !text.starts_with(';') {
                return Some(Line { rest: text });
            }
        }
        None
    }
}

/// What is left of a line.
#[derive(Clone, Copy)]
struct Line<'a> {
    rest: &'a str,
}

impl<'a> Line<'a> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<()> {
        if self.eat(token) { Ok(()) } else { Err(format!("expected `{token}` before `{}`", self.rest)) }
    }

    /// Takes a word of letters and digits, which may be empty.
    fn word(&mut self) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        word
    }

    fn number<T: core::str::FromStr>(&mut self) -> Result<T> {
        let rest = self.rest.trim_start();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let sign = rest.len() - digits.len();
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (number, after) = rest.split_at(sign + end);
        let number = number.parse().map_err(|_| format!("expected a number before `{rest}`"))?;
        self.rest = after;
        Ok(number)
    }

    fn string(&mut self) -> Result<String> {
        let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        match stream.next() {
            Some(Ok(text)) => {
                self.rest = self.rest.get(stream.byte_offset()..).unwrap_or_default();
                Ok(text)
            }
            _ => Err(format!("expected a string before `{}`", self.rest)),
        }
    }

    fn local(&mut self) -> Result<Local> {
        self.expect("%")?;
        self.number().map(Local)
    }

    fn string_index(&mut self) -> Result<StringIndex> {
        self.expect("s")?;
        self.number().map(StringIndex)
    }

    fn operand(&mut self) -> Result<Operand> {
        if self.rest.trim_start().starts_with('%') {
            return self.local().map(Operand::Local);
        }
        let mut ahead = *self;
        match ahead.word() {
            "true" => (*self = ahead, Ok(Operand::Bool(true))).1,
            "false" => (*self = ahead, Ok(Operand::Bool(false))).1,
            _ => self.string_index().map(Operand::String),
        }
    }

    /// A list in parentheses.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect("(")?;
        let mut items = Vec::new();
        while !self.eat(")") {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn location(&mut self) -> Result<Location> {
        if !self.eat("@") {
            return Ok(Location::default());
        }
        let file = self.number()?;
        self.expect(":")?;
        let row = self.number()?;
        self.expect(":")?;
        let col = self.number()?;
        self.expect("-")?;
        let end_row = self.number()?;
        self.expect(":")?;
        Ok(Location { file, row, col, end_row, end_col: self.number()? })
    }

    fn finish(&mut self) -> Result<()> {
        let rest = self.rest.trim();
        if rest.is_empty() || rest.starts_with(';') { Ok(()) } else { Err(format!("unexpected `{rest}`")) }
    }
}

fn parse_policy(lines: &mut Lines<'_>) -> Result<Policy> {
    let mut policy = Policy::default();
    let mut target = Target::None;
    while let Some(mut line) = lines.next() {
        match line.word() {
            "string" => policy.static_.strings.push(line.string()?),
            "file" => policy.static_.files.push(line.string()?),
            "builtin" => policy.static_.builtin_funcs.push(builtin(&mut line)?),
            "unplanned" => {
                policy
                    .unplanned_rules
                    .push(UnplannedRule { path: line.string()?, location: line.location()? });
            }
            "plan" => {
                policy.plans.push(Plan { name: line.string()?, blocks: Vec::new() });
                target = Target::Plan;
            }
            "func" => {
                policy.funcs.push(func(&mut line)?);
                target = Target::Func;
            }
            "block" => {
                let block = block(lines, 1)?;
                match target {
                    Target::Plan => policy.plans.last_mut().map(|p| p.blocks.push(block)),
                    Target::Func => policy.funcs.last_mut().map(|f| f.blocks.push(block)),
                    Target::None => None,
                }
                .ok_or("a block outside of plan and func")?;
                continue;
            }
            word => return Err(format!("unknown item `{word}`")),
        }
        line.finish()?;
    }
    Ok(policy)
}

/// Where blocks at the top level belong.
enum Target {
    None,
    Plan,
    Func,
}

fn builtin(line: &mut Line<'_>) -> Result<BuiltinFunc> {
    let name = line.string()?;
    let mut stream = serde_json::Deserializer::from_str(line.rest).into_iter();
    match stream.next() {
        Some(Ok(decl)) => {
            line.rest = line.rest.get(stream.byte_offset()..).unwrap_or_default();
            Ok(BuiltinFunc { name, decl })
        }
        _ => Err("expected the declaration as JSON".to_owned()),
    }
}

fn func(line: &mut Line<'_>) -> Result<Func> {
    let name = line.string()?;
    let params = line.list(Line::local)?;
    line.expect("->")?;
    let return_ = line.local()?;
    line.expect("path")?;
    Ok(Func { name, path: line.list(Line::string)?, params, return_, blocks: Vec::new() })
}

/// Parses statements up to `end`.
fn block(lines: &mut Lines<'_>, depth: usize) -> Result<Block> {
    if depth > Block::MAX_DEPTH {
        return Err(format!("blocks are nested deeper than {}", Block::MAX_DEPTH));
    }
    let mut stmts = Vec::new();
    loop {
        let Some(mut line) = lines.next() else { return Err("missing `end`".to_owned()) };
        let mut ahead = line;
        if ahead.word() == "end" {
            return ahead.finish().map(|()| Block { stmts });
        }
        let mut kind = stmt(&mut line)?;
        let location = line.location()?;
        line.finish()?;
        match &mut kind {
            StmtKind::Block { blocks } => *blocks = nested(lines, depth)?,
            StmtKind::Scan { block: inner, .. }
            | StmtKind::Not { block: inner }
            | StmtKind::With { block: inner, .. } => *inner = block(lines, depth + 1)?,
            _ => {}
        }
        stmts.push(Stmt { kind, location });
    }
}

/// Parses the blocks of a `nest` up to its `end`.
fn nested(lines: &mut Lines<'_>, depth: usize) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    loop {
        let Some(mut line) = lines.next() else { return Err("missing `end`".to_owned()) };
        match line.word() {
            "block" => {
                line.finish()?;
                blocks.push(block(lines, depth + 1)?);
            }
            "end" => return line.finish().map(|()| blocks),
            word => return Err(format!("expected `block` or `end`, found `{word}`")),
        }
    }
}

fn stmt(line: &mut Line<'_>) -> Result<StmtKind> {
    if line.rest.trim_start().starts_with('%') {
        let target = line.local()?;
        line.expect("=")?;
        return assignment(line, target);
    }
    let word = line.word();
    Ok(match word {
        "return" => StmtKind::ReturnLocal { source: line.local()? },
        "nest" => StmtKind::Block { blocks: Vec::new() },
        "break" => StmtKind::Break { index: line.number()? },
        "not" => StmtKind::Not { block: Block::default() },
        "scan" => {
            let source = line.local()?;
            line.expect("->")?;
            let key = line.local()?;
            line.expect(",")?;
            StmtKind::Scan { source, key, value: line.local()?, block: Block::default() }
        }
        "with" => {
            let local = line.local()?;
            let path = line.list(Line::string_index)?;
            line.expect("=")?;
            StmtKind::With { local, path, value: line.operand()?, block: Block::default() }
        }
        "nop" => StmtKind::Nop,
        "result" => StmtKind::ResultSetAdd { value: line.local()? },
        "reset" => StmtKind::ResetLocal { target: line.local()? },
        _ => return test_or_change(line, word),
    })
}

fn test_or_change(line: &mut Line<'_>, word: &str) -> Result<StmtKind> {
    let pair = |line: &mut Line<'_>| -> Result<_> {
        let a = line.operand()?;
        line.expect(",")?;
        Ok((a, line.operand()?))
    };
    let change = |line: &mut Line<'_>| -> Result<_> {
        let collection = line.local()?;
        line.expect(",")?;
        Ok((collection, line.operand()?))
    };
    let entry = |line: &mut Line<'_>| -> Result<_> {
        let object = line.local()?;
        line.expect("[")?;
        let key = line.operand()?;
        line.expect("]")?;
        line.expect("=")?;
        Ok((object, key, line.operand()?))
    };
    Ok(match word {
        "equal" => pair(line).map(|(a, b)| StmtKind::Equal { a, b })?,
        "notequal" => pair(line).map(|(a, b)| StmtKind::NotEqual { a, b })?,
        "isarray" => StmtKind::IsArray { source: line.operand()? },
        "isobject" => StmtKind::IsObject { source: line.operand()? },
        "isset" => StmtKind::IsSet { source: line.operand()? },
        "isdefined" => StmtKind::IsDefined { source: line.local()? },
        "isundefined" => StmtKind::IsUndefined { source: line.local()? },
        "append" => change(line).map(|(array, value)| StmtKind::ArrayAppend { value, array })?,
        "add" => change(line).map(|(set, value)| StmtKind::SetAdd { value, set })?,
        "insert" => entry(line).map(|(object, key, value)| StmtKind::ObjectInsert { key, value, object })?,
        "insertonce" => {
            entry(line).map(|(object, key, value)| StmtKind::ObjectInsertOnce { key, value, object })?
        }
        _ => return Err(format!("unknown statement `{word}`")),
    })
}

/// A statement that begins with `%n =`.
fn assignment(line: &mut Line<'_>, target: Local) -> Result<StmtKind> {
    let before = *line;
    Ok(match line.word() {
        "call" => StmtKind::Call { func: line.string()?, args: line.list(Line::operand)?, result: target },
        "calldynamic" => {
            let path = line.list(Line::operand)?;
            StmtKind::CallDynamic { args: line.list(Line::local)?, result: target, path }
        }
        "dot" => {
            let source = line.operand()?;
            line.expect("[")?;
            let key = line.operand()?;
            line.expect("]")?;
            StmtKind::Dot { source, key, target }
        }
        "len" => StmtKind::Len { source: line.operand()?, target },
        "assignint" => StmtKind::AssignInt { value: line.number()?, target },
        "once" => StmtKind::AssignVarOnce { source: line.operand()?, target },
        "null" => StmtKind::MakeNull { target },
        "int" => StmtKind::MakeNumberInt { value: line.number()?, target },
        "number" => StmtKind::MakeNumberRef { index: line.string_index()?, target },
        "array" => StmtKind::MakeArray { capacity: line.number()?, target },
        "object" => StmtKind::MakeObject { target },
        "set" => StmtKind::MakeSet { target },
        "merge" => {
            let a = line.local()?;
            line.expect(",")?;
            StmtKind::ObjectMerge { a, b: line.local()?, target }
        }
        _ => {
            *line = before;
            StmtKind::AssignVar { source: line.operand()?, target }
        }
    })
}
