//! Budgets and counters behind the state port.
