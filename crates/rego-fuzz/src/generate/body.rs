//! Bodies: expressions, each on a line of its own.

use super::types::Ty;
use super::{Generator, Kind, value};
use crate::program::PACKAGE;

impl Generator {
    /// At most so many expressions and at least one, whose variables stay bound.
    pub(super) fn body(&mut self, most: usize, depth: usize, separator: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for _ in 0..=self.c.below(most) {
            let line = self.literal(depth);
            lines.push(line);
        }
        // Order is the compiler's business, except where `:=` and `some` declare.
        if lines.len() > 1 && self.c.one_in(6) && !lines.iter().any(|line| declares(line)) {
            lines.reverse();
        }
        lines.join(separator)
    }

    fn literal(&mut self, depth: usize) -> String {
        match self.c.below(16) {
            0 => {
                let comparison = self.comparison(depth);
                self.modified(comparison, depth)
            }
            1..=3 => self.assignment(depth),
            4 | 5 => self.iteration(depth),
            6 | 7 => self.some_in(depth),
            8 => self.negation(depth),
            9 => self.every(depth),
            10 => self.unification(depth),
            11 => self.walk(depth),
            12 => {
                let ty = Ty::some(&mut self.c, 1);
                let document = self.document(&ty);
                self.modified(document, depth)
            }
            13 => {
                let truth = self.expr(&Ty::Bool, depth);
                self.modified(truth, depth)
            }
            14 => self.membership(depth),
            _ => self.comparison(depth),
        }
    }

    fn assignment(&mut self, depth: usize) -> String {
        let ty = Ty::some(&mut self.c, 2);
        let term = self.expr(&ty, depth);
        let name = self.fresh("x");
        let operator = if self.c.one_in(4) { "=" } else { ":=" };
        let line = self.modified(format!("{name} {operator} {term}"), depth);
        self.bind(&name, ty);
        line
    }

    /// `collection[key] op term`, with a key that is bound by it.
    fn iteration(&mut self, depth: usize) -> String {
        let collection = Ty::collection(&mut self.c);
        let Some((key_ty, of)) = collection.elements() else { return "true".to_owned() };
        let base = match self.c.below(3) {
            0 => self.document(&collection),
            1 => self.rule_ref(&collection).unwrap_or_else(|| self.document(&collection)),
            _ => self.variable(&collection).unwrap_or_else(|| self.document(&collection)),
        };
        let key = if self.c.one_in(3) { "_".to_owned() } else { self.fresh("k") };
        let name = self.fresh("v");
        let declared = if key != "_" && self.c.one_in(3) { format!("some {key}; ") } else { String::new() };
        let line = match self.c.below(4) {
            0 => format!("{declared}{base}[{key}]"),
            1 => {
                let term = self.expr(&of, depth.saturating_sub(1));
                format!("{declared}{base}[{key}] == {term}")
            }
            _ => {
                let line = format!("{declared}{name} := {base}[{key}]");
                self.bind(&name, of);
                line
            }
        };
        if key != "_" {
            self.bind(&key, key_ty);
        }
        line
    }

    fn some_in(&mut self, depth: usize) -> String {
        if !self.dialect.keywords {
            return self.iteration(depth);
        }
        let collection = Ty::collection(&mut self.c);
        let Some((key_ty, of)) = collection.elements() else { return "true".to_owned() };
        let within = self.expr(&collection, depth);
        let name = self.fresh("v");
        if self.c.below(2) == 1 {
            let key = self.fresh("k");
            self.bind(&key, key_ty);
            self.bind(&name, of);
            return format!("some {key}, {name} in {within}");
        }
        self.bind(&name, of);
        format!("some {name} in {within}")
    }

    fn negation(&mut self, depth: usize) -> String {
        let inner = self.scoped(|g| match g.c.below(3) {
            0 => g.comparison(depth),
            1 => {
                let ty = Ty::some(&mut g.c, 1);
                g.document(&ty)
            }
            _ => g.expr(&Ty::Bool, depth),
        });
        self.modified(format!("not {inner}"), depth)
    }

    fn every(&mut self, depth: usize) -> String {
        if !self.dialect.keywords || depth == 0 {
            return self.negation(depth);
        }
        let collection = Ty::collection(&mut self.c);
        let Some((key_ty, of)) = collection.elements() else { return "true".to_owned() };
        let domain = self.expr(&collection, depth - 1);
        self.scoped(|g| {
            let (key, name) = (g.fresh("k"), g.fresh("v"));
            g.bind(&name, of);
            let vars = if g.c.below(2) == 1 {
                g.bind(&key, key_ty);
                format!("{key}, {name}")
            } else {
                name
            };
            let body = g.body(2, depth - 1, "; ");
            format!("every {vars} in {domain} {{ {body} }}")
        })
    }

