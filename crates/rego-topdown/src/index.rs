//! Which rules of a document can hold at all, as far as their bodies compare input, data and arguments with constants.

use std::collections::BTreeMap;
use std::rc::Rc;

use rego_compiler::{NodeId, RuleId, RuleTree};
use rego_syntax::Span;
use rego_syntax::ast::{DocKind, Expr, ExprKind, Name, Ref, Rule, RuleKind, Term, Value as Tree};
use rego_value::Value;

use crate::error::Failure;
use crate::machine::{F, Machine, Query, Stop, query_of};
use crate::term::{T, is_root, select, to_value};

/// A rule, or an `else` of one, as it is evaluated.
#[derive(Debug)]
pub(crate) struct RuleData {
    pub(crate) body: Query,
    pub(crate) args: Vec<T>,
    pub(crate) key: Option<T>,
    pub(crate) value: Option<T>,
    pub(crate) kind: RuleKind,
    pub(crate) is_complete: bool,
    pub(crate) default: bool,
    /// Its reference from `data` on.
    pub(crate) path: Vec<T>,
    /// The same with the variables of the source.
    pub(crate) reference: Ref,
    pub(crate) package: Ref,
    pub(crate) span: Span,
    pub(crate) head_span: Span,
    pub(crate) source: Rule,
}

/// The rules of a document.
#[derive(Debug)]
pub(crate) struct RuleSet {
    kind: RuleKind,
    only_ground: bool,
    default: Option<Rc<RuleData>>,
    /// Rules with their `else` branches, each with what it needs.
    chains: Vec<Vec<(Rc<RuleData>, Vec<Need>)>>,
}

/// The rules that may hold.
#[derive(Debug)]
pub(crate) struct Candidates {
    pub(crate) rules: Vec<(Rc<RuleData>, Vec<Rc<RuleData>>)>,
    pub(crate) default: Option<Rc<RuleData>>,
    pub(crate) kind: RuleKind,
    pub(crate) only_ground: bool,
    pub(crate) early_exit: bool,
}

/// Something that a rule compares with constants.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    root: Root,
    steps: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    Input,
    Data,
    Argument(usize),
}

/// What a rule needs of a source: one of the tests has to hold.
#[derive(Clone, Debug)]
struct Need {
    source: Source,
    tests: Vec<Test>,
}

#[derive(Clone, Debug)]
enum Test {
    /// It is there.
    Defined,
    /// It is this value.
    Is(Value),
    /// It is an array of these; anything stands where there is nothing.
    Array(Vec<Option<Value>>),
    /// It is a collection with this value.
    Has(Value),
    /// It is a text that begins so.
    Begins(String),
    /// It is a text that ends so.
    Ends(String),
}

impl RuleData {
    fn new(rule: &Rule, package: &Ref, full: &Ref, shown: Ref) -> Self {
        Self {
            body: query_of(&rule.body),
            args: rule.head.args.iter().map(T::of).collect(),
            key: rule.head.key.as_ref().map(T::of),
            value: rule.head.value.as_ref().map(T::of),
            kind: rule.head.rule_kind(),
            is_complete: rule.head.doc_kind() == DocKind::Complete,
            default: rule.default,
            path: full.iter().map(T::of).collect(),
            reference: shown,
            package: package.clone(),
            span: rule.span,
            head_span: rule.head.span,
            source: rule.clone(),
        }
    }

    pub(crate) fn conflict(&self, what: &str, message: &str) -> Failure {
        Failure::conflict(format!("{what} {}{message}", self.reference), self.span)
    }

    /// The arguments of a call beside those of the head, and the result beside the value.
    pub(crate) fn pairs_with(&self, given: &[T]) -> Vec<(T, T)> {
        let own = self.args.iter().chain(&self.value);
        given.iter().cloned().zip(own.cloned()).collect()
    }

    /// The steps of a reference beside those of the head, and the step behind them beside the element of a set.
    pub(crate) fn head_pairs(&self, steps: &[T], from: usize) -> Vec<(T, T)> {
        let mut pairs: Vec<(T, T)> =
            steps.iter().cloned().zip(self.path.iter().cloned()).skip(from).collect();
        let at = from.max(self.path.len());
        if self.kind == RuleKind::MultiValue
            && let (Some(step), Some(key)) = (steps.get(at), &self.key)
        {
            pairs.push((step.clone(), key.clone()));
        }
        pairs
    }
}

