//! Modules, packages and rules.

use super::imports::Placed;
use super::is_true_body;
use super::term::is_union;
use super::writer::{Loc, Writer, Written};
use crate::ast::{Expr, ExprKind, Head, Module, Package, Ref, Rule, RuleKind, Term, Value};

/// An import or a rule, in the order of the file.
enum Part<'m> {
    Import(&'m Placed),
    Rule(&'m Rule),
}

impl<'a> Writer<'a> {
    pub(super) fn write_module(&mut self, module: &'a Module, imports: &[Placed]) {
        let mut parts: Vec<((i64, u32), Part<'_>)> =
            imports.iter().map(|p| ((p.row, p.col), Part::Import(p))).collect();
        parts.extend(module.rules.iter().map(|rule| (self.place(rule.span), Part::Rule(rule))));
        parts.sort_by_key(|(place, _)| *place);
        // An import that the formatter adds has a row of its own making; behind a rule it would have no effect.
        let first_rule =
            parts.iter().find(|(_, p)| matches!(p, Part::Rule(_))).map_or(i64::MAX, |(at, _)| at.0);
        let late = imports.iter().any(|p| p.added && p.row >= first_rule);
        self.write_package(&module.package);
        if late {
            let added: Vec<&Placed> = imports.iter().filter(|p| p.added).collect();
            self.write_imports(&added);
            parts.retain(|(_, part)| !matches!(part, Part::Import(p) if p.added));
        }
        let mut parts = parts.into_iter().map(|(_, part)| part).peekable();
        while parts.peek().is_some() {
            let mut group = Vec::new();
            while let Some(Part::Import(import)) = parts.next_if(|p| matches!(p, Part::Import(_))) {
                group.push(import);
            }
            self.write_imports(&group);
            let mut rules = Vec::new();
            while let Some(Part::Rule(rule)) = parts.next_if(|p| matches!(p, Part::Rule(_))) {
                rules.push(rule);
            }
            self.write_rules(&rules);
        }
        let rest = std::mem::take(&mut self.comments);
        for comment in &rest {
            self.write_line(&format!("#{}", comment.text));
        }
        if !rest.is_empty() {
            self.write("\n");
        }
    }

    fn write_package(&mut self, package: &Package) {
        let loc = self.loc(package.span);
        // Only one comment can stand on the row of the package.
        let _ = self.insert_comments(loc);
        self.start_line();
        let mut steps = package.path.steps().to_vec();
        if let Some(first) = steps.first_mut()
            && let Some(name) = first.as_string().cloned()
        {
            first.value = Value::Var(name);
        }
        self.write("package ");
        let _ = self.write_ref(&Ref(steps));
        self.blank_line();
    }

    fn write_rules(&mut self, rules: &[&Rule]) {
        for (index, rule) in rules.iter().enumerate() {
            let loc = self.loc(rule.span);
            let _ = self.insert_comments(loc);
            let _ = self.write_rule(rule, None);
            if let Some(next) = rules.get(index + 1)
                && self.is_groupable(rule)
                && self.is_groupable(next)
                && self.row(next.span) == loc.row + 1
            {
                continue;
            }
            self.blank_line();
        }
    }

    /// Whether a rule is written on one line, so that it may stand next to another without a blank line.
    fn is_groupable(&self, rule: &Rule) -> bool {
        rule.body.len() <= 1
            && !rule.default
            && rule.else_rule.is_none()
            && !rule.body.first().is_some_and(is_set_term)
            && self.uses_if(rule)
    }

    fn uses_if(&self, rule: &Rule) -> bool {
        (self.style.v1 || self.style.ifs)
            && (self.style.contains || rule.head.rule_kind() == RuleKind::SingleValue)
    }

    /// Writes a rule; of an `else` the place of its keyword is given.
    fn write_rule(&mut self, rule: &Rule, else_loc: Option<Loc>) -> Written {
        if else_loc.is_none() {
            self.start_line();
        }
        if rule.default {
            self.write("default ");
        }
        let is_constant = is_true_body(&rule.body) && rule.else_rule.is_none();
        self.comment_on_final_line = is_constant;
        let misplaced = match else_loc {
            Some(loc) => self.write_else_head(&rule.head, is_constant, loc),
            None => self.write_head(rule, is_constant),
        };
        if rule.body.is_empty() || is_constant {
            self.end_line();
            return Ok(());
        }
        self.comment_on_final_line = true;
        let uses_if = self.uses_if(rule);
        if uses_if {
            self.write(" if");
            if let [only] = rule.body.as_slice() {
                let head_end = self.end_row(self.loc(rule.head.span));
                if self.row(only.span) == head_end && !is_set_term(only) {
                    self.write(" ");
                    let _ = self.write_expr(only);
                    self.end_line();
                    return self.write_else(rule);
                }
            }
        }
        if misplaced.is_err() && !self.comments.is_empty() {
            self.write(" { ");
        } else {
            self.write(" {");
            self.end_line();
        }
        if uses_if
            && else_loc.is_none()
            && let Some(first) = rule.body.first()
        {
            self.mark_leading_union(first);
        }
        self.up();
        let _ = self.write_body(&rule.body);
        let loc = self.loc(rule.span);
        let skip = if rule.head.is_function() {
            Some((b'(', b')'))
        } else {
            rule.head.key.as_ref().map(|_| (b'[', b']'))
        };
        let close = self.closing(skip, b'{', b'}', loc);
        self.insert_comments(close)?;
        self.down();
        self.start_line();
        self.write("}");
        self.write_else(rule)
    }

    fn write_else(&mut self, rule: &Rule) -> Written {
        let Some(next) = &rule.else_rule else { return Ok(()) };
        let else_row = self.row(next.span);
        let relative = else_row - self.row(rule.span);
        let lines = self.text(self.loc(rule.span)).split('\n');
        let line = usize::try_from(relative).ok().filter(|r| *r > 0).and_then(|r| lines.clone().nth(r));
        let was_inline = line.is_some_and(|line| !line.trim().starts_with("else"));
        let comment_above =
            self.comments.first().is_some_and(|c| c.row < else_row) || self.before_end.is_some();
        if !comment_above && was_inline {
            self.write(" ");
        } else {
            self.blank_line();
            self.start_line();
        }
        let loc = self.loc(next.head.span);
        self.insert_comments(loc)?;
        if comment_above && !was_inline {
            self.start_line();
        }
        self.write_rule(next, Some(loc))
    }

    /// `else`, with its value if it is not the implied `true`.
    fn write_else_head(&mut self, head: &Head, is_constant: bool, loc: Loc) -> Written {
        self.write("else");
        let Some(value) = &head.value else { return Ok(()) };
        if !is_constant && value.value == Value::Bool(true) {
            return Ok(());
        }
        self.write(if head.assign || self.style.v1 { " := " } else { " = " });
        let place = Loc { row: loc.row, ..self.term_loc(value) };
        self.write_term_at(value, place)
    }

    fn write_head(&mut self, rule: &Rule, is_constant: bool) -> Written {
        let head = &rule.head;
        let mut reference = head.reference.clone();
        if head.key.is_some() && head.value.is_none() && !head.has_dynamic_ref() {
            reference = reference.ground_prefix();
        }
        match reference.as_slice() {
            [name, key] if !self.style.ref_heads => {
                let key_row = self.row(key.span);
                if self.comments.first().is_some_and(|c| c.row == key_row) {
                    self.write_unformatted(self.loc(head.span));
                    return Ok(());
                }
                self.write(&format!("{name}[{key}]"));
            }
            _ => self.write_ref(&reference)?,
        }
        if head.is_function() {
            self.write("(");
            let loc = self.loc(head.span);
            let close = self.closing(None, b'(', b')', loc);
            let written = self.write_list(&head.args, loc, close, false);
            self.write(")");
            written?;
        }
        if let Some(key) = head.key.as_ref().filter(|_| head.value.is_none()) {
            if self.style.contains {
                self.write(" contains ");
                self.write_term(key)?;
            } else {
                self.write("[");
                self.write_term(key)?;
                self.write("]");
            }
        }
        self.write_head_value(rule, is_constant)
    }

    fn write_head_value(&mut self, rule: &Rule, is_constant: bool) -> Written {
        let head = &rule.head;
        let Some(value) = &head.value else { return Ok(()) };
        let is_true = value.value == Value::Bool(true);
        if head.key.is_none() && is_true && !is_constant && !rule.default {
            return Ok(());
        }
        let must_show = self.style.v1 && is_constant && head.key.is_none() && !head.is_function();
        if is_true && is_implied(rule, value) && !must_show {
            return Ok(());
        }
        self.write(if head.assign || self.style.v1 { " := " } else { " = " });
        self.write_term(value)
    }
}

/// Whether the `true` of a head is not written but follows from its form.
fn is_implied(rule: &Rule, value: &Term) -> bool {
    let head = &rule.head;
    (head.generated_value && head.reference.len() == 2 && !head.is_function())
        || (rule.generated_body && value.span == head.span)
        || (value.span == rule.span && head.span == rule.span)
}

/// A body that is one set keeps its braces, without which the set would be a body.
fn is_set_term(expr: &Expr) -> bool {
    !expr.negated && matches!(&expr.kind, ExprKind::Term(t) if matches!(t.value, Value::Set(_)))
}

impl Writer<'_> {
    /// Parenthesizes the union that an expression begins with: behind a brace it reads as a comprehension.
    pub(super) fn mark_leading_union(&mut self, expr: &Expr) {
        if expr.negated {
            return;
        }
        if let ExprKind::And(logical) | ExprKind::Or(logical) = &expr.kind {
            if !logical.explicit_lhs
                && let [first] = logical.lhs.as_slice()
            {
                self.mark_leading_union(first);
            }
            return;
        }
        let ExprKind::Call(terms) = &expr.kind else { return };
        if super::call::is_union_expr(expr) {
            self.paren_expr = Some(expr.span);
        } else if let Some(lead) = super::call::leading_operand(terms).filter(|lead| is_union(lead)) {
            self.paren_term = Some(lead.span);
        }
    }
}
