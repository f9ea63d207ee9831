//! Why a test failed: the first expression of its rule that does not hold where those before it do, and the values of
//! what stands in it.
//!
//! Found by asking for the beginnings of the body, each longer by one expression, with the same engine and the same
//! data. What goes on inside the rules that an expression refers to is not told.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rego_build::{Options, Query};
use rego_compiler::CheckedProgram;
use rego_engine::{Engine, EvalContext, Input, Instance};
use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, ExprKind, Name, Ref, Term, Value as TermValue, visit};
use rego_value::Value;

use crate::find::Test;
use crate::output::Error;
use crate::run::{Report, start};

/// The expression that did not hold.
#[derive(Clone, Debug)]
pub struct Why {
    /// The expression as the compiler has it, with the variables of the source.
    expression: String,
    /// The row of it.
    row: u32,
    /// Its variables by the names that the expression shows, with their values.
    variables: Vec<(String, Value)>,
    /// The source that it comes from.
    source: String,
    /// What stands on the first row before the source.
    margin: String,
    /// What is shown below the source.
    shown: Vec<Shown>,
}

/// Something in the source that has a value, or should have one.
#[derive(Clone, Debug)]
pub struct Shown {
    title: String,
    row: u32,
    /// How many characters of the row stand before it.
    col: usize,
    value: Option<Value>,
}

/// The longest values that are shown whole.
const LONGEST: usize = 64;

/// Finds out for each test that failed; says nothing of those with cases, and of those whose rule holds and is not
/// true.
///
/// # Errors
/// What cannot be compiled or run.
pub fn explain(
    program: &CheckedProgram,
    options: &Options,
    engine: &Engine,
    data: &Value,
    reports: &mut [Report],
    context: &dyn Fn() -> EvalContext,
) -> Result<(), Error> {
    let mut queries = Vec::new();
    for (at, report) in reports.iter().enumerate() {
        if let Some(body) = body_of(report) {
            queries.extend((1..=body.len()).map(|length| beginning(at, length, body)));
            queries
                .extend(body.iter().enumerate().filter_map(|(end, expr)| value_query(at, end, body, expr)));
        }
    }
    if queries.is_empty() {
        return Ok(());
    }
    let module =
        rego_build::assemble(program, &queries, options).map_err(|error| Error::plain(error.to_string()))?;
    let mut asking = Asking { instance: start(engine, &module.bytes, data)?, context };
    for (at, report) in reports.iter_mut().enumerate() {
        let Some(body) = body_of(report) else { continue };
        let why = asking.first_that_fails(at, body).map(|failed| asking.describe(program, at, body, &failed));
        report.why = why;
    }
    Ok(())
}

/// The expressions of a test that has failed and can be asked about.
fn body_of(report: &Report) -> Option<&Body> {
    let test: &Test = &report.test;
    if report.failed() && !test.has_cases { test.body.as_ref() } else { None }
}

fn beginning(test: usize, length: usize, body: &Body) -> Query {
    let body = Body(body.iter().take(length).cloned().collect());
    Query::of_expressions(&format!("{test}/{length}"), body)
}

/// The variable that holds the value of an expression that is a term.
const VALUE: &str = "__why__";

/// For an expression that is a reference: what it refers to.
fn value_query(test: usize, end: usize, body: &Body, expr: &Expr) -> Option<Query> {
    let term = reference_of(expr)?;
    let equality = Expr::call("eq", vec![Term::var(VALUE, expr.span), term.clone()], expr.span);
    let asked = Expr { with: expr.with.clone(), ..equality };
    let body = Body(body.iter().take(end).cloned().chain([asked]).collect());
    Some(Query::of_expressions(&format!("{test}={end}"), body))
}

fn reference_of(expr: &Expr) -> Option<&Term> {
    match &expr.kind {
        ExprKind::Term(term) if matches!(term.value, TermValue::Ref(_)) => Some(term),
        ExprKind::Not(not) => match not.body.as_slice() {
            [only] => reference_of(only),
            _ => None,
        },
        _ => None,
    }
}

/// An expression that fails, and what is known where it does.
struct Failed {
    at: usize,
    known: BTreeMap<String, Value>,
}

struct Asking<'a> {
    instance: Instance,
    context: &'a dyn Fn() -> EvalContext,
}

