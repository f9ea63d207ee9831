//! A stable merge sort. The standard library's is faster on what is nearly sorted, and ten times the code.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Below this, elements are inserted one by one.
const RUN: usize = 8;

/// Sorts in place, equal elements in their order.
pub(crate) fn sort<T: Copy>(items: &mut Vec<T>, compare: fn(&T, &T) -> Ordering) {
    for run in items.chunks_mut(RUN) {
        insertion(run, compare);
    }
    let mut merged: Vec<T> = Vec::with_capacity(items.len());
    let mut width = RUN;
    while width < items.len() {
        merged.clear();
        for pair in items.chunks(width.saturating_mul(2)) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, &mut merged, compare);
        }
        core::mem::swap(items, &mut merged);
        width = width.saturating_mul(2);
    }
}

fn insertion<T: Copy>(run: &mut [T], compare: fn(&T, &T) -> Ordering) {
    for end in 1..run.len() {
        let mut at = end;
        while let Some([before, this]) = run.get(at.wrapping_sub(1)..=at) {
            if compare(before, this) != Ordering::Greater {
                break;
            }
            run.swap(at - 1, at);
            at -= 1;
        }
    }
}

fn merge<T: Copy>(mut left: &[T], mut right: &[T], merged: &mut Vec<T>, compare: fn(&T, &T) -> Ordering) {
    while let ([a, rest_left @ ..], [b, rest_right @ ..]) = (left, right) {
        if compare(a, b) == Ordering::Greater {
            merged.push(*b);
            right = rest_right;
        } else {
            merged.push(*a);
            left = rest_left;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_stably() {
        let mut seed = 1u32;
        for len in [0, 1, 2, 7, 8, 9, 16, 17, 100, 1000] {
            let mut items: Vec<(u32, usize)> = (0..len)
                .map(|at| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 27, at)
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort(&mut items, |(a, _), (b, _)| a.cmp(b));
            assert_eq!(items, expected);
        }
    }
}
