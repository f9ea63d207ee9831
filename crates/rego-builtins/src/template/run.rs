//! A tree and data to text.

use rego_value::Value;

use super::functions;
use super::parse::{Branch, Node, Operand, Pipe, Templates};
use super::value::{Item, entries};

/// The most text that one call may produce, in bytes, and the most nodes that it may walk.
const MOST_TEXT: usize = 16 << 20;
const MOST_STEPS: usize = 2_000_000;

/// How deep templates may call templates.
const MAX_DEPTH: usize = 50;

/// Why there is no text.
pub(super) struct Stop {
    pub(super) line: usize,
    pub(super) problem: String,
    /// It asked for more than one evaluation may have.
    pub(super) halt: bool,
}

/// Runs the template that OPA's is.
///
/// # Errors
/// The first action that fails.
pub(super) fn run(templates: &Templates, data: &Value) -> Result<String, Stop> {
    let data = Item::Data(data.clone());
    let mut runner = Runner {
        templates,
        variables: vec![("$".to_owned(), data.clone())],
        out: String::new(),
        steps: 0,
        depth: 0,
        line: 1,
    };
    let nodes = templates.get(super::NAME).map(Vec::as_slice).unwrap_or_default();
    runner.nodes(nodes, &data)?;
    Ok(runner.out)
}

/// How a list of nodes ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Runner<'a> {
    templates: &'a Templates,
    variables: Vec<(String, Item)>,
    out: String,
    steps: usize,
    depth: usize,
    line: usize,
}

type Outcome<T> = Result<T, Stop>;

impl<'a> Runner<'a> {
    fn fail<T>(&self, problem: impl Into<String>) -> Outcome<T> {
        Err(Stop { line: self.line, problem: problem.into(), halt: false })
    }

    fn step(&mut self) -> Outcome<()> {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.out.len() > MOST_TEXT {
            let problem = format!("more than {MOST_STEPS} steps or {MOST_TEXT} bytes of text");
            return Err(Stop { line: self.line, problem, halt: true });
        }
        Ok(())
    }

