//! Which expressions were evaluated, and which rules held.

use std::collections::{BTreeMap, BTreeSet};

use rego_syntax::ast::{ExprKind, Module, Rule, visit};
use rego_syntax::{FileId, Position, SourceMap, Span};

use crate::output::json;

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    start: Position,
    end: Position,
}

/// What is to be covered, and what was.
#[derive(Debug)]
pub struct Coverage<'a> {
    sources: &'a SourceMap,
    /// By file, what counts.
    wanted: BTreeMap<String, BTreeSet<Range>>,
    covered: BTreeMap<String, BTreeSet<Range>>,
}

impl Range {
    fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    fn json(self) -> String {
        let position =
            |at: Position| json::Object::new().number("row", at.row).number("col", at.col).finish();
        json::Object::new().raw("start", &position(self.start)).raw("end", &position(self.end)).finish()
    }
}

impl<'a> Coverage<'a> {
    /// The rules and expressions of modules as they were read, before they were checked.
    #[must_use]
    pub fn new(modules: &[Module], sources: &'a SourceMap) -> Self {
        let mut coverage = Self { sources, wanted: BTreeMap::new(), covered: BTreeMap::new() };
        for module in modules {
            if let Some(file) = sources.get(module.package.span.file) {
                coverage.wanted.entry(file.name().to_owned()).or_default();
            }
            for rule in &module.rules {
                coverage.want_rule(rule);
            }
        }
        coverage
    }

    fn want_rule(&mut self, rule: &Rule) {
        let mut next = Some(rule);
        while let Some(rule) = next {
            self.want(rule.head.span);
            next = rule.else_rule.as_deref();
        }
        let mut spans = Vec::new();
        visit::walk_exprs(rule, &mut |expr| {
            if !matches!(expr.kind, ExprKind::SomeDecl(_)) {
                spans.push(expr.span);
            }
            visit::DESCEND
        });
        spans.into_iter().for_each(|span| self.want(span));
    }

    fn want(&mut self, span: Span) {
        if let Some((file, range)) = self.range(span) {
            self.wanted.entry(file).or_default().insert(range);
        }
    }

    fn range(&self, span: Span) -> Option<(String, Range)> {
        let file = self.sources.get(span.file)?;
        let start = file.position(span.start);
        let mut end = file.position(span.end);
        if start.row == end.row {
            end.col += opened_before(file.slice(span));
        }
        let range = Range { start, end };
        Some((file.name().to_owned(), range))
    }

    /// Adds what an evaluation marked.
    pub fn add(&mut self, marks: &BTreeSet<String>) {
        for mark in marks {
            let mut numbers = mark.split(':').map_while(|number| number.parse().ok());
            if let (Some(file), Some(start), Some(end)) = (numbers.next(), numbers.next(), numbers.next())
                && let Some((file, range)) = self.range(Span::new(FileId(file), start, end))
            {
                self.covered.entry(file).or_default().insert(range);
            }
        }
    }

    /// Adds what an evaluation told of.
    pub fn add_spans(&mut self, spans: &[Span]) {
        for span in spans {
            if let Some((file, range)) = self.range(*span) {
                self.covered.entry(file).or_default().insert(range);
            }
        }
    }

    /// What was not covered, by file.
    fn missing(&self, file: &str) -> Vec<Range> {
        let covered = self.covered.get(file);
        let is_covered = |range: Range| covered.is_some_and(|all| all.iter().any(|one| one.contains(range)));
        let wanted = self.wanted.get(file).into_iter().flatten().copied();
        wanted.filter(|range| !is_covered(*range)).collect()
    }

    fn lines(&self, file: &str) -> (usize, usize) {
        let covered = self.covered.get(file).into_iter().flatten().copied();
        (rows(covered), rows(self.missing(file)))
    }

    fn files(&self) -> BTreeSet<&String> {
        self.wanted.keys().chain(self.covered.keys()).collect()
    }

    /// How many of the lines that count were covered, in per cent.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let lines = self.files().into_iter().map(|file| self.lines(file));
        let (covered, missing) = lines.fold((0, 0), |sum, file| (sum.0 + file.0, sum.1 + file.1));
        share(covered, missing)
    }

    /// The report.
    #[must_use]
    pub fn json(&self) -> String {
        json::indented(&self.compact()) + "\n"
    }

    /// The report on one line.
    #[must_use]
    pub fn compact(&self) -> String {
        let mut files = json::Object::new();
        let mut total = (0, 0);
        for file in self.files() {
            let (covered, missing) = self.lines(file);
            total = (total.0 + covered, total.1 + missing);
            files = files.raw(file, &self.file_json(file, covered, missing));
        }
        let report = json::Object::new()
            .raw("files", &files.finish())
            .number("covered_lines", total.0)
            .number("not_covered_lines", total.1)
            .number("coverage", share(total.0, total.1));
        report.finish()
    }

    fn file_json(&self, file: &str, covered: usize, missing: usize) -> String {
        let mut object = json::Object::new();
        let ranges = |ranges: Vec<Range>| json::array(ranges.into_iter().map(Range::json));
        if let Some(all) = self.covered.get(file) {
            object = object.raw("covered", &ranges(all.iter().copied().collect()));
        }
        let absent = self.missing(file);
        if !absent.is_empty() {
            object = object.raw("not_covered", &ranges(absent));
        }
        for (name, lines) in [("covered_lines", covered), ("not_covered_lines", missing)] {
            if lines > 0 {
                object = object.number(name, lines);
            }
        }
        if covered > 0 {
            object = object.number("coverage", share(covered, missing));
        }
        object.finish()
    }
}

/// How many parentheses are closed in a text that were opened before it. OPA counts an expression that begins in
/// parentheses from behind them, with their length.
fn opened_before(text: &str) -> u32 {
    let (mut depth, mut missing) = (0_u32, 0_u32);
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') if depth > 0 => depth -= 1,
            (None, ')') => missing += 1,
            (None, _) => {}
        }
    }
    missing
}

/// How many rows the ranges touch.
fn rows(ranges: impl IntoIterator<Item = Range>) -> usize {
    let rows: BTreeSet<u32> = ranges.into_iter().flat_map(|range| range.start.row..=range.end.row).collect();
    rows.len()
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines")]
fn share(covered: usize, missing: usize) -> f64 {
    match covered + missing {
        0 => 0.0,
        all => 100.0 * covered as f64 / all as f64,
    }
}
