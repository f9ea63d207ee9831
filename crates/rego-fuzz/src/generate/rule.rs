//! Rules of every kind.

use super::types::Ty;
use super::{Generator, Kind, Known, value};

/// How deep the terms of rules go.
const DEPTH: usize = 3;

impl Generator {
    /// A rule with all its definitions, known to those that follow.
    pub(super) fn rule(&mut self, number: usize) -> String {
        let name = format!("r{number}");
        let (text, kind) = match self.c.below(10) {
            0..=2 => self.complete(&name),
            3 => self.truth(&name),
            4 | 5 => self.partial_set(&name),
            6 => self.partial_object(&name),
            7 => self.nested(&name),
            _ => self.function_rule(&name),
        };
        self.vars.clear();
        self.rules.push(Known { name, kind });
        without_unused(text)
    }

    fn definitions(&mut self, define: impl Fn(&mut Self) -> String) -> Vec<String> {
        (0..=self.c.below(3)).map(|_| self.scoped(&define)).collect()
    }

    /// A body behind a head.
    fn if_body(&mut self) -> String {
        let body = self.body(4, DEPTH, "\n\t");
        let keyword =
            if self.dialect.heads || (self.dialect.keywords && self.c.below(2) == 1) { "if " } else { "" };
        format!("{keyword}{{\n\t{body}\n}}")
    }

