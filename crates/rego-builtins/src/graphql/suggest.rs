//! "Did you mean": names that are nearly the one that was written.

/// `prefix "a", "b", or "c"?` with a space before it, or nothing when no option is near.
pub(super) fn suggestion<'a>(
    prefix: &str,
    written: &str,
    options: impl IntoIterator<Item = &'a str>,
    quoted: bool,
) -> String {
    let near = nearest(written, options);
    if near.is_empty() {
        return String::new();
    }
    let list = if quoted { quoted_list(&near) } else { or_list(&near) };
    format!(" {prefix} {list}?")
}

/// `"a", "b", or "c"`
pub(super) fn quoted_list<T: AsRef<str>>(items: &[T]) -> String {
    or_list(&items.iter().map(|item| format!("\"{}\"", item.as_ref())).collect::<Vec<_>>())
}

/// `a, b, or c`, of the first five.
fn or_list<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().take(5).map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} or {other}"),
        [most @ .., last] => format!("{}, or {last}", most.join(", ")),
    }
}

/// The options within two fifths of the length, nearest first.
pub(super) fn nearest<'a>(written: &str, options: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let most = written.len() * 2 / 5 + 1;
    let mut near: Vec<(usize, &str)> =
        options.into_iter().filter_map(|option| Some((distance(written, option, most)?, option))).collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().map(|(_, option)| option).collect()
}

/// Levenshtein's distance without case, unless it is more than `most`; a difference of case alone counts one.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a == b {
        return Some(0);
    }
    let (a, b): (Vec<char>, Vec<char>) =
        (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    if a == b {
        return Some(1);
    }
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for ((to, above), diagonal) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(from != to)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().filter(|found| *found <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(nearest("nmae", ["name", "id", "Nmae"]), ["Nmae", "name"]);
        assert_eq!(suggestion("Did you mean", "nmae", ["name"], true), " Did you mean \"name\"?");
        assert_eq!(or_list(&["a", "b", "c"]), "a, b, or c");
        assert_eq!(distance("kitten", "sitting", 9), Some(3));
    }
}
