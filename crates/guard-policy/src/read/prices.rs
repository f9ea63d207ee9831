//! `prices`, and the document that it names.

use std::collections::HashMap;

use crate::beside::Beside;
use crate::model::{PRICES_UNIT, Prices, SHIPPED_NAME, SHIPPED_PRICES};
use crate::problem::{Problem, ProblemCode, Problems};
use crate::schema;
use crate::yaml::{Entry, Kind, shorten};

use super::fields::Fields;
use super::{document, values};

/// The most that a million tokens may cost, in micro-dollars: a million dollars.
const MAX_PRICE: u64 = 1_000_000_000_000;

pub(super) fn read(entry: &Entry, files: &Beside<'_>, problems: &mut Vec<Problem>) -> Option<Prices> {
    let text = values::text(entry, problems)?;
    let read = if text == SHIPPED_NAME {
        list("policies/prices/prices.yaml", SHIPPED_PRICES)
    } else {
        match files.read(text) {
            Ok((name, text)) => list(&name, &text),
            Err(refused) => {
                let help = refused.help.unwrap_or("`prices` takes a file beside hexarch.yaml, or `shipped`");
                let problem = Problem::new(ProblemCode::BadValue, entry.value.place, refused.message);
                problems.push(problem.with_help(help));
                return None;
            }
        }
    };
    match read {
        Ok(prices) => Some(Prices { name: text.to_owned(), ..prices }),
        Err(wrong) => {
            problems.extend(wrong.into_named());
            None
        }
    }
}

/// A list of prices.
fn list(file: &str, text: &str) -> Result<Prices, Problems> {
    document(file, text, |root, problems| {
        let fields = Fields::of(root, "a list of prices", schema::PRICES, problems)?;
        let mut said = |key: &str, wanted: &str| {
            let entry = fields.get(key);
            let text = entry.and_then(|entry| values::text(entry, problems));
            match (entry, text) {
                (None, _) => {
                    let problem =
                        Problem::new(ProblemCode::Missing, root.place, format!("there is no `{key}`"));
                    problems.push(problem.with_help(format!("such as `{key}: {wanted}`")));
                }
                (Some(entry), Some(text)) if key != "version" && text != wanted => {
                    let message = format!("`{key}` takes `{wanted}` alone, found `{}`", shorten(text));
                    problems.push(Problem::new(ProblemCode::UnknownValue, entry.value.place, message));
                }
                _ => {}
            }
            text.map(str::to_owned)
        };
        let version = said("version", "2025-01-31");
        said("currency", "USD");
        said("unit", PRICES_UNIT);
        let mut prices = match fields.get("extends") {
            None => Prices::default(),
            Some(entry) => extended(entry, problems)?,
        };
        prices.version = version.unwrap_or_default();
        let Some(entry) = fields.get("models") else {
            problems.push(Problem::new(ProblemCode::Missing, root.place, "there is no `models`"));
            return None;
        };
        models(entry, &mut prices, problems);
        Some(prices)
    })
}

/// The list that another one adds to.
fn extended(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Prices> {
    if values::text(entry, problems)? == SHIPPED_NAME {
        return list("policies/prices/prices.yaml", SHIPPED_PRICES).ok();
    }
    let message = "`extends` takes `shipped` alone: the list that comes with the product";
    problems.push(Problem::new(ProblemCode::UnknownValue, entry.value.place, message));
    None
}

fn models(entry: &Entry, prices: &mut Prices, problems: &mut Vec<Problem>) {
    let Kind::List(items) = &entry.value.kind else {
        problems.push(entry.value.wrong_type("`models`", "a list of models"));
        return;
    };
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for item in items {
        let Some(fields) = Fields::of(item, "a price", schema::PRICE, problems) else { continue };
        let mut missing = |key: &str| {
            let problem = Problem::new(ProblemCode::Missing, item.place, format!("the price has no `{key}`"));
            problems.push(problem);
        };
        let (Some(model), Some(input), Some(output)) =
            (fields.get("model"), fields.get("input"), fields.get("output"))
        else {
            ["model", "input", "output"]
                .iter()
                .filter(|key| fields.get(key).is_none())
                .for_each(|key| missing(key));
            continue;
        };
        let name = values::text(model, problems).filter(|name| fits(name, model, problems));
        let (input, output) = (price(input, problems), price(output, problems));
        let (Some(name), Some(input), Some(output)) = (name, input, output) else { continue };
        if let Some(first) = seen.insert(name, item.place.line) {
            let message = format!("`{name}` has a price already, on line {first}");
            problems.push(Problem::new(ProblemCode::Duplicate, item.place, message));
        }
        prices.set(name, input.max(output));
    }
}

/// A name, or a beginning with one `*` behind it.
fn fits(name: &str, entry: &Entry, problems: &mut Vec<Problem>) -> bool {
    let fits = !name.strip_suffix('*').unwrap_or(name).contains('*');
    if !fits {
        let message = "`model` takes a name, or the beginning of names and one `*`";
        problems.push(Problem::new(ProblemCode::BadValue, entry.value.place, message));
    }
    fits
}

/// A whole number of micro-dollars for a million tokens.
fn price(entry: &Entry, problems: &mut Vec<Problem>) -> Option<u64> {
    let text = values::number(entry, "a whole number of micro-dollars for a million tokens", problems)?;
    let price = text.parse::<u64>().ok().filter(|price| *price <= MAX_PRICE);
    if price.is_none() {
        let message = format!(
            "`{}` takes whole micro-dollars for a million tokens, from 0 to {MAX_PRICE}, found `{}`",
            entry.key,
            shorten(text)
        );
        let problem = Problem::new(ProblemCode::BadValue, entry.value.place, message);
        problems.push(problem.with_help("$2.50 for a million tokens is `2500000`"));
    }
    price
}
