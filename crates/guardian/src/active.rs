//! A machine at work, and what happens when its caller goes away.

use std::sync::Arc;

use guard_core::{Reply, block_on};

use crate::driver::{Driver, Rest, tell_failures};
use crate::machine::{Event, Machine, Step};

/// A machine and its driver. Dropped before its end, by a panic or with a cancelled future, it gives back
/// what was reserved.
pub(crate) struct Active {
    driver: Arc<Driver>,
    /// Apart, since permits are handed on from function to function.
    machine: Box<Machine>,
    over: bool,
}

impl Active {
    pub(crate) fn new(driver: Arc<Driver>, machine: Box<Machine>) -> Self {
        Self { driver, machine, over: false }
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Goes on until the call is to be run, or everything is over.
    pub(crate) async fn advance(&mut self, event: Event) -> Rest {
        let rest = self.driver.advance(&mut self.machine, event).await;
        self.over = matches!(rest, Rest::Over(_));
        rest
    }
}

impl Drop for Active {
    /// Nothing may block here, since a cancelled future is dropped on its executor's thread: stores that
    /// answer at once are dealt with at once, the others by a thread of their own.
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut step = self.machine.cut_off();
        while let Some(event) = now(&self.driver, &self.machine, &step) {
            self.driver.given_back();
            tell_failures(&self.machine, &event);
            step = self.machine.next(event);
        }
        if !matches!(step, Step::Done(_)) {
            let machine = std::mem::replace(&mut self.machine, Box::new(Machine::over()));
            elsewhere(Arc::clone(&self.driver), machine, step);
        }
    }
}

/// Does a step if that takes no waiting. A reply that is never polled has done nothing.
fn now(driver: &Driver, machine: &Machine, step: &Step) -> Option<Event> {
    match step {
        Step::Refund(id) => at_once(driver.ports.store.refund(*id)).map(Event::Refunded),
        Step::Settle(id, settlement) => {
            at_once(driver.ports.store.settle(*id, settlement)).map(Event::Settled)
        }
        Step::Record(note) => match driver.wanted(machine, note.clone()) {
            Some(record) => at_once(driver.ports.audit.record(&record)).map(Event::Recorded),
            None => Some(Event::Recorded(Ok(()))),
        },
        _ => None,
    }
}

fn at_once<T>(reply: Reply<'_, T>) -> Option<T> {
    match reply {
        Reply::Now(answer) => Some(answer),
        Reply::Later(_) => None,
    }
}

/// Goes on in a thread of its own. If there is none to be had, the lease gives back what was reserved.
fn elsewhere(driver: Arc<Driver>, mut machine: Box<Machine>, step: Step) {
    let id = machine.id();
    let work = move || {
        block_on(driver.carry_on(&mut machine, step));
    };
    if let Err(error) = std::thread::Builder::new().name("hexarch-release".into()).spawn(work) {
        tracing::error!(target: "hexarch::guardian", decision_id = %id, "a reservation is left to its lease: {error}");
    }
}
