//! What a policy in Rego must define, and what it may read.

use std::collections::HashMap;

use rego_syntax::ast::visit::{DESCEND, Node, SKIP, Walk};
use rego_syntax::ast::{Import, Module, Ref, Rule, Term, Value};

use crate::library::{PACKAGES, offered};
use crate::nearest::nearest;

use super::package;

/// Something that is wrong, and where: in bytes of the text.
pub(super) struct Found {
    pub(super) at: u32,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The names under which a module knows packages of the library.
pub(crate) struct Aliases<'a>(HashMap<&'a str, &'static str>);

impl<'a> Aliases<'a> {
    pub(crate) fn of(module: &'a Module) -> Self {
        let alias = |import: &'a Import| {
            let package = imported(import)?;
            Some((import.alias.as_ref().map_or(package, |alias| alias.as_str()), package))
        };
        Self(module.imports.iter().filter_map(alias).collect())
    }
}

/// The package of the library that an import is of.
pub(crate) fn imported(import: &Import) -> Option<&'static str> {
    let Value::Ref(path) = &import.path.value else { return None };
    match names(path).as_slice() {
        [Some("data"), Some("hexarch"), Some(name)] => known(name),
        _ => None,
    }
}

fn known(name: &str) -> Option<&'static str> {
    PACKAGES.iter().map(|(known, _)| *known).find(|known| *known == name)
}

/// The steps of a reference, those that are no names left open: a variable is one at the head alone.
fn names(reference: &Ref) -> Vec<Option<&str>> {
    let named = |(place, term): (usize, &'_ Term)| match (&term.value, place) {
        (Value::Var(_), 0) => true,
        (Value::String(_), place) => place > 0,
        _ => false,
    };
    let steps = reference.0.iter().enumerate();
    steps.map(|(place, term)| if named((place, term)) { text(term) } else { None }).collect()
}

fn text(term: &Term) -> Option<&str> {
    match &term.value {
        Value::String(text) | Value::Var(text) => Some(text.as_str()),
        _ => None,
    }
}

/// A reference to something of the library: its package, its name, and how many steps of the reference that is.
pub(crate) fn library_call<'r>(
    reference: &'r Ref,
    aliases: &Aliases<'_>,
) -> Option<(&'static str, &'r str, usize)> {
    match names(reference).as_slice() {
        [Some("data"), Some("hexarch"), Some(package), Some(name), ..] => Some((known(package)?, name, 4)),
        [Some(alias), Some(name), ..] => Some((aliases.0.get(alias).copied()?, name, 2)),
        _ => None,
    }
}

/// Everything that is wrong with the module of a policy.
pub(super) fn judge(module: &Module, id: &str) -> Vec<Found> {
    let mut judge = Judge { aliases: Aliases::of(module), id, found: Vec::new() };
    judge.package(module);
    for import in &module.imports {
        judge.import(import);
    }
    for rule in &module.rules {
        judge.rule(rule);
    }
    if !module.rules.iter().any(is_decision) {
        let at = module.package.span.start;
        let message = "there is no rule `decision`, so that no call would ever be decided".to_owned();
        let help = "such as `decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": \"…\"}`";
        judge.say(at, message, Some(help.to_owned()));
    }
    judge.found
}

fn is_decision(rule: &Rule) -> bool {
    let first = rule.head.reference.0.first().and_then(text);
    let set = rule.head.key.is_some() && rule.head.value.is_none();
    first == Some("decision") && rule.head.args.is_empty() && !set
}

struct Judge<'a> {
    aliases: Aliases<'a>,
    id: &'a str,
    found: Vec<Found>,
}

