//! Waiting for what stops a call: for somebody to decide about it, or for room.

use std::sync::Arc;
use std::time::{Duration, Instant};

use guard_core::{Action, Request, Violation};
use guardian::{Driver, Permit, Sleep};

/// How soon a throttled call asks again where nobody knows when there is room: at first, and at the longest.
const SOONEST: Duration = Duration::from_millis(20);
const LATEST: Duration = Duration::from_millis(500);

/// Asks until the call may run, waiting in between, and no longer than `within` all together.
pub(crate) async fn authorize(
    driver: &Arc<Driver>,
    mut request: Box<Request>,
    within: Duration,
) -> Result<Permit, Box<Violation>> {
    let begin = Instant::now();
    let mut pause = SOONEST;
    // Somebody decides about a call once; what they say is final.
    let mut asked = false;
    loop {
        let violation = match driver.authorize(request.clone()).await {
            Ok(permit) => return Ok(permit),
            Err(violation) => violation,
        };
        let left = within.saturating_sub(begin.elapsed());
        match (&violation.confirmation, violation.action) {
            (Some(pending), _) if !asked => {
                asked = true;
                if let Err(error) = driver.confirmer().decided(&pending.token, left).await {
                    return Err(Box::new(Violation { reason: error.to_string(), ..*violation }));
                }
                request.confirmation_token = Some(pending.token.clone());
            }
            (None, Action::Throttle) => {
                let wait = violation.retry_after.unwrap_or(pause).max(Duration::from_millis(1));
                if wait > left {
                    return Err(violation);
                }
                pause = (pause * 2).min(LATEST);
                Sleep::new(wait).await;
            }
            _ => return Err(violation),
        }
    }
}
