//! What tokens of models cost.

use std::collections::HashMap;
use std::fmt;

/// The words of the key `unit`: dollars have too few places for one token.
pub(crate) const UNIT: &str = "micro-dollars per million tokens";

/// The word for the list that ships.
pub(crate) const SHIPPED_NAME: &str = "shipped";

/// The list that ships: `policies/prices/prices.yaml`.
pub(crate) const SHIPPED: &str = include_str!("../../../../policies/prices/prices.yaml");

/// Prices by model: data that somebody keeps, with the date at which it was right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    /// What hexarch.yaml calls them.
    pub(crate) name: String,
    pub(crate) version: String,
    /// Micro-dollars for a million tokens, of models by their names.
    pub(crate) names: HashMap<String, u64>,
    /// The same of models whose names begin so, the longest beginning first.
    pub(crate) beginnings: Vec<(String, u64)>,
}

impl Prices {
    /// What so many tokens of a model cost at most, in whole micro-dollars, rounded up, or the most that can be counted;
    /// none where the list does not know the model. Which of the tokens are input and which output is not known before the
    /// call, so the dearer of the two prices holds for all: what it really cost is for the caller to say afterwards.
    pub fn cost(&self, model: &str, tokens: u64) -> Option<u64> {
        let begins = |(beginning, _): &&(String, u64)| model.starts_with(beginning.as_str());
        let price =
            self.names.get(model).or_else(|| self.beginnings.iter().find(begins).map(|(_, price)| price))?;
        let exact = u128::from(*price) * u128::from(tokens);
        Some(u64::try_from(exact.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    /// The same in dollars: `0.000125`, as a call would say it.
    pub fn dollars(&self, model: &str, tokens: u64) -> Option<String> {
        let micros = self.cost(model, tokens)?;
        Some(format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000))
    }

    /// Takes a model's price, by its name or by a beginning with a `*` behind it, in place of one that it has.
    pub(crate) fn set(&mut self, model: &str, price: u64) {
        match model.strip_suffix('*') {
            None => {
                self.names.insert(model.to_owned(), price);
            }
            Some(beginning) => {
                self.beginnings.retain(|(known, _)| known != beginning);
                self.beginnings.push((beginning.to_owned(), price));
                self.beginnings.sort_by(|(one, _), (other, _)| (other.len(), other).cmp(&(one.len(), one)));
            }
        }
    }
}

/// As people are told of it: `prices.yaml (2025-01-31)`.
impl fmt::Display for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            SHIPPED_NAME => write!(f, "the shipped prices ({})", self.version),
            name => write!(f, "{name} ({})", self.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_exact_and_rounded_up_and_the_longest_beginning_speaks() {
        let mut prices = Prices::default();
        for (model, price) in [("gpt-4o*", 10_000_000), ("gpt-4o-mini*", 600_000), ("gpt-4o", 7), ("free", 0)]
        {
            prices.set(model, price);
        }
        assert_eq!(prices.cost("gpt-4o-2024", 3), Some(30));
        assert_eq!(prices.cost("gpt-4o-mini-2024", 1_000_000), Some(600_000));
        assert_eq!(prices.cost("gpt-4o", 1), Some(1), "rounded up");
        assert_eq!(prices.cost("gpt-4o", 0), Some(0));
        assert_eq!(prices.cost("free", u64::MAX), Some(0));
        assert_eq!(prices.cost("gpt-4", 1), None);
        assert_eq!(prices.cost("gpt-4o-x", u64::MAX), Some(u64::MAX), "more than there is");
        assert_eq!(prices.dollars("gpt-4o-x", 123_457).as_deref(), Some("1.234570"));
    }
}