    fn equals(&self) -> &'static str {
        if self.dialect.v0 { "=" } else { ":=" }
    }

    fn complete(&mut self, name: &str) -> (String, Kind) {
        let ty = Ty::some(&mut self.c, 2);
        if self.c.one_in(5) {
            // Constant documents, and rules that only rename.
            let term = self.expr(&ty, DEPTH);
            return (format!("{name} {} {term}", self.equals()), Kind::Value(ty));
        }
        let equals = self.equals();
        let mut parts = Vec::new();
        if self.c.one_in(3) {
            let constant = value::constant(&mut self.c, &ty, false, 2);
            parts.push(format!("default {name} {equals} {constant}"));
        }
        parts.extend(self.definitions(|g| {
            let (value, body) = g.scoped(|g| {
                let body = g.if_body();
                (g.expr(&ty, 2), body)
            });
            let chain = g.else_chain(&ty);
            format!("{name} {equals} {value} {body}{chain}")
        }));
        (parts.join("\n\n"), Kind::Value(ty))
    }

    fn else_chain(&mut self, ty: &Ty) -> String {
        let mut text = String::new();
        while self.c.one_in(4) {
            let equals = self.equals();
            let branch = self.scoped(|g| {
                let body = g.if_body();
                let value = g.expr(ty, 2);
                format!(" else {equals} {value} {body}")
            });
            text.push_str(&branch);
        }
        text
    }

    fn truth(&mut self, name: &str) -> (String, Kind) {
        let mut parts = Vec::new();
        if self.c.one_in(3) {
            parts.push(format!("default {name} {} false", self.equals()));
        }
        parts.extend(self.definitions(|g| format!("{name} {}", g.if_body())));
        (parts.join("\n\n"), Kind::Value(Ty::Bool))
    }

    fn partial_set(&mut self, name: &str) -> (String, Kind) {
        let ty = Ty::some(&mut self.c, 1);
        let parts = self.definitions(|g| {
            let body = g.if_body();
            let term = g.expr(&ty, 2);
            if g.dialect.heads {
                format!("{name} contains {term} {body}")
            } else {
                // In v0 a key that is a constant would be a reference of the head.
                let key = g.fresh("m");
                let body = key_bound(&body, &format!("{key} := {term}"));
                format!("{name}[{key}] {}", body.trim_start_matches("if "))
            }
        });
        (parts.join("\n\n"), Kind::Value(Ty::set(ty)))
    }

    fn partial_object(&mut self, name: &str) -> (String, Kind) {
        let ty = Ty::some(&mut self.c, 1);
        let parts = self.definitions(|g| {
            let body = g.if_body();
            let key = if g.c.one_in(3) { value::key(&mut g.c) } else { g.bound_key() };
            let term = g.expr(&ty, 2);
            let equals = g.equals();
            let body = key_bound(&body, &key);
            format!("{name}[{}] {equals} {term} {body}", key_name(&key))
        });
        (parts.join("\n\n"), Kind::Value(Ty::obj(Ty::Str, ty)))
    }

    /// A key that an expression of its own binds, written `name := term`; see [`key_bound`].
    fn bound_key(&mut self) -> String {
        let name = self.fresh("m");
        let term = self.expr(&Ty::Str, 1);
        format!("{name} := {term}")
    }

    /// Rules whose heads are references of more than one step.
    fn nested(&mut self, name: &str) -> (String, Kind) {
        if !self.dialect.heads {
            return self.partial_object(name);
        }
        let ty = Ty::some(&mut self.c, 0);
        let shape = self.c.below(5);
        let parts = self.definitions(|g| {
            let body = g.if_body();
            let term = g.expr(&ty, 1);
            let (one, two) = (g.bound_key(), g.c.text(&["a", "b", "c"]));
            let body = key_bound(&body, &one);
            let one = key_name(&one);
            match shape {
                0 => format!("{name}.{two} := {term} {body}"),
                1 => format!("{name}.{two}[{one}] := {term} {body}"),
                2 => format!("{name}[{one}].{two} := {term} {body}"),
                3 => format!("{name}[{one}].set contains {term} {body}"),
                _ => format!("{name}.{two}.deep.{two} := {term} {body}"),
            }
        });
        (parts.join("\n\n"), Kind::Value(Ty::obj(Ty::Str, Ty::Any)))
    }

    fn function_rule(&mut self, name: &str) -> (String, Kind) {
        let args: Vec<Ty> = (0..=self.c.below(3)).map(|_| Ty::some(&mut self.c, 1)).collect();
        let ty = Ty::some(&mut self.c, 1);
        let equals = self.equals();
        let mut parts = Vec::new();
        if self.c.one_in(5) {
            let any = vec!["_"; args.len()].join(", ");
            let constant = value::constant(&mut self.c, &ty, false, 1);
            parts.push(format!("default {name}({any}) {equals} {constant}"));
        }
        parts.extend(self.definitions(|g| {
            let patterns: Vec<String> = args.iter().map(|ty| g.pattern(ty)).collect();
            let (value, body) = g.scoped(|g| {
                let body = g.if_body();
                (g.expr(&ty, 2), body)
            });
            let chain = g.else_chain(&ty);
            format!("{name}({}) {equals} {value} {body}{chain}", patterns.join(", "))
        }));
        (parts.join("\n\n"), Kind::Function(args, ty))
    }

    /// A parameter: mostly a variable.
    fn pattern(&mut self, ty: &Ty) -> String {
        match (ty, self.c.below(7)) {
            (_, 6) => value::constant(&mut self.c, ty, false, 1),
            (_, 5) => "_".to_owned(),
            (Ty::Arr(of), 3 | 4) => {
                let (one, two) = (self.fresh("a"), self.fresh("a"));
                self.bind(&one, (**of).clone());
                self.bind(&two, (**of).clone());
                format!("[{one}, {two}]")
            }
            _ => {
                let name = self.fresh("a");
                self.bind(&name, ty.clone());
                name
            }
        }
    }
}

/// The body with the key's own expression behind it.
fn key_bound(body: &str, key: &str) -> String {
    match body.strip_suffix("\n}") {
        Some(open) if key.contains(":=") => format!("{open}\n\t{key}\n}}"),
        _ => body.to_owned(),
    }
}

/// The rule with `_` for each variable that is declared and not used, which OPA refuses.
fn without_unused(mut text: String) -> String {
    let words = |text: &str| -> Vec<String> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.split(|c| !is_word(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let all = words(&text);
    for word in &all {
        let is_declared =
            word.starts_with(['k', 'v']) && word.get(1..).is_some_and(|n| n.parse::<u32>().is_ok());
        if is_declared && all.iter().filter(|other| *other == word).count() == 1 {
            let at = text.match_indices(word.as_str()).map(|(at, _)| at).find(|at| {
                let behind = text.as_bytes().get(at + word.len());
                !behind.is_some_and(u8::is_ascii_alphanumeric)
            });
            if let Some(at) = at {
                text.replace_range(at..at + word.len(), "_");
            }
        }
    }
    text
}

fn key_name(key: &str) -> &str {
    key.split(" :=").next().unwrap_or(key)
}
