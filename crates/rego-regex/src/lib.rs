//! Go's regular expressions, as OPA matches them: the parser, with Go's errors; programs; and searches whose time is
//! proportional to the text's length.
//!
//! **Job.** The same expressions are matched in three places: inside a module, where neither Rust's `regex` nor its tables
//! fit; at the time of compiling, when an expression is constant; and on the host. This crate reads them for all three.
//! [`Expression::rust`] writes an expression for the crate `regex`, which is what the host uses; [`Expression::program`]
//! and [`Expression::table`] are for modules.
//!
//! **Invariant.** No recursion and no backtracking: parsing, compiling and matching end, in time proportional to the
//! expression (with its counts written out) times the text. Expressions that Go refuses are refused in Go's words.
//!
//! **How a module matches.** A constant expression becomes a [`Table`] when the policy is compiled: a look-up for each
//! character, and no code in the module but the loop around it. Where that would be larger than 48 KiB, and where groups
//! are asked for, it becomes a [`Program`], for a search of a few kilobytes. Only an expression that is not known before
//! it is evaluated needs the parser (some 75 kilobytes) and Unicode's tables, which the linker leaves out otherwise.
//!
//! **What must be true, and how it is shown.** `tests/` compares parser, program and table with each other and with the
//! crate `regex` on generated expressions; the differential tests of `rego-runtime` and `rego-builtins` compare errors
//! and matches with the real OPA.
#![no_std]

extern crate alloc;

mod class;
mod error;
mod parse;
mod program;
mod rust;
mod search;
mod table;
mod tree;
mod unicode;

use alloc::string::String;
use alloc::vec::Vec;

pub use error::SyntaxError;
pub use program::Program;
pub use table::Table;

use search::{NOWHERE, Search};

/// An expression that Go accepts.
#[derive(Debug)]
pub struct Expression {
    tree: tree::Tree,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What Go finds wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, SyntaxError> {
        parse::parse(pattern).map(|tree| Self { tree })
    }

    /// The same expression for the crate `regex`.
    #[must_use]
    pub fn rust(&self) -> String {
        rust::rust(&self.tree)
    }

    /// The program of the expression, for [`Program::new`].
    #[must_use]
    pub fn program(&self) -> Vec<u8> {
        program::compile(&self.tree)
    }

    /// The automaton of the expression, for [`Table::new`]; `None` where it would be larger than is good for a module.
    #[must_use]
    pub fn table(&self) -> Option<Vec<u8>> {
        table::build(Program::new(&self.program()))
    }
}

impl Program<'_> {
    /// The automaton, for [`Table::new`]; `None` where it would be larger than is good for a module.
    #[must_use]
    pub fn table(self) -> Option<Vec<u8>> {
        table::build(self)
    }

    /// Whether a text has a match anywhere.
    #[must_use]
    pub fn is_match(self, text: &str) -> bool {
        Search::new(self, text, true).find(0).is_some()
    }

    /// All matches that do not overlap, at most `limit`, as Go's `FindAllStringSubmatch` gives them: the texts of the
    /// whole match and of each group, the empty text for a group that took no part. `found` is given each match's.
    pub fn find_all<'t>(self, text: &'t str, limit: usize, mut found: impl FnMut(Vec<&'t str>)) {
        let mut search = Search::new(self, text, false);
        let (mut at, mut last_end, mut count) = (0, None, 0);
        while count < limit && at <= text.len() {
            let Some(slots) = search.find(at) else { return };
            let (Some(&begin), Some(&end)) = (slots.first(), slots.get(1)) else { return };
            let (begin, end) = (begin as usize, end as usize);
            // An empty match where the last one ended is none; and after any empty match the search goes on behind the
            // next character.
            let accepted = end != at || last_end != Some(begin);
            if end == at {
                let width = text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
                at += width;
            } else {
                at = end;
            }
            last_end = Some(end);
            if accepted {
                count += 1;
                let groups = slots.chunks(2).map(|group| match group {
                    [begin, end] if *begin != NOWHERE && *end != NOWHERE => {
                        text.get(*begin as usize..*end as usize).unwrap_or_default()
                    }
                    _ => "",
                });
                found(groups.collect());
            }
        }
    }
}
