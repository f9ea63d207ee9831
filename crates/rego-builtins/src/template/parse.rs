//! Tokens to a tree.

use std::collections::HashMap;

use super::functions;
use super::lex::{Lexeme, Token, Wrong, lex};
use super::value::Item;

/// How deep actions and parentheses may be nested.
const MAX_DEPTH: usize = 100;

/// All templates of a text by name; the text itself has the name that OPA gives it.
pub(super) type Templates = HashMap<String, Vec<Node>>;

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template { line: usize, name: String, pipe: Option<Pipe> },
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) list: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) line: usize,
    /// The variables that it declares, or sets.
    pub(super) variables: Vec<String>,
    /// They are set.
    pub(super) sets: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

#[derive(Debug)]
pub(super) enum Operand {
    Dot,
    Nil,
    Bool(bool),
    Number(Item),
    Text(String),
    Fields(Vec<String>),
    Variable(String, Vec<String>),
    Function(String),
    /// Fields of what something comes to.
    Chain(Box<Operand>, Vec<String>),
    Pipe(Box<Pipe>),
}

/// Reads a text.
///
/// # Errors
/// The first mistake.
pub(super) fn parse(source: &str) -> Result<Templates, Wrong> {
    let mut parser = Parser {
        lexemes: lex(source)?,
        at: 0,
        variables: vec!["$".to_owned()],
        templates: Templates::new(),
        loops: 0,
        depth: 0,
    };
    let (list, end) = parser.list(true)?;
    if let Some(word) = end {
        return parser.wrong(format!("unexpected {{{{{word}}}}}"));
    }
    parser.templates.insert(super::NAME.to_owned(), list);
    Ok(parser.templates)
}

struct Parser {
    lexemes: Vec<Lexeme>,
    at: usize,
    /// The variables that are declared here.
    variables: Vec<String>,
    templates: Templates,
    /// How many `range` are open.
    loops: usize,
    depth: usize,
}

impl Parser {
    fn line(&self) -> usize {
        let at = self.at.min(self.lexemes.len().saturating_sub(1));
        self.lexemes.get(at).map_or(1, |lexeme| lexeme.line)
    }

    fn wrong<T>(&self, problem: impl Into<String>) -> Result<T, Wrong> {
        Err(Wrong { line: self.line(), problem: problem.into() })
    }

    fn peek(&self) -> Option<&Token> {
        self.lexemes.get(self.at).map(|lexeme| &lexeme.token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&Token::Space) {
            self.at += 1;
        }
    }

    fn next_solid(&mut self) -> Option<Token> {
        self.skip_space();
        self.next()
    }

    fn unexpected<T>(&self, token: Option<&Token>, context: &str) -> Result<T, Wrong> {
        self.wrong(format!("unexpected {} in {context}", shown(token)))
    }

    fn close(&mut self, context: &str) -> Result<(), Wrong> {
        match self.next_solid() {
            Some(Token::Close) => Ok(()),
            other => self.unexpected(other.as_ref(), context),
        }
    }

