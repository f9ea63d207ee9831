//! What a call really took.

use guard_core::{Amount, Quantity};
use guard_policy::LimitKind;
use guardian::Permit;

use crate::guardian::Guardian;

/// What a call really took, in place of what was reserved for it. What is not said stays as it was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    cost: Option<Amount>,
    tokens: Option<u64>,
}

impl Spent {
    /// Neither money nor tokens.
    pub fn nothing() -> Self {
        Self { cost: Some(Amount::from(0_u32)), tokens: Some(0) }
    }

    /// So many dollars.
    #[must_use]
    pub fn cost(mut self, cost: Amount) -> Self {
        self.cost = Some(cost);
        self
    }

    /// So many tokens.
    #[must_use]
    pub fn tokens(mut self, tokens: u64) -> Self {
        self.tokens = Some(tokens);
        self
    }
}

/// Says it of every budget and every limit of tokens that the call was charged to. What is below zero, or beyond every
/// counter, leaves what was reserved: nobody gets money back for having said so.
pub(crate) fn settle(guardian: &Guardian, permit: &mut Permit, spent: Spent) {
    let micros = spent.cost.and_then(guard_core::Amount::micro_dollars);
    let tokens = spent.tokens.and_then(|tokens| i64::try_from(tokens).ok());
    let limits = guardian.policies().iter().flat_map(|policy| policy.limits());
    let charged: Vec<&str> =
        permit.decision().charges.iter().map(|charge| charge.cell.limit.as_str()).collect();
    let really: Vec<(String, i64)> = limits
        .filter(|limit| charged.contains(&limit.id.as_str()))
        .filter_map(|limit| {
            let units = match limit.kind {
                LimitKind::Budget => micros,
                LimitKind::Tokens => tokens,
                LimitKind::Rate | LimitKind::Iterations | LimitKind::Concurrency => None,
            };
            Some((limit.id.clone(), units?))
        })
        .collect();
    for (limit, units) in really {
        permit.spent(limit, Quantity::new(units));
    }
}
