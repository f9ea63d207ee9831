//! What the cases of a group cost together, in instructions of WebAssembly: slower code shows here whatever the machine
//! does beside. The totals are recorded (`instructions.txt`), and a whole run must come close to them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::workers::Verdict;

/// How far a total may be from the recorded one, in percent.
const TOLERANCE: u64 = 2;

const HEADER: &str = "# Instructions of WebAssembly that the cases of each group take together.\n\
                      # Recorded anew, also where they take fewer: `cargo xtask conformance --update-known`.\n";

/// The totals of groups.
pub(crate) struct Cost(BTreeMap<String, u64>);

impl Cost {
    /// What a run took.
    pub(crate) fn of(verdicts: &[Verdict]) -> Self {
        let mut totals = BTreeMap::new();
        for verdict in verdicts.iter().filter(|verdict| verdict.instructions > 0) {
            *totals.entry(verdict.group.to_owned()).or_default() += verdict.instructions;
        }
        Self(totals)
    }

    /// Reads what is recorded.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        let total = |(number, line): (usize, &str)| {
            let total = line.split_once(' ').and_then(|(group, count)| Some((group, count.parse().ok()?)));
            let (group, count) =
                total.ok_or_else(|| format!("{}:{}: wants `group count`", path.display(), number + 1))?;
            Ok((group.to_owned(), count))
        };
        lines.map(total).collect::<Result<_, String>>().map(Self)
    }

    /// Records it.
    pub(crate) fn write(&self, path: &Path) -> Result<(), String> {
        let mut text = HEADER.to_owned();
        for (group, count) in &self.0 {
            // INVARIANT: writing to a String does not fail.
            let _ = writeln!(text, "{group} {count}");
        }
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The groups whose total is not what is recorded, in words.
    pub(crate) fn surprises(&self, recorded: &Self) -> Vec<String> {
        let groups: std::collections::BTreeSet<&String> = self.0.keys().chain(recorded.0.keys()).collect();
        let of = |cost: &Self, group: &String| cost.0.get(group).copied().unwrap_or_default();
        let far = |group: &&String| {
            let (now, before) = (of(self, group), of(recorded, group));
            now.abs_diff(before).saturating_mul(100) > before.saturating_mul(TOLERANCE)
        };
        let told = |group: &String| {
            format!("group {group}: {} instructions, recorded are {}", of(self, group), of(recorded, group))
        };
        groups.into_iter().filter(far).map(told).collect()
    }
}
