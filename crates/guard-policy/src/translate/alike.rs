//! Many policies in one module, which they share by finding.
//!
//! A file of thousands of policies is written by a program, and says few different things of each customer. Compiled
//! one by one its policies take as long as thousands of programs. So the statements of all their findings are cut at
//! their literals; those with the same code between are one form, a function whose literals are the same for everybody
//! or an element of `own`, and a policy is the list of its findings: the number of the form, and what is its own there.
//!
//! It is done with the text that is generated anyway, so that it holds for whatever a finding can say: putting a
//! policy's own literals back into the forms gives its statements again, which the tests do.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::library::RegoModule;

use super::text::token_length;

/// From how many policies on a file shares them. Few policies each have a module that can be read by itself.
pub(super) const WORTH_IT: usize = 64;

/// Stands for a literal in code.
const HOLE: char = '\u{1}';

/// The findings of a policy, as statements of the module that it would have by itself.
pub(super) struct Member<'a> {
    pub(super) id: &'a str,
    /// The packages that the statements use.
    pub(super) imports: Vec<&'static str>,
    /// In their order: what stands behind `_findings[order] := `.
    pub(super) statements: Vec<String>,
}

/// What is known of one form: its code with holes, and what its findings have there.
struct Form<'a> {
    code: String,
    /// The literals of each of its findings.
    findings: Vec<Vec<&'a str>>,
}

/// What fills a hole.
#[derive(Debug, PartialEq)]
enum Filling<'a> {
    /// The same literal for everybody.
    Same(&'a str),
    /// An element of `own`.
    Own(usize),
}

/// The module that decides for all members: `decision`, of the policy that the call names, for `policies` has it.
pub(super) fn module(members: &[Member<'_>]) -> RegoModule {
    let imports: BTreeSet<&str> =
        members.iter().flat_map(|member| member.imports.iter().copied()).chain(["decisions"]).collect();
    let imports: String = imports.iter().map(|name| format!("import data.hexarch.{name}\n")).collect();
    let mut text = format!(
        "# METADATA
# title: Policies that share a module
# description: A policy is a list of findings, each the number of its form and what is the policy's own there.
package guardrails.alike

{imports}
# METADATA
# title: The decision of the policy that the call names
decision := decisions.decide(input.policy_id, _findings)

_findings[order] := _finding(own[0], own) if some order, own in policies[input.policy_id]
"
    );
    let (forms, places) = forms(members);
    let filled: Vec<Vec<Filling<'_>>> = forms.iter().map(Form::fillings).collect();
    for (number, (form, fillings)) in forms.iter().zip(&filled).enumerate() {
        let own = if fillings.iter().any(|filling| matches!(filling, Filling::Own(_))) { "own" } else { "_" };
        let _ = write!(text, "\n_finding({number}, {own}) := ");
        text.push_str(&put(&form.code, fillings, |element| format!("own[{element}]")));
    }
    text.push_str("\npolicies := {");
    for (member, findings) in members.iter().zip(places) {
        let _ = write!(text, "\n\t{}: [", super::quoted(member.id));
        for (place, (number, finding)) in findings.into_iter().enumerate() {
            let _ = write!(text, "{}[{number}", if place == 0 { "" } else { ", " });
            let (Some(form), Some(fillings)) = (forms.get(number), filled.get(number)) else { continue };
            let literals = form.findings.get(finding).map_or(&[][..], Vec::as_slice);
            own(fillings, literals).for_each(|literal| text.extend([", ", literal]));
            text.push(']');
        }
        text.push_str("],");
    }
    text.push_str("\n}\n");
    RegoModule::new("guardrails/alike.rego", text)
}

/// The forms, and of each member's findings the form's number and the finding's in it.
fn forms<'a>(members: &'a [Member<'_>]) -> (Vec<Form<'a>>, Vec<Vec<(usize, usize)>>) {
    let mut forms: Vec<Form<'a>> = Vec::new();
    let mut by_code: HashMap<String, usize> = HashMap::new();
    let mut place = |statement: &'a String| {
        let (code, literals) = cut(statement);
        let number = *by_code.entry(code).or_insert_with_key(|code| {
            forms.push(Form { code: code.clone(), findings: Vec::new() });
            forms.len() - 1
        });
        let findings = forms.get_mut(number).map(|form| &mut form.findings);
        let finding = findings.map_or(0, |findings| {
            findings.push(literals);
            findings.len() - 1
        });
        (number, finding)
    };
    let places = members.iter().map(|member| member.statements.iter().map(&mut place).collect()).collect();
    (forms, places)
}

