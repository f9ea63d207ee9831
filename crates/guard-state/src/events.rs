//! What is told after an operation.

use guard_core::{Adjusted, ChargeOutcome, StateEvent};

pub(crate) fn tell_outcome(outcome: &ChargeOutcome, events: &mut Vec<StateEvent>) {
    if let ChargeOutcome::Charged(charged) = outcome {
        events.extend(charged.warnings.iter().cloned().map(StateEvent::Warned));
    }
}

pub(crate) fn tell_adjusted(adjusted: &[Adjusted], events: &mut Vec<StateEvent>) {
    events.extend(adjusted.iter().cloned().map(StateEvent::Adjusted));
}