    /// Nodes up to `{{end}}` or `{{else`, whose word is given, or to the end of the text.
    fn list(&mut self, is_top: bool) -> Result<(Vec<Node>, Option<String>), Wrong> {
        if self.depth >= MAX_DEPTH {
            return self.wrong(format!("nested deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let mut nodes = Vec::new();
        loop {
            match self.next() {
                None if is_top => break,
                None => return self.wrong("unexpected EOF"),
                Some(Token::Text(text)) => nodes.push(Node::Text(text)),
                Some(_) => {
                    self.skip_space();
                    if let Some(Token::Word(word)) = self.peek()
                        && matches!(word.as_str(), "end" | "else")
                    {
                        let word = word.clone();
                        self.at += 1;
                        self.depth -= 1;
                        return Ok((nodes, Some(word)));
                    }
                    nodes.extend(self.action(is_top)?);
                }
            }
        }
        self.depth -= 1;
        Ok((nodes, None))
    }

    fn action(&mut self, is_top: bool) -> Result<Option<Node>, Wrong> {
        let word = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            _ => String::new(),
        };
        let known = ["if", "with", "range", "template", "block", "define", "break", "continue"];
        if known.contains(&word.as_str()) {
            self.at += 1;
        }
        Ok(Some(match word.as_str() {
            "if" => Node::If(Box::new(self.branch("if")?)),
            "with" => Node::With(Box::new(self.branch("with")?)),
            "range" => Node::Range(Box::new(self.branch("range")?)),
            "template" => self.template()?,
            "block" => self.block()?,
            "define" if is_top => {
                self.define()?;
                return Ok(None);
            }
            "define" => return self.wrong("unexpected {{define}}"),
            "break" | "continue" => {
                if self.loops == 0 {
                    return self.wrong(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                self.close(&format!("{{{{{word}}}}}"))?;
                if word == "break" { Node::Break } else { Node::Continue }
            }
            _ => Node::Action(self.pipe("command", &Token::Close)?),
        }))
    }

    fn branch(&mut self, context: &'static str) -> Result<Branch, Wrong> {
        let declared = self.variables.len();
        let pipe = self.pipe(context, &Token::Close)?;
        let is_loop = context == "range";
        self.loops += usize::from(is_loop);
        let (list, end) = self.list(false)?;
        self.loops -= usize::from(is_loop);
        let mut otherwise = Vec::new();
        if end.as_deref() == Some("else") {
            self.skip_space();
            match self.peek() {
                // `{{else if}}` is an `if` in the `else`, and both end at once.
                Some(Token::Word(word)) if word == context && !is_loop => {
                    self.at += 1;
                    let inner = Box::new(self.branch(context)?);
                    otherwise.push(if context == "if" { Node::If(inner) } else { Node::With(inner) });
                    self.variables.truncate(declared);
                    return Ok(Branch { pipe, list, otherwise });
                }
                _ => self.close("else")?,
            }
            let (list, end) = self.list(false)?;
            otherwise = list;
            if end.as_deref() != Some("end") {
                return self.wrong("expected end; found {{else}}");
            }
        }
        self.close("end")?;
        self.variables.truncate(declared);
        Ok(Branch { pipe, list, otherwise })
    }

    fn name(&mut self, context: &str) -> Result<String, Wrong> {
        match self.next_solid() {
            Some(Token::Quoted(text)) => self.unquote(&text),
            Some(Token::Raw(text)) => Ok(text),
            other => self.unexpected(other.as_ref(), context),
        }
    }

    fn template(&mut self) -> Result<Node, Wrong> {
        let line = self.line();
        let name = self.name("template clause")?;
        self.skip_space();
        let pipe = match self.peek() {
            Some(Token::Close) => {
                self.at += 1;
                None
            }
            _ => Some(self.pipe("template clause", &Token::Close)?),
        };
        Ok(Node::Template { line, name, pipe })
    }

    /// The nodes of a template of its own, which sees no variable but `$`.
    fn body(&mut self, context: &str) -> Result<Vec<Node>, Wrong> {
        let (variables, loops) = (std::mem::take(&mut self.variables), std::mem::take(&mut self.loops));
        self.variables.push("$".to_owned());
        let (list, end) = self.list(false)?;
        if end.as_deref() != Some("end") {
            return self.wrong(format!("unexpected {{{{else}}}} in {context}"));
        }
        self.close(context)?;
        (self.variables, self.loops) = (variables, loops);
        Ok(list)
    }

    fn block(&mut self) -> Result<Node, Wrong> {
        let line = self.line();
        let name = self.name("block clause")?;
        let pipe = Some(self.pipe("block clause", &Token::Close)?);
        let list = self.body("block clause")?;
        self.add(name.clone(), list)?;
        Ok(Node::Template { line, name, pipe })
    }

    fn define(&mut self) -> Result<(), Wrong> {
        let name = self.name("define clause")?;
        self.close("define clause")?;
        let list = self.body("define clause")?;
        self.add(name, list)
    }

    /// Adds a template. One that is there may be defined again only if one of both is empty, which then does not count.
    fn add(&mut self, name: String, list: Vec<Node>) -> Result<(), Wrong> {
        let is_empty = |list: &[Node]| {
            list.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
        };
        match self.templates.get(&name) {
            Some(known) if !is_empty(known) && !is_empty(&list) => {
                let shown = crate::gofmt::quote(&name);
                return self.wrong(format!("template: multiple definition of template {shown}"));
            }
            Some(known) if !is_empty(known) => {}
            _ => {
                self.templates.insert(name, list);
            }
        }
        Ok(())
    }

    fn pipe(&mut self, context: &str, end: &Token) -> Result<Pipe, Wrong> {
        if self.depth >= MAX_DEPTH {
            return self.wrong(format!("nested deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        self.skip_space();
        let line = self.line();
        let (variables, sets) = self.declarations(context)?;
        let mut commands = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(token) if token == end => {
                    self.at += 1;
                    break;
                }
                Some(
                    Token::Char(_)
                    | Token::Dot
                    | Token::Field(_)
                    | Token::Word(_)
                    | Token::Number(_)
                    | Token::Raw(_)
                    | Token::Quoted(_)
                    | Token::Variable(_)
                    | Token::LeftParen,
                ) => commands.push(self.command()?),
                other => return self.unexpected(other, context),
            }
        }
        self.depth -= 1;
        if commands.is_empty() {
            return self.wrong(format!("missing value for {context}"));
        }
        for (at, command) in commands.iter().enumerate().skip(1) {
            let first = command.first();
            if matches!(
                first,
                Some(Operand::Bool(_) | Operand::Dot | Operand::Nil | Operand::Number(_) | Operand::Text(_))
            ) {
                return self.wrong(format!("non executable command in pipeline stage {}", at + 1));
            }
        }
        Ok(Pipe { line, variables, sets, commands })
    }

    /// `$x :=`, `$x =`, and in a `range` `$i, $x :=`.
    fn declarations(&mut self, context: &str) -> Result<(Vec<String>, bool), Wrong> {
        let start = self.at;
        let mut names = Vec::new();
        while let Some(Token::Variable(name)) = self.peek().cloned() {
            self.at += 1;
            names.push(name);
            self.skip_space();
            match self.peek() {
                Some(Token::Comma) if context == "range" && names.len() < 2 => {
                    self.at += 1;
                    self.skip_space();
                }
                Some(Token::Comma) => return self.wrong(format!("too many declarations in {context}")),
                Some(Token::Declare) => {
                    self.at += 1;
                    self.variables.extend(names.iter().cloned());
                    return Ok((names, false));
                }
                Some(Token::Assign) => {
                    self.at += 1;
                    return Ok((names, true));
                }
                _ => break,
            }
        }
        self.at = start;
        Ok((Vec::new(), false))
    }

    fn command(&mut self) -> Result<Vec<Operand>, Wrong> {
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            operands.extend(self.operand()?);
            match self.peek() {
                Some(Token::Space) => continue,
                Some(Token::Close | Token::RightParen) => break,
                Some(Token::Pipe) => {
                    self.at += 1;
                    self.skip_space();
                    if matches!(self.peek(), Some(Token::Close | Token::RightParen)) {
                        return self.wrong("missing value for command");
                    }
                    break;
                }
                other => return self.unexpected(other, "operand"),
            }
        }
        if operands.is_empty() {
            return self.wrong("empty command");
        }
        Ok(operands)
    }

    fn operand(&mut self) -> Result<Option<Operand>, Wrong> {
        let Some(first) = self.term()? else { return Ok(None) };
        let mut fields = Vec::new();
        while let Some(Token::Field(name)) = self.peek().cloned() {
            self.at += 1;
            fields.push(name);
        }
        if fields.is_empty() {
            return Ok(Some(first));
        }
        Ok(Some(match first {
            Operand::Fields(mut own) => {
                own.extend(fields);
                Operand::Fields(own)
            }
            Operand::Variable(name, mut own) => {
                own.extend(fields);
                Operand::Variable(name, own)
            }
            Operand::Bool(_) | Operand::Text(_) | Operand::Number(_) | Operand::Nil | Operand::Dot => {
                return self.wrong("unexpected . after term");
            }
            other => Operand::Chain(Box::new(other), fields),
        }))
    }

    fn term(&mut self) -> Result<Option<Operand>, Wrong> {
        let Some(token) = self.peek().cloned() else { return Ok(None) };
        let before = self.at;
        self.at += 1;
        Ok(Some(match token {
            Token::Word(word) => match word.as_str() {
                "true" => Operand::Bool(true),
                "false" => Operand::Bool(false),
                "nil" => Operand::Nil,
                "if" | "else" | "end" | "range" | "with" | "template" | "define" | "block" | "break"
                | "continue" => return self.wrong(format!("unexpected <{word}> in operand")),
                _ if functions::exists(&word) => Operand::Function(word),
                _ => return self.wrong(format!("function {} not defined", crate::gofmt::quote(&word))),
            },
            Token::Dot => Operand::Dot,
            Token::Field(name) => Operand::Fields(vec![name]),
            Token::Variable(name) => {
                if !self.variables.contains(&name) {
                    let shown = crate::gofmt::quote(&name);
                    return self.wrong(format!("undefined variable {shown}"));
                }
                Operand::Variable(name, Vec::new())
            }
            Token::Number(text) => Operand::Number(self.number(&text)?),
            Token::Char(text) => Operand::Number(Item::Int(self.character(&text)?)),
            Token::Quoted(text) => Operand::Text(self.unquote(&text)?),
            Token::Raw(text) => Operand::Text(text),
            Token::LeftParen => {
                Operand::Pipe(Box::new(self.pipe("parenthesized pipeline", &Token::RightParen)?))
            }
            _ => {
                self.at = before;
                return Ok(None);
            }
        }))
    }

    fn number(&self, text: &str) -> Result<Item, Wrong> {
        let bad = || Wrong {
            line: self.line(),
            problem: format!("bad number syntax: {}", crate::gofmt::quote(text)),
        };
        let plain = text.replace('_', "");
        let (negative, digits) = match plain.strip_prefix(['+', '-']) {
            Some(digits) => (plain.starts_with('-'), digits),
            None => (false, plain.as_str()),
        };
        let lower = digits.to_ascii_lowercase();
        let integer = match lower.get(..2) {
            Some("0x") => i64::from_str_radix(lower.get(2..).unwrap_or_default(), 16),
            Some("0o") => i64::from_str_radix(lower.get(2..).unwrap_or_default(), 8),
            Some("0b") => i64::from_str_radix(lower.get(2..).unwrap_or_default(), 2),
            _ if lower.len() > 1 && lower.starts_with('0') => i64::from_str_radix(&lower, 8),
            _ => lower.parse(),
        };
        if let Ok(int) = integer {
            return Ok(Item::Int(if negative { -int } else { int }));
        }
        if !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') || lower.starts_with("0x") {
            return Err(bad());
        }
        let float: f64 = lower.parse().map_err(|_| bad())?;
        if !float.is_finite() || !lower.contains(['.', 'e']) {
            return Err(bad());
        }
        Ok(Item::Float(if negative { -float } else { float }))
    }

    fn character(&self, text: &str) -> Result<i64, Wrong> {
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        let text = unescape(inner, '\'');
        let mut chars = text.as_deref().unwrap_or_default().chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(i64::from(u32::from(c))),
            _ => self.wrong(format!("malformed character constant: '{inner}'")),
        }
    }

    fn unquote(&self, text: &str) -> Result<String, Wrong> {
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        match unescape(inner, '"') {
            Some(text) => Ok(text),
            None => self.wrong("invalid syntax"),
        }
    }
}

/// Go's escapes.
fn unescape(text: &str, quote: char) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' => '\\',
            'x' => hex(&mut chars, 2)?,
            'u' => hex(&mut chars, 4)?,
            'U' => hex(&mut chars, 8)?,
            c if c == quote => c,
            _ => return None,
        });
    }
    Some(out)
}

