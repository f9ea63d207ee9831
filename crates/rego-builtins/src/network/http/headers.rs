//! Headers as lists of names and values.

/// The canonical form of a name: `content-type` is `Content-Type`. A name that is no token stays as it is.
pub(super) fn canonical(name: &str) -> String {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(token) {
        return name.to_owned();
    }
    let mut upper = true;
    let letter = |letter: char| {
        let changed = if upper { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        upper = letter == '-';
        changed
    };
    name.chars().map(letter).collect()
}

/// The first value of a header; empty when there is none.
pub(super) fn get<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value.as_str())
}

/// Gives a header one value; an empty one changes nothing.
pub(super) fn set(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    if !value.is_empty() {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.to_owned(), value.to_owned()));
    }
}

/// Replaces each header that has a newer value.
pub(super) fn replace(headers: &mut Vec<(String, String)>, newer: Vec<(String, String)>) {
    headers.retain(|(known, _)| !newer.iter().any(|(name, _)| name.eq_ignore_ascii_case(known)));
    headers.extend(newer);
}
