//! Lists of terms and of entries, with the author's line breaks.

use super::term::is_union;
use super::writer::{Loc, Misplaced, Writer, Written};
use crate::ast::Term;
use crate::ast::visit::walk_vars;

/// An element of an array, a set or arguments, or an entry of an object.
#[derive(Clone, Copy)]
enum Item<'t> {
    Term(&'t Term),
    Entry(&'t Term, &'t Term),
}

impl<'t> Item<'t> {
    fn first(self) -> &'t Term {
        match self {
            Self::Term(term) | Self::Entry(term, _) => term,
        }
    }

    fn has_generated_vars(self) -> bool {
        let mut found = false;
        let mut look = |term: &Term| walk_vars(term, &mut |name| found |= name.starts_with("__local"));
        match self {
            Self::Term(term) => look(term),
            Self::Entry(key, value) => {
                look(key);
                look(value);
            }
        }
        found
    }
}

impl Writer<'_> {
    /// Terms with commas between them. `opening` is the place of the whole, `closing` that of its last bracket.
    pub(super) fn write_list(
        &mut self,
        terms: &[Term],
        opening: Loc,
        closing: Loc,
        paren_unions: bool,
    ) -> Written {
        let items: Vec<Item<'_>> = terms.iter().map(Item::Term).collect();
        self.write_iterable(items, opening, closing, paren_unions)
    }

    pub(super) fn write_entries(&mut self, entries: &[(Term, Term)], opening: Loc, closing: Loc) -> Written {
        let items: Vec<Item<'_>> = entries.iter().map(|(key, value)| Item::Entry(key, value)).collect();
        self.write_iterable(items, opening, closing, true)
    }

    fn write_iterable(
        &mut self,
        mut items: Vec<Item<'_>>,
        opening: Loc,
        closing: Loc,
        paren_unions: bool,
    ) -> Written {
        let keep_order = items.iter().any(|item| item.has_generated_vars());
        if !keep_order {
            items.sort_by_key(|item| self.place(item.first().span));
        }
        let lines = if keep_order { vec![items] } else { self.lines(items, opening.row) };
        let mut is_multiline = lines.len() > 1;
        if let [only] = lines.as_slice() {
            if self.comments.iter().any(|c| c.row > opening.row && c.row < closing.row) {
                return Err(Misplaced);
            }
            is_multiline = only.first().is_some_and(|item| self.is_on_later_line(opening, item.first()));
        }
        if is_multiline {
            self.delay = true;
            self.end_line();
            self.up();
            self.start_line();
        }
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter().enumerate() {
            self.write_line_of(line, paren_unions)?;
            if index < last {
                self.write(",");
                self.end_line();
                self.start_line();
            }
        }
        if is_multiline {
            self.write(",");
            self.end_line();
            self.insert_comments(closing)?;
            self.down();
            self.start_line();
        }
        Ok(())
    }

    /// Whether a line break stands before the first element.
    fn is_on_later_line(&self, opening: Loc, first: &Term) -> bool {
        let text = self.text(opening);
        let first = self.text(self.term_loc(first));
        text.find(first)
            .and_then(|cut| text.get(..cut))
            .is_some_and(|before| before.find('\n').is_some_and(|at| at > 0))
    }

    /// Puts together what stands on one row.
    fn lines<'t>(&self, items: Vec<Item<'t>>, opening_row: i64) -> Vec<Vec<Item<'t>>> {
        let mut lines: Vec<Vec<Item<'t>>> = Vec::new();
        let mut last_row = opening_row;
        for item in items {
            let row = self.row(item.first().span);
            match lines.last_mut() {
                Some(line) if row <= last_row => line.push(item),
                _ => lines.push(vec![item]),
            }
            last_row = row;
        }
        if lines.is_empty() { vec![Vec::new()] } else { lines }
    }

    fn write_line_of(&mut self, items: &[Item<'_>], paren_unions: bool) -> Written {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.write(", ");
            }
            match *item {
                Item::Term(term) => self.write_list_element(term, paren_unions)?,
                Item::Entry(key, value) => {
                    self.write_maybe_parens(is_union(key), key)?;
                    self.write(": ");
                    self.write_maybe_parens(is_union(value), value)?;
                }
            }
        }
        Ok(())
    }
}
