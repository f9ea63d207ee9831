//! Judges cases on several threads, with progress on standard error. A case that panics or does not end fails, and
//! nothing but that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::corpus::Case;
use crate::judge::{self, Judged};
use crate::pipeline::{Form, Pipeline};

/// What became of one case.
pub(crate) struct Verdict {
    /// The group that the case is counted in.
    pub(crate) group: &'static str,
    /// `category/file/position`.
    pub(crate) id: String,
    /// Why the case did not pass.
    pub(crate) failure: Option<String>,
    /// How many instructions of WebAssembly its evaluations took.
    pub(crate) instructions: u64,
}

/// Deeply nested cases recurse in the compiler; its bound is the parser's, not this thread's.
pub(crate) const STACK: usize = 32 << 20;

/// How long a case may take, compilation included, before it is given up. Evaluations have a shorter limit of their own.
const LIMIT: Duration = Duration::from_secs(60);

/// How often to look for cases that are over the limit.
const TICK: Duration = Duration::from_secs(1);

/// What all threads share.
struct Work {
    cases: Vec<Case>,
    pipeline: Pipeline,
    next: AtomicUsize,
}

/// The case that a thread is at, and since when; none between cases and once the thread has been given up.
#[derive(Clone, Default)]
struct Place(Arc<Mutex<Option<(usize, Instant)>>>);

impl Place {
    fn lock(&self) -> MutexGuard<'_, Option<(usize, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Judges all cases; the verdicts stand in the cases' order.
pub(crate) fn judge_all(cases: Vec<Case>, jobs: usize, form: Form) -> Result<Vec<Verdict>, String> {
    let work = Arc::new(Work { cases, pipeline: Pipeline::new(form)?, next: AtomicUsize::new(0) });
    let (sender, receiver) = mpsc::channel();
    let mut places = Vec::new();
    for _ in 0..jobs.max(1) {
        places.push(start(&work, &sender)?);
    }
    let mut verdicts: Vec<Option<Verdict>> = work.cases.iter().map(|_| None).collect();
    let mut missing = verdicts.len();
    while missing > 0 {
        let mut arrived = match receiver.recv_timeout(TICK) {
            Ok(arrived) => vec![arrived],
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return Err("all judging threads died".to_owned()),
        };
        for place in &mut places {
            if let Some(index) = overdue(place) {
                let failure = format!("did not end within {} s", LIMIT.as_secs());
                arrived.push((index, Judged::without_evaluation(Err(failure))));
                // The thread goes on for nobody; another takes over what is left.
                *place = start(&work, &sender)?;
            }
        }
        for (index, Judged { failure, instructions }) in arrived {
            let (Some(slot), Some(case)) = (verdicts.get_mut(index), work.cases.get(index)) else { continue };
            *slot = Some(Verdict { group: case.group, id: case.id.clone(), failure, instructions });
            missing -= 1;
            let done = work.cases.len() - missing;
            if done.is_multiple_of(500) {
                eprintln!("conformance: {done} of {} cases", work.cases.len());
            }
        }
    }
    Ok(verdicts.into_iter().flatten().collect())
}

/// The case of a thread that is over the limit; the thread is given up.
fn overdue(place: &Place) -> Option<usize> {
    let mut at = place.lock();
    match *at {
        Some((index, since)) if since.elapsed() > LIMIT => {
            *at = None;
            Some(index)
        }
        _ => None,
    }
}

/// Starts a thread that judges one case after another.
fn start(work: &Arc<Work>, sender: &Sender<(usize, Judged)>) -> Result<Place, String> {
    let (work, sender, place) = (Arc::clone(work), sender.clone(), Place::default());
    let own = place.clone();
    let worker = move || {
        loop {
            let index = work.next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = work.cases.get(index) else { return };
            *own.lock() = Some((index, Instant::now()));
            let judged = judge_one(&work.pipeline, case);
            // Taken away: this thread was given up.
            if own.lock().take().is_none() || sender.send((index, judged)).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(worker);
    thread.map_err(|error| format!("no thread to judge on: {error}"))?;
    Ok(place)
}

fn judge_one(pipeline: &Pipeline, case: &Case) -> Judged {
    catch_unwind(AssertUnwindSafe(|| judge::judge(pipeline, case)))
        .unwrap_or_else(|panic| Judged::without_evaluation(Err(format!("panicked: {}", panic_text(&*panic)))))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("?")
}