impl<'a> Form<'a> {
    /// What fills each hole. Holes that every finding fills alike share an element; the first follows the form's number.
    fn fillings(&self) -> Vec<Filling<'a>> {
        let mut known: HashMap<Vec<&str>, usize> = HashMap::new();
        let holes = self.findings.first().map_or(0, Vec::len);
        let column = |hole| self.findings.iter().filter_map(|literals| literals.get(hole).copied()).collect();
        let filling = |column: Vec<&'a str>| match column.as_slice() {
            // A finding by itself tells nothing about what others would have in common with it.
            [first, more @ ..] if !more.is_empty() && more.iter().all(|literal| literal == first) => {
                Filling::Same(first)
            }
            _ => {
                let fresh = known.len() + 1;
                Filling::Own(*known.entry(column).or_insert(fresh))
            }
        };
        (0..holes).map(column).map(filling).collect()
    }
}

/// The literals that are a finding's own, in the order of the elements.
fn own<'a>(fillings: &[Filling<'_>], literals: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let mut last = 0;
    let fresh = fillings.iter().zip(literals).filter(move |(filling, _)| match filling {
        Filling::Own(element) if *element > last => {
            last = *element;
            true
        }
        _ => false,
    });
    fresh.map(|(_, literal)| *literal)
}

/// Code with its holes filled.
fn put(code: &str, fillings: &[Filling<'_>], own: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(code.len() * 2);
    let mut code = code.split(HOLE);
    text.push_str(code.next().unwrap_or_default());
    for (filling, code) in fillings.iter().zip(code) {
        match filling {
            Filling::Same(literal) => text.push_str(literal),
            Filling::Own(element) => text.push_str(&own(*element)),
        }
        text.push_str(code);
    }
    text
}

/// A generated statement with a hole for each literal, and the literals. A list or a set of literals is one, for
/// findings differ in how many there are; an object is not, for its keys tell what the finding is.
fn cut(statement: &str) -> (String, Vec<&str>) {
    let (mut code, mut literals) = (String::with_capacity(statement.len()), Vec::new());
    // From `copied` to `at` the statement is code.
    let (mut copied, mut at) = (0, 0);
    let code_of = |from: usize, to: usize| statement.get(from..to).unwrap_or_default();
    // Whether a bracket would go on with what stands before it.
    let mut reference = false;
    while let Some(rest) = statement.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        let literal = match first {
            '[' | '{' if reference || keys(rest) => None,
            '[' | '{' | '"' | '-' | '0'..='9' => {
                ground(rest).filter(|end| !rest.get(*end..).unwrap_or_default().starts_with(':'))
            }
            _ => None,
        };
        reference = false;
        if let Some(length) = literal {
            code.push_str(code_of(copied, at));
            code.push(HOLE);
            literals.push(code_of(at, at + length));
            at += length;
            copied = at;
        } else {
            let length = token_length(rest, first);
            at += length;
            reference =
                code_of(0, at).ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ']' | ')'));
        }
    }
    code.push_str(code_of(copied, at));
    (code, literals)
}

/// Whether an object begins here; one without members does as well.
fn keys(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('{').map(str::trim_start) else { return false };
    let end = ground(inside).unwrap_or(0);
    inside.starts_with('}') || inside.get(end..).unwrap_or_default().starts_with(':')
}

