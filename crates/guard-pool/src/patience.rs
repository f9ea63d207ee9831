//! Trying again what somebody else is in the way of for a moment.

use std::time::{Duration, Instant};

/// How long to sleep between two tries.
const PAUSE: Duration = Duration::from_millis(2);

/// Works until it succeeds, fails with what is not `passing`, or has been tried for this long: then with the last error.
///
/// SQLite needs it to make a file a log: of several connections that do so at one moment it tells all but one at once that
/// the file is locked, and does not wait for them as it does elsewhere (`busy_timeout`).
///
/// # Errors
/// What the work's last try failed with.
pub fn patiently<T, E>(
    limit: Duration,
    passing: impl Fn(&E) -> bool,
    mut work: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let begun = Instant::now();
    loop {
        match work() {
            Err(error) if passing(&error) && begun.elapsed() < limit => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(limit: Duration, mut errors: Vec<u8>) -> (Result<(), u8>, usize) {
        let mut tried = 0;
        let outcome = patiently(
            limit,
            |error| *error == 1,
            || {
                tried += 1;
                errors.pop().map_or(Ok(()), Err)
            },
        );
        (outcome, tried)
    }

    #[test]
    fn only_what_passes_is_tried_again_and_not_for_ever() {
        let long = Duration::from_secs(60);
        assert_eq!(tries(long, vec![]), (Ok(()), 1));
        assert_eq!(tries(long, vec![1, 1]), (Ok(()), 3));
        assert_eq!(tries(long, vec![1, 2, 1]), (Err(2), 2));
        assert_eq!(tries(Duration::ZERO, vec![2, 1]), (Err(1), 1));
    }
}
