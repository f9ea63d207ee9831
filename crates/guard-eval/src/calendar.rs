//! The windows of the calendar, kept in the data of a pool until they end.
//!
//! A policy that counts by the day or the month would compute that day's name and end in each decision. It takes them from
//! `data.hexarch.calendar` where they are, and holds for itself that the moment lies in them: so what is kept here makes a
//! decision faster, never another one.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

use guard_core::{Question, Timestamp};
use rego_engine::{Binding, EntrypointId, EvalContext, Module, Pool};
use rego_value::Value;

use crate::asked::Asked;

/// What tells the windows of a moment.
const ENTRYPOINT: &str = "guardrails/calendar";
/// Where policies look for them.
const PATH: [&str; 2] = ["hexarch", "calendar"];
/// How long not to ask again when there was no answer, in milliseconds.
const PAUSE: i64 = 60_000;

/// The calendar of a module that tells one.
pub(crate) struct Calendar {
    entrypoint: EntrypointId,
    /// From when until when what is kept holds, in milliseconds since the epoch.
    from: AtomicI64,
    until: AtomicI64,
    renewing: Mutex<()>,
}

impl Calendar {
    /// None for a module that has no such entrypoint.
    pub(crate) fn of(module: &Module) -> Option<Self> {
        let entrypoint = module.entrypoint(ENTRYPOINT)?;
        let (from, until) = (AtomicI64::new(i64::MAX), AtomicI64::new(i64::MIN));
        Some(Self { entrypoint, from, until, renewing: Mutex::new(()) })
    }

    /// Sees to it that the windows of the question's moment are in the data, where they can be had.
    pub(crate) fn keep(&self, pool: &Pool, asked: &Binding<Asked<'static>>, question: Question<'_>) {
        let now = millis(question.request.time);
        if self.holds(now) {
            return;
        }
        // One caller renews it; the others' policies compute their windows meanwhile.
        let _renewing = match self.renewing.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => return,
        };
        if !self.holds(now) {
            let until = self.renew(pool, asked, question).unwrap_or_else(|| now.saturating_add(PAUSE));
            self.from.store(now, Ordering::Release);
            self.until.store(until, Ordering::Release);
        }
    }

    fn holds(&self, now: i64) -> bool {
        self.from.load(Ordering::Acquire) <= now && now < self.until.load(Ordering::Acquire)
    }

    /// Puts the windows of this moment into the data, and tells when the first of them ends.
    fn renew(&self, pool: &Pool, asked: &Binding<Asked<'static>>, question: Question<'_>) -> Option<i64> {
        let patience = || question.deadline.remaining();
        let windows = pool.with_patience(patience, |instance, _| {
            let context = EvalContext {
                deadline: Some(question.deadline.remaining()),
                now_ns: question.request.time.as_nanos(),
                ..EvalContext::default()
            };
            let told = Asked::new(question.request);
            instance.evaluate_value(self.entrypoint, asked.input(&told), &context)
        });
        let windows = windows.ok()?.ok()??;
        let until = first_end(&windows)?;
        pool.set_data_at(&PATH, windows).ok()?;
        Some(until)
    }
}

/// The least `until_ms` of all, where there are windows.
fn first_end(zones: &Value) -> Option<i64> {
    let Value::Object(zones) = zones else { return None };
    let mut first = i64::MAX;
    for (_, periods) in zones.iter() {
        let Value::Object(periods) = periods else { return None };
        for (_, window) in periods.iter() {
            let Value::Number(until) = window.get_str("until_ms")? else { return None };
            first = first.min(until.as_i64()?);
        }
    }
    (first < i64::MAX).then_some(first)
}

fn millis(at: Timestamp) -> i64 {
    at.as_nanos().div_euclid(1_000_000)
}
