//! What one process of the race does: its threads go through the same confirmations in the same order, and each does to
//! each something else.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use guard_confirm::{Desk, DeskConfig, DeskError, Key, Keyring, Person, Rules, Store};
use guard_core::{ConfirmRequest, ConfirmationToken, DecisionId, Request, SystemClock};

/// A confirmation as the processes are told of it: what it takes to decide, and to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prize {
    pub(crate) handle: String,
    pub(crate) token: String,
}

pub(crate) fn desk(store: Arc<dyn Store>, signed: bool, approvals: u32, expires: Duration) -> Desk {
    let rules = Rules { approvals, ..Rules::default() };
    let config = DeskConfig { rules, expires, ..DeskConfig::default() };
    let desk = Desk::new(store, Arc::new(SystemClock::new()), config);
    let key = || Keyring::new("k", Key::Hmac(b"a key for the race only".to_vec()));
    match (signed, key()) {
        (true, Ok(keys)) => desk.signed(keys),
        _ => desk,
    }
}

pub(crate) fn question(number: usize) -> ConfirmRequest {
    let request = Request { operation: format!("delete.{number}"), ..Request::new("race") };
    ConfirmRequest { decision_id: DecisionId::from_u128(0), request, reason: String::new(), details: None }
}

/// The same numbers for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit.max(1)
    }
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Which process of which fight.
pub(crate) struct Plan {
    pub(crate) signed: bool,
    pub(crate) seed: u64,
    pub(crate) process: u64,
    pub(crate) threads: u64,
    pub(crate) start_ms: u64,
}

/// Fights with so many threads from that moment on, and writes down what each won: `NUMBER approve|reject|consume`, or
/// `ID expire`. What the store could not answer is written down as `NUMBER doubt`.
pub(crate) fn fight(
    store: &Arc<dyn Store>,
    prizes: &[Prize],
    plan: &Plan,
    log: &Path,
) -> std::io::Result<()> {
    let Plan { signed, seed, process, threads, start_ms } = *plan;
    let desk = desk(Arc::clone(store), signed, 1, Duration::from_secs(60));
    std::thread::sleep(Duration::from_millis(start_ms.saturating_sub(now_ms())));
    let won = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (desk, won) = (&desk, &won);
            scope.spawn(move || {
                let mut random = Random(seed ^ (process << 40) ^ (thread << 20));
                let person = Person::new(format!("p{process}.{thread}"));
                let mut lines = String::new();
                for (number, prize) in prizes.iter().enumerate() {
                    lines.push_str(&act(desk, number, prize, &person, &mut random));
                }
                if let Ok(mut won) = won.lock() {
                    won.push_str(&lines);
                }
            });
        }
    });
    let won = won.into_inner().unwrap_or_default();
    std::fs::File::create(log)?.write_all(won.as_bytes())
}

fn act(desk: &Desk, number: usize, prize: &Prize, person: &Person, random: &mut Random) -> String {
    let told = |what: &str, result: Result<(), DeskError>| match result {
        Ok(()) => format!("{number} {what}\n"),
        Err(DeskError::Refused(_)) => String::new(),
        Err(error) => format!("{number} doubt {error}\n"),
    };
    let token = ConfirmationToken::new(prize.token.clone());
    match random.below(200) {
        0 => match desk.sweep().wait() {
            Ok(expired) => expired.iter().map(|entry| format!("{} expire\n", entry.id)).collect(),
            Err(error) => format!("{number} doubt {error}\n"),
        },
        1..=60 => told("approve", desk.approve(&prize.handle, person, "").wait().map(drop)),
        61..=75 => told("reject", desk.reject(&prize.handle, person, "").wait().map(drop)),
        _ => told("consume", desk.consume(&token, &question(number).request).wait().map(drop)),
    }
}
