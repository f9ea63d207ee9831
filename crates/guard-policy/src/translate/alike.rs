//! Policies that differ in names and numbers only, as one module for all of them.
//!
//! A file of ten thousand policies is written by a program, and says few different things: the same rules for every
//! customer. Compiled one by one they take as long as ten thousand programs. So the texts of all policies are cut at
//! their literals; those with the same code between become one module, the form, in which a literal that differs is an
//! element of `_own`, what the policy that the call names has of its own.
//!
//! It is done with the text that is generated anyway, so that it holds for whatever a policy can say: putting a
//! policy's own literals back into its form gives that policy's text again, which the tests do.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::library::RegoModule;

use super::text::token_length;

/// From how many policies on a form is worth it. Few policies each have a module that can be read by itself.
pub(super) const WORTH_IT: usize = 64;

/// Stands for a literal in code.
const HOLE: char = '\u{1}';

/// A policy's module, without its head: the packages that it imports, and the statements.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) imports: Vec<&'static str>,
    pub(super) text: String,
}

/// Policies of one form.
pub(super) struct Form {
    name: String,
    imports: Vec<&'static str>,
    /// Code with holes.
    code: String,
    /// What fills each of them.
    fillings: Vec<Filling>,
    /// The place of each policy in the file, and what is its own, in the order of `_own`.
    members: Vec<(usize, Vec<String>)>,
}

enum Filling {
    /// The same literal for everybody.
    Same(String),
    /// An element of `_own`, from 0.
    Own(usize),
}

