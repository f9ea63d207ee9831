//! The rules that make one document, as one function.

use std::rc::Rc;

use rego_ir::{Block, Func, Local, StmtKind};
use rego_syntax::ast::{Rule, RuleKind, Term};

use super::collisions::Collisions;
use super::functions::Request;
use super::heads::Document;
use super::scope::Scope;
use super::trie::{NodeId, PlannedRule};
use super::{PlanErrorKind, Planner, Result};

/// The function that is being planned for some rules.
pub(super) struct Function<'r, 'a> {
    /// Its rules, in the order in which they run.
    rules: &'r [PlannedRule<'a>],
    /// How many terms of each reference all rules share.
    pub(super) shared: usize,
    /// What the rules make.
    pub(super) document: Document,
    /// The rules' own parameters.
    params: Vec<Local>,
    /// The function's result.
    pub(super) result: Local,
    /// Whether the first answer of any body can be returned, because no other could differ.
    pub(super) first_decides: FirstDecides,
    /// Where the paths of an object's entries are kept, if they may run into each other.
    pub(super) collisions: Option<Collisions>,
}

/// When the first answer decides, so that nothing else needs to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstDecides {
    /// Always: all bodies give the same constant.
    Always,
    /// When a body cannot have a second, different answer: there is one rule, so no other can conflict with it.
    Within,
    /// Never: another rule may conflict.
    Never,
}

/// What rules of one document are ordered by. Steps that are not constants leave them in the order of the source: the
/// names of variables would not, since these count what came before them in the program.
fn step(term: &Term) -> (bool, Option<&Term>) {
    (!term.is_ground(), term.is_ground().then_some(term))
}

impl<'a> Planner<'a> {
    /// The name of the function for the rules of a node, which is planned later, once in each context.
    pub(super) fn plan_rules(&mut self, node: NodeId) -> Result<String> {
        let rules = self.rules.rules(node);
        let shared = shared_len(rules);
        let path = dotted(rules.iter().take(1).flat_map(|r| r.reference.iter().take(shared)));
        if self.context.within.contains(&path) {
            return self.error(PlanErrorKind::SharedPrefix(path));
        }
        let request = Request { node, context: Rc::clone(&self.context), path };
        Ok(self.functions.request(request, self.span))
    }

    /// Plans the functions that were asked for, and those that they ask for.
    pub(super) fn plan_requests(&mut self) -> Result<()> {
        while let Some(Request { node, context, path }) = self.functions.take() {
            let outer = self.enter(context);
            self.scope = Scope::new(0);
            let mut rules = self.rules.rules(node).to_vec();
            rules.sort_by(|a, b| {
                let longer_first = b.reference.len().cmp(&a.reference.len());
                longer_first.then_with(|| a.reference.iter().map(step).cmp(b.reference.iter().map(step)))
            });
            let func = self.plan_function(&rules, shared_len(&rules), &path)?;
            self.funcs.push(func);
            self.enter(outer);
        }
        Ok(())
    }

