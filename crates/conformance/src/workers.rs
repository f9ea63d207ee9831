//! Judges cases on several threads, with progress on standard error.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::corpus::Case;
use crate::judge;
use crate::pipeline::Pipeline;

/// What became of one case.
pub(crate) struct Verdict {
    /// The group that the case is counted in.
    pub(crate) group: &'static str,
    /// `category/file/position`.
    pub(crate) id: String,
    /// Why the case did not pass.
    pub(crate) failure: Option<String>,
}

/// Deeply nested cases recurse in the compiler; its bound is the parser's, not this thread's.
const STACK: usize = 32 << 20;

/// Judges all cases; the verdicts stand in the cases' order.
pub(crate) fn judge_all(cases: &[Case], jobs: usize) -> Result<Vec<Verdict>, String> {
    let pipeline = Pipeline::new()?;
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut verdicts = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(index) else { return verdicts };
            if index > 0 && index.is_multiple_of(500) {
                eprintln!("conformance: {index} of {} cases", cases.len());
            }
            verdicts.push((index, judge_one(&pipeline, case)));
        }
    };
    let mut verdicts = std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, worker);
        let threads = (0..jobs.max(1)).map(spawn).collect::<Result<Vec<_>, _>>();
        let threads = threads.map_err(|error| format!("no thread to judge on: {error}"))?;
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| "a judging thread died".to_owned())?);
        }
        Ok::<_, String>(all)
    })?;
    verdicts.sort_by_key(|(index, _)| *index);
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}

fn judge_one(pipeline: &Pipeline, case: &Case) -> Verdict {
    let judged = catch_unwind(AssertUnwindSafe(|| judge::judge(pipeline, case)));
    let failure = match judged {
        Ok(result) => result.err(),
        Err(panic) => Some(format!("panicked: {}", panic_text(&*panic))),
    };
    Verdict { group: case.group, id: case.id.clone(), failure }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("?")
}
