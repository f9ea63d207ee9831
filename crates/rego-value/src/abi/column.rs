//! What an array of objects is searched by: `some grant in grants; grant.action == input.action; grant.type == …`.
//!
//! A module that searches arrays of its data by some members names them as a [`Column`]. Where all elements of an array
//! have these members, their hashes lie behind the array's items, mixed into one word for each element, so that the
//! elements that differ are passed over without being looked at. A column of no members is one of the elements themselves,
//! where these are strings and numbers: `name in names`.

use super::{Strings, hash_value};
use crate::Value;
use alloc::vec::Vec;

/// The words behind the last one of a column: four can be read from there.
pub const COLUMN_PADDING: usize = 4;

/// The members that arrays are searched by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Their keys, in the order in which their hashes are mixed; none for a column of strings and numbers.
    pub keys: Vec<Value>,
}

/// What a module has and asks for already when values are laid out for it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Its constant strings.
    pub strings: Strings,
    /// What it searches arrays by; a number of a column is a position.
    pub columns: Vec<Column>,
}

/// The mixture of one hash more; the first one is mixed with 0.
#[must_use]
pub const fn mix(mixture: u32, hash: u32) -> u32 {
    mixture.rotate_left(5) ^ hash
}

/// What stands behind the items of an array: the column of most members that all of its elements have, the first of
/// several.
#[must_use]
pub fn column(items: &[Value], columns: &[Column]) -> Option<Vec<u32>> {
    let first = items.first()?;
    let mut candidates: Vec<(u32, &Column)> =
        (0..).zip(columns).filter(|(_, column)| word(first, column).is_some()).collect();
    candidates.sort_by_key(|(_, column)| core::cmp::Reverse(column.keys.len()));
    candidates.into_iter().find_map(|(number, column)| {
        let mut words = Vec::with_capacity(1 + items.len() + COLUMN_PADDING);
        words.push(number);
        for item in items {
            words.push(word(item, column)?);
        }
        words.extend([0; COLUMN_PADDING]);
        Some(words)
    })
}

fn word(item: &Value, column: &Column) -> Option<u32> {
    if column.keys.is_empty() {
        return matches!(item, Value::String(_) | Value::Number(_)).then(|| hash_value(item));
    }
    let Value::Object(members) = item else { return None };
    column.keys.iter().try_fold(0, |mixture, key| Some(mix(mixture, hash_value(members.get(key)?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::hash_string;
    use crate::json;

    fn items(text: &str) -> Vec<Value> {
        match json::parse(text.as_bytes()) {
            Ok(Value::Array(items)) => items.to_vec(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_column_of_most_members_is_laid_out() {
        let column_of = |keys: &[&str]| Column { keys: keys.iter().map(|key| Value::from(*key)).collect() };
        let columns = [column_of(&["a"]), column_of(&["a", "b"]), column_of(&["b", "a"])];
        let hash = |text: &str| hash_string(text.as_bytes());
        let both = column(&items(r#"[{"a": "x", "b": "y"}, {"a": "y", "b": "x", "c": 1}]"#), &columns);
        let mixed = [mix(mix(0, hash("x")), hash("y")), mix(mix(0, hash("y")), hash("x"))];
        assert_eq!(both, Some(alloc::vec![1, mixed[0], mixed[1], 0, 0, 0, 0]));
        let one = column(&items(r#"[{"a": "x", "b": "y"}, {"a": "y"}]"#), &columns);
        assert_eq!(one, Some(alloc::vec![0, mix(0, hash("x")), mix(0, hash("y")), 0, 0, 0, 0]));
        for none in ["[]", r#"[{"b": 1}]"#, r#"[{"a": 1}, 2]"#, r#"[[{"a": 1}]]"#] {
            assert_eq!(column(&items(none), &columns), None, "{none}");
        }
    }

    #[test]
    fn strings_and_numbers_are_a_column_of_their_own() {
        let columns = [Column { keys: alloc::vec![Value::from("a")] }, Column::default()];
        let hash = |text: &str| hash_string(text.as_bytes());
        let found = column(&items(r#"["x", 1.0, "y"]"#), &columns);
        assert_eq!(found, Some(alloc::vec![1, hash("x"), crate::abi::hash_int(1), hash("y"), 0, 0, 0, 0]));
        assert_eq!(column(&items(r#"["x", null]"#), &columns), None);
        assert_eq!(column(&items(r#"[["x"]]"#), &columns), None);
        let members = column(&items(r#"[{"a": "x"}]"#), &columns);
        assert_eq!(members, Some(alloc::vec![0, mix(0, hash("x")), 0, 0, 0, 0]));
    }
}