impl Candidates {
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.default.is_none()
    }

    pub(crate) fn has_else(&self) -> bool {
        self.rules.iter().any(|(_, branches)| !branches.is_empty())
    }

    /// How much of a reference the heads of the rules say something about.
    pub(crate) fn longest(&self, ceiling: usize) -> usize {
        let length = |rule: &Rc<RuleData>| rule.path.len() + usize::from(rule.kind == RuleKind::MultiValue);
        self.rules.iter().map(|(rule, _)| length(rule)).max().unwrap_or_default().min(ceiling)
    }
}

/// Whether the first of these that holds says it all.
fn agree(rules: &[(Rc<RuleData>, Vec<Rc<RuleData>>)]) -> bool {
    let mut known: Option<&T> = None;
    rules.iter().flat_map(|(rule, branches)| std::iter::once(rule).chain(branches)).all(|rule| {
        let Some(value) = &rule.value else { return rule.is_complete };
        let fits = rule.is_complete && value.is_ground() && known.is_none_or(|known| known == value);
        known = Some(value);
        fits
    })
}

impl Machine<'_> {
    /// The rules at a node that may hold, given what is known.
    pub(crate) fn candidates(&mut self, f: F, node: NodeId, given: Option<&[T]>) -> Result<Candidates, Stop> {
        let set = match self.indexes.get(&node) {
            Some(set) => set.clone(),
            None => {
                let set = Rc::new(self.rule_set(node));
                self.indexes.insert(node, set.clone());
                set
            }
        };
        let mut rules = Vec::new();
        for chain in &set.chains {
            let possible = |(_, needs): &&(Rc<RuleData>, Vec<Need>)| {
                !self.indexing || needs.iter().all(|need| self.may_meet(f, need, given))
            };
            let mut found = chain.iter().filter(possible).map(|(rule, _)| rule.clone());
            if let Some(first) = found.next() {
                rules.push((first, found.collect()));
            }
        }
        let early_exit = self.early_exit && agree(&rules);
        let (default, kind, only_ground) = (set.default.clone(), set.kind, set.only_ground);
        Ok(Candidates { rules, default, kind, only_ground, early_exit })
    }

    fn rule_set(&self, node: NodeId) -> RuleSet {
        let entries = self.program.rule_tree().node(node).map_or(&[][..], |node| &node.rules);
        let mut set = RuleSet {
            kind: entries.first().map_or(RuleKind::SingleValue, |entry| entry.kind),
            only_ground: true,
            default: None,
            chains: Vec::new(),
        };
        for entry in entries {
            let data = |id: RuleId| {
                let rule = self.program.rule(id)?;
                let package = &self.program.modules().get(id.module)?.package.path;
                let full = rule.full_ref(&self.program.modules().get(id.module)?.package);
                Some(Rc::new(RuleData::new(rule, package, &full, entry.reference.clone())))
            };
            if entry.default {
                set.default = data(entry.id);
                continue;
            }
            let rules: Vec<Rc<RuleData>> = entry.ids().filter_map(data).collect();
            set.only_ground &= rules.iter().all(|rule| rule.source.head.reference.is_ground());
            set.chains.push(rules.into_iter().map(|rule| (rule.clone(), self.needs(&rule))).collect());
        }
        set
    }

    fn may_meet(&self, f: F, need: &Need, given: Option<&[T]>) -> bool {
        let value = match &need.source.root {
            Root::Argument(at) => match given.and_then(|given| given.get(*at)) {
                None => return true,
                Some(T::Value(value)) => select(value, &need.source.steps),
                Some(T::Tree(_)) => return true,
            },
            Root::Input => {
                let path = path_of("input", &need.source.steps);
                if self.is_saved_path(&path) || self.is_disabled_path(&path, true) {
                    return true;
                }
                self.frame(f).input.as_ref().and_then(|input| select(input, &need.source.steps))
            }
            Root::Data => {
                let path = path_of("data", &need.source.steps);
                if self.is_saved_path(&path) || self.is_disabled_path(&path, true) {
                    return true;
                }
                self.document(f, &path)
            }
        };
        value.is_some_and(|value| need.tests.iter().any(|test| test.holds(&value)))
    }

    /// What has to be so for the body of a rule to hold.
    fn needs(&self, rule: &RuleData) -> Vec<Need> {
        if rule.body.iter().any(|expr| is_effect(expr)) {
            return Vec::new();
        }
        let mut reader =
            Reader { tree: self.program.rule_tree(), rule, found: Vec::new(), constants: BTreeMap::new() };
        rule.body.iter().for_each(|expr| reader.read(expr));
        let mut needs: Vec<Need> = Vec::new();
        for (source, _, tests) in reader.found {
            match needs.iter_mut().find(|need| need.source == source) {
                Some(need) => need.tests.extend(tests),
                None => needs.push(Need { source, tests }),
            }
        }
        for need in &mut needs {
            if need.tests.iter().any(|test| !matches!(test, Test::Defined)) {
                need.tests.retain(|test| !matches!(test, Test::Defined));
            }
        }
        needs
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Defined => true,
            Self::Is(wanted) => wanted == value,
            Self::Array(wanted) => value.as_array().is_some_and(|items| {
                items.len() == wanted.len()
                    && items.iter().zip(wanted).all(|(a, b)| b.as_ref().is_none_or(|b| a == b))
            }),
            Self::Has(wanted) => match value {
                Value::Array(items) => items.iter().any(|item| item == wanted),
                Value::Set(items) => items.iter().any(|item| item == wanted),
                Value::Object(members) => members.iter().any(|(_, item)| item == wanted),
                _ => false,
            },
            Self::Begins(text) => value.as_str().is_some_and(|value| value.starts_with(text)),
            Self::Ends(text) => value.as_str().is_some_and(|value| value.ends_with(text)),
        }
    }
}

