//! Paths as keys of ordered maps: what is at or below a path is one range.

use std::collections::BTreeMap;

/// A path as bytes: each step with its length before it, so that one path begins with another exactly where it leads
/// below it.
pub(crate) type PathKey = Vec<u8>;

/// The key of a path.
pub(crate) fn key<S: AsRef<str>>(path: &[S]) -> PathKey {
    let mut key = Vec::with_capacity(path.iter().map(|step| step.as_ref().len() + 8).sum());
    for step in path {
        let step = step.as_ref();
        key.extend((step.len() as u64).to_le_bytes());
        key.extend(step.as_bytes());
    }
    key
}

/// The keys of a map that are at or below a path.
pub(crate) fn below<V>(map: &BTreeMap<PathKey, V>, path: &PathKey) -> Vec<PathKey> {
    let range = map.range::<PathKey, _>(path..);
    range.map(|(key, _)| key).take_while(|key| key.starts_with(path)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_path_is_one_range() {
        let paths: [&[&str]; 6] = [&["a"], &["a", "b"], &["a", "bc"], &["ab"], &["a", "b", "c"], &["b"]];
        let map: BTreeMap<_, _> = paths.iter().map(|path| (key(path), *path)).collect();
        let found = |path: &[&str]| {
            let mut found: Vec<_> = below(&map, &key(path)).iter().map(|key| map[key].join("/")).collect();
            found.sort();
            found
        };
        assert_eq!(found(&["a"]), ["a", "a/b", "a/b/c", "a/bc"]);
        assert_eq!(found(&["a", "b"]), ["a/b", "a/b/c"]);
        assert_eq!(found(&["c"]), [""; 0]);
        assert_eq!(found(&[]).len(), 6);
    }
}