    fn nodes(&mut self, nodes: &'a [Node], dot: &Item) -> Outcome<Flow> {
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::On
                }
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        value.print(&mut self.out).or_else(|problem| self.fail(problem))?;
                    }
                    Flow::On
                }
                Node::If(branch) => self.choice(branch, dot, false)?,
                Node::With(branch) => self.choice(branch, dot, true)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Template { line, name, pipe } => {
                    self.line = *line;
                    self.template(name, pipe.as_ref(), dot)?;
                    Flow::On
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn choice(&mut self, branch: &'a Branch, dot: &Item, moves_dot: bool) -> Outcome<Flow> {
        let mark = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let flow = match value.is_true() {
            true => self.nodes(&branch.list, if moves_dot { &value } else { dot }),
            false => self.nodes(&branch.otherwise, dot),
        };
        self.variables.truncate(mark);
        flow
    }

    fn range(&mut self, branch: &'a Branch, dot: &Item) -> Outcome<Flow> {
        let mark = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let mut any = false;
        match &value {
            Item::Int(count) => {
                if branch.pipe.variables.len() > 1 {
                    return self.fail(format!("can't use {count} to iterate over more than one variable"));
                }
                for number in 0..*count {
                    any = true;
                    if self.iteration(branch, Item::Int(number), Item::Int(number))? == Flow::Break {
                        break;
                    }
                }
            }
            Item::Data(Value::Object(members)) => {
                for (key, value) in entries(members) {
                    any = true;
                    if self.iteration(branch, Item::text(key), Item::Data(value))? == Flow::Break {
                        break;
                    }
                }
            }
            other if other.is_nil() => {}
            other => {
                let Some(items) = other.elements() else {
                    let mut shown = String::new();
                    let _ = other.print(&mut shown);
                    return self.fail(format!("range can't iterate over {shown}"));
                };
                for (at, item) in items.into_iter().enumerate() {
                    any = true;
                    let index = Item::Int(i64::try_from(at).unwrap_or(i64::MAX));
                    if self.iteration(branch, index, Item::Data(item))? == Flow::Break {
                        break;
                    }
                }
            }
        }
        let flow = if any { Flow::On } else { self.nodes(&branch.otherwise, dot)? };
        self.variables.truncate(mark);
        Ok(flow)
    }

    /// One turn of a loop; never `Continue`.
    fn iteration(&mut self, branch: &'a Branch, index: Item, item: Item) -> Outcome<Flow> {
        self.step()?;
        match branch.pipe.variables.as_slice() {
            [only] => self.set(only, item.clone())?,
            [first, second, ..] => {
                self.set(first, index)?;
                self.set(second, item.clone())?;
            }
            [] => {}
        }
        let mark = self.variables.len();
        let flow = self.nodes(&branch.list, &item)?;
        self.variables.truncate(mark);
        Ok(if flow == Flow::Continue { Flow::On } else { flow })
    }

    fn template(&mut self, name: &str, pipe: Option<&'a Pipe>, dot: &Item) -> Outcome<()> {
        let Some(nodes) = self.templates.get(name) else {
            return self.fail(format!("template {} not defined", crate::gofmt::quote(name)));
        };
        if self.depth >= MAX_DEPTH {
            return self.fail(format!("exceeded maximum template depth ({MAX_DEPTH})"));
        }
        let dot = match pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Item::Missing,
        };
        self.depth += 1;
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), dot.clone())]);
        self.nodes(nodes, &dot)?;
        self.variables = outer;
        self.depth -= 1;
        Ok(())
    }

    fn set(&mut self, name: &str, value: Item) -> Outcome<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => return self.fail(format!("undefined variable: {name}")),
        }
        Ok(())
    }

    fn pipe(&mut self, pipe: &'a Pipe, dot: &Item) -> Outcome<Item> {
        self.line = pipe.line;
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value.take())?);
        }
        let value = value.unwrap_or(Item::Missing);
        for name in &pipe.variables {
            if pipe.sets {
                self.set(name, value.clone())?;
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    /// A command; what the one before it came to is its last argument.
    fn command(&mut self, operands: &'a [Operand], dot: &Item, last: Option<Item>) -> Outcome<Item> {
        let Some((first, rest)) = operands.split_first() else { return Ok(Item::Missing) };
        if let Operand::Function(name) = first {
            return self.call(name, rest, dot, last);
        }
        if !rest.is_empty() || last.is_some() {
            return match first {
                Operand::Fields(fields) => self.field_with_arguments(dot.clone(), fields),
                Operand::Variable(name, fields) if !fields.is_empty() => {
                    let of = self.variable(name)?;
                    self.field_with_arguments(of, fields)
                }
                Operand::Chain(of, fields) => {
                    let of = self.operand(of, dot)?;
                    self.field_with_arguments(of, fields)
                }
                Operand::Nil => self.fail("nil is not a command"),
                _ => self.fail("can't give argument to non-function"),
            };
        }
        match first {
            Operand::Nil => self.fail("nil is not a command"),
            other => self.operand(other, dot),
        }
    }

    fn operand(&mut self, operand: &'a Operand, dot: &Item) -> Outcome<Item> {
        Ok(match operand {
            Operand::Dot => dot.clone(),
            Operand::Nil => Item::Missing,
            Operand::Bool(truth) => Item::bool(*truth),
            Operand::Number(number) => number.clone(),
            Operand::Text(text) => Item::text(text.clone()),
            Operand::Fields(fields) => self.fields(dot.clone(), fields)?,
            Operand::Variable(name, fields) => {
                let value = self.variable(name)?;
                self.fields(value, fields)?
            }
            Operand::Function(name) => self.call(name, &[], dot, None)?,
            Operand::Chain(of, fields) => {
                let value = self.operand(of, dot)?;
                self.fields(value, fields)?
            }
            Operand::Pipe(pipe) => self.pipe(pipe, dot)?,
        })
    }

    fn variable(&self, name: &str) -> Outcome<Item> {
        match self.variables.iter().rev().find(|(known, _)| known == name) {
            Some((_, value)) => Ok(value.clone()),
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    /// Arguments are for methods, which data has none of; of nothing, everything is nothing.
    fn field_with_arguments(&self, from: Item, fields: &[String]) -> Outcome<Item> {
        let (last, before) =
            fields.split_last().map_or(("", fields), |(last, before)| (last.as_str(), before));
        match self.fields(from, before)? {
            Item::Missing => Ok(Item::Missing),
            _ => self.fail(format!("{last} is not a method but has arguments")),
        }
    }

    fn fields(&self, from: Item, fields: &[String]) -> Outcome<Item> {
        let mut value = from;
        for name in fields {
            value = match &value {
                Item::Missing => Item::Missing,
                Item::Data(Value::Object(_)) => value.member(name),
                other if other.is_nil() => {
                    return self.fail(format!("nil pointer evaluating interface {{}}.{name}"));
                }
                other => {
                    let kind = other.type_name();
                    return self.fail(format!("can't evaluate field {name} in type {kind}"));
                }
            };
        }
        Ok(value)
    }

    fn call(&mut self, name: &str, operands: &'a [Operand], dot: &Item, last: Option<Item>) -> Outcome<Item> {
        let count = operands.len() + usize::from(last.is_some());
        functions::check_count(name, count).or_else(|problem| self.fail(problem))?;
        if matches!(name, "and" | "or") {
            // The first that decides is the answer, and those behind it are not looked at.
            let mut value = Item::Missing;
            for operand in operands {
                value = self.operand(operand, dot)?;
                if value.is_true() == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut arguments = Vec::with_capacity(count);
        for operand in operands {
            arguments.push(self.operand(operand, dot)?);
        }
        arguments.extend(last);
        functions::call(name, &arguments)
            .or_else(|problem| self.fail(format!("error calling {name}: {problem}")))
    }
}
