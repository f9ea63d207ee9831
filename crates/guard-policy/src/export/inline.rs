//! Writes the library functions that a module calls into the module itself.
//!
//! It works on text, not on a syntax tree, so that what is read is what was written. That relies on how
//! `rego/` is written: a definition begins at the left margin, definitions are parted by an empty line, and
//! no local variable has the name of a definition. The tests hold each export to `opa check --strict` and
//! `opa fmt`, and to the decisions of the module that it came from.

use std::collections::{BTreeMap, BTreeSet};

use crate::library::{PACKAGES, defined};
use crate::translate::text::token_length;

/// One definition of the library, renamed for its new home.
struct Item {
    name: String,
    text: String,
    calls: BTreeSet<String>,
}

/// The module with all it uses of the library, and without imports of it.
pub(super) fn stand_alone(module: &str) -> String {
    let (head, body) = module.split_once("\ndecision := ").unwrap_or((module, ""));
    let mut used = BTreeSet::new();
    let imports: Vec<&str> = PACKAGES.iter().map(|(name, _)| *name).collect();
    let body = rename(&format!("decision := {body}"), &BTreeMap::new(), &imports, &mut used);
    let mut out: String =
        head.lines().filter(|line| !line.starts_with("import ")).fold(String::new(), |mut text, line| {
            // The imports leave two empty lines behind.
            if !(line.is_empty() && text.ends_with("\n\n")) {
                text.push_str(line);
                text.push('\n');
            }
            text
        });
    out.push_str(&body);
    append(used, &mut out);
    out
}

/// Adds the definitions of the library that have these local names, with all that they call.
pub(super) fn append(used: BTreeSet<String>, out: &mut String) {
    let items: Vec<Item> = PACKAGES.iter().flat_map(|(name, text)| items(name, text)).collect();
    let needed = reachable(&items, used);
    for item in items.iter().filter(|item| needed.contains(&item.name)) {
        out.push('\n');
        out.push_str(&item.text);
    }
}

fn reachable(items: &[Item], roots: BTreeSet<String>) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let mut open: Vec<String> = roots.into_iter().collect();
    while let Some(name) = open.pop() {
        if needed.insert(name.clone()) {
            let called =
                items.iter().filter(|item| item.name == name).flat_map(|item| item.calls.iter().cloned());
            open.extend(called);
        }
    }
    needed
}

/// The definitions of one file of the library.
fn items(package: &str, text: &str) -> Vec<Item> {
    let imports: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("import data.hexarch.")).map(str::trim).collect();
    let blocks: Vec<&str> = text.split("\n\n").filter(|block| defined(block).is_some()).collect();
    let names: BTreeMap<&str, String> = blocks
        .iter()
        .filter_map(|block| defined(block))
        .map(|name| (name, local_name(package, name)))
        .collect();
    blocks
        .iter()
        .filter_map(|block| {
            let mut calls = BTreeSet::new();
            let text = rename(block.trim_end(), &names, &imports, &mut calls);
            let name = local_name(package, defined(block)?);
            calls.remove(&name);
            Some(Item { name, text: format!("{text}\n"), calls })
        })
        .collect()
}

pub(super) fn local_name(package: &str, name: &str) -> String {
    format!("_{package}_{}", name.trim_start_matches('_'))
}

/// The text with `package.name` of the imports, and the names of its own file, replaced; which ones is noted
/// in `used`. Strings and comments stay as they are.
fn rename(text: &str, own: &BTreeMap<&str, String>, imports: &[&str], used: &mut BTreeSet<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest, first);
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let member = out.ends_with('.');
        let replaced = match own.get(token) {
            Some(name) if !member => Some((name.clone(), after)),
            _ if !member && imports.contains(&token) => called(token, after),
            _ => None,
        };
        match replaced {
            Some((name, after)) => {
                out.push_str(&name);
                used.insert(name);
                rest = after;
            }
            None => {
                out.push_str(token);
                rest = after;
            }
        }
    }
    out
}

/// `.name` behind the package's name: the local name, and what follows.
fn called<'a>(package: &str, after: &'a str) -> Option<(String, &'a str)> {
    let member = after.strip_prefix('.')?;
    let end = member.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(member.len());
    let (name, after) = member.split_at_checked(end)?;
    Some((local_name(package, name), after))
}
