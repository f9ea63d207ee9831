//! Names as policies have them.

/// How words are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// As they stand in Rust.
    #[default]
    AsIs,
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
}

impl Style {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "snake_case" => Self::Snake,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            _ => return None,
        })
    }

    /// The key of a field, whose name is in snake case.
    pub(crate) fn field(self, name: &str) -> String {
        let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
        if self == Self::AsIs { name.to_owned() } else { self.join(&words) }
    }

    /// The word for a variant, whose name is in Pascal case.
    pub(crate) fn variant(self, name: &str) -> String {
        let starts = name.char_indices().filter(|(_, letter)| letter.is_uppercase()).map(|(at, _)| at);
        let ends = starts.clone().skip(1).chain([name.len()]);
        let words: Vec<&str> = starts.zip(ends).filter_map(|(start, end)| name.get(start..end)).collect();
        if self == Self::AsIs { name.to_owned() } else { self.join(&words) }
    }

    fn join(self, words: &[&str]) -> String {
        let capital = |word: &str| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters.flat_map(char::to_lowercase)).collect::<String>()
        };
        let lower = |separator: &str| {
            words.iter().map(|word| word.to_lowercase()).collect::<Vec<_>>().join(separator)
        };
        match self {
            Self::AsIs | Self::Snake => lower("_"),
            Self::Lower => lower(""),
            Self::Upper => lower("").to_uppercase(),
            Self::Kebab => lower("-"),
            Self::ScreamingSnake => lower("_").to_uppercase(),
            Self::Pascal => words.iter().map(|word| capital(word)).collect(),
            Self::Camel => {
                let (first, rest) = words.split_first().map_or(("", words), |(first, rest)| (*first, rest));
                rest.iter().fold(first.to_lowercase(), |name, word| name + &capital(word))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Style;

    #[test]
    fn names_are_joined_in_every_style() {
        for (style, field, variant) in [
            ("lowercase", "sizeinbytes", "readonly"),
            ("UPPERCASE", "SIZEINBYTES", "READONLY"),
            ("PascalCase", "SizeInBytes", "ReadOnly"),
            ("camelCase", "sizeInBytes", "readOnly"),
            ("snake_case", "size_in_bytes", "read_only"),
            ("SCREAMING_SNAKE_CASE", "SIZE_IN_BYTES", "READ_ONLY"),
            ("kebab-case", "size-in-bytes", "read-only"),
        ] {
            let style = Style::named(style).unwrap();
            assert_eq!(style.field("size_in_bytes"), field);
            assert_eq!(style.variant("ReadOnly"), variant);
        }
        assert_eq!(Style::default().field("a_b"), "a_b");
        assert_eq!(Style::default().variant("ReadOnly"), "ReadOnly");
        assert_eq!(Style::named("Train-Case"), None);
    }
}
