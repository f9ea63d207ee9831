//! Compiled patterns, kept between evaluations: compiling one costs far more than matching it.

use std::collections::HashMap;

use regex::Regex;

/// As many as OPA keeps.
const CAPACITY: usize = 100;

/// Patterns by their text. When it is full it is emptied: a policy with more patterns than that gains
/// little from any order of eviction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns(HashMap<String, Regex>);

impl Patterns {
    pub(crate) fn get(&self, pattern: &str) -> Option<&Regex> {
        self.0.get(pattern)
    }

    pub(crate) fn insert(&mut self, pattern: &str, regex: Regex) {
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        self.0.insert(pattern.to_owned(), regex);
    }
}
