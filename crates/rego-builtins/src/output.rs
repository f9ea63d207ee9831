//! What an evaluation says beside its answers: the lines of `print`, and the cases that tests report.

use std::collections::BTreeSet;

use rego_value::Value;

/// How much is kept of what one evaluation says, in bytes of its text; what is beyond that is left out.
const LIMIT: usize = 8 << 20;

/// What one evaluation said beside its answers, in the order in which it said it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// One line for each call of `print`, and for each combination of its operands' values.
    pub prints: Vec<String>,
    /// The cases of tests, as `internal.test_case` reports them: arrays.
    pub cases: Vec<Value>,
    /// What was reached, in the words that the plan was made with; each is kept once.
    pub marks: BTreeSet<String>,
    /// Whether something was left out for want of room.
    pub cut: bool,
    size: usize,
}

impl Output {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.prints.is_empty() && self.cases.is_empty() && self.marks.is_empty()
    }

    /// Adds a line, if there is room.
    pub(crate) fn print(&mut self, line: String) {
        if self.has_room(line.len()) {
            self.prints.push(line);
        }
    }

    /// Adds a case, if there is room.
    pub(crate) fn case(&mut self, case: Value) {
        // Its text is not needed; a case is a few words.
        if self.has_room(64) {
            self.cases.push(case);
        }
    }

    /// Adds a mark, if it is new and there is room.
    pub(crate) fn mark(&mut self, text: &str) {
        if !self.marks.contains(text) && self.has_room(text.len()) {
            self.marks.insert(text.to_owned());
        }
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        self.size = self.size.saturating_add(bytes + 1);
        self.cut |= self.size > LIMIT;
        self.size <= LIMIT
    }
}
