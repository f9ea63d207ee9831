//! Responses that outlive the evaluation that asked for them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rego_value::Value;

use super::HttpResponse;

/// A response that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) response: HttpResponse,
    /// The time from which it has to be asked for again, in nanoseconds since 1970-01-01 UTC.
    pub(super) expires_ns: i128,
}

/// Responses by request, bounded in size. Shared by all instances that are given it.
#[derive(Debug)]
pub struct ResponseCache {
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    kept: HashMap<Value, Entry>,
    /// The requests, those that were kept first in front, each with the number of its entry.
    order: VecDeque<(u64, Value)>,
    bytes: usize,
    last: u64,
}

#[derive(Debug)]
struct Entry {
    kept: Kept,
    bytes: usize,
    number: u64,
}

/// What an entry takes beside its texts: the maps' own words, roughly.
const OVERHEAD: usize = 256;

impl ResponseCache {
    /// A cache for responses of so many bytes together, headers and requests included.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, entries: Mutex::default() }
    }

    /// Forgets all responses.
    pub fn clear(&self) {
        *self.lock() = Entries::default();
    }

    /// The number of responses.
    pub fn len(&self) -> usize {
        self.lock().kept.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get(&self, key: &Value) -> Option<Kept> {
        self.lock().kept.get(key).map(|entry| entry.kept.clone())
    }

    pub(super) fn remove(&self, key: &Value) {
        self.lock().remove(key);
    }

    /// Keeps a response. The oldest ones make room; one that is larger than all the room is not kept.
    pub(super) fn insert(&self, key: Value, kept: Kept) {
        let headers: usize = kept.response.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let bytes = OVERHEAD + key.to_string().len() + headers + kept.response.body.len();
        let mut entries = self.lock();
        entries.remove(&key);
        if bytes > self.capacity {
            return;
        }
        while entries.bytes + bytes > self.capacity && entries.drop_oldest() {}
        entries.last += 1;
        let number = entries.last;
        entries.bytes += bytes;
        entries.order.push_back((number, key.clone()));
        entries.kept.insert(key, Entry { kept, bytes, number });
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn remove(&mut self, key: &Value) {
        if let Some(entry) = self.kept.remove(key) {
            self.bytes -= entry.bytes;
            // Its place in the order stays behind, with a number that no entry has; there are never many of them.
            if self.order.len() > 2 * self.kept.len() + 64 {
                let kept = &self.kept;
                self.order.retain(|(number, key)| kept.get(key).is_some_and(|entry| entry.number == *number));
            }
        }
    }

    /// Drops the oldest entry; false when there is none.
    fn drop_oldest(&mut self) -> bool {
        while let Some((number, key)) = self.order.pop_front() {
            if self.kept.get(&key).is_some_and(|entry| entry.number == number) {
                self.remove(&key);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Kept {
        Kept { response: HttpResponse { body: vec![b'x'; bytes], ..HttpResponse::default() }, expires_ns: 0 }
    }

    #[test]
    fn the_oldest_make_room_and_the_sum_is_bounded() {
        let cache = ResponseCache::new(10_000);
        for number in 0..1000_i64 {
            cache.insert(Value::from(number), kept(1000));
            cache.insert(Value::from(0), kept(10));
        }
        let entries = cache.lock();
        assert!(entries.bytes <= 10_000 && entries.kept.len() == 8, "{}", entries.kept.len());
        assert!(entries.kept.contains_key(&Value::from(0)) && entries.kept.contains_key(&Value::from(999)));
        assert!(entries.order.len() < 200);
        assert_eq!(entries.bytes, entries.kept.values().map(|entry| entry.bytes).sum::<usize>());
    }

    #[test]
    fn what_is_too_large_is_not_kept_and_takes_no_room() {
        let cache = ResponseCache::new(1000);
        cache.insert(Value::from(1), kept(10));
        cache.insert(Value::from(2), kept(5000));
        assert!(cache.get(&Value::from(1)).is_some() && cache.get(&Value::from(2)).is_none());
        cache.clear();
        assert!(cache.is_empty());
    }
}