fn path_of(root: &str, steps: &[Value]) -> Vec<T> {
    std::iter::once(T::var(root)).chain(steps.iter().cloned().map(T::Value)).collect()
}

/// Whether an expression is there for what it does beside holding.
fn is_effect(expr: &Expr) -> bool {
    let own = expr.is_call_to("internal.print") || expr.is_call_to("internal.test_case");
    own || match &expr.kind {
        ExprKind::Every(every) => every.body.iter().any(is_effect),
        ExprKind::Not(not) => not.body.iter().any(is_effect),
        ExprKind::And(both) | ExprKind::Or(both) => both.lhs.iter().chain(both.rhs.iter()).any(is_effect),
        _ => false,
    }
}

/// Reads the body of a rule.
struct Reader<'a> {
    tree: &'a RuleTree,
    rule: &'a RuleData,
    /// What is needed of what, and the variable that the source was given to.
    found: Vec<(Source, Option<Name>, Vec<Test>)>,
    constants: BTreeMap<Name, Value>,
}

impl Reader<'_> {
    fn read(&mut self, expr: &Expr) {
        if !expr.with.is_empty() || expr.negated {
            return;
        }
        let terms = match &expr.kind {
            ExprKind::Term(Term { value: Tree::Ref(reference), .. }) => {
                if let Some(source) = self.source(reference) {
                    self.found.push((source, None, vec![Test::Defined]));
                }
                return;
            }
            ExprKind::Call(terms) => terms,
            _ => return,
        };
        let [_, a, b] = terms.as_slice() else { return };
        if expr.is_equality() || expr.is_call_to("equal") {
            if !self.wildcard(a, b) && !self.wildcard(b, a) && !self.equal(a, b) {
                self.equal(b, a);
            }
        } else if expr.is_call_to("internal.member_2") {
            self.member(a, b);
        } else if expr.is_call_to("startswith") {
            self.affix(a, b, Test::Begins);
        } else if expr.is_call_to("endswith") {
            self.affix(a, b, Test::Ends);
        }
    }

    /// `input.list[_] = value`
    fn wildcard(&mut self, a: &Term, b: &Term) -> bool {
        let Some(reference) = a.as_ref_value() else { return false };
        let Some((last, before)) = reference.split_last() else { return false };
        if last.is_ground() {
            return false;
        }
        let (Some(source), Some(value)) = (self.source(&Ref(before.to_vec())), self.constant(b)) else {
            return false;
        };
        if matches!(value, Value::Array(_) | Value::Object(_) | Value::Set(_)) {
            return false;
        }
        self.found.push((source, None, vec![Test::Has(value)]));
        true
    }

    fn equal(&mut self, a: &Term, b: &Term) -> bool {
        if let Tree::Var(name) = &a.value {
            if let Some(value) = self.constant(b) {
                self.constants.insert(name.clone(), value);
            }
            let (Some(source), Some(test)) = (self.variable(name), test_of(b)) else { return false };
            self.found.push((source, None, vec![test]));
            return true;
        }
        let Some(source) = a.as_ref_value().and_then(|reference| self.source(reference)) else {
            return false;
        };
        if let Tree::Var(name) = &b.value {
            let test = self.constants.get(name).cloned().map_or(Test::Defined, Test::Is);
            self.found.push((source, Some(name.clone()), vec![test]));
            return true;
        }
        let Some(test) = test_of(b) else { return false };
        self.found.push((source, None, vec![test]));
        true
    }

    fn member(&mut self, a: &Term, b: &Term) {
        if let Some(source) = a.as_var().and_then(|name| self.variable(name)) {
            let Some(value) = self.constant(b) else { return };
            let tests: Vec<Test> = match &value {
                Value::Array(items) => items.iter().cloned().map(Test::Is).collect(),
                Value::Set(items) => items.iter().cloned().map(Test::Is).collect(),
                Value::Object(members) => members.values().cloned().map(Test::Is).collect(),
                _ => return,
            };
            self.found.push((source, None, tests));
            return;
        }
        let source = match &b.value {
            Tree::Ref(reference) => self.source(reference),
            Tree::Var(name) => self.variable(name).filter(|source| !matches!(source.root, Root::Argument(_))),
            _ => None,
        };
        let Some(source) = source else { return };
        match self.constant(a) {
            Some(Value::Array(_) | Value::Object(_) | Value::Set(_)) => {}
            Some(value) => self.found.push((source, None, vec![Test::Has(value)])),
            None if a.as_var().is_some() => self.found.push((source, None, vec![Test::Defined])),
            None => {}
        }
    }

    fn affix(&mut self, a: &Term, b: &Term, test: fn(String) -> Test) {
        let source = match &a.value {
            Tree::Ref(reference) => self.source(reference),
            Tree::Var(name) => self.variable(name),
            _ => None,
        };
        if let (Some(source), Some(Value::String(text))) = (source, self.constant(b)) {
            self.found.push((source, None, vec![test(text.to_string())]));
        }
    }

    fn constant(&self, term: &Term) -> Option<Value> {
        match &term.value {
            Tree::Var(name) => self.constants.get(name).cloned(),
            _ => to_value(term),
        }
    }

    /// What a variable is another name of.
    fn variable(&self, name: &Name) -> Option<Source> {
        let known = self.found.iter().find(|(_, given, _)| given.as_ref() == Some(name));
        if let Some((source, _, _)) = known {
            return Some(source.clone());
        }
        let at = self.rule.source.head.args.iter().position(|arg| arg.as_var() == Some(name))?;
        Some(Source { root: Root::Argument(at), steps: Vec::new() })
    }

    /// A reference to input or to data that no rule defines.
    fn source(&self, reference: &Ref) -> Option<Source> {
        let head = reference.head_var()?;
        let mut steps = Vec::new();
        for step in reference.steps() {
            steps.push(match &step.value {
                Tree::Var(name) => self.constants.get(name).cloned()?,
                _ => to_value(step)?,
            });
        }
        if !is_root(head) {
            let Source { root, steps: before } = self.variable(head)?;
            if matches!(root, Root::Argument(_)) {
                return None;
            }
            return Some(Source { root, steps: before.into_iter().chain(steps).collect() });
        }
        if head == "input" {
            return Some(Source { root: Root::Input, steps });
        }
        (!self.is_virtual(reference)).then_some(Source { root: Root::Data, steps })
    }

    fn is_virtual(&self, reference: &Ref) -> bool {
        let tree = self.tree;
        let mut at = tree.root();
        for step in reference.iter() {
            match tree.child(at, &step.value) {
                Some(below) => at = below,
                None => return false,
            }
            if tree.node(at).is_some_and(|node| !node.rules.is_empty()) {
                return true;
            }
        }
        true
    }
}

/// The test that a term of an equality stands for.
fn test_of(term: &Term) -> Option<Test> {
    match &term.value {
        Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::String(_) => to_value(term).map(Test::Is),
        Tree::Var(_) => Some(Test::Defined),
        Tree::Array(items) => {
            let item = |item: &Term| match &item.value {
                Tree::Var(_) => Some(None),
                Tree::Array(_) | Tree::Object(_) | Tree::Set(_) => None,
                _ => to_value(item).map(Some),
            };
            Some(Test::Array(items.iter().map(item).collect::<Option<Vec<_>>>()?))
        }
        _ => None,
    }
}
