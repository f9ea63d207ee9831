//! What a run prints, and whether it is what the list of known failures says.

use std::collections::BTreeMap;

use crate::known::Known;
use crate::workers::Verdict;

/// Passed and judged cases.
#[derive(Default, Clone, Copy)]
struct Count {
    passed: usize,
    total: usize,
}

/// A finished run beside the list of known failures.
pub(crate) struct Report<'a> {
    verdicts: &'a [Verdict],
    known: &'a Known,
    /// Cases that should pass and do not.
    fallen: Vec<&'a Verdict>,
    /// Cases that are on the list and pass.
    risen: Vec<&'a Verdict>,
    /// Names on the list that no case has.
    strays: Vec<&'a str>,
}

impl Verdict {
    /// The case's name across groups: `group/id`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.group, self.id)
    }
}

impl Count {
    fn add(&mut self, verdict: &Verdict) {
        self.total += 1;
        self.passed += usize::from(verdict.failure.is_none());
    }
}

impl<'a> Report<'a> {
    /// Holds the verdicts against the list; only a run of everything can tell that a listed name is a stray.
    pub(crate) fn new(verdicts: &'a [Verdict], known: &'a Known, is_whole: bool) -> Self {
        let is_known = |verdict: &Verdict| known.0.contains_key(&verdict.name());
        let fallen = verdicts.iter().filter(|v| v.failure.is_some() && !is_known(v)).collect();
        let risen = verdicts.iter().filter(|v| v.failure.is_none() && is_known(v)).collect();
        let names: std::collections::BTreeSet<String> = verdicts.iter().map(Verdict::name).collect();
        let strays =
            known.0.keys().filter(|name| is_whole && !names.contains(*name)).map(String::as_str).collect();
        Self { verdicts, known, fallen, risen, strays }
    }

    /// Whether exactly the listed cases failed.
    pub(crate) fn is_as_expected(&self) -> bool {
        self.fallen.is_empty() && self.risen.is_empty() && self.strays.is_empty()
    }

    /// Prints categories, groups, the total, and each surprise.
    pub(crate) fn print(&self, json: bool, verbose: bool) {
        let mut categories: BTreeMap<(&str, &str), Count> = BTreeMap::new();
        let mut groups: BTreeMap<&str, Count> = BTreeMap::new();
        let mut all = Count::default();
        for verdict in self.verdicts {
            let category = verdict.id.split('/').next().unwrap_or_default();
            categories.entry((verdict.group, category)).or_default().add(verdict);
            groups.entry(verdict.group).or_default().add(verdict);
            all.add(verdict);
        }
        for ((group, category), count) in &categories {
            println!("{group}/{category} {}/{}", count.passed, count.total);
        }
        for verdict in self.verdicts.iter().filter(|_| verbose) {
            if let Some(failure) = &verdict.failure {
                println!("FAILED {}: {failure}", verdict.name());
            }
        }
        self.print_surprises();
        for (group, count) in &groups {
            println!("group {group}: {}/{}", count.passed, count.total);
        }
        println!("conformance: {}/{} ({} known failures)", all.passed, all.total, self.known.0.len());
        if json {
            println!("{}", last_line(all, &groups));
        }
    }

    fn print_surprises(&self) {
        for verdict in &self.fallen {
            println!("FELL {}: {}", verdict.name(), verdict.failure.as_deref().unwrap_or_default());
        }
        for verdict in &self.risen {
            println!(
                "ROSE {}: passes, but is listed as a known failure; take it off the list",
                verdict.name()
            );
        }
        for name in &self.strays {
            println!("STRAY {name}: listed as a known failure, but there is no such case");
        }
    }
}

fn last_line(all: Count, groups: &BTreeMap<&str, Count>) -> serde_json::Value {
    let count = |count: Count| serde_json::json!({"passed": count.passed, "total": count.total});
    let groups: serde_json::Map<_, _> =
        groups.iter().map(|(name, c)| ((*name).to_owned(), count(*c))).collect();
    serde_json::json!({"passed": all.passed, "total": all.total, "groups": groups})
}
