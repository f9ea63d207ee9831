//! Terms.

use super::types::Ty;
use super::{Generator, Kind, value};
use crate::program::PACKAGE;

impl Generator {
    /// A term that should have this type.
    pub(super) fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        if depth == 0 {
            return self.leaf(ty);
        }
        match self.c.below(14) {
            0..=4 => self.leaf(ty),
            5 => self.rule_ref(ty).unwrap_or_else(|| self.leaf_constant(ty)),
            6 | 7 => self.builtin(ty, depth - 1).unwrap_or_else(|| self.leaf(ty)),
            8 | 9 => self.operator(ty, depth - 1),
            10 => self.function(ty, depth - 1).unwrap_or_else(|| self.leaf(ty)),
            11 => self.element(ty, depth - 1),
            _ => self.compound(ty, depth - 1),
        }
    }

    fn leaf_constant(&mut self, ty: &Ty) -> String {
        value::constant(&mut self.c, ty, false, 2)
    }

    /// A constant, a variable or a document.
    fn leaf(&mut self, ty: &Ty) -> String {
        match self.c.below(5) {
            0 => self.leaf_constant(ty),
            1 | 2 => self.variable(ty).unwrap_or_else(|| self.document(ty)),
            _ => self.document(ty),
        }
    }

    pub(super) fn variable(&mut self, ty: &Ty) -> Option<String> {
        let fitting: Vec<String> = self
            .vars
            .iter()
            .filter(|(_, of)| of.fits(ty) || *of == Ty::Any)
            .map(|(name, _)| name.clone())
            .collect();
        self.c.pick(&fitting).cloned()
    }

    /// A path into a document whose value should have this type.
    pub(super) fn document(&mut self, ty: &Ty) -> String {
        let fields: Vec<&str> =
            value::FIELDS.iter().copied().filter(|field| value::field_type(field).fits(ty)).collect();
        if let (Ty::Set(of), true) = (ty, self.c.below(4) > 0) {
            // JSON has no sets.
            let (name, array) = (self.fresh("s"), self.document(&Ty::arr((**of).clone())));
            return format!("{{{name} | {name} := {array}[_]}}");
        }
        let root = if self.c.one_in(3) { format!("data.{PACKAGE}") } else { "input".to_owned() };
        let field = if self.c.one_in(12) || fields.is_empty() {
            self.c.text(value::FIELDS)
        } else {
            self.c.text(&fields)
        };
        match (ty, self.c.below(6)) {
            (Ty::Num, 4) => format!("{root}.nums[{}]", self.c.below(3)),
            (Ty::Num, 5) => format!("{root}.users[{}].age", self.c.below(3)),
            (Ty::Str, 4) => format!("{root}.users[{}].name", self.c.below(3)),
            (Ty::Any, 5) => format!("{root}.nested.a"),
            (Ty::Arr(_), 5) => format!("{root}.users[{}].roles", self.c.below(3)),
            (Ty::Any, 4) if self.c.one_in(3) => "input".to_owned(),
            _ if self.c.one_in(8) => format!("{root}[\"{field}\"]"),
            _ => format!("{root}.{field}"),
        }
    }

    /// A value of a rule, by its short or its full name.
    pub(super) fn rule_ref(&mut self, ty: &Ty) -> Option<String> {
        let fits = |of: &Ty| of.fits(ty) || *of == Ty::Any;
        let fitting: Vec<String> = self
            .rules
            .iter()
            .filter(|rule| matches!(&rule.kind, Kind::Value(of) if fits(of)))
            .map(|rule| rule.name.clone())
            .collect();
        let name = self.c.pick(&fitting)?.clone();
        Some(if self.c.one_in(4) { format!("data.{PACKAGE}.{name}") } else { name })
    }

    fn function(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        let fitting: Vec<(String, Vec<Ty>)> = self
            .rules
            .iter()
            .filter_map(|rule| match &rule.kind {
                Kind::Function(args, result) if result.fits(ty) || *result == Ty::Any => {
                    Some((rule.name.clone(), args.clone()))
                }
                _ => None,
            })
            .collect();
        let (name, args) = self.c.pick(&fitting)?.clone();
        let args: Vec<String> = args.iter().map(|ty| self.expr(ty, depth)).collect();
        Some(format!("{name}({})", args.join(", ")))
    }

    /// An element of a collection, by a constant or computed key.
    fn element(&mut self, ty: &Ty, depth: usize) -> String {
        let (collection, key) = match self.c.below(3) {
            0 => (Ty::arr(ty.clone()), Ty::Num),
            1 => (Ty::obj(Ty::Str, ty.clone()), Ty::Str),
            _ => {
                let object = self.expr(&Ty::obj(Ty::Str, ty.clone()), depth);
                let (key, default) = (self.expr(&Ty::Str, depth), self.leaf(ty));
                return format!("object.get({object}, {key}, {default})");
            }
        };
        let base = match self.c.below(3) {
            0 => self.document(&collection),
            1 => self.rule_ref(&collection).unwrap_or_else(|| self.document(&collection)),
            _ => self.variable(&collection).unwrap_or_else(|| self.document(&collection)),
        };
        let key = match (&key, self.c.below(3)) {
            (Ty::Num, 0) => self.c.below(3).to_string(),
            (Ty::Num, _) => self.leaf(&Ty::Num),
            (_, 0) => value::key(&mut self.c),
            _ => self.leaf(&Ty::Str),
        };
        format!("{base}[{key}]")
    }

    fn operator(&mut self, ty: &Ty, depth: usize) -> String {
        match ty {
            Ty::Num => {
                let operator = self.c.text(&["+", "-", "*", "/", "%"]);
                let (left, right) = (self.expr(&Ty::Num, depth), self.expr(&Ty::Num, depth));
                format!("({left} {operator} {right})")
            }
            Ty::Set(_) => {
                let operator = self.c.text(&["|", "&", "-"]);
                let (left, right) = (self.expr(ty, depth), self.expr(ty, depth));
                format!("({left} {operator} {right})")
            }
            Ty::Bool => {
                let comparison = self.comparison(depth);
                format!("({comparison})")
            }
            Ty::Str if self.dialect.templates && self.c.one_in(3) => self.template(depth),
            _ => self.leaf(ty),
        }
    }

    /// `a < b`, `a in b` without parentheses.
    pub(super) fn comparison(&mut self, depth: usize) -> String {
        if self.dialect.keywords && self.c.one_in(3) {
            let collection = Ty::collection(&mut self.c);
            let of = collection.elements().map_or(Ty::Num, |(_, of)| of);
            let (item, within) = (self.expr(&of, depth), self.expr(&collection, depth));
            if self.c.one_in(5) {
                let key = self.leaf(&Ty::Num);
                return format!("({key}, {item} in {within})");
            }
            return format!("{item} in {within}");
        }
        let operator = self.c.text(&["==", "!=", "<", "<=", ">", ">="]);
        let ty = if self.c.one_in(4) { Ty::some(&mut self.c, 1) } else { Ty::Num };
        let (left, right) = (self.expr(&ty, depth), self.expr(&ty, depth));
        format!("{left} {operator} {right}")
    }

    fn template(&mut self, depth: usize) -> String {
        let ty = Ty::some(&mut self.c, 1);
        let inner = self.expr(&ty, depth);
        // A text within a template's braces ends the template's own where it holds a quote or a brace in escapes.
        if inner.contains(['\\', '$', '`']) { self.leaf(&Ty::Str) } else { format!("$\"v={{{inner}}};\"") }
    }

    /// A collection made of terms, or a comprehension.
    ///
    /// A set or object of several terms goes through an operator: where two members turn out to be equal, OPA's
    /// interpreter iterates over both of the literal (whose count is 1), and finds either under the key, unlike OPA's own
    /// plan and our modules; a function gets the collection as it should be.
    fn compound(&mut self, ty: &Ty, depth: usize) -> String {
        if self.c.below(2) == 1 && depth > 0 {
            return self.comprehension(ty, depth);
        }
        let count = self.c.below(4);
        match ty {
            Ty::Arr(of) => {
                let items: Vec<String> = (0..count).map(|_| self.expr(of, depth)).collect();
                format!("[{}]", items.join(", "))
            }
            Ty::Set(of) if count > 0 => {
                let items: Vec<String> = (0..count).map(|_| self.expr(of, depth)).collect();
                let set = format!("{{{}}}", items.join(", "));
                if count > 1 { format!("({set} | set())") } else { set }
            }
            Ty::Obj(key, of) => {
                let members: Vec<String> = (0..count)
                    .map(|_| {
                        let key = if self.c.one_in(3) { self.expr(key, 0) } else { self.leaf_constant(key) };
                        format!("{key}: {}", self.expr(of, depth))
                    })
                    .collect();
                let object = format!("{{{}}}", members.join(", "));
                if count > 1 { format!("object.union({object}, {{}})") } else { object }
            }
            Ty::Any => {
                let ty = Ty::some(&mut self.c, 1);
                if ty == Ty::Any { self.leaf(&ty) } else { self.compound(&ty, depth) }
            }
            _ => self.leaf(ty),
        }
    }

    fn comprehension(&mut self, ty: &Ty, depth: usize) -> String {
        self.scoped(|g| {
            let body = g.body(2, depth - 1, "; ");
            match ty {
                Ty::Arr(of) => {
                    let head = g.expr(of, 1);
                    format!("[{head} | {body}]")
                }
                Ty::Set(of) => {
                    let head = g.expr(of, 1);
                    format!("{{{head} | {body}}}")
                }
                Ty::Obj(key, of) => {
                    let (key, head) = (g.expr(key, 1), g.expr(of, 1));
                    format!("{{{key}: {head} | {body}}}")
                }
                Ty::Num => {
                    let head = g.expr(&Ty::Num, 1);
                    format!("count([{head} | {body}])")
                }
                Ty::Bool => format!("([1 | {body}] == [])"),
                _ => g.leaf(ty),
            }
        })
    }
}