impl Asking<'_> {
    /// The answers of a query: variables by name.
    fn answers(&mut self, query: &str) -> Option<Vec<Value>> {
        let results = self.instance.evaluate(query, Input::Undefined, &(self.context)()).ok()?;
        Some(results.answers().first()?.as_array()?.iter().cloned().collect())
    }

    fn first_that_fails(&mut self, test: usize, body: &Body) -> Option<Failed> {
        let mut known = BTreeMap::new();
        for at in 0..body.len() {
            let answers = self.answers(&format!("{test}/{}", at + 1))?;
            let Some(last) = answers.last() else { return Some(Failed { at, known }) };
            let members = last.as_object().into_iter().flat_map(|members| members.iter());
            known = members
                .map(|(name, value)| (name.as_str().unwrap_or_default().to_owned(), value.clone()))
                .collect();
        }
        None
    }

    fn describe(&mut self, program: &CheckedProgram, test: usize, body: &Body, failed: &Failed) -> Why {
        let Failed { at, known } = failed;
        let nothing = Expr::literal_true(Span::NONE);
        let expr = body.get(*at).unwrap_or(&nothing);
        let describe = Describe { program, known };
        let base = describe.base(body, expr);
        let mut shown = describe.shown(body, expr, base);
        if let Some(term) = reference_of(expr) {
            let answers = self.answers(&format!("{test}={at}")).unwrap_or_default();
            let value = answers.last().and_then(|answer| answer.get_str(VALUE)).cloned();
            let title = describe.with_source_names(&term.to_string());
            shown.extend(describe.place(term.span).map(|(row, col)| Shown { title, row, col, value }));
        }
        describe.why(expr, base, shown)
    }
}

/// What is needed to say more about an expression.
struct Describe<'a> {
    program: &'a CheckedProgram,
    known: &'a BTreeMap<String, Value>,
}

impl Describe<'_> {
    fn why(&self, expr: &Expr, base: Span, shown: Vec<Shown>) -> Why {
        let file = self.program.sources().get(base.file);
        let position = |span: Span| self.program.sources().locate(span).map(|(_, at)| at);
        let (row, col) = position(base).map(|at| (at.row, at.col as usize)).unwrap_or_default();
        let line = file.map(|file| file.line(row)).unwrap_or_default();
        let margin = line.chars().take(col.saturating_sub(1)).map(|c| if c == '\t' { '\t' } else { ' ' });
        let mut names = self.variables(expr);
        names.sort();
        Why {
            expression: self.with_source_names(&expr.to_string()),
            row: position(expr.span).map(|at| at.row).unwrap_or_default(),
            variables: names,
            source: file.map(|file| file.slice(base)).unwrap_or_default().to_owned(),
            margin: margin.collect(),
            shown,
        }
    }

    /// The expression of the source that an expression comes from: the widest that holds it.
    fn base(&self, body: &Body, expr: &Expr) -> Span {
        let holds = |outer: Span| {
            outer.file == expr.span.file && outer.start <= expr.span.start && outer.end >= expr.span.end
        };
        let spans = body.iter().map(|other| other.span).filter(|span| holds(*span));
        spans.max_by_key(|span| span.end - span.start).unwrap_or(expr.span)
    }

    /// The variables of an expression that have a value, by the names that it shows.
    fn variables(&self, expr: &Expr) -> Vec<(String, Value)> {
        let mut found = BTreeMap::new();
        visit::walk_vars(expr, &mut |name| {
            if let Some(value) = self.known.get(name.as_str()) {
                found.insert(self.source_name(name), value.clone());
            }
        });
        found.into_iter().collect()
    }

    /// What stands in the source of an expression: its own terms, and those of the others that come from there.
    fn shown(&self, body: &Body, expr: &Expr, base: Span) -> Vec<Shown> {
        let mut found: BTreeMap<String, Shown> = BTreeMap::new();
        self.show_terms(expr, !expr.negated, &mut found);
        let within = |span: Span| span.file == base.file && base.start <= span.start && span.end <= base.end;
        for other in body.iter().filter(|other| !std::ptr::eq(*other, expr) && within(other.span)) {
            self.show_terms(other, false, &mut found);
        }
        found.into_values().collect()
    }

    fn show_terms(&self, expr: &Expr, unknown_too: bool, found: &mut BTreeMap<String, Shown>) {
        visit::walk_terms(expr, &mut |term| {
            let (title, value) = match &term.value {
                TermValue::ArrayComp(_) | TermValue::SetComp(_) | TermValue::ObjectComp(_) => {
                    return visit::SKIP;
                }
                TermValue::Ref(reference) => match self.selected(reference) {
                    Some(value) => (self.with_source_names(&term.to_string()), Some(value)),
                    None => return visit::DESCEND,
                },
                TermValue::Var(name) if is_operator(name) => return visit::DESCEND,
                TermValue::Var(name) => (self.source_name(name), self.known.get(name.as_str()).cloned()),
                _ => return visit::DESCEND,
            };
            if let Some((row, col)) = self.place(term.span)
                && (value.is_some() || unknown_too)
                && found.get(&title).is_none_or(|known| known.value.is_none())
            {
                found.insert(title.clone(), Shown { title, row, col, value });
            }
            visit::DESCEND
        });
    }

    /// What a reference into a variable selects, if all its steps are known.
    fn selected(&self, reference: &Ref) -> Option<Value> {
        let mut at = self.known.get(reference.head_var()?.as_str())?;
        if reference.steps().is_empty() {
            return None;
        }
        for step in reference.steps() {
            at = match &step.value {
                TermValue::String(text) => at.get_str(text)?,
                TermValue::Var(name) => at.get(self.known.get(name.as_str())?)?,
                TermValue::Number(number) => {
                    at.get(&Value::Number(rego_value::Number::parse(number.as_str()).ok()?))?
                }
                _ => return None,
            };
        }
        Some(at.clone())
    }

    fn place(&self, span: Span) -> Option<(u32, usize)> {
        let (_, at) = self.program.sources().locate(span)?;
        Some((at.row, (at.col as usize).saturating_sub(1)))
    }

    fn source_name(&self, name: &Name) -> String {
        self.program.source_name(name).to_string()
    }

    /// A text of the compiler with the variables of the source in place of those that it made of them.
    fn with_source_names(&self, text: &str) -> String {
        const PREFIX: &str = "__local";
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(PREFIX) {
            let (before, behind) = rest.split_at(start);
            out.push_str(before);
            let digits = behind.chars().skip(PREFIX.len()).take_while(char::is_ascii_digit).count();
            let (name, after) = behind.split_at(PREFIX.len() + digits);
            match after.strip_prefix("__") {
                Some(after) if digits > 0 => {
                    out.push_str(&self.source_name(&Name::from(format!("{name}__"))));
                    rest = after;
                }
                _ => {
                    out.push_str(name);
                    rest = after;
                }
            }
        }
        out + rest
    }
}

