//! References to `data`, whose documents are made of base data and of rules.

use rego_ir::{Block, Operand, StmtKind};
use rego_syntax::ast::{Name, Term};

use super::blocks::Opener;
use super::trie::NodeId;
use super::{Planner, Result};

/// A reference to `data` whose rule is known only when it runs.
struct DynamicCall {
    /// The nodes whose rules may be meant.
    targets: Vec<NodeId>,
    /// How many terms of the reference lead to the rule.
    len: usize,
}

impl Planner<'_> {
    pub(super) fn plan_data_ref(&mut self, reference: &[Term]) -> Result<Operand> {
        if let Some(call) = self.find_dynamic_call(reference) {
            if call.targets.is_empty() {
                return self.plan_base(reference);
            }
            return self.plan_dynamic_call(&call, reference);
        }
        self.plan_below(self.rules.root(), reference, 1)
    }

    fn data(&self) -> Operand {
        self.scope.value_of("data").unwrap_or(rego_ir::Local::DATA.into())
    }

    /// A reference that no rule has a part in.
    fn plan_base(&mut self, reference: &[Term]) -> Result<Operand> {
        self.plan_steps(self.data(), reference.get(1..).unwrap_or_default())
    }

    /// Plans a reference whose first `index` terms lead to `node`.
    fn plan_below(&mut self, node: NodeId, reference: &[Term], index: usize) -> Result<Operand> {
        let Some(step) = reference.get(index) else { return self.plan_extent(node, reference) };
        let key = self.constant_step(step);
        if key.is_none() && !step.is_ground() {
            return self.plan_any_child(node, reference, index);
        }
        let Some(child) = key.and_then(|key| self.rules.child(node, &key)) else {
            return self.plan_base(reference);
        };
        if self.rules.rules(child).is_empty() {
            return self.plan_below(child, reference, index + 1);
        }
        let value = self.plan_rule_call(child)?;
        self.plan_steps(value, reference.get(index + 1..).unwrap_or_default())
    }

    /// The key of a step that is a string, or a variable that is known to be one.
    fn constant_step(&self, step: &Term) -> Option<Name> {
        match step.as_var() {
            None => step.as_string().cloned(),
            Some(name) => match self.scope.value_of(name)? {
                Operand::String(index) => self.statics.text(index).map(Name::new),
                _ => None,
            },
        }
    }

    /// The document that the rules of a node make.
    fn plan_rule_call(&mut self, node: NodeId) -> Result<Operand> {
        if self.rules.arity(node) > 0 {
            // A function is no document.
            self.emit(StmtKind::Break { index: 0 });
            return Ok(Operand::Bool(false));
        }
        let func = self.plan_rules(node)?;
        let args = self.passed_arguments()?;
        Ok(self.make(|result| StmtKind::Call { func, args, result }))
    }

    /// The arguments that every function takes ahead of its own.
    pub(super) fn passed_arguments(&self) -> Result<Vec<Operand>> {
        self.context.variables.iter().map(|name| self.plan_var(name)).collect()
    }

    /// A step that is not a constant, below a node with children: it may mean any child, or base data beside them.
    ///
    /// Each alternative appends its answers (the value and the variables that the reference gives values) to an
    /// array, which is iterated then: what follows is planned once and not once for each child.
    fn plan_any_child(&mut self, node: NodeId, reference: &[Term], index: usize) -> Result<Operand> {
        let children = self.rules.children(node);
        if children.is_empty() {
            return self.plan_base(reference);
        }
        let rest = reference.get(index..).unwrap_or_default();
        let outputs: Vec<Name> = self.unseen_vars(rest).into_iter().cloned().collect();
        let answers = self.make_array(&[]);
        for (key, child) in &children {
            if self.rules.arity(*child) > 0 {
                continue;
            }
            let mut chosen = reference.to_vec();
            let Some(step) = chosen.get_mut(index) else { continue };
            let pattern = std::mem::replace(step, Term::string(key.clone(), step.span));
            let alternative = self.block(|p| {
                let key = Operand::String(p.statics.string(key));
                p.unify_operand(key, &pattern)?;
                let value = p.plan_below(node, &chosen, index)?;
                p.append_answer(answers.into(), value, &outputs)
            })?;
            self.emit(StmtKind::Block { blocks: vec![alternative] });
        }
        let base = self.block(|p| {
            let value = p.plan_base_except(&children, reference, index)?;
            p.append_answer(answers.into(), value, &outputs)
        })?;
        self.emit(StmtKind::Block { blocks: vec![base] });
        self.scan_answers(answers.into(), outputs)
    }

    fn append_answer(&mut self, answers: Operand, value: Operand, outputs: &[Name]) -> Result<()> {
        let mut row = vec![value];
        for name in outputs {
            row.push(self.plan_var(name)?);
        }
        let row = self.make_array(&row);
        let array = self.local_of(answers);
        self.emit(StmtKind::ArrayAppend { value: row.into(), array });
        Ok(())
    }

    fn scan_answers(&mut self, answers: Operand, outputs: Vec<Name>) -> Result<Operand> {
        let (_, row) = self.open_scan(answers);
        let first = self.make_int(0);
        let value = self.make(|target| StmtKind::Dot { source: row, key: first, target });
        for (index, name) in outputs.into_iter().enumerate() {
            let key = self.make_int(index + 1);
            let output = self.make(|target| StmtKind::Dot { source: row, key, target });
            self.scope.bind(name, output);
        }
        Ok(value)
    }

    /// Base data at the reference, where the step at `index` is none of the children.
    fn plan_base_except(
        &mut self,
        children: &[(Name, NodeId)],
        reference: &[Term],
        index: usize,
    ) -> Result<Operand> {
        let parent = self.plan_base(reference.get(..index).unwrap_or_default())?;
        let Some((step, rest)) = reference.get(index..).and_then(<[Term]>::split_first) else {
            return Ok(parent);
        };
        let names: Vec<Term> = children.iter().map(|(key, _)| Term::string(key.clone(), step.span)).collect();
        let excluded = self.plan_term(&Term::new(rego_syntax::ast::Value::set(names), step.span))?;
        let value = if self.has_unseen_vars(step) {
            let (key, value) = self.open_scan(parent);
            self.require_absent(excluded, key);
            self.unify_operand(key, step)?;
            value
        } else {
            let key = self.plan_term(step)?;
            self.require_absent(excluded, key);
            self.make(|target| StmtKind::Dot { source: parent, key, target })
        };
        self.plan_steps(value, rest)
    }

    fn require_absent(&mut self, set: Operand, element: Operand) {
        let target = self.new_local();
        let lookup = StmtKind::Dot { source: set, key: element, target }.at(self.scope.location);
        self.emit(StmtKind::Not { block: Block { stmts: vec![lookup] } });
    }

    /// The whole document at a node: what its rules make, over the base data at the reference.
    fn plan_extent(&mut self, node: NodeId, reference: &[Term]) -> Result<Operand> {
        let from_rules = self.plan_extent_of_rules(node)?;
        let whole = self.new_local();
        let merged = self.block(|p| {
            let base = p.plan_base(reference)?;
            let base = p.local_of(base);
            let rules = p.local_of(from_rules);
            p.emit(StmtKind::IsDefined { source: base });
            p.emit(StmtKind::ObjectMerge { a: base, b: rules, target: whole });
            p.emit(StmtKind::Break { index: 1 });
            Ok(())
        })?;
        let either = self.block(|p| {
            p.emit(StmtKind::Block { blocks: vec![merged] });
            p.assign(whole, from_rules);
            Ok(())
        })?;
        self.emit(StmtKind::Block { blocks: vec![either] });
        Ok(whole.into())
    }

    fn plan_extent_of_rules(&mut self, node: NodeId) -> Result<Operand> {
        let object = self.new_local();
        self.emit(StmtKind::MakeObject { target: object });
        for (name, child) in self.rules.children(node) {
            if self.rules.arity(child) > 0 {
                continue;
            }
            let key = Operand::String(self.statics.string(&name));
            if self.rules.rules(child).is_empty() {
                let value = self.plan_extent_of_rules(child)?;
                self.emit(StmtKind::ObjectInsert { key, value, object });
                continue;
            }
            let entry = self.block(|p| {
                let value = p.plan_rule_call(child)?;
                p.emit(StmtKind::ObjectInsert { key, value, object });
                Ok(())
            })?;
            self.emit(StmtKind::Block { blocks: vec![entry] });
        }
        Ok(object.into())
    }

    /// Whether the reference can be looked up among the functions when it runs: all its variables have values, and the
    /// rules it may mean all stand at the same depth. No targets means that no rule can be meant.
    fn find_dynamic_call(&self, reference: &[Term]) -> Option<DynamicCall> {
        if self.context.variables.len() > 2 {
            return None;
        }
        let mut nodes = vec![self.rules.root()];
        let mut has_variable = false;
        let mut len = 1;
        for (at, step) in reference.iter().enumerate().skip(1) {
            if nodes.iter().any(|node| !self.rules.rules(*node).is_empty()) {
                return None;
            }
            nodes = if let Some(key) = self.constant_step(step) {
                nodes.iter().filter_map(|node| self.rules.child(*node, &key)).collect()
            } else {
                self.scope.value_of(step.as_var()?)?;
                has_variable = true;
                nodes.iter().flat_map(|node| self.rules.children(*node)).map(|(_, child)| child).collect()
            };
            len = at + 1;
            if !nodes.iter().any(|node| self.leads_on(*node, reference.get(len))) {
                break;
            }
        }
        let open = |node: &NodeId| self.rules.rules(*node).is_empty() && self.rules.has_children(*node);
        if !has_variable || (len == reference.len() && nodes.iter().any(open)) {
            return None;
        }
        nodes.retain(|node| !self.rules.rules(*node).is_empty() && self.rules.arity(*node) == 0);
        Some(DynamicCall { targets: nodes, len })
    }

    /// Whether a node has a child that the step may mean.
    fn leads_on(&self, node: NodeId, step: Option<&Term>) -> bool {
        match step {
            None => false,
            Some(step) => match self.constant_step(step) {
                Some(key) => self.rules.child(node, &key).is_some(),
                None => step.as_var().is_some() && self.rules.has_children(node),
            },
        }
    }

    /// Plans a lookup of the function by its path, and base data where there is none.
    ///
    /// A dynamic call whose function is undefined leaves the four blocks around it: that of the call, the two around
    /// the alternatives, and the block in which the reference stands.
    fn plan_dynamic_call(&mut self, call: &DynamicCall, reference: &[Term]) -> Result<Operand> {
        for node in &call.targets {
            self.plan_rules(*node)?;
        }
        let (to_rule, rest) = reference.split_at_checked(call.len).unwrap_or((reference, &[]));
        let result = self.new_local();
        let generation = format!("g{}", self.context.number);
        let mut path = vec![Operand::String(self.statics.string(&generation))];
        path.extend(self.plan_terms(to_rule.get(1..).unwrap_or_default())?);
        let args = self.passed_arguments()?.into_iter().map(|arg| self.local_of(arg)).collect();
        let of_rule = self.block(|p| {
            p.emit(StmtKind::CallDynamic { args, result, path });
            p.emit(StmtKind::Break { index: 1 });
            Ok(())
        })?;
        let of_base = self.block(|p| {
            let value = p.plan_base(to_rule)?;
            p.assign(result, value);
            p.emit(StmtKind::Break { index: 1 });
            Ok(())
        })?;
        let either = self.block(|p| {
            p.emit(StmtKind::Block { blocks: vec![of_rule, of_base] });
            p.emit(StmtKind::Break { index: 1 });
            Ok(())
        })?;
        self.open(Opener::Block);
        self.emit(StmtKind::Block { blocks: vec![either] });
        self.plan_steps(result.into(), rest)
    }
}