impl Judge<'_> {
    fn say(&mut self, at: u32, message: String, help: Option<String>) {
        self.found.push(Found { at, message, help });
    }

    fn package(&mut self, module: &Module) {
        let path = names(&module.package.path);
        if path != [Some("data"), Some("guardrails"), Some("policies"), Some(self.id)] {
            let message = format!("the policy `{}` is asked for in its own package", self.id);
            let help = format!("write `package {}`", package(self.id));
            self.say(module.package.span.start, message, Some(help));
        }
    }

    fn import(&mut self, import: &Import) {
        let Value::Ref(path) = &import.path.value else { return };
        match names(path).as_slice() {
            [Some("data"), Some("hexarch"), Some(package), _, ..] if known(package).is_some() => {
                let help = format!("import the package: `import data.hexarch.{package}`");
                self.say(
                    import.span.start,
                    "functions are not imported by themselves".to_owned(),
                    Some(help),
                );
            }
            [Some("data"), ..] if imported(import).is_none() => self.document(path, import.span.start),
            _ => {}
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let name = rule.head.reference.0.first().and_then(text).unwrap_or_default();
        let taken = |package: &&str| {
            name.strip_prefix('_').is_some_and(|name| name.starts_with(&format!("{package}_")))
        };
        if let Some(package) = PACKAGES.iter().map(|(package, _)| *package).find(taken) {
            let message = format!("`{name}` is what an export calls a function of the library's `{package}`");
            self.say(rule.span.start, message, Some("take another name".to_owned()));
        }
        if self.aliases.0.contains_key(name) {
            self.shadowed(name, rule.span.start);
        }
        rule.walk(&mut |node| match node {
            Node::Ref(reference) => self.reference(reference),
            Node::Term(Term { value: Value::Var(name), span })
                if self.aliases.0.contains_key(name.as_str()) =>
            {
                self.shadowed(name.as_str(), span.start);
                DESCEND
            }
            _ => DESCEND,
        });
    }

    fn shadowed(&mut self, name: &str, at: u32) {
        let message = format!("`{name}` is a package of the library here, and cannot be anything else");
        self.say(at, message, Some("take another name, or import the package `as` another one".to_owned()));
    }

    /// Judges a reference and the terms in it; its first term is no variable of the author's.
    fn reference(&mut self, reference: &Ref) -> bool {
        let at = reference.0.first().map_or(0, |head| head.span.start);
        let head = reference.0.first().and_then(text).unwrap_or_default();
        if head == "data" {
            self.document(reference, at);
        } else if self.aliases.0.contains_key(head) {
            self.offered(reference, at);
        }
        for step in reference.0.iter().skip(1) {
            step.walk(&mut |node| match node {
                Node::Ref(inner) => self.reference(inner),
                _ => DESCEND,
            });
        }
        SKIP
    }

    /// `data.…`: what is counted, the library, and the policy itself.
    fn document(&mut self, path: &Ref, at: u32) {
        match names(path).as_slice() {
            [Some("data"), Some("hexarch"), Some("state"), ..] => {}
            [Some("data"), Some("hexarch"), Some(package), _, ..] if known(package).is_some() => {
                self.offered(path, at);
            }
            [Some("data"), Some("guardrails"), Some("policies"), Some(id), ..] if *id == self.id => {}
            _ => {
                let message =
                    "a policy reads no such document: it would be undefined, or another policy's own"
                        .to_owned();
                let help = "there is `input`, `data.hexarch.state`, and the library, such as `data.hexarch.limits.check`";
                self.say(at, message, Some(help.to_owned()));
            }
        }
    }

    fn offered(&mut self, path: &Ref, at: u32) {
        let Some((package, name, _)) = library_call(path, &self.aliases) else {
            let message = "the library is called by the names of its functions".to_owned();
            self.say(at, message, Some("such as `limits.check({…})`".to_owned()));
            return;
        };
        let names = offered(package);
        if !names.contains(&name) {
            let message = format!("the library's `{package}` has no `{name}`");
            let help = match nearest(name, names.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it has `{}`", names.join("`, `")),
            };
            self.say(at, message, Some(help));
        }
    }
}
