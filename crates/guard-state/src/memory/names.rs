//! Names that many cells share, kept once.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;

/// A name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(u32);

/// Names and how many cells have each.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_text: HashMap<Arc<str>, Name, RandomState>,
    /// `None` where the name is free to be another's.
    texts: Vec<Option<(Arc<str>, u32)>>,
    free: Vec<Name>,
}

impl Names {
    /// The text; empty for a name that nobody has.
    pub(super) fn text(&self, Name(name): Name) -> &str {
        let kept = usize::try_from(name).ok().and_then(|name| self.texts.get(name)?.as_ref());
        kept.map_or("", |(text, _)| text)
    }

    fn kept(&mut self, Name(name): Name) -> Option<&mut Option<(Arc<str>, u32)>> {
        self.texts.get_mut(usize::try_from(name).ok()?)
    }

    /// The name of a text, for one more cell.
    pub(super) fn intern(&mut self, text: &str) -> Name {
        if let Some(name) = self.by_text.get(text).copied() {
            if let Some(Some((_, cells))) = self.kept(name) {
                *cells += 1;
            }
            return name;
        }
        let name = self.free.pop().unwrap_or_else(|| {
            self.texts.push(None);
            Name(u32::try_from(self.texts.len() - 1).unwrap_or(u32::MAX))
        });
        let text: Arc<str> = text.into();
        if let Some(kept) = self.kept(name) {
            *kept = Some((Arc::clone(&text), 1));
        }
        self.by_text.insert(text, name);
        name
    }

    /// One cell less has the name.
    pub(super) fn release(&mut self, name: Name) {
        let Some(kept) = self.kept(name) else { return };
        if let Some((_, cells)) = kept {
            *cells -= 1;
            if *cells > 0 {
                return;
            }
        }
        if let Some((text, _)) = kept.take() {
            self.by_text.remove(&text);
            self.free.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lives_as_long_as_a_cell_has_it() {
        let mut names = Names::default();
        let (one, again) = (names.intern("a"), names.intern("a"));
        assert_eq!(one, again);
        names.release(one);
        assert_eq!(names.text(one), "a");
        names.release(one);
        assert_eq!(names.text(one), "");
        assert_eq!(names.intern("b"), one);
        assert_ne!(names.intern("a"), one);
    }
}
