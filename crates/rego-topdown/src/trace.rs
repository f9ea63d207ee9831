//! What an evaluation tells of itself.

use std::rc::Rc;

use rego_syntax::Span;
use rego_syntax::ast::{Expr, Name, Ref, Term, Value as Tree, visit};

use crate::index::RuleData;
use crate::machine::Query;
use crate::term::T;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A query is begun.
    Enter,
    /// A query has an answer.
    Exit,
    /// An expression is evaluated.
    Eval,
    /// Another answer is looked for.
    Redo,
    /// An expression has no answer.
    Fail,
    /// `trace` was called.
    Note,
    /// The rules of a document that may hold were looked up.
    Index,
    /// A rule gave what was there already.
    Duplicate,
    /// A case of a test was begun.
    TestCase,
}

impl Op {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enter => "Enter",
            Self::Exit => "Exit",
            Self::Eval => "Eval",
            Self::Redo => "Redo",
            Self::Fail => "Fail",
            Self::Note => "Note",
            Self::Index => "Index",
            Self::Duplicate => "Duplicate",
            Self::TestCase => "TestCase",
        }
    }
}

/// What it happened to.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Expr(Rc<Expr>),
    Body(Query),
    Rule(Rc<RuleData>),
    Text(String),
    Case(T),
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    pub(crate) op: Op,
    pub(crate) node: Node,
    pub(crate) span: Span,
    pub(crate) query: u64,
    pub(crate) parent: u64,
    pub(crate) message: String,
    pub(crate) reference: Option<String>,
    pub(crate) locals: Vec<(Name, T)>,
    pub(crate) documents: Vec<(Ref, Span, T)>,
}

impl Event {
    pub(crate) fn new(op: Op, node: Node) -> Self {
        let span = match &node {
            Node::Expr(expr) => expr.span,
            Node::Body(body) => body.first().map_or(Span::NONE, |expr| expr.span),
            Node::Rule(rule) => rule.span,
            Node::Text(_) | Node::Case(_) => Span::NONE,
        };
        Self {
            op,
            node,
            span,
            query: 0,
            parent: 0,
            message: String::new(),
            reference: None,
            locals: Vec::new(),
            documents: Vec::new(),
        }
    }

    /// What happened.
    #[must_use]
    pub fn op(&self) -> Op {
        self.op
    }

    /// The case that was begun.
    #[must_use]
    pub fn case(&self) -> Option<&rego_value::Value> {
        match &self.node {
            Node::Case(case) => case.value(),
            _ => None,
        }
    }

    /// The expression that was evaluated, or the head of the rule that held.
    #[must_use]
    pub fn covered(&self) -> Option<Span> {
        match (self.op, &self.node) {
            (Op::Exit, Node::Rule(rule)) => Some(rule.head_span),
            (Op::Eval, Node::Expr(expr)) => Some(expr.span),
            _ => None,
        }
        .filter(|span| span.is_some())
    }

    fn opens(&self) -> bool {
        matches!(self.op, Op::Enter | Op::Redo) && matches!(self.node, Node::Rule(_) | Node::Body(_))
    }

    /// Calls `f` on the references of it and where they begin.
    pub(crate) fn references(&self, f: &mut dyn FnMut(&Ref, Span)) {
        let mut visit = |term: &Term| {
            if let Tree::Ref(reference) = &term.value {
                f(reference, reference.head().map_or(term.span, |head| head.span));
            }
            visit::DESCEND
        };
        match &self.node {
            Node::Expr(expr) => visit::walk_terms(&**expr, &mut visit),
            Node::Body(body) => body.iter().for_each(|expr| visit::walk_terms(&**expr, &mut visit)),
            Node::Rule(_) | Node::Text(_) | Node::Case(_) => {}
        }
    }
}

/// Which events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explain {
    /// All.
    Full,
    /// Those of `trace`, and what led there.
    Notes,
    /// Expressions that fail, and what led there.
    Fails,
    /// Both.
    NotesAndFails,
}

/// The events that are shown, each with the begun queries that led there.
#[must_use]
pub fn filter(events: &[Event], explain: Explain) -> Vec<Event> {
    let wanted = |event: &Event| match explain {
        Explain::Full => true,
        Explain::Notes => event.op == Op::Note,
        Explain::Fails => event.op == Op::Fail,
        Explain::NotesAndFails => matches!(event.op, Op::Note | Op::Fail),
    };
    if explain == Explain::Full {
        return events.to_vec();
    }
    let mut shown = Vec::new();
    let mut open: Vec<(u64, &Event)> = Vec::new();
    let opened = |open: &[(u64, &Event)], id: u64| open.iter().position(|(query, _)| *query == id);
    for event in events {
        if wanted(event) {
            let mut path = vec![event];
            let mut at = opened(&open, event.query);
            while let Some((_, found)) = at.and_then(|at| open.get(at)) {
                path.push(found);
                let above = opened(&open, found.parent);
                if above == at {
                    break;
                }
                at = above;
            }
            shown.extend(path.into_iter().rev().cloned());
            open.clear();
        }
        if event.opens() {
            open.retain(|(query, _)| *query != event.query);
            open.push((event.query, event));
        }
    }
    shown
}

/// Where events are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    on: bool,
    values: bool,
    events: Vec<Event>,
}

/// How many events are kept.
const MOST: usize = 2_000_000;

impl Trace {
    /// One that keeps nothing.
    pub(crate) fn off() -> Self {
        Self::default()
    }

    /// One that keeps all, with the values of variables if asked for.
    pub(crate) fn on(values: bool) -> Self {
        Self { on: true, values, events: Vec::new() }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    pub(crate) fn with_values(&self) -> bool {
        self.values
    }

    pub(crate) fn is_full(&self) -> bool {
        self.events.len() > MOST
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn into_events(self) -> Vec<Event> {
        self.events
    }
}