fn hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text: String = chars.by_ref().take(digits).collect();
    let all_digits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if all_digits { char::from_u32(u32::from_str_radix(&text, 16).ok()?) } else { None }
}

/// A token as Go's messages show it.
fn shown(token: Option<&Token>) -> String {
    match token {
        None => "EOF".to_owned(),
        Some(Token::Word(word)) => format!("<{word}>"),
        Some(Token::Field(name)) => format!("<.{name}>"),
        Some(Token::Dot) => "<.>".to_owned(),
        Some(Token::Variable(text) | Token::Number(text) | Token::Char(text) | Token::Quoted(text)) => {
            crate::gofmt::quote(text)
        }
        Some(Token::Text(text) | Token::Raw(text)) => crate::gofmt::quote(text),
        Some(Token::Open) => "\"{{\"".to_owned(),
        Some(Token::Close) => "\"}}\"".to_owned(),
        Some(Token::Space) => "\" \"".to_owned(),
        Some(Token::Assign) => "\"=\"".to_owned(),
        Some(Token::Declare) => "\":=\"".to_owned(),
        Some(Token::Comma) => "\",\"".to_owned(),
        Some(Token::Pipe) => "\"|\"".to_owned(),
        Some(Token::LeftParen) => "\"(\"".to_owned(),
        Some(Token::RightParen) => "\")\"".to_owned(),
    }
}
