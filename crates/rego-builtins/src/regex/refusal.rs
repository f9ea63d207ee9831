//! What is wrong with an expression, in Go's words as far as they are known.

/// Go's words, with the part at fault, for the error of Rust's parser, which was given `translated`.
pub(super) fn in_words(pattern: &str, translated: &str, error: &str) -> Option<String> {
    let problem = error.lines().last()?.strip_prefix("error: ")?;
    let whole = || format!("`{pattern}`");
    Some(match problem {
        "unclosed character class" => format!("missing closing ]: `{}`", unclosed_class(pattern)?),
        "unclosed group" => format!("missing closing ): {}", whole()),
        "unopened group" => format!("unexpected ): {}", whole()),
        "repetition operator missing expression" => {
            let operator: String = at_caret(translated, error)?.chars().take(1).collect();
            format!("missing argument to repetition operator: `{operator}`")
        }
        "incomplete escape sequence, reached end of pattern prematurely" => {
            "trailing backslash at end of expression: ``".to_owned()
        }
        "unrecognized escape sequence" => {
            let escape: String = at_caret(translated, error)?.chars().take(2).collect();
            format!("invalid escape sequence: `{escape}`")
        }
        _ => return None,
    })
}

/// The rest of the pattern from the bracket on that is not closed.
pub(super) fn unclosed_class(pattern: &str) -> Option<&str> {
    let mut chars = pattern.char_indices();
    let mut open = None;
    while let Some((at, c)) = chars.next() {
        match (c, open) {
            ('\\', _) => {
                chars.next();
            }
            ('[', None) => {
                open = Some(at);
                // A bracket at the very beginning of a class is a member of it.
                let inner = chars.as_str();
                let skipped = usize::from(inner.starts_with('^'));
                let skipped = skipped + usize::from(inner.get(skipped..)?.starts_with(']'));
                for _ in 0..skipped {
                    chars.next();
                }
            }
            (']', Some(_)) => open = None,
            _ => {}
        }
    }
    pattern.get(open?..)
}

/// The rest of the pattern from the place that the error points at. Patterns of several lines are shown otherwise.
fn at_caret<'a>(pattern: &'a str, error: &str) -> Option<&'a str> {
    const MARGIN: usize = 4;
    let column = error
        .lines()
        .find_map(|line| line.trim_end().strip_suffix('^').map(|line| line.trim_end_matches('^')))?;
    let column = column.chars().count().checked_sub(MARGIN)?;
    let (at, _) = pattern.char_indices().nth(column)?;
    pattern.get(at..)
}