    /// A pattern and a term.
    fn unification(&mut self, depth: usize) -> String {
        let ty = Ty::some(&mut self.c, 0);
        let (one, two) = (self.fresh("u"), self.fresh("u"));
        let (pattern, term) = match self.c.below(4) {
            0 => {
                let (a, b) = (self.expr(&ty, depth), self.expr(&ty, depth));
                (format!("[{one}, {two}]"), format!("[{a}, {b}]"))
            }
            1 => (format!("[{one}, {two}]"), self.document(&Ty::arr(ty.clone()))),
            2 => {
                let term = self.expr(&ty, depth);
                (format!("{{\"a\": {one}, \"b\": {two}}}"), format!("{{\"a\": {term}, \"b\": [{term}]}}"))
            }
            _ => {
                let constant = value::constant(&mut self.c, &ty, false, 1);
                let known = self.expr(&ty, depth);
                (format!("[{one}, {known}, [{two}]]"), format!("[{constant}, {constant}, [{known}]]"))
            }
        };
        self.bind(&one, ty.clone());
        self.bind(&two, Ty::Any);
        if self.c.one_in(3) { format!("{term} = {pattern}") } else { format!("{pattern} = {term}") }
    }

    fn walk(&mut self, depth: usize) -> String {
        let term = if self.c.below(2) == 0 { self.document(&Ty::Any) } else { self.expr(&Ty::Any, depth) };
        let (path, found) = (self.fresh("p"), self.fresh("w"));
        let path_pattern = if self.c.one_in(3) { "_".to_owned() } else { path.clone() };
        if path_pattern != "_" {
            self.bind(&path, Ty::arr(Ty::Any));
        }
        self.bind(&found, Ty::Any);
        format!("walk({term}, [{path_pattern}, {found}])")
    }

    /// A set or object of a rule, asked for one member.
    fn membership(&mut self, depth: usize) -> String {
        let ty = Ty::some(&mut self.c, 0);
        let set = Ty::set(ty.clone());
        let Some(rule) = self.rule_ref(&set) else { return self.comparison(depth) };
        let member = self.expr(&ty, depth);
        let line = if member.contains(['|', '`']) { rule } else { format!("{rule}[{member}]") };
        self.modified(line, depth)
    }

    /// The expression, now and then with other documents or functions.
    fn modified(&mut self, expression: String, depth: usize) -> String {
        if !self.c.one_in(8) {
            return expression;
        }
        let ty = Ty::some(&mut self.c, 1);
        let depth = depth.min(1);
        let field = self.c.text(value::FIELDS);
        let modifier = match self.c.below(6) {
            0 => format!("with input.{field} as {}", self.expr(&ty, depth)),
            1 => format!("with data.{PACKAGE}.{field} as {}", self.expr(&ty, depth)),
            2 => {
                let document = value::constant(&mut self.c, &Ty::obj(Ty::Str, ty), false, 2);
                format!("with input as {document}")
            }
            3 => match self.rule_ref(&ty) {
                Some(rule) => {
                    let rule = rule.trim_start_matches("data.").trim_start_matches(PACKAGE);
                    let rule = rule.trim_start_matches('.').to_owned();
                    format!("with data.{PACKAGE}.{rule} as {}", self.expr(&ty, depth))
                }
                None => return expression,
            },
            4 => match self.replacement(1, depth) {
                Some(replacement) => format!("with count as {replacement}"),
                None => return expression,
            },
            _ => {
                let functions = self.functions();
                let Some((name, arity)) = self.c.pick(&functions).cloned() else { return expression };
                match self.replacement(arity, depth) {
                    Some(replacement) if replacement != name => format!("with {name} as {replacement}"),
                    _ => return expression,
                }
            }
        };
        format!("{expression} {modifier}")
    }

    fn functions(&self) -> Vec<(String, usize)> {
        let function = |rule: &super::Known| match &rule.kind {
            Kind::Function(args, _) => Some((rule.name.clone(), args.len())),
            Kind::Value(_) => None,
        };
        self.rules.iter().filter_map(function).collect()
    }

    /// What a function of so many arguments is replaced with.
    fn replacement(&mut self, arity: usize, depth: usize) -> Option<String> {
        if self.c.below(2) == 0 {
            return Some(self.expr(&Ty::Num, depth));
        }
        let functions: Vec<String> =
            self.functions().into_iter().filter(|(_, of)| *of == arity).map(|(name, _)| name).collect();
        self.c.pick(&functions).cloned()
    }
}

/// Whether the order of the line matters to those around it.
fn declares(line: &str) -> bool {
    line.contains(":=") || line.starts_with("some ") || line.contains("every ")
}