/// The parser writes operators as references that begin with their name; they have no value of their own.
fn is_operator(name: &Name) -> bool {
    !name.starts_with("__local")
}

impl Why {
    /// Which expression failed, in the form of OPA's traces.
    #[must_use]
    pub fn trace(&self, report: &Report, values: bool) -> String {
        let test = &report.test;
        let query = test.query();
        let line = |row: u32| format!("{}:{row}", test.location.file);
        let rows = [
            ("query:1".to_owned(), format!("Enter {query} = _"), String::new()),
            (line(test.location.row), format!("| Enter {query}"), String::new()),
            (line(self.row), format!("| | Fail {}", self.expression), self.variable_list()),
            ("query:1".to_owned(), format!("| Fail {query} = _"), String::new()),
        ];
        const GAP: usize = 7;
        let width =
            |column: fn(&(String, String, String)) -> usize| rows.iter().map(column).max().unwrap_or(0);
        let (first, second) = (width(|row| row.0.len()) + GAP, width(|row| row.1.len()) + GAP);
        let mut out = String::new();
        for (place, event, variables) in &rows {
            let _ = match values {
                false => writeln!(out, "  {place:first$}{event}  "),
                true => writeln!(out, "  {place:first$}{event:second$}{{{variables}}}  "),
            };
        }
        out
    }

    fn variable_list(&self) -> String {
        let pair = |(name, value): &(String, Value)| format!("{name}: {}", shortened(&value.to_string(), 32));
        self.variables.iter().map(pair).collect::<Vec<_>>().join(", ")
    }

    /// The source with arrows from what stands in it to its values.
    #[must_use]
    pub fn picture(&self, location: &Report) -> String {
        let mut out = format!("  {}:{}:\n", location.test.location.file, self.row);
        let mut lines: Vec<String> =
            format!("{}{}", self.margin, self.source).lines().map(Into::into).collect();
        let mut shown = self.shown.clone();
        shown.sort_by(|a, b| a.col.cmp(&b.col).then(b.row.cmp(&a.row)).then(a.title.cmp(&b.title)));
        if !shown.is_empty() {
            lines.push(self.arrows(&shown, None));
            lines.extend((0..shown.len()).rev().map(|at| self.arrows(&shown, Some(at))));
        }
        for line in lines {
            let _ = writeln!(out, "    {line}");
        }
        out
    }

    /// One line of arrows; the last of them is the value itself, if one is asked for.
    fn arrows(&self, shown: &[Shown], value: Option<usize>) -> String {
        let count = value.map_or(shown.len(), |at| at + 1);
        let mut out = String::new();
        let mut at = 0;
        for (index, one) in shown.iter().take(count).enumerate() {
            let is_last = index + 1 == count;
            let same = |other: Option<&Shown>| other.is_some_and(|other| other.col == one.col);
            if !is_last && same(shown.get(index + 1)) {
                continue;
            }
            while at < one.col {
                out.push(self.margin.chars().nth(at).unwrap_or(' '));
                at += 1;
            }
            if !is_last || value.is_none() {
                out.push('|');
                at += 1;
                continue;
            }
            if same(shown.get(index + 1))
                || index.checked_sub(1).is_some_and(|before| same(shown.get(before)))
            {
                let _ = write!(out, "{}: ", one.title);
            }
            let text = one.value.as_ref().map_or_else(|| "undefined".to_owned(), ToString::to_string);
            out.push_str(&shortened(&text, LONGEST));
        }
        out
    }
}

fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