    fn plan_function(&mut self, rules: &[PlannedRule<'a>], shared: usize, key: &str) -> Result<Func> {
        self.scope.location = self.statics.no_location();
        if let Some(first) = rules.first() {
            self.locate(first.rule.head.span);
        }
        let location = self.scope.location;
        let generation = format!("g{}", self.context.number);
        let mut params = Vec::new();
        for name in self.context.variables.clone() {
            let local = self.new_local();
            self.scope.bind(name, local);
            params.push(local);
        }
        let result = self.new_local();
        let arity = rules.first().map_or(0, |r| r.rule.head.args.len());
        let own: Vec<Local> = (0..arity).map(|_| self.new_local()).collect();
        params.extend(&own);
        let mut function = Function {
            rules,
            shared,
            document: document_of(rules, shared),
            params: own,
            result,
            first_decides: first_decides(rules),
            collisions: None,
        };
        let mut blocks = self.plan_empty_document(&mut function)?;
        self.plan_function_body(&function, key, &mut blocks)?;
        self.scope.location = location;
        let end = self.statement(StmtKind::ReturnLocal { source: result })?;
        blocks.push(end);
        let steps = rules.iter().take(1).flat_map(|r| r.reference.iter().take(shared).skip(1));
        let mut path = vec![generation.clone()];
        path.extend(steps.filter_map(Term::as_string).map(ToString::to_string));
        Ok(Func { name: format!("{generation}.{key}"), path, params, return_: result, blocks })
    }

    /// A block of one statement.
    fn statement(&mut self, kind: StmtKind) -> Result<Block> {
        self.block(|p| {
            p.emit(kind);
            Ok(())
        })
    }

    /// The collection that the rules fill, if they fill one.
    fn plan_empty_document(&mut self, function: &mut Function<'_, 'a>) -> Result<Vec<Block>> {
        let target = function.result;
        match function.document {
            Document::Value => Ok(Vec::new()),
            Document::Set => Ok(vec![self.statement(StmtKind::MakeSet { target })?]),
            Document::Object => {
                let block = self.block(|p| {
                    p.emit(StmtKind::MakeObject { target });
                    if Collisions::are_possible(function.rules, function.shared) {
                        function.collisions = Some(p.make_collisions());
                    }
                    Ok(())
                })?;
                Ok(vec![block])
            }
        }
    }

    fn plan_function_body(
        &mut self,
        function: &Function<'_, 'a>,
        key: &str,
        blocks: &mut Vec<Block>,
    ) -> Result<()> {
        let chain = self.new_local();
        let free = self.scope.next_local();
        let (defaults, rules): (Vec<_>, Vec<_>) = function.rules.iter().partition(|r| r.rule.default);
        for rule in rules {
            let fits = match function.document {
                Document::Value => rule.rule.head.rule_kind() == RuleKind::SingleValue,
                Document::Set => rule.rule.head.rule_kind() == RuleKind::MultiValue,
                Document::Object => rule.reference.len() > function.shared,
            };
            if !fits {
                return self.error(PlanErrorKind::MixedRules(key.to_owned()));
            }
            self.plan_chain(function, rule, chain, blocks)?;
            self.scope.reuse_locals_from(free);
        }
        for rule in defaults {
            blocks.push(self.plan_default(function, rule)?);
            self.scope.reuse_locals_from(free);
        }
        Ok(())
    }

    /// A rule and its `else` rules. Each runs when the ones before it had no answer; `answer` holds the chain's.
    fn plan_chain(
        &mut self,
        function: &Function<'_, 'a>,
        planned: &PlannedRule<'a>,
        answer: Local,
        blocks: &mut Vec<Block>,
    ) -> Result<()> {
        let has_else = planned.rule.else_rule.is_some();
        // Without an else, nobody asks whether this rule had an answer.
        let only_chain = function.first_decides != FirstDecides::Never;
        let separate = has_else && (function.document != Document::Value || !only_chain);
        let target = if separate { answer } else { function.result };
        let mut next: Option<&'a Rule> = Some(planned.rule);
        while let Some(rule) = next {
            let is_first = std::ptr::eq(rule, planned.rule);
            let block = self.block(|p| {
                p.locate(rule.head.span);
                if is_first && separate {
                    p.emit(StmtKind::ResetLocal { target });
                } else if !is_first {
                    p.emit(StmtKind::IsUndefined { source: target });
                }
                p.plan_rule(function, planned, rule, target)
            })?;
            blocks.push(block);
            next = rule.else_rule.as_deref();
        }
        if separate && function.document == Document::Value {
            let end = self.block(|p| {
                p.emit(StmtKind::IsDefined { source: answer });
                p.emit(StmtKind::AssignVarOnce { source: answer.into(), target: function.result });
                Ok(())
            })?;
            blocks.push(end);
        }
        Ok(())
    }

    fn plan_rule(
        &mut self,
        function: &Function<'_, 'a>,
        planned: &PlannedRule<'a>,
        rule: &Rule,
        target: Local,
    ) -> Result<()> {
        let inside = self.scope.blocks.mark();
        for (param, pattern) in function.params.iter().zip(&rule.head.args) {
            self.unify_operand((*param).into(), pattern)?;
        }
        self.plan_body(&rule.body)?;
        self.mark(rule.head.span);
        match function.document {
            Document::Value => self.plan_value(function, rule, target, inside),
            Document::Set => self.plan_element(function, rule, inside),
            Document::Object => {
                let steps = planned.reference.get(function.shared..).unwrap_or_default();
                self.plan_entry(function, steps, rule)?;
                if rule.else_rule.is_some() || target != function.result {
                    self.assign(target, true);
                }
                Ok(())
            }
        }
    }
}

/// How many terms of the references all rules share: up to the first that is not the same string in all of them.
fn shared_len(rules: &[PlannedRule<'_>]) -> usize {
    let longest = rules.iter().map(|r| r.reference.len()).max().unwrap_or(0);
    let dynamic = |rule: &PlannedRule<'_>| {
        rule.reference.iter().skip(1).position(|step| step.as_string().is_none()).map(|at| at + 1)
    };
    rules.iter().filter_map(dynamic).fold(longest, usize::min)
}

fn document_of(rules: &[PlannedRule<'_>], shared: usize) -> Document {
    match rules.first() {
        Some(first) if first.reference.len() > shared => Document::Object,
        Some(first) if first.rule.head.rule_kind() == RuleKind::MultiValue => Document::Set,
        _ => Document::Value,
    }
}

fn first_decides(rules: &[PlannedRule<'_>]) -> FirstDecides {
    let rules: Vec<&Rule> = rules.iter().map(|r| r.rule).filter(|r| !r.default).collect();
    let mut values = rules.iter().flat_map(|rule| chain_of(rule)).map(|rule| rule.head.value.as_ref());
    let first = values.next().flatten();
    let is_constant = first.is_some_and(|value| value.value.is_constant());
    if is_constant && values.all(|value| value == first) {
        FirstDecides::Always
    } else if rules.len() == 1 {
        FirstDecides::Within
    } else {
        FirstDecides::Never
    }
}

/// A rule and its `else` rules.
fn chain_of(rule: &Rule) -> impl Iterator<Item = &Rule> {
    std::iter::successors(Some(rule), |rule| rule.else_rule.as_deref())
}

/// The path as Rego writes it.
pub(super) fn dotted<'t>(path: impl IntoIterator<Item = &'t Term>) -> String {
    let mut text = String::new();
    for term in path {
        match (term.as_var(), term.as_string()) {
            (Some(name), _) => text.push_str(name),
            (None, Some(step)) if is_identifier(step) => {
                text.push('.');
                text.push_str(step);
            }
            (None, Some(step)) => text.push_str(&format!("[{:?}]", step.as_str())),
            (None, None) => text.push_str("[_]"),
        }
    }
    text
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
