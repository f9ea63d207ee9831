//! Which files and folders are left out: shell patterns over names, as Go's `filepath.Match` reads them.

/// Patterns for names that are left out.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    patterns: Vec<String>,
}

impl Ignore {
    /// These patterns: `*` is any text, `?` any character, `[a-z]` and `[^a]` one of some, `\` takes the next as it is.
    #[must_use]
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        Self { patterns: patterns.into_iter().collect() }
    }

    /// Whether the name of a file or folder is left out. What the caller named itself has depth 0 and never is.
    #[must_use]
    pub fn leaves_out(&self, name: &str, depth: usize) -> bool {
        depth > 0 && self.patterns.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether a pattern matches a whole text; a pattern that is not well formed matches nothing.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some(parts) = parse(pattern) else { return false };
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    // Where the last `*` stands, and how much it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (parts.get(part), text.get(at)) {
            (Some(Part::Any), _) => {
                star = Some((part, at));
                part += 1;
                continue;
            }
            (Some(one), Some(c)) if one.takes(*c) => {
                (at, part) = (at + 1, part + 1);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        match star {
            Some((from, taken)) if taken < text.len() => {
                star = Some((from, taken + 1));
                (at, part) = (taken + 1, from + 1);
            }
            _ => return false,
        }
    }
}

enum Part {
    /// `*`
    Any,
    /// `?`
    One,
    Char(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Part {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Char(own) => *own == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

fn parse(pattern: &str) -> Option<Vec<Part>> {
    let mut chars = pattern.chars().peekable();
    let mut parts = Vec::new();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Char(chars.next()?),
            '[' => class(&mut chars)?,
            c => Part::Char(c),
        });
    }
    Some(parts)
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Part> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match chars.next()? {
            ']' if !ranges.is_empty() => return Some(Part::Class { negated, ranges }),
            ']' | '-' => return None,
            '\\' => chars.next()?,
            c => c,
        };
        let mut high = low;
        if chars.next_if_eq(&'-').is_some() {
            high = match chars.next()? {
                ']' | '-' => return None,
                '\\' => chars.next()?,
                c => c,
            };
        }
        ranges.push((low, high));
    }
}

#[cfg(test)]
mod tests {
    use super::{Ignore, matches};

    #[test]
    fn patterns_match_as_go_has_them() {
        for (pattern, text, wanted) in [
            ("*.json", "a.json", true),
            ("*.json", "a.json.bak", false),
            (".*", ".git", true),
            (".*", "git", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("\\*", "*", true),
            ("[", "[", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_is_named_is_never_left_out() {
        let ignore = Ignore::new(["*".to_owned()]);
        assert!(!ignore.leaves_out("a", 0));
        assert!(ignore.leaves_out("a", 1));
    }
}