/// The forms of at least so many policies. What is in none of them stands alone; `None` always does.
pub(super) fn forms(bodies: &[Option<Body>], at_least: usize) -> Vec<Form> {
    let mut groups: Vec<Vec<(usize, Vec<&str>)>> = Vec::new();
    let mut by_code: HashMap<(String, &[&'static str]), usize> = HashMap::new();
    let mut codes = Vec::new();
    for (place, body) in bodies.iter().enumerate() {
        let Some(body) = body else { continue };
        let (code, literals) = cut(&body.text);
        let group = *by_code.entry((code, &body.imports)).or_insert_with_key(|(code, imports)| {
            codes.push((code.clone(), imports.to_vec()));
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(group) {
            group.push((place, literals));
        }
    }
    let worth = codes.into_iter().zip(groups).filter(|(_, members)| members.len() >= at_least);
    let numbered = worth.enumerate();
    numbered.map(|(number, ((code, imports), members))| form(number + 1, code, imports, &members)).collect()
}

fn form(number: usize, code: String, imports: Vec<&'static str>, members: &[(usize, Vec<&str>)]) -> Form {
    let mut own: Vec<(usize, Vec<String>)> = members.iter().map(|(place, _)| (*place, Vec::new())).collect();
    let mut known: HashMap<Vec<&str>, usize> = HashMap::new();
    let holes = members.first().map_or(0, |(_, literals)| literals.len());
    let mut fillings = Vec::with_capacity(holes);
    for hole in 0..holes {
        let column: Vec<&str> =
            members.iter().filter_map(|(_, literals)| literals.get(hole).copied()).collect();
        let first = column.first().copied().unwrap_or_default();
        // A policy by itself tells nothing about what others would have in common with it.
        if column.len() > 1 && column.iter().all(|literal| *literal == first) {
            fillings.push(Filling::Same(first.to_owned()));
            continue;
        }
        let fresh = known.len();
        let element = *known.entry(column).or_insert_with_key(|column| {
            for ((_, elements), literal) in own.iter_mut().zip(column) {
                elements.push((*literal).to_owned());
            }
            fresh
        });
        fillings.push(Filling::Own(element));
    }
    Form { name: format!("form_{number}"), imports, code, fillings, members: own }
}

impl Form {
    /// The places of its policies in the file.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.members.iter().map(|(place, _)| *place)
    }

    /// The module that decides for all of them.
    pub(super) fn module(&self) -> RegoModule {
        let Self { name, members, .. } = self;
        let mut text = format!(
            "# METADATA\n# description: Decides for {} policies, which differ in what `_own` holds only.\n\
             package guardrails.forms.{name}\n\nimport data.guardrails.alike\n",
            members.len()
        );
        for import in &self.imports {
            let _ = writeln!(text, "import data.hexarch.{import}");
        }
        text.push_str("\n_own := alike.policies[input.policy_id][1]\n\n");
        text.push_str(&self.filled(|element| format!("_own[{element}]")));
        RegoModule::new(format!("guardrails/forms/{name}.rego"), text)
    }

    fn filled(&self, own: impl Fn(usize) -> String) -> String {
        let mut text = String::with_capacity(self.code.len() * 2);
        let mut code = self.code.split(HOLE);
        text.push_str(code.next().unwrap_or_default());
        for (filling, code) in self.fillings.iter().zip(code) {
            match filling {
                Filling::Same(literal) => text.push_str(literal),
                Filling::Own(element) => text.push_str(&own(*element)),
            }
            text.push_str(code);
        }
        text
    }
}

/// The module that says for each policy of a form which it is, and what is its own.
pub(super) fn own_module(forms: &[Form], ids: &[&str]) -> RegoModule {
    let mut text = String::from(
        "# METADATA\n# description: |\n#   Policies that share a module: its name, and what the policy has of its own there.\n\
         package guardrails.alike\n\npolicies := {\n",
    );
    for form in forms {
        for (place, own) in &form.members {
            let id = super::quoted(ids.get(*place).copied().unwrap_or_default());
            let _ = writeln!(text, "\t{id}: [\"{}\", [{}]],", form.name, own.join(", "));
        }
    }
    text.push_str("}\n");
    RegoModule::new("guardrails/alike.rego", text)
}

/// Generated text without its comments, with a hole for each literal, and the literals.
fn cut(text: &str) -> (String, Vec<&str>) {
    let (mut code, mut literals) = (String::with_capacity(text.len()), Vec::new());
    for line in text.split_inclusive('\n').filter(|line| !line.starts_with('#')) {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let number = number(rest);
            let taken = if number > 0 { number } else { token_length(rest, first) };
            let (piece, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
            if number > 0 || first == '"' {
                code.push(HOLE);
                literals.push(piece);
            } else {
                code.push_str(piece);
            }
            rest = after;
        }
    }
    (code, literals)
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

    fn body(text: &str) -> Option<Body> {
        Some(Body { imports: vec!["decisions"], text: text.to_owned() })
    }

    /// The texts of a form's policies, with their literals put back.
    fn put_back(form: &Form) -> Vec<(usize, String)> {
        let text = |own: &[String]| form.filled(|element| own[element].clone());
        form.members.iter().map(|(place, own)| (*place, text(own))).collect()
    }

    #[test]
    fn a_text_is_cut_at_its_literals() {
        let (code, literals) =
            cut("# about \"x\"\nf1(\"a \\\"b\\\\\", -5, 0.25, 1e-6, x2) == input.r[3-1]\n");
        assert_eq!(code, "f1(\u{1}, \u{1}, \u{1}, \u{1}, x2) == input.r[\u{1}\u{1}]\n");
        assert_eq!(literals, ["\"a \\\"b\\\\\"", "-5", "0.25", "1e-6", "3", "-1"]);
    }

    #[test]
    fn what_is_put_back_gives_each_policys_own_text() {
        let texts = [
            "a := check(\"p\", 1, \"p\")\n",
            "b := 1\n",
            "a := check(\"q\", 1, \"q\")\n",
            "a := check(\"r\", 1, \"s\")\n",
        ];
        let forms = forms(&texts.map(body), 2);
        assert_eq!(forms.len(), 1);
        assert_eq!(
            forms[0].filled(|element| format!("_own[{element}]")),
            "a := check(_own[0], 1, _own[1])\n"
        );
        assert_eq!(put_back(&forms[0]), [0, 2, 3].map(|place| (place, texts[place].to_owned())));
    }

    #[test]
    fn what_has_other_imports_is_of_another_form() {
        let other = Some(Body { imports: vec!["calls"], text: "a := 1\n".to_owned() });
        assert!(forms(&[body("a := 1\n"), other, None], 2).is_empty());
    }
}
