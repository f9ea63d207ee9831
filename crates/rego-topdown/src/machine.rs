//! The state of an evaluation: frames, bindings, caches, and what is told of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use rego_compiler::{CheckedProgram, NodeId};
use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, Name, Ref, Term, Value as Tree};
use rego_value::Value;

use crate::Functions;
use crate::error::{Failure, Place};
use crate::index::RuleSet;
use crate::saving::Saving;
use crate::term::{T, array, is_root, object, set};
use crate::trace::{Event, Trace};

/// Expressions that are evaluated in turn.
pub(crate) type Query = Rc<Vec<Rc<Expr>>>;

/// What an evaluation does once something holds.
pub(crate) type Next<'k, 'p> = &'k mut dyn FnMut(&mut Machine<'p>) -> Flow;

pub(crate) type Flow = Result<(), Stop>;

/// Why an evaluation does not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// One answer was enough.
    Early(Option<Box<Stop>>),
    /// One answer was enough for somebody further out; iterations in between come to their ends.
    Deferred(Option<Box<Stop>>),
    /// It failed.
    Error(Box<Failure>),
}

/// Names the variables of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct B(pub(crate) usize);

/// Names a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct F(usize);

#[derive(Debug, Default)]
pub(crate) struct Bindings {
    /// The number of the query that they belong to; 0 for the outermost.
    pub(crate) id: u64,
    pub(crate) known: Vec<(Name, T, B)>,
}

/// A query that is being evaluated.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) query: Query,
    pub(crate) index: usize,
    pub(crate) id: u64,
    pub(crate) parent: Option<F>,
    pub(crate) bindings: B,
    pub(crate) find_one: bool,
    pub(crate) input: Option<Value>,
    /// What `with` put in the place of data.
    pub(crate) replaced: Option<Value>,
    /// By how much bodies of `every` are multiplied already.
    pub(crate) unrolled: usize,
}

/// Documents that are known: by path, and by what of the path is not known.
pub(crate) type Cache = BTreeMap<(Vec<Value>, Vec<Option<Value>>), Option<T>>;

pub(crate) struct Machine<'p> {
    pub(crate) program: &'p CheckedProgram,
    pub(crate) functions: &'p mut dyn Functions,
    pub(crate) data: Value,
    pub(crate) indexing: bool,
    pub(crate) early_exit: bool,
    frames: Vec<Frame>,
    pub(crate) bindings: Vec<Bindings>,
    next_id: u64,
    pub(crate) caches: Vec<Cache>,
    pub(crate) mocks: Vec<Vec<Vec<(Ref, T)>>>,
    pub(crate) targets: Vec<Vec<Ref>>,
    pub(crate) indexes: BTreeMap<NodeId, Rc<RuleSet>>,
    pub(crate) trace: Trace,
    pub(crate) saving: Option<Saving>,
    pub(crate) generated: usize,
    steps: usize,
    depth: usize,
}

/// How many expressions are evaluated before an explanation is given up.
const MAX_STEPS: usize = 20_000_000;

/// How deeply expressions nest in each other.
const MAX_DEPTH: usize = 20_000;

impl<'p> Machine<'p> {
    pub(crate) fn new(
        program: &'p CheckedProgram,
        functions: &'p mut dyn Functions,
        data: Value,
        trace: Trace,
    ) -> Self {
        Self {
            program,
            functions,
            data,
            indexing: true,
            early_exit: true,
            frames: Vec::new(),
            bindings: vec![Bindings::default()],
            next_id: 0,
            caches: vec![Cache::new()],
            mocks: vec![Vec::new()],
            targets: Vec::new(),
            indexes: BTreeMap::new(),
            trace,
            saving: None,
            generated: 0,
            steps: 0,
            depth: 0,
        }
    }

    /// The bindings of the query that everything else is evaluated for.
    pub(crate) const CALLER: B = B(0);

    pub(crate) fn is_partial(&self) -> bool {
        self.saving.is_some()
    }

    #[expect(clippy::indexing_slicing, reason = "a frame is named only while it is there")]
    pub(crate) fn frame(&self, f: F) -> &Frame {
        &self.frames[f.0]
    }

    #[expect(clippy::indexing_slicing, reason = "a frame is named only while it is there")]
    pub(crate) fn frame_mut(&mut self, f: F) -> &mut Frame {
        &mut self.frames[f.0]
    }

