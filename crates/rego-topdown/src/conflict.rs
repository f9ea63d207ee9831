//! Rules that disagree: all of their values.

use rego_syntax::{SourceMap, Span};

use crate::error::Failure;
use crate::stack::shortened;
use crate::term::T;

/// The values that a document, or a function for the same arguments, was given.
#[derive(Default)]
pub(crate) struct Conflicts {
    found: Vec<(Span, T)>,
    more: bool,
}

const MOST: usize = 10;

impl Conflicts {
    /// Notes a value. `None`: the rule may go on; otherwise whether all ends here.
    pub(crate) fn add(&mut self, span: Span, value: T) -> Option<bool> {
        if self.found.first().is_some_and(|(_, first)| *first == value) {
            return None;
        }
        if self.found.len() == MOST {
            self.more = true;
            return Some(true);
        }
        self.found.push((span, value));
        (self.found.len() > 1).then_some(false)
    }

    /// The error with the values.
    pub(crate) fn explain(mut self, failure: Failure, sources: &SourceMap) -> Failure {
        if self.found.len() < 2 {
            return failure;
        }
        self.found.sort_by_key(|(span, _)| (span.file, span.start));
        let mut message = format!("{}:", failure.message);
        for (span, value) in &self.found {
            let place = sources.locate(*span).map(|(file, at)| format!("{file}:{}", at.row));
            let place = place.unwrap_or_else(|| "<unknown>".to_owned());
            message.push_str(&format!("\n  {} at {place}", shortened(&value.to_string())));
        }
        if self.more {
            message.push_str("\n  ...");
        }
        Failure { message, ..failure }
    }
}
