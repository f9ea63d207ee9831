//! Tests with the same name are tests of their own: the second `test_p` becomes `test_p#01`.

use std::collections::BTreeMap;

use rego_syntax::ast::{Head, Name, Ref, Term};

use crate::stages::Compilation;
use crate::text;

/// What the name of a test begins with.
const TEST_PREFIX: &str = "test_";

/// Names all tests apart, if rules may be tests.
pub(crate) fn rewrite_test_names(c: &mut Compilation<'_>) {
    if !c.options.tests {
        return;
    }
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for module in &mut c.modules {
        for rule in &mut module.rules {
            let Some(name) = TestName::of(&rule.head) else { continue };
            let path = module.package.path.extended(name.steps(&rule.head));
            let count = known.entry(text::of_ref(&path)).or_default();
            if *count > 0 {
                name.rename(&mut rule.head, &format!("{}#{count:02}", name.name));
            }
            *count += 1;
        }
    }
}

/// The step of a head's reference that names a test.
pub(crate) struct TestName {
    name: Name,
    /// How many steps lead to it, itself included.
    pub(crate) length: usize,
}

impl TestName {
    /// The first step that begins as a test's name does, if the head has one before its steps begin to vary.
    pub(crate) fn of(head: &Head) -> Option<Self> {
        let ground = head.reference.ground_prefix();
        let named = |step: &Term| step.as_var().or_else(|| step.as_string()).cloned();
        ground.iter().enumerate().find_map(|(at, step)| {
            let name = named(step).filter(|name| name.starts_with(TEST_PREFIX))?;
            Some(Self { name, length: at + 1 })
        })
    }

    fn steps(&self, head: &Head) -> Vec<Term> {
        head.reference.iter().take(self.length).cloned().collect()
    }

    fn rename(&self, head: &mut Head, name: &str) {
        let at = self.length - 1;
        if let Some(step) = head.reference.get_mut(at) {
            let span = step.span;
            *step = if at == 0 { Term::var(name, span) } else { Term::string(name, span) };
        }
        if at == 0 && head.name == self.name {
            head.name = Name::new(name);
        }
    }
}

/// The steps behind the name of a test: what tells its cases apart.
pub(crate) fn case_of(head: &Head) -> Option<&[Term]> {
    let name = TestName::of(head)?;
    head.reference.get(name.length..).filter(|steps| !steps.is_empty())
}

/// The reference with the whole name; `None` where the head names no test.
#[must_use]
pub fn test_reference(head: &Head) -> Option<Ref> {
    let name = TestName::of(head)?;
    Some(Ref(name.steps(head)))
}