    #[expect(clippy::indexing_slicing, reason = "bindings are named only while they are there")]
    pub(crate) fn bindings(&self, b: B) -> &Bindings {
        &self.bindings[b.0]
    }

    #[expect(clippy::indexing_slicing, reason = "bindings are named only while they are there")]
    fn bindings_mut(&mut self, b: B) -> &mut Bindings {
        &mut self.bindings[b.0]
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Runs in the outermost frame.
    pub(crate) fn outermost<R>(
        &mut self,
        query: Query,
        input: Option<Value>,
        run: impl FnOnce(&mut Self, F) -> R,
    ) -> R {
        let id = self.next_id();
        self.frames.push(Frame {
            query,
            index: 0,
            id,
            parent: None,
            bindings: Self::CALLER,
            find_one: false,
            input,
            replaced: None,
            unrolled: 1,
        });
        run(self, F(0))
    }

    /// Runs in a frame below another that shares its variables.
    pub(crate) fn closure<R>(&mut self, parent: F, query: Query, run: impl FnOnce(&mut Self, F) -> R) -> R {
        let bindings = self.frame(parent).bindings;
        self.below(parent, query, bindings, run)
    }

    /// Runs in a frame below another with variables of its own.
    pub(crate) fn child<R>(&mut self, parent: F, query: Query, run: impl FnOnce(&mut Self, F) -> R) -> R {
        let bindings = B(self.bindings.len());
        self.bindings.push(Bindings { id: self.next_id, known: Vec::new() });
        let result = self.below(parent, query, bindings, run);
        self.bindings.truncate(bindings.0);
        result
    }

    fn below<R>(&mut self, parent: F, query: Query, bindings: B, run: impl FnOnce(&mut Self, F) -> R) -> R {
        let id = self.next_id();
        let from = self.frame(parent);
        let frame = Frame {
            query,
            index: 0,
            id,
            parent: Some(parent),
            bindings,
            find_one: false,
            input: from.input.clone(),
            replaced: from.replaced.clone(),
            unrolled: from.unrolled,
        };
        let at = F(self.frames.len());
        self.frames.push(frame);
        let result = run(self, at);
        self.frames.truncate(at.0);
        result
    }

    /// The expression that a frame is at.
    pub(crate) fn current(&self, f: F) -> Option<Rc<Expr>> {
        let frame = self.frame(f);
        let last = frame.query.len().checked_sub(1)?;
        frame.query.get(frame.index.min(last)).cloned()
    }

    /// Counts what is done, and how deeply it nests.
    pub(crate) fn deeper(&mut self, run: impl FnOnce(&mut Self) -> Flow) -> Flow {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.depth > MAX_DEPTH || self.trace.is_full() {
            return Err(Stop::Error(Box::new(Failure::limit())));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    // Bindings.

    /// What a term is, as far as variables say so, and whose variables it is about.
    pub(crate) fn apply(&self, t: &T, b: B) -> (T, B) {
        let (mut t, mut b) = (t.clone(), b);
        loop {
            let Some(Tree::Var(name)) = t.tree() else { return (t, b) };
            let Some((_, to, at)) = self.bindings(b).known.iter().find(|(known, _, _)| known == name) else {
                return (t, b);
            };
            (t, b) = (to.clone(), *at);
        }
    }

    /// Runs with a variable bound.
    pub(crate) fn bound(&mut self, var: &T, b: B, to: &T, at: B, next: Next<'_, 'p>) -> Flow {
        let Some(Tree::Var(name)) = var.tree() else { return Ok(()) };
        let name = name.clone();
        self.bindings_mut(b).known.push((name.clone(), to.clone(), at));
        let result = next(self);
        let known = &mut self.bindings_mut(b).known;
        if let Some(at) = known.iter().rposition(|(known, _, _)| *known == name) {
            known.swap_remove(at);
        }
        result
    }

    /// A term with all variables that are known in place.
    pub(crate) fn plug(&self, t: &T, b: B) -> T {
        self.plug_for(t, b, None)
    }

    /// The same; variables that are not those of `caller` get names of their own.
    pub(crate) fn plug_for(&self, t: &T, b: B, caller: Option<B>) -> T {
        let T::Tree(term) = t else { return t.clone() };
        match &term.value {
            Tree::Var(name) => {
                let (to, at) = self.apply(t, b);
                if at != b || to != *t {
                    return self.plug_for(&to, at, caller);
                }
                self.in_namespace(name, b, caller)
                    .map_or_else(|| t.clone(), |name| T::owned(Term::var(name, term.span)))
            }
            Tree::Array(items) => array(items.iter().map(|t| self.plug_for(&T::of(t), b, caller)).collect()),
            Tree::Set(items) => set(items.iter().map(|t| self.plug_for(&T::of(t), b, caller)).collect()),
            Tree::Object(members) => object(
                members
                    .iter()
                    .map(|(k, v)| (self.plug_for(&T::of(k), b, caller), self.plug_for(&T::of(v), b, caller)))
                    .collect(),
            ),
            Tree::Ref(reference) => {
                let step = |step: &Term| self.plug_for(&T::of(step), b, caller).to_term();
                T::owned(Term::reference(reference.iter().map(step).collect(), term.span))
            }
            _ => t.clone(),
        }
    }

    /// The name of a variable for somebody else.
    pub(crate) fn in_namespace(&self, name: &Name, b: B, caller: Option<B>) -> Option<Name> {
        let foreign = caller.is_some_and(|caller| caller != b) && !is_root(name);
        foreign.then(|| Name::from(format!("{name}{}", self.bindings(b).id)))
    }

    // What is told.

    pub(crate) fn tell(&mut self, f: F, event: impl FnOnce(&Self) -> Event) {
        if !self.trace.is_on() {
            return;
        }
        let mut event = event(self);
        let frame = self.frame(f);
        event.query = frame.id;
        event.parent = frame.parent.map_or(0, |parent| self.frame(parent).id);
        let bindings = frame.bindings;
        if self.trace.with_values() {
            event.locals = self.locals(bindings);
            event.documents = self.documents_of(&event);
        }
        self.trace.push(event);
    }

    fn locals(&self, b: B) -> Vec<(Name, T)> {
        let names = self.bindings(b).known.iter().map(|(name, _, _)| name.clone());
        names.map(|name| (name.clone(), self.plug(&T::var(&name), b))).collect()
    }

    /// The documents that an event refers to and that are known.
    fn documents_of(&self, event: &Event) -> Vec<(Ref, Span, T)> {
        let mut found = Vec::new();
        event.references(&mut |reference, span| {
            let prefix = reference.ground_prefix();
            let path: Option<Vec<Value>> = prefix.iter().map(path_step).collect();
            let cached = path.and_then(|path| self.cached(&(path, Vec::new())));
            if let Some(Some(value)) = cached {
                found.push((prefix, span, value));
            }
        });
        found
    }

    pub(crate) fn cached(&self, key: &(Vec<Value>, Vec<Option<Value>>)) -> Option<Option<T>> {
        self.caches.last()?.get(key).cloned()
    }

    pub(crate) fn remember(&mut self, key: (Vec<Value>, Vec<Option<Value>>), value: Option<T>) {
        if let Some(cache) = self.caches.last_mut() {
            cache.insert(key, value);
        }
    }

    // Errors.

    /// Gives an error the expressions that are being evaluated, unless it has them.
    pub(crate) fn placed(&self, f: F, flow: Flow) -> Flow {
        let mut failure = match flow {
            Err(Stop::Error(failure)) => failure,
            other => return other,
        };
        if failure.stack.is_empty() {
            let mut at = Some(f);
            while let Some(f) = at {
                let frame = self.frame(f);
                let expr = self.current(f);
                let span = expr.as_ref().map_or(Span::NONE, |expr| expr.span);
                let text = expr.map(|expr| self.text_with_values(&expr, frame.bindings)).unwrap_or_default();
                failure.stack.push(Place { query: frame.id, span, text });
                at = frame.parent;
            }
        }
        Err(Stop::Error(failure))
    }
}

/// A step of a path: names stand for themselves.
pub(crate) fn path_step(step: &Term) -> Option<Value> {
    match &step.value {
        Tree::Var(name) => is_root(name).then(|| Value::from(name.as_str())),
        _ => crate::term::to_value(step),
    }
}

/// A body as a query.
pub(crate) fn query_of(body: &Body) -> Query {
    Rc::new(body.iter().cloned().map(Rc::new).collect())
}

/// What lies outside the evaluation that one answer was enough for.
pub(crate) fn suppressed(flow: Flow) -> Flow {
    match flow {
        Err(Stop::Early(outer) | Stop::Deferred(outer)) => outer.map_or(Ok(()), |outer| Err(*outer)),
        other => other,
    }
}