/// The bytes of the value at the beginning that is spelled without variables; `None` where none begins.
fn ground(text: &str) -> Option<usize> {
    match text.chars().next()? {
        first @ '"' => Some(token_length(text, first)),
        '[' => items(text, ']'),
        '{' => items(text, '}'),
        _ => Some(number(text)).filter(|length| *length > 0),
    }
}

/// The bytes of a list, a set or an object of values without variables.
fn items(text: &str, close: char) -> Option<usize> {
    let mut rest = text.get(1..)?;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', ',', ':']);
        if let Some(after) = rest.strip_prefix(close) {
            return Some(text.len() - after.len());
        }
        rest = rest.get(ground(rest)?..)?;
    }
}

/// The bytes of the number at the beginning, with its sign; none where no number begins.
fn number(text: &str) -> usize {
    let digits = text.trim_start_matches('-');
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    let more = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
    let mut end = text.len() - digits.len();
    let mut before = ' ';
    for c in digits.chars() {
        // A sign belongs to an exponent.
        if !more(c) || (matches!(c, '+' | '-') && !matches!(before, 'e' | 'E')) {
            break;
        }
        (before, end) = (c, end + c.len_utf8());
    }
    end
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    fn member<'a>(id: &'a str, statements: &[&str]) -> Member<'a> {
        let statements = statements.iter().map(|text| (*text).to_owned()).collect();
        Member { id, imports: vec!["calls"], statements }
    }

    #[test]
    fn a_statement_is_cut_at_its_literals() {
        let (code, literals) = cut("f1(\"a \\\"b\\\\\", -5, 0.25, 1e-6, x2) == input.r[3-1]\n");
        assert_eq!(code, "f1(\u{1}, \u{1}, \u{1}, \u{1}, x2) == input.r[\u{1}\u{1}]\n");
        assert_eq!(literals, ["\"a \\\"b\\\\\"", "-5", "0.25", "1e-6", "3", "-1"]);
    }

    #[test]
    fn a_list_is_one_literal_and_keys_are_code() {
        let (code, literals) = cut(
            "f({\"a\": [1, {\"b\": \"c\"}], \"d\": {}}) if input.x in {\n\t\"e\",\n\t[],\n} with y as [z, 1]",
        );
        let expected = "f({\"a\": \u{1}, \"d\": {}}) if input.x in \u{1} with y as [z, \u{1}]";
        assert_eq!(code, expected);
        assert_eq!(literals, ["[1, {\"b\": \"c\"}]", "{\n\t\"e\",\n\t[],\n}", "1"]);
    }

    #[test]
    fn what_is_put_back_gives_each_findings_own_statement() {
        let members = [
            member("a", &["check(\"p\", 1, \"p\")", "b(1)"]),
            member("b", &[]),
            member("c", &["check(\"q\", 1, \"q\")", "check(\"r\", 1, \"s\")", "b([])"]),
        ];
        let (forms, places) = forms(&members);
        assert_eq!(places, [vec![(0, 0), (1, 0)], vec![], vec![(0, 1), (0, 2), (1, 1)]]);
        for (member, findings) in members.iter().zip(places) {
            for (statement, (number, finding)) in member.statements.iter().zip(findings) {
                let fillings = forms[number].fillings();
                let own: Vec<&str> = own(&fillings, &forms[number].findings[finding]).collect();
                assert_eq!(
                    put(&forms[number].code, &fillings, |element| own[element - 1].to_owned()),
                    *statement
                );
            }
        }
    }

    #[test]
    fn what_all_findings_of_a_form_say_is_in_its_code() {
        let text = module(&[member("a", &["f(\"p\", 1, \"p\")"]), member("b", &["f(\"q\", 1, \"q\")", "g"])]);
        let code = "_finding(0, own) := f(own[1], 1, own[1])\n_finding(1, _) := g\n\
                    policies := {\n\t\"a\": [[0, \"p\"]],\n\t\"b\": [[0, \"q\"], [1]],\n}\n";
        assert!(text.text().replace("\n\n", "\n").ends_with(code), "{}", text.text());
    }
}
